// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What `barepoint --version` says: the version and the commit that it was built from,
//! the same for the same sources wherever and whenever they are built.
//!
//! The commit is BAREPOINT_COMMIT if that is set, or git's if this is the top of a work
//! tree, with a `+` if what is built differs from it, or what `git archive` wrote into
//! `.commit`. Without any, there is the version alone.

use std::path::Path;
use std::process::Command;

/// What goes into the binary.
const SOURCES: [&str; 5] = ["src", "rules", "build.rs", "Cargo.toml", "Cargo.lock"];
/// What points git at another repository than the one around here: a git hook that runs
/// a build has these of the repository that it is a hook of.
const ELSEWHERE: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
];
/// As many digits as the kernel's commits are cited with.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-env-changed=BAREPOINT_COMMIT");
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let commit = given().or_else(of_git).or_else(of_archive);
    let full = match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=BAREPOINT_VERSION={full}");
}

fn given() -> Option<String> {
    shortened(&std::env::var("BAREPOINT_COMMIT").ok()?)
}

fn of_git() -> Option<String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let here = std::env::current_dir().ok()?;
    // The sources may lie in somebody's repository, and be no part of it.
    if Path::new(&top).canonicalize().ok()? != here.canonicalize().ok()? {
        return None;
    }
    // HEAD's own file stays as it is when a branch moves; its log does not, and where
    // none is kept, as in a work tree of a bare repository, the branch's own file.
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"])?;
    for file in ["HEAD", "logs/HEAD", &branch, "packed-refs"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = shortened(&git(&["rev-parse", "HEAD"])?)?;
    // New files are part of what is built, whatever the user's git shows of them.
    let mut changed = vec!["status", "--porcelain", "--untracked-files=normal", "--"];
    changed.extend(SOURCES);
    let mark = if git(&changed)?.is_empty() { "" } else { "+" };
    Some(format!("{commit}{mark}"))
}

fn of_archive() -> Option<String> {
    println!("cargo::rerun-if-changed=.commit");
    shortened(std::fs::read_to_string(".commit").ok()?.trim())
}

fn shortened(commit: &str) -> Option<String> {
    let is_commit = commit.len() >= DIGITS && commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then(|| commit[..DIGITS].to_owned())
}

/// What a git command prints, if it succeeds.
fn git(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    for variable in ELSEWHERE {
        command.env_remove(variable);
    }
    // Another git may be at work here, which this one is not to get in the way of.
    command.args(arguments).env("GIT_OPTIONAL_LOCKS", "0");
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
