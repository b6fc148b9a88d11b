// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A revision of a git repository as a tree, and blobs by id.
//!
//! Read by blob, with no checkout, so bare repositories do as well. Symlinks and
//! submodules are no files. May not know what commits say; see `commits`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{anyhow, bail};
use git2::{FileMode, ObjectType, Oid, Repository, RepositoryOpenFlags};

use super::checkout::{Checkout, Found};
use super::{
    Blobs, SIZE_LIMIT, Tree, Unreadable, budget_of_a_tree, folders, loose, paths, quarantine,
    special,
};
use crate::budget::Budget;
use crate::parallel;

/// The id that git gives to this content, in hex.
pub fn blob_id(content: &[u8]) -> Option<String> {
    Oid::hash_object(ObjectType::Blob, content)
        .ok()
        .map(|id| id.to_string())
}

/// Who git takes for the author of what is written in `dir`, as `Name <address>`;
/// `None` if nobody is configured.
pub fn identity(dir: &Path) -> Option<String> {
    let repository = special::check_repository_around(dir).and_then(|()| Repository::discover(dir));
    let config = match repository {
        Ok(repository) => repository.config(),
        Err(_) => git2::Config::open_default(),
    };
    let config = config.ok()?;
    let name = config.get_string("user.name").ok()?;
    let address = config.get_string("user.email").ok()?;
    Some(format!("{name} <{address}>"))
}

/// Opens the repository that `dir` lies in.
pub(super) fn discover(dir: &Path) -> anyhow::Result<Repository> {
    // Hashing all that is read would take longer than reading it; git itself
    // leaves that to `git fsck`.
    git2::opts::strict_hash_verification(false);
    let repository = special::check_repository_around(dir)
        .and_then(|()| Repository::discover(dir))
        .map_err(|error| cannot_open(dir, &error))?;
    let repository = without_work_tree(repository).map_err(|error| cannot_open(dir, &error))?;
    loose::check(&repository)?;
    Ok(repository)
}

/// The same repository as if it had no work tree. In one, libgit2 opens every
/// `.gitattributes` on the way to a file that it compares, be it a fifo; without one, it
/// takes those of the index.
fn without_work_tree(repository: Repository) -> Result<Repository, git2::Error> {
    let flags = RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_SEARCH;
    let bare = Repository::open_ext(repository.path(), flags, &[] as &[&Path])?;
    quarantine::with_pushed(bare)
}

/// Opens the repository whose top `dir` is: its work tree, one of its linked work
/// trees, or itself if it is bare. `None` if it is none.
///
/// # Errors
/// It cannot be opened.
fn open_top(dir: &Path) -> anyhow::Result<Option<Repository>> {
    match quarantine::open(dir) {
        Ok(repository) => Ok(Some(repository)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(cannot_open(dir, &error)),
    }
}

/// Whether `dir` is a repository that has no work tree.
///
/// # Errors
/// It is a repository that cannot be opened.
pub fn is_bare(dir: &Path) -> anyhow::Result<bool> {
    Ok(open_top(dir)?.is_some_and(|repository| repository.is_bare()))
}

/// As `open_top`, to read commits and trees of it.
///
/// # Errors
/// It cannot be opened, or is broken.
pub fn open(dir: &Path) -> anyhow::Result<Option<Repository>> {
    let Some(repository) = open_top(dir)? else {
        return Ok(None);
    };
    let repository = without_work_tree(repository).map_err(|error| cannot_open(dir, &error))?;
    loose::check(&repository)?;
    Ok(Some(repository))
}

/// Why there is no repository, with what git would advise where it is somebody else's.
fn cannot_open(dir: &Path, error: &git2::Error) -> anyhow::Error {
    let mut message = format!(
        "cannot open a git repository at {}: {}",
        dir.display(),
        error.message()
    );
    if error.code() == git2::ErrorCode::Owner {
        message += "; if you trust it: git config --global --add safe.directory ";
        message += &dir.canonicalize().unwrap_or_default().to_string_lossy();
    }
    anyhow!(message)
}

/// What may be why a commit is not there, to be put behind the error.
pub(super) fn shallow_hint(repository: &Repository) -> &'static str {
    if repository.is_shallow() {
        "; the repository is shallow: git fetch --unshallow gets the rest"
    } else {
        ""
    }
}

/// Why an object may not be there, to be put behind the error: a partial clone brings
/// one when git asks for it, and only git knows how.
pub(super) fn partial_hint(repository: &Repository, error: &git2::Error) -> &'static str {
    let promised = || {
        let config = repository.config()?.snapshot()?;
        let mut entries = config.entries(Some(r"remote\..*\.promisor"))?;
        Ok::<_, git2::Error>(entries.next().is_some())
    };
    if error.code() == git2::ErrorCode::NotFound && promised().unwrap_or(false) {
        "; the repository is a partial clone: git fetch --refetch --no-filter gets the rest"
    } else {
        ""
    }
}

/// A revision of a repository. Its root is the repository's, wherever in it the
/// folder lies that it was opened by.
pub struct GitTree {
    /// As it was given, for messages.
    dir: PathBuf,
    rev: String,
    /// Where the repository's own files are.
    git_dir: PathBuf,
    repository: Mutex<Option<Repository>>,
    tree: Oid,
    entries: OnceLock<Result<Entries, String>>,
    checkout: OnceLock<Option<Checkout>>,
}

/// From so many files on, a look at git's index pays.
const MANY: usize = 1024;

/// How many blobs are read before what was mapped of packs for them is given back.
const MOST_AT_ONCE: usize = 256;

/// A blob that is larger than this, in bytes, is read by one thread at a time: a kernel
/// has headers of 24 MB, and to unpack one takes several times its size.
const LARGE: usize = 1 << 20;

/// The files of a revision, in the order of their paths.
#[derive(Default)]
struct Entries {
    files: Vec<(String, Oid)>,
    /// Paths that are not UTF-8, as far as they can be shown.
    unnamed: Vec<String>,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitTree({})", self.name())
    }
}

impl GitTree {
    /// Opens the revision `rev` of the repository that `dir` lies in.
    ///
    /// # Errors
    /// There is no repository, or no such revision in it.
    pub fn open(dir: &Path, rev: &str) -> anyhow::Result<Self> {
        let repository = discover(dir)?;
        let tree = repository
            .revparse_single(rev)
            .and_then(|object| object.peel_to_tree())
            .map_err(|error| {
                anyhow!(
                    "no revision {rev} in {}: {}{}",
                    dir.display(),
                    error.message(),
                    shallow_hint(&repository)
                )
            })?
            .id();
        Ok(Self {
            dir: dir.to_owned(),
            rev: rev.to_owned(),
            git_dir: repository.path().to_owned(),
            repository: Mutex::new(Some(repository)),
            tree,
            entries: OnceLock::new(),
            checkout: OnceLock::new(),
        })
    }

    /// Every file with its blob's id, in the order of the paths. What a blob
    /// says can be kept by its id.
    ///
    /// # Errors
    /// The repository is broken.
    pub fn blob_ids(&self) -> anyhow::Result<&[(String, Oid)]> {
        Ok(&self.entries()?.files)
    }

    fn entries(&self) -> anyhow::Result<&Entries> {
        let list = || self.list().map_err(|error| error.message().to_owned());
        match self.entries.get_or_init(list) {
            Ok(entries) => Ok(entries),
            Err(why) => bail!("cannot read {}: {why}", self.name()),
        }
    }

    fn repository(&self) -> MutexGuard<'_, Option<Repository>> {
        self.repository
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of what is open, and so of the parts of packs that are in memory.
    fn close(&self) {
        self.repository().take();
    }

    /// Calls `read` with the repository.
    fn with<T>(
        &self,
        read: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Result<T, git2::Error> {
        let mut open = self.repository();
        let repository = match open.take() {
            Some(repository) => repository,
            None => quarantine::open(&self.git_dir)?,
        };
        read(open.insert(repository))
    }

    fn list(&self) -> Result<Entries, git2::Error> {
        let mut entries = Entries::default();
        for file in self.with(|repository| folders::files(repository, self.tree))? {
            match String::from_utf8(file.path) {
                Ok(path) => entries.files.push((path, file.id)),
                Err(error) => {
                    let path = String::from_utf8_lossy(error.as_bytes()).into_owned();
                    entries.unnamed.push(path);
                }
            }
        }
        entries.files.sort_unstable();
        Ok(entries)
    }

    fn cannot_read(&self, path: &str, error: &git2::Error) -> String {
        format!("cannot read {path} of {}: {}", self.name(), error.message())
    }

    /// What the work tree has of the revision, if that many files are to be read.
    fn checkout(&self, files: usize) -> Option<&Checkout> {
        let open = || Checkout::of(&self.git_dir, &self.entries().ok()?.files);
        (files >= MANY).then(|| self.checkout.get_or_init(open).as_ref())?
    }

    /// Visits `files`, each with its number in the revision; gives what could not be read.
    fn visit_all(
        &self,
        files: &[Numbered<'_>],
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &Visitor<'_>,
    ) -> Vec<String> {
        let packed = match self.checkout(files.len()) {
            Some(checkout) => visit_checkout(checkout, files, holds, visit),
            None => files.to_vec(),
        };
        let mut errors = Vec::new();
        let budget = budget_of_a_tree();
        for some in packed.chunks(MOST_AT_ONCE) {
            self.close();
            errors.extend(self.visit_blobs(some, &budget, visit));
        }
        errors
    }

    /// As [`GitTree::visit_all`], of blobs.
    fn visit_blobs(
        &self,
        files: &[Numbered<'_>],
        budget: &Budget,
        visit: &Visitor<'_>,
    ) -> Vec<String> {
        // A repository is not to be shared between threads.
        let start = || quarantine::open(&self.git_dir);
        let alone = Mutex::new(());
        let errors = parallel::map_with(files.len(), start, |repository, number| {
            let (_, (path, id)) = files.get(number)?;
            let read = match repository {
                Ok(repository) => size_of(repository, *id).and_then(|size| {
                    let charged = budget.charge(size as u64);
                    charged.map_err(|spent| git2::Error::from_str(&spent.to_string()))?;
                    let _alone = (size > LARGE)
                        .then(|| alone.lock().unwrap_or_else(PoisonError::into_inner));
                    let blob = repository.find_blob(*id)?;
                    visit(path, blob.content());
                    Ok(())
                }),
                Err(error) => return Some(self.cannot_read("", error)),
            };
            read.err().map(|error| self.cannot_read(path, &error))
        });
        errors.into_iter().flatten().collect()
    }
}

/// A file of a revision, with its number in it.
type Numbered<'f> = (usize, &'f (String, Oid));

/// Visits what of `files` the work tree has, and gives the rest.
fn visit_checkout<'f>(
    checkout: &Checkout,
    files: &[Numbered<'f>],
    holds: &(dyn Fn(&[u8]) -> bool + Sync),
    visit: &Visitor<'_>,
) -> Vec<Numbered<'f>> {
    let rest = parallel::map_with(files.len(), Vec::new, |buffer, number| {
        let &(at, file) = files.get(number)?;
        match checkout.read(at, &file.0, holds, buffer) {
            Some(Found::Text(text)) => visit(&file.0, text),
            Some(Found::Nothing) => {}
            None => return Some((at, file)),
        }
        None
    });
    rest.into_iter().flatten().collect()
}

type Visitor<'v> = dyn Fn(&str, &[u8]) + Sync + 'v;

fn is_file(mode: i32) -> bool {
    [
        FileMode::Blob,
        FileMode::BlobExecutable,
        FileMode::BlobGroupWritable,
    ]
    .map(i32::from)
    .contains(&mode)
}

fn blob(repository: &Repository, id: Oid) -> Result<git2::Blob<'_>, git2::Error> {
    size_of(repository, id)?;
    repository.find_blob(id)
}

/// The size of a blob in bytes.
///
/// # Errors
/// It is larger than a file may be, or not there.
fn size_of(repository: &Repository, id: Oid) -> Result<usize, git2::Error> {
    let (size, _) = repository.odb()?.read_header(id)?;
    if size as u64 > SIZE_LIMIT {
        let limit = SIZE_LIMIT >> 20;
        return Err(git2::Error::from_str(&format!(
            "the blob is larger than {limit} MiB"
        )));
    }
    Ok(size)
}

impl Tree for GitTree {
    fn name(&self) -> String {
        format!("{} in {}", self.rev, self.dir.display())
    }

    fn is_link(&self, path: &str) -> bool {
        let mode = |repository: &Repository| {
            let tree = repository.find_tree(self.tree)?;
            Ok(tree.get_path(Path::new(path))?.filemode())
        };
        self.with(mode)
            .is_ok_and(|mode| mode == i32::from(FileMode::Link))
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        paths::inside(path).map_err(|why| anyhow!(why))?;
        let read = |repository: &Repository| {
            let entry = match repository.find_tree(self.tree)?.get_path(Path::new(path)) {
                Ok(entry) if is_file(entry.filemode()) => entry,
                Ok(_) => return Ok(None),
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            Ok(Some(Arc::from(blob(repository, entry.id())?.content())))
        };
        self.with(read)
            .map_err(|error| anyhow!(self.cannot_read(path, &error)))
    }

    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.search(wanted, &|_| true, visit)
    }

    fn search(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let entries = self.entries()?;
        let files: Vec<_> = entries
            .files
            .iter()
            .enumerate()
            .filter(|(_, (path, _))| wanted(path))
            .collect();
        let mut errors = self.visit_all(&files, holds, visit);
        let unnamed = entries.unnamed.iter().filter(|path| wanted(path));
        errors.extend(
            unnamed.map(|path| format!("{path} of {}: the name is not UTF-8", self.name())),
        );
        Unreadable::check(errors)
    }

    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        let entries = self.blob_ids()?.iter().filter(|(path, _)| wanted(path));
        Ok(entries.map(|(path, _)| path.clone()).collect())
    }
}

/// The blobs of a repository.
pub struct GitBlobs {
    repository: Mutex<Repository>,
}

impl fmt::Debug for GitBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GitBlobs")
    }
}

impl GitBlobs {
    /// The blobs of the repository whose top `dir` is, as [`open`]. `None` if it is
    /// none: a tree that lies somewhere in a repository is none of its states.
    ///
    /// # Errors
    /// The repository cannot be opened.
    pub fn at(dir: &Path) -> anyhow::Result<Option<Self>> {
        Ok(open_top(dir)?.map(|repository| Self {
            repository: Mutex::new(repository),
        }))
    }

    /// The blobs of the repository that `dir` lies in, as [`GitTree::open`].
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn around(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            repository: Mutex::new(discover(dir)?),
        })
    }

    pub(super) fn repository(&self) -> MutexGuard<'_, Repository> {
        self.repository
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs for GitBlobs {
    fn blob(&self, _: &str, id: &str) -> Option<Arc<[u8]>> {
        let repository = self.repository();
        let id = whole_id(&repository, id)?;
        text(&repository, id)
    }
}

/// The id of the only object whose id starts with `id`.
pub(super) fn whole_id(repository: &Repository, id: &str) -> Option<Oid> {
    let prefix = Oid::from_str(id).ok()?;
    repository.odb().ok()?.exists_prefix(prefix, id.len()).ok()
}

/// The content of a blob, if it can be read.
pub(super) fn text(repository: &Repository, id: Oid) -> Option<Arc<[u8]>> {
    if loose::is_cut(repository, id) {
        return None;
    }
    Some(Arc::from(blob(repository, id).ok()?.content()))
}
