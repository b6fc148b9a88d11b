// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Commits of a repository as patches, each against its first parent.
//!
//! The blobs of both sides are named in full, so a series of them resolves by
//! blob. Lines are numbered as `git format-patch` would have them, which is what
//! checkpatch's `-g` does, too. May not know trees on disk.

mod diff;
mod range;

use std::path::Path;

use git2::{Commit, Oid, Repository};

use super::git::{discover, partial_hint, shallow_hint};
use super::patch::{Patch, Person};

/// A commit to check.
#[derive(Clone, Debug)]
pub struct CommitPatch {
    /// What it changes, as from a mail; `patch.commit` and `patch.input` are
    /// its id in full.
    pub patch: Patch,
    /// The first digits of its id, enough to tell it from others.
    pub short_id: String,
    /// Id of the first parent; `None` for a root.
    pub parent: Option<String>,
}

/// A commit that is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Id of the commit, a merge.
    pub id: String,
    /// First line of its message.
    pub subject: String,
}

/// What a specification of commits stands for.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// The commits, oldest first.
    pub commits: Vec<CommitPatch>,
    /// The merges among them, which have no patch of their own.
    pub merges: Vec<Skipped>,
    /// Id of the last of all.
    pub last: String,
}

/// Reads the commits that `spec` names in the repository that `dir` lies in:
/// `REV` alone, `A..B`, `A...B`, or `REV-N` for the last N of REV.
///
/// # Errors
/// There is no repository, no such revision, or no commit in the range; or the
/// repository is broken or shallow.
pub fn resolve_range(dir: &Path, spec: &str) -> anyhow::Result<Range> {
    let repository = discover(dir)?;
    let ids = range::ids(&repository, spec, dir)?;
    let mut range = Range {
        last: ids.last().map(Oid::to_string).unwrap_or_default(),
        ..Range::default()
    };
    for id in ids {
        let failed = |error: git2::Error| {
            let hint = partial_hint(&repository, &error);
            anyhow::anyhow!("cannot read the commit {id}: {}{hint}", error.message())
        };
        let commit = repository.find_commit(id).map_err(failed)?;
        if commit.parent_count() == 0 && repository.is_shallow() {
            let hint = shallow_hint(&repository);
            anyhow::bail!("the parent of commit {id} is not here{hint}");
        }
        if commit.parent_count() > 1 {
            range.merges.push(Skipped {
                id: id.to_string(),
                subject: subject(&commit),
            });
        } else {
            range
                .commits
                .push(read(&repository, &commit).map_err(failed)?);
        }
    }
    Ok(range)
}

fn subject(commit: &Commit<'_>) -> String {
    let summary = commit.summary_bytes().unwrap_or_default();
    String::from_utf8_lossy(summary).trim().to_owned()
}

fn read(repository: &Repository, commit: &Commit<'_>) -> Result<CommitPatch, git2::Error> {
    let id = commit.id().to_string();
    let author = commit.author();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let short = commit.as_object().short_id()?;
    let patch = Patch {
        input: id.clone(),
        mail: None,
        subject: subject(commit),
        author: Person {
            name: text(author.name_bytes()),
            email: text(author.email_bytes()),
        },
        message: text(commit.message_bytes()),
        commit: Some(id),
        changes: diff::changes(repository, commit)?,
        ..Patch::default()
    };
    let parent = commit.parent_id(0).ok().map(|id: Oid| id.to_string());
    Ok(CommitPatch {
        patch,
        short_id: text(&short),
        parent,
    })
}

#[cfg(test)]
mod tests;
