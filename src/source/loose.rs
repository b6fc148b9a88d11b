// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Objects that a repository has not packed yet, which may have been cut short: by a
//! full disk, or by a machine that went down.
//!
//! libgit2 up to 1.9.7 reads such an object forever, so whoever opens a repository asks
//! here first. It may not know what is in an object.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use git2::{Oid, Repository};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::quarantine;
use crate::parallel;

/// How far repositories that borrow objects of each other are followed, as in libgit2
/// (src/libgit2/odb.c).
const MOST_ALTERNATES: usize = 5;
/// Objects lie in a folder for each value of their id's first byte.
const FOLDERS: usize = 256;
/// Bytes of an object that are read, and unpacked, at a time.
const PART: usize = 32 << 10;

/// The object folders in which nothing was found.
static WHOLE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Looks once at all loose objects of a repository, and of those that it borrows from.
///
/// # Errors
/// One of them ends too early; the message names it.
pub(super) fn check(repository: &Repository) -> anyhow::Result<()> {
    for folder in folders(repository) {
        let mut whole = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
        if whole.contains(&folder) {
            continue;
        }
        let cut = parallel::map_with(FOLDERS, Buffers::default, |buffers, number| {
            first_cut(&folder.join(format!("{number:02x}")), buffers)
        });
        if let Some(object) = cut.into_iter().flatten().next() {
            bail!(
                "{} is not all there, so nothing is read from its repository: \
                 git fsck names what else is broken",
                object.display()
            );
        }
        whole.insert(folder);
    }
    Ok(())
}

/// Whether the object `id` is a loose one that ends too early.
pub(super) fn is_cut(repository: &Repository, id: Oid) -> bool {
    let id = id.to_string();
    let Some((folder, name)) = id.split_at_checked(2) else {
        return false;
    };
    let path = folders(repository)
        .map(|objects| objects.join(folder).join(name))
        .find(|path| path.exists());
    path.is_some_and(|path| ends_early(&path, &mut Buffers::default()))
}

/// Where a repository has its objects, those that are pushed to it, and those that it
/// borrows.
fn folders(repository: &Repository) -> impl Iterator<Item = PathBuf> {
    let mut folders = vec![repository.commondir().join("objects")];
    folders.extend(quarantine::folder(repository));
    let mut next = 0;
    for _ in 0..=MOST_ALTERNATES {
        let known = folders.len();
        for at in next..known {
            let borrowed = alternates(&folders[at]);
            folders.extend(borrowed);
        }
        next = known;
    }
    folders.into_iter()
}

/// The folders that `objects` borrows from (gitrepository-layout(5)).
fn alternates(objects: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(objects.join("info/alternates")).unwrap_or_default();
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| objects.join(line))
        .collect()
}

/// The first object of a folder that ends too early. What cannot be read is libgit2's
/// to complain about.
fn first_cut(folder: &Path, buffers: &mut Buffers) -> Option<PathBuf> {
    let is_object = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut objects: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_object))
        .map(|entry| entry.path())
        .collect();
    objects.sort_unstable();
    objects.into_iter().find(|path| ends_early(path, buffers))
}

/// What a thread reads and unpacks with.
struct Buffers {
    inflater: Box<DecompressorOxide>,
    packed: Vec<u8>,
    /// The window that data may refer back to.
    unpacked: Vec<u8>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            inflater: Box::default(),
            packed: vec![0; PART],
            unpacked: vec![0; PART],
        }
    }
}

/// Whether the file of an object ends before its data does.
fn ends_early(path: &Path, buffers: &mut Buffers) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
    buffers.inflater.init();
    let mut filled = 0;
    loop {
        match file.read(&mut buffers.packed) {
            Ok(0) => return true,
            Ok(count) => {
                if !takes_more(count, &mut filled, buffers) {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
}

/// Unpacks the first `count` bytes of what is packed, and says whether more have to
/// follow. `filled` is how far the window is.
fn takes_more(count: usize, filled: &mut usize, buffers: &mut Buffers) -> bool {
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_HAS_MORE_INPUT;
    let mut packed = buffers.packed.get(..count).unwrap_or_default();
    loop {
        let window = &mut buffers.unpacked;
        let (status, read, written) =
            decompress(&mut buffers.inflater, packed, window, *filled, flags);
        packed = packed.get(read..).unwrap_or_default();
        *filled = (*filled + written) % PART;
        match status {
            TINFLStatus::HasMoreOutput => {}
            TINFLStatus::NeedsMoreInput => return true,
            // What is broken otherwise is an error of libgit2.
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one large object, and the object's file.
    fn repository(size: usize) -> (tempfile::TempDir, Repository, Oid, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(dir.path()).expect("a repository");
        // Hard to pack, so that there are several parts
        let text: Vec<u8> = (0..size as u32)
            .map(|at| (at.wrapping_mul(0x9e37_79b9) >> 13) as u8)
            .collect();
        let id = repository.blob(&text).expect("a blob");
        let (folder, name) = (&id.to_string()[..2], &id.to_string()[2..]);
        let path = repository.path().join("objects").join(folder).join(name);
        (dir, repository, id, path)
    }

    #[test]
    fn objects_that_end_early() {
        for size in [0, 1, 100, 3 * PART] {
            let (_dir, repository, id, path) = repository(size);
            assert!(!is_cut(&repository, id), "{size}");
            check(&repository).expect("all is there");
            let packed = fs::read(&path).expect("an object");
            fs::remove_file(&path).expect("removed");
            for length in [0, 1, 2, 5, packed.len() / 2, packed.len() - 1] {
                fs::write(&path, &packed[..length]).expect("written");
                assert!(is_cut(&repository, id), "{length} of {size}");
            }
            fs::write(&path, b"not packed").expect("written");
            assert!(!is_cut(&repository, id), "{size}");
        }
    }

    #[test]
    fn the_object_is_named() {
        let (_dir, repository, id, path) = repository(PART);
        File::options()
            .write(true)
            .open(make_writable(&path))
            .and_then(|file| file.set_len(20))
            .expect("cut");
        let error = check(&repository).expect_err("cut").to_string();
        assert!(error.contains(&id.to_string()[2..]), "{error}");
    }

    #[test]
    fn borrowed_objects() {
        let (_lender, lender, _, path) = repository(PART);
        let (_dir, borrower, ..) = repository(0);
        let objects = lender.path().join("objects");
        let file = borrower.path().join("objects/info/alternates");
        fs::write(file, format!("# lent\n{}\n", objects.display())).expect("written");
        fs::write(make_writable(&path), b"x\x9c").expect("cut");
        assert!(check(&borrower).is_err());
        let other = lender.blob(b"y").expect("a blob");
        assert!(!is_cut(&borrower, other));
    }

    fn make_writable(path: &Path) -> &Path {
        let mut mode = fs::metadata(path).expect("an object").permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        mode.set_readonly(false);
        fs::set_permissions(path, mode).expect("a mode");
        path
    }
}
