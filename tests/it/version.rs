// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which commit `--version` names: build.rs, run as cargo runs it, in every kind of
//! folder that the sources may lie in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// build.rs, compiled once.
static SCRIPT: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("build-script");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let status = Command::new(rustc)
        .args(["--edition=2024", "-o"])
        .arg(&script)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs"))
        .status()
        .expect("rustc");
    assert!(status.success());
    (folder, script)
});

/// A command with nothing of the user's git.
fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("BAREPOINT_COMMIT");
    command
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let user = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    let output = command("git", folder)
        .args(user)
        .args(arguments)
        .output()
        .expect("git");
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.trim().to_owned()
}

/// The version that is built in, in `folder`, with more in the environment.
fn version_with(folder: &Path, environment: &[(&str, &Path)]) -> String {
    let mut command = command(&SCRIPT.1, folder);
    command.envs(environment.iter().copied());
    let output = command.env("CARGO_PKG_VERSION", "1.2.3").output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("text");
    let mut lines = text.lines();
    let version = lines.find_map(|line| line.strip_prefix("cargo::rustc-env=BAREPOINT_VERSION="));
    version.expect("a version").to_owned()
}

fn version(folder: &Path) -> String {
    version_with(folder, &[])
}

/// Something like the sources, and no repository.
fn sources(folder: &Path) {
    fs::create_dir_all(folder.join("src")).expect("a folder");
    for (path, text) in [
        ("src/main.rs", "fn main() {}\n"),
        ("README.md", "text\n"),
        (".commit", "$Format:%H$\n"),
        (".gitattributes", ".commit export-subst\n"),
    ] {
        fs::write(folder.join(path), text).expect("written");
    }
}

/// Makes a repository of `folder`, and gives what is to be named.
fn committed(folder: &Path) -> String {
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "one"]);
    named(folder)
}

fn named(folder: &Path) -> String {
    format!("1.2.3 ({})", &git(folder, &["rev-parse", "HEAD"])[..12])
}

/// A folder with `sources`, a repository of them.
fn workplace() -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let top = folder.path().join("sources");
    sources(&top);
    let version = committed(&top);
    (folder, top, version)
}

#[test]
fn a_work_tree_is_named_by_its_head() {
    let (_folder, top, named) = workplace();
    assert_eq!(version(&top), named);
    // What is no part of the binary does not count.
    fs::write(top.join("README.md"), "more\n").expect("written");
    assert_eq!(version(&top), named);
    fs::write(top.join("src/main.rs"), "fn main() { }\n").expect("written");
    assert_eq!(version(&top), named.replace(')', "+)"));
}

#[test]
fn a_new_file_counts_though_git_is_told_not_to_show_it() {
    let (_folder, top, named) = workplace();
    git(&top, &["config", "status.showUntrackedFiles", "no"]);
    fs::write(top.join("src/new.rs"), "\n").expect("written");
    assert_eq!(version(&top), named.replace(')', "+)"));
}

#[test]
fn a_shallow_clone_and_a_linked_work_tree_are_named_alike() {
    let (folder, top, _) = workplace();
    git(&top, &["commit", "-q", "--allow-empty", "-m", "two"]);
    let named = named(&top);
    let shallow = folder.path().join("shallow");
    let url = format!("file://{}", top.display());
    git(
        folder.path(),
        &["clone", "-q", "--depth=1", &url, "shallow"],
    );
    assert_eq!(version(&shallow), named);
    git(&top, &["worktree", "add", "-q", "--detach", "../linked"]);
    assert_eq!(version(&folder.path().join("linked")), named);
}

#[test]
fn an_archive_is_named_by_its_commit() {
    let (folder, top, named) = workplace();
    git(&top, &["archive", "-o", "../sources.tar", "HEAD"]);
    let unpacked = folder.path().join("unpacked");
    fs::create_dir(&unpacked).expect("a folder");
    let mut tar = command("tar", &unpacked);
    tar.args(["-xf", "../sources.tar"]);
    assert!(tar.status().expect("tar").success());
    assert_eq!(version(&unpacked), named);
}

#[test]
fn the_repository_around_vendored_sources_is_not_named() {
    let (folder, top, _) = workplace();
    let vendored = top.join("vendor/barepoint");
    sources(&vendored);
    assert_eq!(version(&vendored), "1.2.3");
    git(&top, &["add", "-A"]);
    git(&top, &["commit", "-q", "-m", "vendored"]);
    assert_eq!(version(&vendored), "1.2.3");
    drop(folder);
}

#[test]
fn a_build_in_a_hook_does_not_name_the_hook_s_repository() {
    let (folder, top, named) = workplace();
    let other = folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("x"), "x\n").expect("written");
    let others = committed(&other);
    assert_ne!(others, named);
    let directory = other.join(".git");
    let index = directory.join("index");
    let hook = [
        ("GIT_DIR", directory.as_path()),
        ("GIT_INDEX_FILE", index.as_path()),
    ];
    assert_eq!(version_with(&top, &hook), named);
    let bare = folder.path().join("no-repository");
    sources(&bare);
    assert_eq!(version_with(&bare, &hook), "1.2.3");
}

#[test]
fn the_environment_outranks_git() {
    let (_folder, top, named) = workplace();
    let given = [(
        "BAREPOINT_COMMIT",
        Path::new("0123456789abcdef0123456789abcdef01234567"),
    )];
    assert_eq!(version_with(&top, &given), "1.2.3 (0123456789ab)");
    assert_eq!(
        version_with(&top, &[("BAREPOINT_COMMIT", Path::new("none"))]),
        named
    );
}
