// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The blobs that files had in a repository's history. May not know patches.

use super::git::{GitBlobs, text, whole_id};
use super::{Blobs, loose};
use git2::{Oid, Repository};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The most commits that are searched for a blob.
const MOST_COMMITS: usize = 2000;
/// The most folders that are read in that search, for all blobs of a run.
const MOST_FOLDERS: usize = 20_000;

/// The blobs that files have at HEAD, or had before: anyone can write any id into a patch,
/// so one counts only where it was that of the same file.
///
/// The history is followed through first parents, over which a series that is applied lies,
/// and over which its files mostly came to be what they are. What is older than
/// the 2000 commits at its end counts as unknown.
pub struct GitPast {
    blobs: GitBlobs,
    /// The root folders of HEAD and of the commits before it.
    roots: OnceLock<Vec<Oid>>,
    folders: AtomicUsize,
}

impl fmt::Debug for GitPast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GitPast")
    }
}

impl GitPast {
    /// The past of the repository whose top `dir` is, as [`GitBlobs::at`].
    ///
    /// # Errors
    /// As [`GitBlobs::at`].
    pub fn at(dir: &Path) -> anyhow::Result<Option<Self>> {
        Ok(GitBlobs::at(dir)?.map(|blobs| Self {
            blobs,
            roots: OnceLock::new(),
            folders: AtomicUsize::new(0),
        }))
    }

    /// Whether the file at `path` was the blob `id` at one of the commits.
    fn was_at(&self, repository: &Repository, path: &str, id: Oid) -> bool {
        let roots = self.roots.get_or_init(|| roots(repository));
        // The folders down to the file, as they were at the commit before.
        let mut seen: Vec<Oid> = Vec::new();
        roots.iter().any(|root| {
            let mut folder = *root;
            for (depth, part) in path.split('/').enumerate() {
                if seen.get(depth) == Some(&folder)
                    || self.folders.fetch_add(1, Ordering::Relaxed) >= MOST_FOLDERS
                {
                    return false;
                }
                seen.truncate(depth);
                seen.push(folder);
                let tree = repository.find_tree(folder);
                let entry = tree.ok().and_then(|tree| Some(tree.get_name(part)?.id()));
                match entry {
                    Some(entry) => folder = entry,
                    None => return false,
                }
            }
            folder == id
        })
    }
}

/// The root folders of HEAD and of the commits before it, from the newest on.
///
/// None of a repository that has an object cut short, which libgit2 would read forever.
fn roots(repository: &Repository) -> Vec<Oid> {
    if loose::check(repository).is_err() {
        return Vec::new();
    }
    let head = repository.head().and_then(|head| head.peel_to_commit());
    let mut commit = head.ok();
    let mut roots = Vec::new();
    while let Some(one) = commit.filter(|_| roots.len() < MOST_COMMITS) {
        roots.push(one.tree_id());
        commit = one.parent(0).ok();
    }
    roots
}

impl Blobs for GitPast {
    fn blob(&self, path: &str, id: &str) -> Option<Arc<[u8]>> {
        let repository = self.blobs.repository();
        let id = whole_id(&repository, id)?;
        self.was_at(&repository, path, id)
            .then(|| text(&repository, id))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::Signature;

    /// Commits `files` onto HEAD, with `others` as further parents.
    fn commit(repository: &Repository, files: &[(&str, &str)], others: &[Oid]) -> Oid {
        let mut index = repository.index().expect("an index");
        index.clear().expect("an empty index");
        let top = repository.workdir().expect("a work tree");
        for (path, text) in files {
            let file = top.join(path);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, text).expect("a file");
            index.add_path(Path::new(path)).expect("an entry");
        }
        let tree = index.write_tree().expect("a tree");
        let tree = repository.find_tree(tree).expect("a tree");
        let author = Signature::now("A", "a@example.org").expect("a name");
        let head = repository.head().ok().and_then(|head| head.target());
        let parents = head.into_iter().chain(others.iter().copied());
        let parents: Vec<_> = parents
            .map(|id| repository.find_commit(id).expect("a commit"))
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        repository
            .commit(Some("HEAD"), &author, &author, "A change", &tree, &parents)
            .expect("a commit")
    }

    fn id(text: &str) -> String {
        super::super::git::blob_id(text.as_bytes()).expect("an id")
    }

    #[test]
    fn a_blob_counts_where_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(dir.path()).expect("a repository");
        let past = || {
            GitPast::at(dir.path())
                .expect("it opens")
                .expect("a repository")
        };
        let knows = |past: &GitPast, path: &str, text: &str| {
            let found = past.blob(path, &id(text)[..12]);
            assert!(found.as_deref().is_none_or(|own| own == text.as_bytes()));
            found.is_some()
        };
        // Without a commit there is no past.
        assert!(!knows(&past(), "d/x", "one\n"));
        commit(&repository, &[("d/x", "one\n"), ("y", "other\n")], &[]);
        commit(&repository, &[("d/x", "two\n"), ("y", "other\n")], &[]);
        commit(&repository, &[("d/x", "two\n"), ("y", "more\n")], &[]);
        repository.blob(b"loose\n").expect("a blob");
        let past = past();
        assert!(knows(&past, "d/x", "two\n") && knows(&past, "d/x", "one\n"));
        assert!(knows(&past, "y", "other\n") && knows(&past, "y", "more\n"));
        // It is there, but was never that file's.
        assert!(!knows(&past, "d/x", "other\n") && !knows(&past, "d/x", "loose\n"));
        assert!(!knows(&past, "y", "one\n") && !knows(&past, "d", "one\n"));
        assert!(!knows(&past, "d/x/z", "one\n") && !knows(&past, "x", "one\n"));
    }

    #[test]
    fn the_search_has_an_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(dir.path()).expect("a repository");
        commit(&repository, &[("x", "0\n")], &[]);
        for number in 1..4 {
            commit(&repository, &[("x", &format!("{number}\n"))], &[]);
        }
        let past = GitPast::at(dir.path())
            .expect("it opens")
            .expect("a repository");
        assert!(past.blob("x", &id("0\n")).is_some());
        past.folders.store(MOST_FOLDERS - 2, Ordering::Relaxed);
        assert!(past.blob("x", &id("3\n")).is_some());
        assert!(past.blob("x", &id("0\n")).is_none());
    }
}
