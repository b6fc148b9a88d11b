// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What of a revision lies in the work tree as it is.
//!
//! Unpacking a kernel's blobs takes ten times as long as reading its files. Git's
//! index says which blob each file was written from, and with its times, its inode and
//! its size whether anybody has touched it since; `git status` goes by the same. Where
//! a filter may have written something else than the blob, nothing is taken from disk.

use super::disk::slurp_if;
use super::special::open_regular;
use git2::{IndexEntry, Oid, Repository};
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Attributes by which git writes something else than the blob (gitattributes(5)).
const FILTERS: [&[u8]; 6] = [
    b"text",
    b"eol",
    b"crlf",
    b"ident",
    b"filter",
    b"working-tree-encoding",
];
/// Settings that do the same, or name a file that may.
const SETTINGS: [&str; 3] = ["core.autocrlf", "core.eol", "core.attributesfile"];
/// Files that git does not look at, whatever became of them (`CE_VALID` of git's
/// read-cache.h).
const ASSUMED_UNCHANGED: u16 = 0x8000;

/// A file of attributes with as many bytes is not looked through.
const MOST: u64 = 1 << 20;

/// When something was last changed, in seconds and nanoseconds.
type Time = (i64, i64);

/// A file as git wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Time,
    changed: Time,
    inode: u32,
    size: u32,
}

/// The files of a revision that a work tree has as git wrote them.
pub(super) struct Checkout {
    root: PathBuf,
    /// For each file of the revision, in the same order; `None` if it is not there as
    /// it is.
    written: Vec<Option<Stamp>>,
}

impl Checkout {
    /// What the work tree of the repository at `git_dir` has of `files`, which are in
    /// the order of their paths; `None` if there is none that can be gone by.
    pub(super) fn of(git_dir: &Path, files: &[(String, Oid)]) -> Option<Self> {
        // Of its own, as an open repository keeps the index.
        let repository = Repository::open(git_dir).ok()?;
        let root = repository.workdir()?.to_owned();
        if is_filtered(&repository) {
            return None;
        }
        let index = repository.index().ok()?;
        let saved = modified(&fs::metadata(index.path()?).ok()?);
        let mut written = vec![None; files.len()];
        for entry in index.iter() {
            let path = std::str::from_utf8(&entry.path).ok();
            let Some(path) = path.filter(|_| entry.flags & ASSUMED_UNCHANGED == 0) else {
                continue;
            };
            if path.rsplit('/').next() == Some(".gitattributes") && may_filter(&root.join(path)) {
                return None;
            }
            let stamp = Stamp::of_entry(&entry);
            let at = files.binary_search_by(|(other, _)| other.as_str().cmp(path));
            // What changed in the moment in which the index was saved may have
            // changed after that.
            if let Ok(at) = at
                && files[at].1 == entry.id
                && stamp.modified < saved
                && stamp.changed < saved
            {
                written[at] = Some(stamp);
            }
        }
        Some(Self { root, written })
    }

    /// Reads the file with the number `at`, which is `path`, into `buffer`; `None` if
    /// it is not as it was. In a large file `holds` decides whether it is worth that.
    pub(super) fn read<'b>(
        &self,
        at: usize,
        path: &str,
        holds: &dyn Fn(&[u8]) -> bool,
        buffer: &'b mut Vec<u8>,
    ) -> Option<Found<'b>> {
        let stamp = self.written.get(at)?.as_ref()?;
        let file = open_regular(&self.root.join(path)).ok()?;
        let is_as_written = || {
            let metadata = file.metadata().ok()?;
            (metadata.is_file() && Stamp::of_file(&metadata) == *stamp).then_some(())
        };
        is_as_written()?;
        let text = slurp_if(&file, holds, buffer).ok()?;
        is_as_written()?;
        let Some(text) = text else {
            return Some(Found::Nothing);
        };
        (text.len() == usize::try_from(stamp.size).ok()?).then_some(Found::Text(text))
    }
}

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'b> {
    /// This.
    Text(&'b [u8]),
    /// Nothing that is looked for.
    Nothing,
}

/// Whether settings, or attributes outside of the work tree, may filter.
fn is_filtered(repository: &Repository) -> bool {
    let config = repository.config().and_then(|mut config| config.snapshot());
    let Ok(config) = config else { return true };
    let own = repository.path().join("info/attributes");
    SETTINGS.iter().any(|name| config.get_entry(name).is_ok())
        || attributes_of_all()
            .chain([own])
            .any(|path| may_filter(&path))
}

impl Stamp {
    fn of_entry(entry: &IndexEntry) -> Self {
        let time = |time: git2::IndexTime| (time.seconds().into(), time.nanoseconds().into());
        Self {
            modified: time(entry.mtime),
            changed: time(entry.ctime),
            inode: entry.ino,
            size: entry.file_size,
        }
    }

    /// The index keeps 32 bits of each number.
    fn of_file(metadata: &fs::Metadata) -> Self {
        let low = |number: u64| number as u32;
        Self {
            modified: modified(metadata),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: low(metadata.ino()),
            size: low(metadata.size()),
        }
    }
}

fn modified(metadata: &fs::Metadata) -> Time {
    (metadata.mtime(), metadata.mtime_nsec())
}

/// The attributes of this machine's and this user's, for all repositories.
fn attributes_of_all() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let own = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let of_user = own.or(home).map(|folder| folder.join("git/attributes"));
    of_user
        .into_iter()
        .chain([PathBuf::from("/etc/gitattributes")])
}

/// Whether a file of attributes names one that filters; one that is not there names
/// none.
fn may_filter(path: &Path) -> bool {
    let mut text = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
    match read {
        Ok(size) if (size as u64) < MOST => {}
        Ok(_) => return true,
        Err(error) => return error.kind() != ErrorKind::NotFound,
    }
    FILTERS
        .iter()
        .any(|word| memchr::memmem::find(&text, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    /// A work tree with `files`, as git wrote them a while ago.
    fn checked_out(files: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(dir.path()).expect("a repository");
        let mut index = repository.index().expect("an index");
        for (path, text) in files {
            fs::write(dir.path().join(path), text).expect("a file");
            index.add_path(Path::new(path)).expect("an entry");
        }
        index.write().expect("an index");
        let later = SystemTime::now() + Duration::from_secs(2);
        let file = File::options()
            .append(true)
            .open(index.path().expect("a file"));
        let file = file.expect("the index");
        file.set_modified(later).expect("a time");
        (dir, repository)
    }

    fn blob(text: &str) -> Oid {
        Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).expect("an id")
    }

    /// What is read of `path`, whose blob in a revision is that of `text`.
    fn reads(repository: &Repository, path: &str, text: &str) -> Option<String> {
        let files = [("a.c".to_owned(), blob("")), (path.to_owned(), blob(text))];
        let checkout = Checkout::of(repository.path(), &files)?;
        let mut buffer = Vec::new();
        match checkout.read(1, path, &|_| true, &mut buffer)? {
            Found::Text(read) => Some(String::from_utf8_lossy(read).into_owned()),
            Found::Nothing => None,
        }
    }

    #[test]
    fn a_file_as_git_wrote_it() {
        let (_dir, repository) = checked_out(&[("x.c", "int x;\n")]);
        let read = reads(&repository, "x.c", "int x;\n");
        assert_eq!(read.as_deref(), Some("int x;\n"));
        assert_eq!(reads(&repository, "y.c", "int x;\n"), None);
        assert_eq!(reads(&repository, "x.c", "int y;\n"), None);
    }

    #[test]
    fn a_file_that_was_touched() {
        let (dir, repository) = checked_out(&[("x.c", "int x;\n")]);
        let path = dir.path().join("x.c");
        let before = fs::metadata(&path).and_then(|one| one.modified());
        // Of the same size, and with the time put back
        fs::write(&path, "int y;\n").expect("written");
        let file = File::options().append(true).open(&path).expect("a file");
        file.set_modified(before.expect("a time")).expect("a time");
        assert_eq!(reads(&repository, "x.c", "int x;\n"), None);
        fs::remove_file(&path).expect("removed");
        assert_eq!(reads(&repository, "x.c", "int x;\n"), None);
    }

    #[test]
    fn a_file_that_changed_with_the_index() {
        let (_dir, repository) = checked_out(&[("x.c", "int x;\n")]);
        let index = repository.index().expect("an index");
        let path = index.path().expect("a file");
        let file = File::options().append(true).open(path).expect("the index");
        let earlier = SystemTime::now() - Duration::from_secs(60);
        file.set_modified(earlier).expect("a time");
        assert_eq!(reads(&repository, "x.c", "int x;\n"), None);
    }

    #[test]
    fn filters() {
        let x = ("x.c", "int x;\n");
        let (_dir, repository) = checked_out(&[(".gitattributes", "*.c diff=cpp\n"), x]);
        assert!(reads(&repository, x.0, x.1).is_some());
        let (_dir, repository) = checked_out(&[(".gitattributes", "*.c eol=crlf\n"), x]);
        assert_eq!(reads(&repository, x.0, x.1), None);
        let (_dir, repository) = checked_out(&[x]);
        let mut config = repository.config().expect("a configuration");
        config.set_str("core.autocrlf", "input").expect("set");
        assert_eq!(reads(&repository, x.0, x.1), None);
    }
}
