// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The folders of a git tree, read with bounds: a tree of a few kilobytes can stand for
//! more files than there are atoms, and libgit2 takes entries that git fsck refuses.
//!
//! It may not know what is in a file.

use std::collections::BTreeSet;

use git2::{Error, FileMode, Oid, Repository, Tree};

use super::SIZE_LIMIT;

/// The most entries of all folders together: four times a kernel's.
const MOST: usize = 400_000;
/// The most bytes of all their paths together: ten times a kernel's.
const MOST_BYTES: usize = 64 << 20;
/// The deepest that folders nest.
const DEEPEST: usize = 64;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, whatever its permissions: git goes by the type alone (`canon_mode()` in
    /// git's object.h).
    File,
    /// A folder.
    Folder,
    /// A symbolic link or a submodule.
    Other,
}

impl Kind {
    /// By the raw mode of an entry; `None` if git has no such type.
    fn of(mode: i32) -> Option<Self> {
        const TYPE: i32 = 0o170_000;
        match mode & TYPE {
            0o100_000 => Some(Self::File),
            0o040_000 => Some(Self::Folder),
            _ if mode == i32::from(FileMode::Link) || mode == i32::from(FileMode::Commit) => {
                Some(Self::Other)
            }
            _ => None,
        }
    }
}

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct File {
    /// Its path from the root.
    pub path: Vec<u8>,
    /// Its blob.
    pub id: Oid,
    /// Its mode, as it is there.
    pub mode: i32,
}

/// All files below the tree `root`, in no order.
///
/// # Errors
/// A folder cannot be read, is none that git fsck would let through, or there are more
/// files than a kernel could have; the message names the folder.
pub(super) fn files(repository: &Repository, root: Oid) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    let mut bounds = Bounds::default();
    let mut pending = vec![(Vec::new(), root)];
    while let Some((folder, id)) = pending.pop() {
        let tree = read(repository, id, &folder)?;
        bounds.add(&folder, &tree)?;
        for entry in &tree {
            let mut path = [folder.as_slice(), entry.name_bytes()].concat();
            match Kind::of(entry.filemode_raw()) {
                Some(Kind::Folder) => {
                    path.push(b'/');
                    pending.push((path, entry.id()));
                }
                Some(Kind::File) => files.push(File {
                    path,
                    id: entry.id(),
                    mode: entry.filemode_raw(),
                }),
                // Checked where the folder was read.
                Some(Kind::Other) | None => {}
            }
        }
    }
    Ok(files)
}

/// How much of a tree has been looked at.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    count: usize,
    bytes: usize,
}

impl Bounds {
    /// Counts the entries of `tree`, which is at the path `folder`.
    ///
    /// # Errors
    /// There are more than a kernel has, by far.
    pub(super) fn add(&mut self, folder: &[u8], tree: &Tree<'_>) -> Result<(), Error> {
        let names: usize = tree.iter().map(|entry| entry.name_bytes().len()).sum();
        self.count += tree.len();
        self.bytes += names + folder.len() * tree.len();
        if self.count > MOST {
            return Err(refused(folder, &format!("over {MOST} files with it")));
        }
        if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(refused(
                folder,
                &format!("paths of over {most} MiB with it"),
            ));
        }
        if memchr::memchr_iter(b'/', folder).count() > DEEPEST {
            return Err(refused(
                folder,
                &format!("folders nest deeper than {DEEPEST}"),
            ));
        }
        Ok(())
    }
}

/// Reads the folder `id`, which is at `path`, with all of its entries checked.
///
/// # Errors
/// It cannot be read, or has an entry that git fsck would not let through.
pub(super) fn read<'r>(
    repository: &'r Repository,
    id: Oid,
    path: &[u8],
) -> Result<Tree<'r>, Error> {
    let (size, _) = repository.odb()?.read_header(id)?;
    if size as u64 > SIZE_LIMIT {
        let limit = SIZE_LIMIT >> 20;
        return Err(refused(path, &format!("it is larger than {limit} MiB")));
    }
    let tree = repository.find_tree(id)?;
    check(&tree).map_err(|why| refused(path, &why))?;
    Ok(tree)
}

/// What git fsck has against a folder, as far as it makes a path mean two files, or none
/// (`fsck_tree()` in git's fsck.c).
fn check(tree: &Tree<'_>) -> Result<(), String> {
    let mut names: BTreeSet<&[u8]> = BTreeSet::new();
    let mut before: Option<Vec<u8>> = None;
    let entries: Vec<_> = tree.iter().collect();
    for entry in &entries {
        let name = entry.name_bytes();
        let shown = || String::from_utf8_lossy(name).into_owned();
        if name.is_empty() || name.contains(&b'/') || is_special(name) {
            return Err(format!("\"{}\" is no name for an entry", shown()));
        }
        let Some(kind) = Kind::of(entry.filemode_raw()) else {
            let mode = entry.filemode_raw();
            return Err(format!(
                "\"{}\" has the mode {mode:o}, which is none",
                shown()
            ));
        };
        if !names.insert(name) {
            return Err(format!("\"{}\" is in it twice", shown()));
        }
        // Whoever looks for a name goes by the order.
        let end: &[u8] = if kind == Kind::Folder { b"/" } else { b"" };
        let now = [name, end].concat();
        if before.is_some_and(|before| before >= now) {
            return Err(format!("\"{}\" is out of order", shown()));
        }
        before = Some(now);
    }
    Ok(())
}

/// Names that mean something else on disk.
fn is_special(name: &[u8]) -> bool {
    matches!(name, b"." | b"..") || name.eq_ignore_ascii_case(b".git")
}

fn refused(folder: &[u8], why: &str) -> Error {
    let folder = String::from_utf8_lossy(folder);
    let name = if folder.is_empty() {
        "the top folder"
    } else {
        &folder
    };
    Error::from_str(&format!(
        "{name}: {why}: git fsck says what is wrong with it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::ObjectType;

    /// Writes a folder of these entries, as they are.
    fn folder(repository: &Repository, entries: &[(&str, &str, Oid)]) -> Oid {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend(format!("{mode} {name}\0").as_bytes());
            raw.extend(id.as_bytes());
        }
        let odb = repository.odb().expect("a store");
        odb.write(ObjectType::Tree, &raw).expect("a tree")
    }

    fn repository() -> (tempfile::TempDir, Repository, Oid) {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(dir.path()).expect("a repository");
        let blob = repository.blob(b"x").expect("a blob");
        (dir, repository, blob)
    }

    fn error(repository: &Repository, root: Oid) -> String {
        let files = files(repository, root);
        files.expect_err("it is refused").message().to_owned()
    }

    #[test]
    fn files_of_any_permissions() {
        let (_dir, repository, blob) = repository();
        let entries = [
            ("100600", "a", blob),
            ("100644", "b", blob),
            ("100664", "c", blob),
            ("100755", "d", blob),
            ("120000", "e", blob),
            ("160000", "f", blob),
        ];
        let inner = folder(&repository, &entries);
        let root = folder(&repository, &[("40000", "x", inner), ("100777", "y", blob)]);
        let mut found = files(&repository, root).expect("files");
        found.sort_unstable();
        let paths: Vec<_> = found.iter().map(|file| file.path.as_slice()).collect();
        assert_eq!(paths, [&b"x/a"[..], b"x/b", b"x/c", b"x/d", b"y"]);
    }

    #[test]
    fn a_tree_that_grows_without_end() {
        let (_dir, repository, blob) = repository();
        let names: Vec<String> = (10..30).map(|number| number.to_string()).collect();
        let mut below = ("100644", blob);
        for _ in 0..12 {
            let entries: Vec<_> = names
                .iter()
                .map(|name| (below.0, &**name, below.1))
                .collect();
            below = ("40000", folder(&repository, &entries));
        }
        assert!(error(&repository, below.1).contains("over 400000 files"));
        let mut deep = ("100644", blob);
        for _ in 0..100 {
            deep = ("40000", folder(&repository, &[(deep.0, "a", deep.1)]));
        }
        assert!(error(&repository, deep.1).contains("deeper than 64"));
        let long = "n".repeat(4000);
        let mut wide = folder(&repository, &[("100644", &long, blob)]);
        for _ in 0..4 {
            let entries: Vec<_> = names.iter().map(|name| ("40000", &**name, wide)).collect();
            wide = folder(&repository, &entries);
        }
        assert!(error(&repository, wide).contains("over 64 MiB"));
    }

    #[test]
    fn what_git_fsck_refuses() {
        let (_dir, repository, blob) = repository();
        let empty = folder(&repository, &[]);
        let file = |name| ("100644", name, blob);
        for (entries, why) in [
            (vec![file("a"), file("a")], "\"a\" is in it twice"),
            (vec![file("a"), file("a.c"), ("40000", "a", empty)], "twice"),
            (vec![file("b"), file("a")], "\"a\" is out of order"),
            (vec![("40000", "a", empty), file("a.c")], "out of order"),
            (vec![file("a/b")], "no name"),
            (vec![("40000", "..", empty)], "no name"),
            (vec![("40000", ".GIT", empty)], "no name"),
            (vec![("10644", "a", blob)], "mode 10644"),
            (vec![("120777", "a", blob)], "mode 120777"),
            (vec![("60644", "a", blob)], "mode 60644"),
        ] {
            let root = folder(&repository, &entries);
            let said = error(&repository, root);
            assert!(said.contains(why), "{entries:?}: {said}");
        }
    }
}
