// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Commits of a repository: which ones a range or a push brings, what lies before them,
//! and what is changed from one tree to the next.
//!
//! The blobs of both sides of a change are named in full, so a series of them resolves
//! by blob. Lines are numbered as `git format-patch` would have them, which is what
//! checkpatch's `-g` does, too. May not know trees on disk, nor what a rule is.

mod diff;
mod push;
mod range;

use std::path::Path;

use anyhow::{anyhow, bail};
pub use git2::Oid;
use git2::{ObjectType, Repository};

use super::git::{discover, partial_hint, shallow_hint};
use super::patch::{Patch, Person};
use super::paths;
pub use push::updates;
pub use range::ranges;

/// A commit, without what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// The first digits of it, enough to tell it from others.
    pub short_id: String,
    /// Its parents; none of a root.
    pub parents: Vec<Oid>,
    /// First line of its message.
    pub subject: String,
}

/// Commits that are checked as one series.
#[derive(Clone, Debug)]
pub struct Range {
    /// What was asked for: a specification, or the name of a ref.
    pub name: String,
    /// The last of the commits; of a tag it may be a tree.
    pub tip: Oid,
    /// The commits, merges among them, oldest first. There is none where a ref is moved
    /// to what was there before.
    pub commits: Vec<Commit>,
    /// The commit before them: what it has is not new. `None` if there is nothing.
    pub base: Option<Oid>,
    /// What these have is not new, either.
    pub known: Vec<Oid>,
    /// The commit whose zones and MAINTAINERS count; `None` if there is none.
    pub ground: Option<Oid>,
    /// Whether there are as many commits as were asked for, so that those before them
    /// are old, whichever they are. Otherwise only the base and what is known are: what a
    /// merge takes from an old commit may have been taken back since.
    pub is_counted: bool,
}

/// A repository as a graph of commits.
pub struct History {
    repository: Repository,
}

impl History {
    /// Opens the repository that `dir` lies in.
    ///
    /// # Errors
    /// There is none, or it is broken.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            repository: discover(dir)?,
        })
    }

    /// The commit `id`.
    ///
    /// # Errors
    /// It cannot be read, or its parents are not there.
    pub fn commit(&self, id: Oid) -> anyhow::Result<Commit> {
        let read = || {
            let commit = self.repository.find_commit(id)?;
            Ok(Commit {
                id,
                short_id: text(&commit.as_object().short_id()?),
                parents: commit.parent_ids().collect(),
                subject: text(commit.summary_bytes().unwrap_or_default()),
            })
        };
        let commit = read().map_err(|error| self.unread(id, &error))?;
        if commit.parents.is_empty() && self.repository.is_shallow() {
            let hint = shallow_hint(&self.repository);
            bail!("the parent of commit {id} is not here{hint}");
        }
        Ok(commit)
    }

    /// What changes from the commit `from`, or from nothing, to the commit `id`.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn patch(&self, id: Oid, from: Option<Oid>) -> anyhow::Result<Patch> {
        let read = || {
            let commit = self.repository.find_commit(id)?;
            let author = commit.author();
            Ok(Patch {
                input: id.to_string(),
                subject: text(commit.summary_bytes().unwrap_or_default()),
                author: Person {
                    name: text(author.name_bytes()),
                    email: text(author.email_bytes()),
                },
                message: text(commit.message_bytes()),
                commit: Some(id.to_string()),
                changes: diff::changes(&self.repository, from, id, Some(&commit))?,
                ..Patch::default()
            })
        };
        read().map_err(|error| self.unread(id, &error))
    }

    /// The message of the commit `id`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn message(&self, id: Oid) -> anyhow::Result<String> {
        let commit = self.repository.find_commit(id);
        let commit = commit.map_err(|error| self.unread(id, &error))?;
        Ok(text(commit.message_bytes()))
    }

    /// What changes from `from` to `to`, be it by many commits or by none. Nobody
    /// answers for it, so its message is empty.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn difference(&self, name: &str, from: Oid, to: Oid) -> anyhow::Result<Patch> {
        let changes = diff::changes(&self.repository, Some(from), to, None);
        Ok(Patch {
            input: name.to_owned(),
            changes: changes.map_err(|error| self.unread(to, &error))?,
            ..Patch::default()
        })
    }

    /// The files that differ between two commits or trees.
    ///
    /// # Errors
    /// One of them cannot be read, or has a path that no tree could be asked for.
    pub fn changed(&self, from: Oid, to: Oid) -> anyhow::Result<Vec<String>> {
        let paths = diff::paths(&self.repository, from, to);
        let paths = paths.map_err(|error| self.unread(to, &error))?.into_iter();
        let paths = paths.map(|path| paths::checked(&path).map_err(|why| anyhow!(why)));
        paths.collect()
    }

    /// The best common ancestors of two commits, the one that `git merge-base` names
    /// first.
    ///
    /// # Errors
    /// The repository is broken.
    pub fn merge_bases(&self, one: Oid, other: Oid) -> anyhow::Result<Vec<Oid>> {
        match self.repository.merge_bases(one, other) {
            Ok(bases) => Ok(bases.to_vec()),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.unread(one, &error)),
        }
    }

    /// The tree of a commit or a tag, or the tree itself.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn tree(&self, id: Oid) -> anyhow::Result<Oid> {
        let tree = self.repository.find_object(id, None);
        let tree = tree.and_then(|object| object.peel(ObjectType::Tree));
        Ok(tree.map_err(|error| self.unread(id, &error))?.id())
    }

    fn unread(&self, id: Oid, error: &git2::Error) -> anyhow::Error {
        let hint = partial_hint(&self.repository, error);
        anyhow!("cannot read the commit {id}: {}{hint}", error.message())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests;
