// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Objects of a push that its receiver has not accepted yet.
//!
//! Git keeps them in a folder of their own and tells its pre-receive hook where that is
//! (githooks(5)); libgit2 looks there if it is asked to. It may not know what is in an
//! object.

use std::path::{Path, PathBuf};

use git2::Repository;

use super::special;

/// Opens the repository at `path`, with what is pushed to it.
pub(super) fn open(path: &Path) -> Result<Repository, git2::Error> {
    special::check_repository(path)?;
    with_pushed(Repository::open(path)?)
}

/// Lets `repository` read what is pushed to it.
pub(super) fn with_pushed(repository: Repository) -> Result<Repository, git2::Error> {
    if let Some(folder) = folder(&repository) {
        repository
            .odb()?
            .add_disk_alternate(&folder.to_string_lossy())?;
    }
    Ok(repository)
}

/// Where a push to this repository has its objects, if a hook of that push runs here.
pub(super) fn folder(repository: &Repository) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("GIT_QUARANTINE_PATH")?);
    let folder = folder.canonicalize().ok()?;
    let objects = repository.commondir().join("objects");
    let objects = objects.canonicalize().ok()?;
    folder.starts_with(objects).then_some(folder)
}
