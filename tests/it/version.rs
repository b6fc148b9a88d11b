// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which commit `--version` names: build.rs, run as cargo runs it, in every kind of
//! folder that the sources may lie in.

use crate::workplace::{Workplace, finished, text};
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

/// A folder with `sources`, a repository of them, and what is to be named.
struct Place {
    place: Workplace,
    named: String,
}

impl Place {
    fn new() -> Self {
        let place = Workplace::empty();
        sources(&place, "sources");
        let named = committed(&place, "sources");
        Self { place, named }
    }

    fn git(&self, arguments: &[&str]) {
        self.place.git("sources", arguments);
    }

    /// The version that is built in, in `folder`, with more in the environment.
    fn version_with(&self, folder: &str, environment: &[(&str, &Path)]) -> String {
        let mut command = self.place.command(&SCRIPT.1);
        command
            .current_dir(self.place.path(folder))
            .envs(environment.iter().copied())
            .env("CARGO_PKG_VERSION", "1.2.3");
        let text = text(&finished(&mut command).stdout);
        let mut lines = text.lines();
        let version =
            lines.find_map(|line| line.strip_prefix("cargo::rustc-env=BAREPOINT_VERSION="));
        version.expect("a version").to_owned()
    }

    fn version(&self, folder: &str) -> String {
        self.version_with(folder, &[])
    }
}

/// Something like the sources, and no repository.
fn sources(place: &Workplace, folder: &str) {
    for (path, text) in [
        ("src/main.rs", "fn main() {}\n"),
        ("README.md", "text\n"),
        (".commit", "$Format:%H$\n"),
        (".gitattributes", ".commit export-subst\n"),
    ] {
        place.write(format!("{folder}/{path}"), text);
    }
}

/// Makes a repository of `folder`, and gives what is to be named.
fn committed(place: &Workplace, folder: &str) -> String {
    place.repository(folder);
    named(place, folder)
}

fn named(place: &Workplace, folder: &str) -> String {
    format!(
        "1.2.3 ({})",
        &place.git(folder, &["rev-parse", "HEAD"])[..12]
    )
}

#[test]
fn a_work_tree_is_named_by_its_head() {
    let place = Place::new();
    assert_eq!(place.version("sources"), place.named);
    // What is no part of the binary does not count.
    place.place.write("sources/README.md", "more\n");
    assert_eq!(place.version("sources"), place.named);
    place.place.write("sources/src/main.rs", "fn main() { }\n");
    assert_eq!(place.version("sources"), place.named.replace(')', "+)"));
}

#[test]
fn a_new_file_counts_though_git_is_told_not_to_show_it() {
    let place = Place::new();
    place.git(&["config", "status.showUntrackedFiles", "no"]);
    place.place.write("sources/src/new.rs", "\n");
    assert_eq!(place.version("sources"), place.named.replace(')', "+)"));
}

#[test]
fn a_shallow_clone_and_a_linked_work_tree_are_named_alike() {
    let place = Place::new();
    place.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    let named = named(&place.place, "sources");
    let url = format!("file://{}", place.place.name("sources"));
    place.git(&["clone", "-q", "--depth=1", &url, "../shallow"]);
    assert_eq!(place.version("shallow"), named);
    place.git(&["worktree", "add", "-q", "--detach", "../linked"]);
    assert_eq!(place.version("linked"), named);
}

#[test]
fn an_archive_is_named_by_its_commit() {
    let place = Place::new();
    place.git(&["archive", "-o", "../sources.tar", "HEAD"]);
    place
        .place
        .sh("mkdir unpacked && tar -xf sources.tar -C unpacked");
    assert_eq!(place.version("unpacked"), place.named);
}

#[test]
fn the_repository_around_vendored_sources_is_not_named() {
    let place = Place::new();
    let vendored = "sources/vendor/barepoint";
    sources(&place.place, vendored);
    assert_eq!(place.version(vendored), "1.2.3");
    place.git(&["add", "-A"]);
    place.git(&["commit", "-q", "-m", "vendored"]);
    assert_eq!(place.version(vendored), "1.2.3");
}

#[test]
fn a_build_in_a_hook_does_not_name_the_hook_s_repository() {
    let place = Place::new();
    place.place.write("other/x", "x\n");
    let others = committed(&place.place, "other");
    assert_ne!(others, place.named);
    let directory = place.place.path("other/.git");
    let index = directory.join("index");
    let hook = [
        ("GIT_DIR", directory.as_path()),
        ("GIT_INDEX_FILE", index.as_path()),
    ];
    assert_eq!(place.version_with("sources", &hook), place.named);
    sources(&place.place, "no-repository");
    assert_eq!(place.version_with("no-repository", &hook), "1.2.3");
}

#[test]
fn the_environment_outranks_git() {
    let place = Place::new();
    let given = [(
        "BAREPOINT_COMMIT",
        Path::new("0123456789abcdef0123456789abcdef01234567"),
    )];
    let version = place.version_with("sources", &given);
    assert_eq!(version, "1.2.3 (0123456789ab)");
    let none = [("BAREPOINT_COMMIT", Path::new("none"))];
    assert_eq!(place.version_with("sources", &none), place.named);
}
