// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Where two trees of a repository differ, without a look at what they share.
//!
//! libgit2 compares all files of two trees, a hundred thousand in a kernel, even where
//! a folder has the same id in both. Told the paths that can differ it leaves out the
//! rest. What differs in them is for others.

use super::folders::{self, Bounds};
use git2::{Delta, Diff, DiffOptions, Error, FileMode, Oid, Repository, Tree, TreeEntry};
use std::collections::{BTreeMap, BTreeSet};

/// What `repository.diff_tree_to_tree` says of `old` and `new`.
///
/// # Errors
/// A tree below them cannot be read.
pub fn diff<'r>(
    repository: &'r Repository,
    old: Option<&Tree<'_>>,
    new: &Tree<'_>,
    options: impl Fn() -> DiffOptions,
) -> Result<Diff<'r>, git2::Error> {
    if let Some(old) = old {
        let paths = paths(repository, old.id(), new.id())?;
        let mut options = options();
        options.disable_pathspec_match(true);
        for path in &paths {
            options.pathspec(path.as_slice());
        }
        // None at all would mean every file.
        if !paths.is_empty() {
            let diff = repository.diff_tree_to_tree(Some(old), Some(new), Some(&mut options))?;
            // A file that was left out could say anything.
            if holds(&diff, &paths) {
                return Ok(diff);
            }
        }
    }
    // libgit2 itself has no bounds.
    for tree in old.into_iter().chain([new]) {
        let files = folders::files(repository, tree.id())?;
        files
            .iter()
            .try_for_each(|file| known(&file.path, file.mode))?;
    }
    repository.diff_tree_to_tree(old, Some(new), Some(&mut options()))
}

/// git2 panics if it is asked for a mode that git does not write.
fn known(path: &[u8], mode: i32) -> Result<(), Error> {
    const KNOWN: [FileMode; 6] = [
        FileMode::Blob,
        FileMode::BlobExecutable,
        FileMode::BlobGroupWritable,
        FileMode::Commit,
        FileMode::Link,
        FileMode::Tree,
    ];
    if KNOWN.iter().any(|&known| i32::from(known) == mode) {
        return Ok(());
    }
    let path = String::from_utf8_lossy(path);
    Err(Error::from_str(&format!(
        "{path} has the mode {mode:o}, which git does not write"
    )))
}

/// Whether `diff` has something about each of `paths`.
fn holds(diff: &Diff<'_>, paths: &BTreeSet<Vec<u8>>) -> bool {
    let sides = diff.deltas().flat_map(|delta| {
        let old = delta.old_file().path_bytes().map(<[u8]>::to_owned);
        let new = delta.new_file().path_bytes().map(<[u8]>::to_owned);
        let is_old = delta.status() != Delta::Added;
        let is_new = delta.status() != Delta::Deleted;
        [old.filter(|_| is_old), new.filter(|_| is_new)]
    });
    let seen: BTreeSet<Vec<u8>> = sides.flatten().collect();
    paths.is_subset(&seen)
}

/// The paths of the files that differ, and of links and submodules.
///
/// # Errors
/// A tree below them cannot be read.
pub(super) fn paths(
    repository: &Repository,
    old: Oid,
    new: Oid,
) -> Result<BTreeSet<Vec<u8>>, git2::Error> {
    let mut paths = BTreeSet::new();
    let mut bounds = Bounds::default();
    let mut pending = vec![(Vec::<u8>::new(), Some(old), Some(new))];
    while let Some((folder, old, new)) = pending.pop() {
        let mut tree = |id: Option<Oid>| -> Result<_, Error> {
            let Some(id) = id else { return Ok(None) };
            let tree = folders::read(repository, id, &folder)?;
            bounds.add(&folder, &tree)?;
            Ok(Some(tree))
        };
        let (old, new) = (tree(old)?, tree(new)?);
        for (name, (old, new)) in unequal(old.as_ref(), new.as_ref()) {
            let path = [folder.as_slice(), &name].concat();
            for (_, mode) in old.iter().chain(&new) {
                known(&path, *mode)?;
            }
            let folder = |side: Side| side.filter(|&(_, mode)| is_folder(mode)).map(|(id, _)| id);
            let (below_old, below_new) = (folder(old), folder(new));
            if below_old.is_some() || below_new.is_some() {
                // libgit2 looks for them in another order than it sorts folders in.
                pending.push(([path.as_slice(), b"/"].concat(), below_old, below_new));
            }
            let is_file = |side: Side| side.is_some_and(|(_, mode)| !is_folder(mode));
            if is_file(old) || is_file(new) {
                paths.insert(path);
            }
        }
    }
    Ok(paths)
}

/// The id and the mode of an entry.
type Side = Option<(Oid, i32)>;

/// The type is in the upper bits of a mode, as stat(2) has it.
fn is_folder(mode: i32) -> bool {
    mode & 0o170_000 == i32::from(FileMode::Tree)
}

/// The entries that are not the same on both sides, by name.
fn unequal(old: Option<&Tree<'_>>, new: Option<&Tree<'_>>) -> BTreeMap<Vec<u8>, (Side, Side)> {
    let side = |entry: &TreeEntry<'_>| Some((entry.id(), entry.filemode_raw()));
    let mut entries: BTreeMap<Vec<u8>, (Side, Side)> = BTreeMap::new();
    for entry in old.into_iter().flatten() {
        entries.insert(entry.name_bytes().to_owned(), (side(&entry), None));
    }
    for entry in new.into_iter().flatten() {
        let sides = entries.entry(entry.name_bytes().to_owned()).or_default();
        sides.1 = side(&entry);
        if sides.0 == sides.1 {
            entries.remove(entry.name_bytes());
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::Signature;
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    /// A commit of `files`, each with what it says and whether it is executable.
    fn commit(repository: &Repository, files: &BTreeMap<String, (u8, bool)>) -> Oid {
        let mut index = git2::Index::new().expect("an index");
        for (path, (text, executable)) in files {
            let mode = if *executable {
                FileMode::BlobExecutable
            } else {
                FileMode::Blob
            };
            let entry = git2::IndexEntry {
                ctime: git2::IndexTime::new(0, 0),
                mtime: git2::IndexTime::new(0, 0),
                dev: 0,
                ino: 0,
                mode: i32::from(mode) as u32,
                uid: 0,
                gid: 0,
                file_size: 0,
                id: repository.blob(&[*text]).expect("a blob"),
                flags: 0,
                flags_extended: 0,
                path: path.clone().into_bytes(),
            };
            index.add(&entry).expect("an entry");
        }
        let tree = index.write_tree_to(repository).expect("a tree");
        let tree = repository.find_tree(tree).expect("a tree");
        let author = Signature::now("A", "a@example.org").expect("a name");
        repository
            .commit(None, &author, &author, "A change", &tree, &[])
            .expect("a commit")
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Names that git sorts in its own way, and files that become folders.
        #[test]
        fn says_what_a_diff_of_all_does(
            old in btree_map("[ab](\\.c|-|/[*a?]|/b/[ac])?", (0..3u8, any::<bool>()), 0..12),
            new in btree_map("[ab](\\.c|-|/[*a?]|/b/[ac])?", (0..3u8, any::<bool>()), 0..12),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let repository = Repository::init_bare(folder.path()).expect("a repository");
            let sound = |files: &BTreeMap<String, (u8, bool)>| {
                let mut sound = files.clone();
                sound.retain(|path, _| {
                    let below = format!("{path}/");
                    !files.keys().any(|other| other.starts_with(&below))
                });
                sound
            };
            let old = commit(&repository, &sound(&old));
            let new = commit(&repository, &sound(&new));
            let tree = |id| repository.find_commit(id).and_then(|one| one.tree());
            let (old, new) = (tree(old).expect("a tree"), tree(new).expect("a tree"));
            let said = |diff: Result<Diff<'_>, git2::Error>| {
                let diff = diff.expect("a diff");
                diff.deltas().map(|delta| format!("{delta:?}")).collect::<Vec<_>>()
            };
            let paths = paths(&repository, old.id(), new.id()).expect("read");
            let mut options = DiffOptions::new();
            options.disable_pathspec_match(true);
            for path in &paths {
                options.pathspec(path.as_slice());
            }
            let all = said(repository.diff_tree_to_tree(Some(&old), Some(&new), None));
            let ours = said(diff(&repository, Some(&old), &new, DiffOptions::new));
            prop_assert_eq!(&ours, &all);
            // Not only because it fell back to that.
            let some = repository.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options));
            prop_assert_eq!(said(some), all);
        }
    }
}
