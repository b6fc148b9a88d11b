// SPDX-License-Identifier: GPL-2.0-only OR MIT
use std::fs;
use std::sync::{Arc, Mutex};

use git2::{Signature, Time};

use super::super::git::{GitBlobs, GitTree};
use super::super::overlay::OverlayTree;
use super::super::patch::ChangeKind;
use super::super::series::{How, Series};
use super::super::{Tree, kernel_root};
use super::*;

/// A repository to make commits in.
struct Scratch {
    dir: tempfile::TempDir,
    repository: Repository,
    clock: i64,
}

impl Scratch {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let repository = Repository::init(dir.path()).expect("a repository");
        Self {
            dir,
            repository,
            clock: 1_000_000_000,
        }
    }

    /// Commits `files`, all there are, with `parents`, or what HEAD is.
    fn commit(&mut self, message: &str, files: &[(&str, &str)], parents: Option<&[Oid]>) -> Oid {
        let repository = &self.repository;
        let mut index = git2::Index::new().expect("an index");
        repository.set_index(&mut index).expect("an index");
        for (path, text) in files {
            let path_on_disk = self.dir.path().join(path);
            fs::create_dir_all(path_on_disk.parent().expect("a parent")).expect("a folder");
            fs::write(&path_on_disk, text).expect("a file");
            index.add_path(Path::new(path)).expect("an entry");
        }
        let tree = repository
            .find_tree(index.write_tree().expect("a tree"))
            .expect("a tree");
        self.clock += 60;
        let who = Signature::new("A Ä", "a@b.c", &Time::new(self.clock, 0)).expect("a name");
        let head = repository.head().ok().and_then(|head| head.target());
        let parents = parents.map_or_else(|| head.into_iter().collect(), <[Oid]>::to_vec);
        let parents: Vec<_> = parents
            .iter()
            .map(|&id| repository.find_commit(id).expect("a commit"))
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        let id = repository
            .commit(None, &who, &who, message, &tree, &parents)
            .expect("a commit");
        repository.set_head_detached(id).expect("a head");
        id
    }

    fn ranges(&self, spec: &str) -> anyhow::Result<Vec<Range>> {
        ranges(self.dir.path(), spec, None)
    }

    fn range(&self, spec: &str) -> Range {
        let mut ranges = self.ranges(spec).expect("a range");
        assert_eq!(ranges.len(), 1, "{spec}");
        ranges.remove(0)
    }

    fn patch(&self, id: Oid) -> anyhow::Result<Patch> {
        let history = History::open(self.dir.path())?;
        let commit = history.commit(id)?;
        history.patch(id, commit.parents.first().copied())
    }
}

fn subjects(range: &Range) -> Vec<&str> {
    let commits = range.commits.iter();
    commits.map(|commit| commit.subject.as_str()).collect()
}

#[test]
fn ranges_go_oldest_first_with_their_merges() {
    let mut git = Scratch::new();
    let root = git.commit("root", &[("x", "1\n")], None);
    let one = git.commit("one", &[("x", "2\n")], None);
    let side = git.commit("side", &[("x", "1\n"), ("y", "1\n")], Some(&[root]));
    let merge = git.commit("merge", &[("x", "2\n"), ("y", "1\n")], Some(&[one, side]));
    git.commit("last-2", &[("x", "3\n"), ("y", "1\n")], None);
    let of = |spec: &str| git.range(spec);
    assert_eq!(subjects(&of("HEAD")), ["last-2"]);
    assert_eq!(subjects(&of("HEAD~")), ["merge"]);
    // Merges do not count.
    assert_eq!(subjects(&of("HEAD-2")), ["side", "merge", "last-2"]);
    let both = ["side", "merge", "last-2"];
    assert_eq!(subjects(&of(&format!("{one}.."))), both);
    let all = ["root", "one", "side", "merge", "last-2"];
    assert_eq!(subjects(&of("HEAD-99")), all);
    let apart = git.ranges(&format!("{one}...{side}")).expect("ranges");
    assert_eq!(
        apart.iter().map(subjects).collect::<Vec<_>>(),
        [["one"], ["side"]]
    );

    let before = |spec: &str| (of(spec).base, of(spec).ground);
    assert_eq!(before("HEAD"), (Some(merge), Some(merge)));
    assert_eq!(before("HEAD~"), (Some(one), Some(one)));
    assert_eq!(before("HEAD-2"), (Some(one), Some(one)));
    assert_eq!(before("HEAD-99"), (None, None));
    assert_eq!(before(&format!("{side}..{one}")), (Some(root), Some(root)));
    let given = ranges(git.dir.path(), "HEAD", Some("HEAD~2")).expect("a range");
    assert_eq!((given[0].base, given[0].ground), (Some(merge), Some(one)));
    let none = ranges(git.dir.path(), "HEAD", Some("")).expect("a range");
    assert_eq!((none[0].base, none[0].ground), (Some(merge), None));
    for spec in [
        "nowhere",
        "HEAD..HEAD",
        "HEAD-0",
        "-1x",
        "..nowhere",
        "",
        "HEAD^9",
    ] {
        let range = git.ranges(spec);
        assert!(spec.is_empty() == range.is_ok(), "{spec}: {range:?}");
    }
}

#[test]
fn a_commit_is_a_patch_with_both_blobs() {
    let mut git = Scratch::new();
    let long: String = (1..=20).map(|line| format!("{line}\n")).collect();
    git.commit("root", &[("fs/x.c", &long), ("fs/gone.c", "a\n")], None);
    let text = long.replace("10\n", "ten\n");
    let message = "fs: move x\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n\nAcked-by: B <b@c.d>\n";
    let id = git.commit(message, &[("fs/y.c", &text), ("fs/new.c", "n")], None);
    let patch = git.patch(id).expect("a patch");
    assert_eq!(
        (patch.author.name.as_str(), patch.message.as_str()),
        ("A Ä", message.trim())
    );
    let range = git.range("HEAD");
    assert!(patch.input.starts_with(&range.commits[0].short_id));
    let kinds: Vec<_> = patch
        .changes
        .iter()
        .map(|change| (change.kind, change.path()))
        .collect();
    let wanted = [
        (ChangeKind::Delete, "fs/gone.c"),
        (ChangeKind::Add, "fs/new.c"),
        (ChangeKind::Rename, "fs/y.c"),
    ];
    assert_eq!(kinds, wanted);
    let parent = range.base.expect("a parent").to_string();
    let base = GitTree::open(git.dir.path(), &parent).expect("a tree");
    let blobs = GitBlobs::at(git.dir.path())
        .expect("a repository")
        .expect("a repository");
    let series = Series::resolve(vec![patch], Some(&base), Some(&blobs));
    assert_eq!(series.problems, []);
    assert!(series.steps.iter().all(|step| step.how == How::ByBlob));
    let after = OverlayTree::after(Some(&base), &series, 1);
    assert_eq!(
        after.paths(&|_| true).expect("paths"),
        ["fs/new.c", "fs/y.c"]
    );
    assert_eq!(
        after.read("fs/y.c").expect("a file").as_deref(),
        Some(text.as_bytes())
    );
    // The lines of `git format-patch HEAD^`.
    assert_eq!(
        series.introduced("fs/y.c", 10).map(|(_, line)| line.line),
        Some(50)
    );
}

#[test]
fn a_revision_is_a_tree() {
    let mut git = Scratch::new();
    let old = git.commit("root", &[("fs/x.c", "old"), ("a.c", "a")], None);
    git.commit("new", &[("fs/x.c", "new")], None);
    std::os::unix::fs::symlink("fs/x.c", git.dir.path().join("link.c")).expect("a link");
    let tree = GitTree::open(&git.dir.path().join("fs"), &old.to_string()).expect("a tree");
    assert_eq!(
        tree.read("fs/x.c").expect("a file").as_deref(),
        Some(&b"old"[..])
    );
    assert_eq!(tree.read("fs").expect("a folder"), None);
    assert_eq!(tree.read("none").expect("nothing"), None);
    assert!(tree.read("../x").is_err());
    let seen = Mutex::new(Vec::new());
    let visit = |path: &str, text: &[u8]| {
        seen.lock()
            .expect("a lock")
            .push((path.to_owned(), Arc::<[u8]>::from(text)));
    };
    tree.visit(&|path| path.ends_with(".c"), &visit)
        .expect("all can be read");
    let mut seen = seen.into_inner().expect("a lock");
    seen.sort();
    assert_eq!(
        seen.iter()
            .map(|(path, _)| path.as_str())
            .collect::<Vec<_>>(),
        ["a.c", "fs/x.c"]
    );
    assert!(kernel_root::check_kernel(&tree).is_err());
    assert!(GitTree::open(git.dir.path(), "nowhere").is_err());
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    assert!(GitTree::open(elsewhere.path(), "HEAD").is_err());
    assert!(GitBlobs::at(elsewhere.path()).expect("no error").is_none());
    assert!(
        GitBlobs::at(&git.dir.path().join("fs"))
            .expect("no error")
            .is_none()
    );
}

#[test]
fn blobs_are_found_by_the_start_of_their_id() {
    use super::super::Blobs;
    use super::super::git::blob_id;
    let mut git = Scratch::new();
    git.commit("root", &[("x", "text\n")], None);
    let blobs = GitBlobs::at(git.dir.path())
        .expect("a repository")
        .expect("a repository");
    let id = blob_id(b"text\n").expect("an id");
    for len in [7, 12, 40] {
        assert_eq!(
            blobs.blob("", &id[..len]).as_deref(),
            Some(&b"text\n"[..]),
            "{len}"
        );
    }
    for id in ["0123456789", "", "xyz", "0"] {
        assert_eq!(blobs.blob("", id), None, "{id}");
    }
}

#[test]
fn a_broken_repository_is_told() {
    let mut git = Scratch::new();
    let id = git.commit("root", &[("x", "text\n")], None);
    fs::remove_dir_all(git.dir.path().join(".git/objects")).expect("a folder");
    fs::create_dir(git.dir.path().join(".git/objects")).expect("a folder");
    for spec in [&id.to_string(), "HEAD", "HEAD-1"] {
        assert!(git.ranges(spec).is_err(), "{spec}");
        assert!(GitTree::open(git.dir.path(), spec).is_err(), "{spec}");
    }
}

#[test]
fn what_was_merged_crosswise_is_on_both_sides() {
    let mut git = Scratch::new();
    let (x, y) = (("x", "2\n"), ("y", "2\n"));
    let root = git.commit("root", &[("x", "1\n")], None);
    let one = git.commit("one", &[x], Some(&[root]));
    let two = git.commit("two", &[("x", "1\n"), y], Some(&[root]));
    let here = git.commit("here", &[x, y], Some(&[one, two]));
    let there = git.commit("there", &[x, y], Some(&[two, one]));
    let left = git.commit("left", &[("x", "3\n"), y], Some(&[here]));
    let right = git.commit("right", &[("x", "4\n"), y], Some(&[there]));
    let ranges = git.ranges(&format!("{left}...{right}")).expect("ranges");
    assert_eq!(
        ranges.iter().map(subjects).collect::<Vec<_>>(),
        [["here", "left"], ["there", "right"]]
    );
    // What they share lies in two commits, of which neither is before the other.
    for range in ranges {
        assert_eq!(range.known.len(), 1);
        let mut shared = vec![range.base.expect("a base"), range.known[0]];
        let mut expected = vec![one, two];
        shared.sort();
        expected.sort();
        assert_eq!(shared, expected);
    }
}

#[test]
fn what_a_partial_clone_lacks_is_said_to_be_elsewhere() {
    let mut git = Scratch::new();
    git.commit("root", &[("x", "1\n")], None);
    let last = git.commit("one", &[("x", "2\n")], None);
    let id = super::super::git::blob_id(b"1\n").expect("an id");
    let object = format!(".git/objects/{}/{}", &id[..2], &id[2..]);
    fs::remove_file(git.dir.path().join(object)).expect("a blob");
    let error = |git: &Scratch| git.patch(last).expect_err("no blob").to_string();
    assert!(!error(&git).contains("partial"), "{}", error(&git));
    let mut config = git.repository.config().expect("a configuration");
    config
        .set_bool("remote.origin.promisor", true)
        .expect("set");
    assert!(error(&git).contains("--refetch"), "{}", error(&git));
}
