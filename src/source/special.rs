// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is opened without waiting for anybody: a fifo that nobody writes to keeps who
//! opens it forever, and a device may never end.
//!
//! A file that nobody named is opened if it is a regular one. One that the command line
//! names may be a fifo, as `<(…)` of a shell is, but is not waited for long. Of a
//! repository, whose files libgit2 opens by itself, all are looked at before. It may not
//! know what is in a file but for the paths of other files.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use git2::Error;

/// How long somebody may take to open the other end of a fifo.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a file that names other files.
const MOST: u64 = 1 << 20;
/// How many folders of a repository are looked into: a kernel's has some thousands.
const MOST_FOLDERS: usize = 100_000;
/// The folders of a repository that libgit2 reads.
const FOLDERS: [&str; 6] = ["info", "logs", "objects", "refs", "reftable", "worktrees"];

/// The repositories in which nothing was found: each is opened many times.
static CHECKED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Opens a file that nobody named.
///
/// # Errors
/// It is no regular file, or cannot be opened.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    File::open(path)
}

/// Opens a file that the command line names.
///
/// # Errors
/// It cannot be opened, or is a fifo and nobody opens it to write to it.
pub(super) fn open_named(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.file_type().is_fifo() {
        return File::open(path);
    }
    let (sender, receiver) = mpsc::channel();
    let own = path.to_owned();
    let waits = thread::Builder::new().spawn(move || {
        // Who waits for it may have gone.
        let _ = sender.send(File::open(own));
    });
    match waits {
        Ok(_) => receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(io::Error::other(format!(
                "it is a fifo that nobody has written to for {seconds} seconds"
            )))
        }),
        Err(_) => File::open(path),
    }
}

/// Looks at the files of the repository whose top, or own folder, `dir` is; at nothing if
/// it is none.
///
/// # Errors
/// One of them is a fifo or a device; the message names it.
pub(super) fn check_repository(dir: &Path) -> Result<(), Error> {
    let checked = || CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    if checked().contains(dir) {
        return Ok(());
    }
    look_at(dir)?;
    checked().insert(dir.to_owned());
    Ok(())
}

fn look_at(dir: &Path) -> Result<(), Error> {
    let mut look = Look::default();
    let dot = dir.join(".git");
    match fs::metadata(&dot) {
        Ok(found) if found.is_dir() => look.repository(&dot)?,
        Ok(found) if found.is_file() => {
            if let Some(named) = first_line(&dot)?.strip_prefix("gitdir:") {
                look.repository(&dir.join(named.trim()))?;
            }
        }
        Ok(found) => return Err(refused(&dot, found.file_type())),
        Err(_) => {}
    }
    let is_own = ["HEAD", "objects", "refs"]
        .iter()
        .all(|part| dir.join(part).symlink_metadata().is_ok());
    if is_own { look.repository(dir) } else { Ok(()) }
}

/// As [`check_repository`], for the repository that `dir` lies in.
///
/// # Errors
/// As [`check_repository`].
pub(super) fn check_repository_around(dir: &Path) -> Result<(), Error> {
    let Ok(dir) = dir.canonicalize() else {
        return Ok(());
    };
    for dir in dir.ancestors() {
        check_repository(dir)?;
        if dir.join(".git").exists() {
            break;
        }
    }
    Ok(())
}

/// What was looked at.
#[derive(Default)]
struct Look {
    seen: BTreeSet<PathBuf>,
}

impl Look {
    fn repository(&mut self, dir: &Path) -> Result<(), Error> {
        if !self.is_new(dir) {
            return Ok(());
        }
        for entry in entries(dir) {
            let kind = kind(&entry)?;
            if kind.is_dir() && FOLDERS.iter().any(|name| entry.file_name() == *name) {
                self.below(entry.path())?;
            }
        }
        for config in ["config", "config.worktree"] {
            included(&dir.join(config), dir)?;
        }
        self.borrowed(&dir.join("objects"))?;
        let common = first_line(&dir.join("commondir"))?;
        if common.is_empty() {
            Ok(())
        } else {
            self.repository(&dir.join(common.trim()))
        }
    }

    fn is_new(&mut self, dir: &Path) -> bool {
        dir.canonicalize().is_ok_and(|dir| self.seen.insert(dir))
    }

    fn below(&mut self, folder: PathBuf) -> Result<(), Error> {
        let mut pending = vec![folder];
        while let Some(folder) = pending.pop() {
            if !self.is_new(&folder) {
                continue;
            }
            if self.seen.len() > MOST_FOLDERS {
                let message = format!("{}: over {MOST_FOLDERS} folders", folder.display());
                return Err(Error::from_str(&message));
            }
            for entry in entries(&folder) {
                if kind(&entry)?.is_dir() {
                    pending.push(entry.path());
                }
            }
        }
        Ok(())
    }

    /// The folders of objects that others borrow (gitrepository-layout(5)).
    fn borrowed(&mut self, objects: &Path) -> Result<(), Error> {
        let mut pending = vec![objects.to_owned()];
        while let Some(objects) = pending.pop() {
            for line in text(&objects.join("info/alternates"))?.lines() {
                let Ok(lent) = objects.join(line.trim()).canonicalize() else {
                    continue;
                };
                if !line.trim_start().starts_with('#') && !self.seen.contains(&lent) {
                    self.below(lent.clone())?;
                    pending.push(lent);
                }
            }
        }
        Ok(())
    }
}

/// The entries of a folder; none if it cannot be read, which libgit2 says.
fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// What an entry is, or leads to.
fn kind(entry: &fs::DirEntry) -> Result<FileType, Error> {
    let failed = |error: io::Error| {
        Error::from_str(&format!("cannot read {}: {error}", entry.path().display()))
    };
    let mut kind = entry.file_type().map_err(failed)?;
    if kind.is_symlink()
        && let Ok(target) = fs::metadata(entry.path())
    {
        kind = target.file_type();
    }
    if waits(kind) {
        return Err(refused(&entry.path(), kind));
    }
    Ok(kind)
}

/// Whether to open such a thing, or to read it to its end, may take forever. A socket
/// cannot be opened at all, and git's own file system monitor keeps one there.
fn waits(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device() || kind.is_block_device()
}

fn refused(path: &Path, kind: FileType) -> Error {
    let what = if kind.is_fifo() {
        "a fifo"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Error::from_str(&format!(
        "{} is {what}, not a file of git's",
        path.display()
    ))
}

/// The files that a configuration includes (git-config(1)).
fn included(config: &Path, dir: &Path) -> Result<(), Error> {
    for line in text(config)?.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        // `[include] path = x` may stand in one line.
        let key = key.rsplit([']', ' ', '\t']).find(|part| !part.is_empty());
        if !key.is_some_and(|key| key.eq_ignore_ascii_case("path")) {
            continue;
        }
        let value = value.trim().trim_matches('"');
        let path = match (value.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(below), Some(home)) => Path::new(&home).join(below),
            _ => dir.join(value),
        };
        if let Ok(found) = fs::metadata(&path)
            && waits(found.file_type())
            && path.as_os_str().as_bytes() != b"/dev/null"
        {
            return Err(refused(&path, found.file_type()));
        }
    }
    Ok(())
}

/// The start of a file; empty if it is not there or cannot be read.
fn text(path: &Path) -> Result<String, Error> {
    let mut text = Vec::new();
    if let Ok(found) = fs::metadata(path) {
        if waits(found.file_type()) {
            return Err(refused(path, found.file_type()));
        }
        if let Ok(file) = open_regular(path) {
            // libgit2 says what is wrong with it.
            let _ = file.take(MOST).read_to_end(&mut text);
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn first_line(path: &Path) -> Result<String, Error> {
    Ok(text(path)?.lines().next().unwrap_or_default().to_owned())
}
