// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree on disk.
//!
//! Every file of the tree counts: no `.gitignore` is honoured (Debian's kernel
//! tree carries one that hides all of it), nor any other filter but for `.git`.
//! Symlinks are not followed, so nothing outside the tree is read, and nothing
//! twice. The walk is the tool's hot path: a file costs an open, a read and a
//! close, into a buffer that its thread keeps.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{OVERLAP, SIZE_LIMIT, Tree, Unreadable, budget_of_a_tree, paths};
use crate::parallel;
use anyhow::{Context, anyhow, bail};

/// What a thread's buffer holds at first: nearly every file of a kernel.
const BUFFER: usize = 256 << 10;

/// A tree on disk.
#[derive(Debug)]
pub struct DiskTree {
    /// As it was given, for messages.
    dir: PathBuf,
    /// Without symlinks.
    root: PathBuf,
}

impl DiskTree {
    /// Opens the tree whose root is `dir`.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be entered.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        let root = dir
            .canonicalize()
            .with_context(|| format!("cannot open {}", dir.display()))?;
        if !root.is_dir() {
            bail!("{} is not a directory", dir.display());
        }
        Ok(Self {
            dir: dir.to_owned(),
            root,
        })
    }

    /// The root, as it was given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a walk over the tree, or over some of its folders, starts.
    fn places(&self, folders: Option<&[String]>) -> Vec<PathBuf> {
        let mut places = match folders {
            None => vec![self.root.clone()],
            Some(folders) => folders
                .iter()
                .map(|folder| self.root.join(folder))
                .collect(),
        };
        places.retain(|place| place.is_dir());
        places
    }

    /// The path from the root.
    fn relative<'p>(&self, path: &'p Path) -> Result<&'p str, String> {
        // Every path of a walk starts as the root does; to compare them part by part
        // would cost a twentieth of the walk.
        let all = path.as_os_str().as_bytes();
        let path = all.get(self.root.as_os_str().len()..).unwrap_or(all);
        let path = path.strip_prefix(b"/").unwrap_or(path);
        std::str::from_utf8(path).map_err(|_| {
            let path = self.dir.join(OsStr::from_bytes(path));
            format!("{}: the name is not UTF-8", path.display())
        })
    }

    /// Where `path` leads, over all links. Nearly all paths have none, and asking each
    /// part costs less than to resolve the whole.
    fn locate(&self, path: &str) -> io::Result<(PathBuf, Metadata)> {
        let mut full = self.root.clone();
        let mut meta = full.symlink_metadata()?;
        for part in path.split('/') {
            full.push(part);
            meta = full.symlink_metadata()?;
            if meta.is_symlink() {
                full = self.root.join(path).canonicalize()?;
                meta = full.metadata()?;
                break;
            }
        }
        Ok((full, meta))
    }

    fn cannot_read(&self, path: &str, error: &dyn std::fmt::Display) -> String {
        format!("cannot read {}: {error}", self.dir.join(path).display())
    }

    /// Hands the path of each wanted regular file, from the root and in full, to `each`,
    /// which one call of `make` makes for each thread.
    fn each_file<F>(
        &self,
        folders: Option<&[String]>,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        make: impl Fn() -> F + Sync,
    ) -> anyhow::Result<()>
    where
        F: FnMut(&str, &Path) -> Result<(), String>,
    {
        let errors = Mutex::new(Vec::new());
        let note = |error: String| {
            errors
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(error);
        };
        let file = |each: &mut F, path: &Path| match self.relative(path) {
            Ok(below) if wanted(below) => each(below, path),
            Err(error) if wanted(&path.to_string_lossy()) => Err(error),
            _ => Ok(()),
        };
        parallel::spread(self.places(folders), make, |each, folder: PathBuf| {
            let mut below = Vec::new();
            let done = read_folder(&folder, &mut |entry: &DirEntry| {
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    below.extend((entry.file_name() != ".git").then(|| entry.path()));
                } else if kind.is_file() {
                    file(each, &entry.path()).unwrap_or_else(&note);
                }
                Ok(())
            });
            if let Err(error) = done {
                let folder = folder.strip_prefix(&self.root).unwrap_or(&folder);
                note(self.cannot_read(&folder.to_string_lossy(), &error));
            }
            below
        });
        let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        Unreadable::check(errors)
    }
}

/// Hands each entry of a folder to `each`.
fn read_folder(folder: &Path, each: &mut dyn FnMut(&DirEntry) -> io::Result<()>) -> io::Result<()> {
    fs::read_dir(folder)?.try_for_each(|entry| each(&entry?))
}

impl Tree for DiskTree {
    fn name(&self) -> String {
        self.dir.display().to_string()
    }

    fn is_link(&self, path: &str) -> bool {
        paths::inside(path).is_ok() && self.root.join(path).is_symlink()
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        paths::inside(path).map_err(|why| anyhow!(why))?;
        let (full, meta) = match self.locate(path) {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => bail!("{}", self.cannot_read(path, &error)),
        };
        if !full.starts_with(&self.root) {
            bail!(
                "{} is a link that leads out of the tree",
                self.dir.join(path).display()
            );
        }
        // Opening a fifo would wait for its writer.
        if !meta.is_file() {
            return Ok(None);
        }
        let mut buffer = Vec::new();
        let text = File::open(&full)
            .and_then(|file| slurp(&file, &mut buffer).map(Arc::from))
            .map_err(|error| anyhow!(self.cannot_read(path, &error)))?;
        Ok(Some(text))
    }

    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.visit_in(None, wanted, &|_| true, visit)
    }

    fn search(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.visit_in(None, wanted, holds, visit)
    }

    fn visit_below(
        &self,
        folders: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.visit_in(Some(folders), wanted, &|_| true, visit)
    }

    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        let found = Mutex::new(Vec::new());
        self.each_file(None, wanted, || {
            |path, _| {
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(path.to_owned());
                Ok(())
            }
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable();
        Ok(found)
    }
}

impl DiskTree {
    fn visit_in(
        &self,
        folders: Option<&[String]>,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let budget = budget_of_a_tree();
        let budget = &budget;
        self.each_file(folders, wanted, || {
            let mut buffer = Vec::new();
            move |path, full| {
                let text = File::open(full)
                    .and_then(|file| slurp_if(&file, holds, &mut buffer))
                    .map_err(|error| self.cannot_read(path, &error))?;
                let Some(text) = text else {
                    return Ok(());
                };
                budget
                    .charge(text.len() as u64)
                    .map_err(|spent| self.cannot_read(path, &spent))?;
                visit(path, text);
                Ok(())
            }
        })
    }
}

/// Nothing can be there under a name that is too long, either.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// Reads a regular file; `None` if it is large and `holds` for no part of it. A large
/// file is read in parts first, which stay in the processor's cache: a third of a
/// kernel's bytes is in headers of megabytes that list registers.
pub(super) fn slurp_if<'b>(
    mut file: &File,
    holds: &dyn Fn(&[u8]) -> bool,
    buffer: &'b mut Vec<u8>,
) -> io::Result<Option<&'b [u8]>> {
    prepare(buffer);
    let mut filled = fill(file, buffer)?;
    if filled < buffer.len() {
        return Ok(buffer.get(..filled));
    }
    let mut size = filled;
    while !holds(buffer.get(..filled).unwrap_or_default()) {
        if filled < buffer.len() {
            return Ok(None);
        }
        buffer.copy_within(filled - OVERLAP.., 0);
        let read = fill(file, buffer.get_mut(OVERLAP..).unwrap_or_default())?;
        filled = OVERLAP + read;
        size += read;
        check_size(size)?;
    }
    file.rewind()?;
    slurp(file, buffer).map(Some)
}

/// Reads a regular file. `buffer` keeps its length, which saves clearing it; the
/// result is the part that the file filled.
fn slurp<'b>(file: &File, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
    prepare(buffer);
    let mut filled = fill(file, buffer)?;
    while filled == buffer.len() {
        check_size(filled)?;
        // It may grow while it is read.
        let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let wanted = size.max(filled).saturating_add(BUFFER);
        // One byte more than a file may have shows that it has too many.
        buffer.resize(wanted.min(limit() + 1), 0);
        filled += fill(file, buffer.get_mut(filled..).unwrap_or_default())?;
    }
    check_size(filled)?;
    Ok(buffer.get(..filled).unwrap_or_default())
}

/// A kernel has a few headers of many megabytes, whose room is not kept.
fn prepare(buffer: &mut Vec<u8>) {
    if buffer.len() != BUFFER {
        *buffer = vec![0; BUFFER];
    }
}

fn limit() -> usize {
    usize::try_from(SIZE_LIMIT).unwrap_or(usize::MAX - 1)
}

fn check_size(size: usize) -> io::Result<()> {
    if size > limit() {
        let limit = SIZE_LIMIT >> 20;
        return Err(io::Error::other(format!(
            "the file is larger than {limit} MiB"
        )));
    }
    Ok(())
}

/// Reads into `room` until it is full or the file ends.
fn fill(mut file: &File, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let wanted = rest.len();
        match file.read(rest) {
            Ok(got) => {
                filled += got;
                // A regular file gives all that fits: less means its end.
                if got < wanted {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &[u8])]) -> (tempfile::TempDir, DiskTree) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let tree = DiskTree::open(dir.path()).expect("a tree");
        (dir, tree)
    }

    #[test]
    fn a_gitignore_hides_nothing_and_git_is_no_part() {
        let files: &[(&str, &[u8])] = &[
            (".gitignore", b"/*"),
            (".git/x.c", b""),
            ("fs/x.c", b"x"),
            ("fs/.y.c", b"y"),
        ];
        let (_dir, tree) = tree(files);
        assert_eq!(
            tree.paths(&|path| path.ends_with(".c")).expect("paths"),
            ["fs/.y.c", "fs/x.c"]
        );
    }

    #[test]
    fn visit_reads_files_of_any_size_whole() {
        let large = vec![b'x'; 3 * BUFFER];
        let exact = vec![b'y'; BUFFER];
        let files: &[(&str, &[u8])] = &[
            ("0.c", b""),
            ("1.c", &large),
            ("2.c", b"z"),
            ("3.c", &exact),
        ];
        let (_dir, tree) = tree(files);
        let seen = Mutex::new(Vec::new());
        let visit = |path: &str, text: &[u8]| {
            seen.lock()
                .expect("a lock")
                .push((path.to_owned(), text.to_vec()));
        };
        tree.visit(&|_| true, &visit).expect("all can be read");
        let mut seen = seen.into_inner().expect("a lock");
        seen.sort();
        let wanted: Vec<_> = files
            .iter()
            .map(|(p, t)| ((*p).to_owned(), t.to_vec()))
            .collect();
        assert!(seen == wanted);
    }

    #[test]
    fn search_leaves_out_large_files_without_the_word() {
        let mut with = vec![b'x'; 3 * BUFFER];
        let edge = 2 * BUFFER - OVERLAP - 3;
        with[edge..edge + 6].copy_from_slice(b"needle");
        let without = vec![b'x'; 3 * BUFFER];
        let at_end = [&without[..], b"needle"].concat();
        let files: &[(&str, &[u8])] = &[
            ("small.c", b"x"),
            ("with.c", &with),
            ("end.c", &at_end),
            ("without.c", &without),
        ];
        let (_dir, tree) = tree(files);
        let holds = |part: &[u8]| memchr::memmem::find(part, b"needle").is_some();
        let seen = Mutex::new(Vec::new());
        let visit = |path: &str, text: &[u8]| {
            let size = text.len();
            seen.lock().expect("a lock").push((path.to_owned(), size));
        };
        tree.search(&|_| true, &holds, &visit)
            .expect("all can be read");
        let mut seen = seen.into_inner().expect("a lock");
        seen.sort();
        let wanted = [
            ("end.c".to_owned(), at_end.len()),
            ("small.c".to_owned(), 1),
            ("with.c".to_owned(), with.len()),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn read_stays_inside() {
        let (dir, tree) = tree(&[("a/x.c", b"x"), ("b", b"")]);
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("out")).expect("a link");
        std::os::unix::fs::symlink("a/x.c", dir.path().join("in")).expect("a link");
        assert_eq!(tree.read("in").expect("inside").as_deref(), Some(&b"x"[..]));
        for path in ["out", "../x", "/etc/passwd", "", "a/../../x"] {
            assert!(tree.read(path).is_err(), "{path}");
        }
        let long = "x".repeat(300);
        for path in ["none", "b/none", "a", long.as_str()] {
            assert!(tree.read(path).expect("absent").is_none(), "{path}");
        }
        assert_eq!(tree.paths(&|_| true).expect("paths"), ["a/x.c", "b"]);
    }

    #[test]
    fn what_is_too_large_is_named_and_the_rest_is_read() {
        let (dir, tree) = tree(&[("x.c", b"x")]);
        let large = File::create(dir.path().join("large.c")).expect("a file");
        large.set_len(SIZE_LIMIT + 1).expect("a sparse file");
        let count = Mutex::new(0);
        let error = tree.visit(&|_| true, &|_, _| *count.lock().expect("a lock") += 1);
        let error = error.expect_err("one is too large").to_string();
        assert!(
            error.contains("large.c") && error.contains("64 MiB"),
            "{error}"
        );
        assert_eq!(count.into_inner().expect("a lock"), 1);
    }
}
