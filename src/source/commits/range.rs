// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which commits a specification stands for. May not know what they change.

use std::path::Path;

use anyhow::{anyhow, bail};
use git2::{Oid, Repository, Revwalk, Sort};

use super::super::git::shallow_hint;

/// The commits of `spec`, oldest first, merges among them.
pub(super) fn ids(repository: &Repository, spec: &str, dir: &Path) -> anyhow::Result<Vec<Oid>> {
    let ids = if let Some((from, to)) = spec.split_once("...") {
        let (from, to) = (commit(repository, from, dir)?, commit(repository, to, dir)?);
        // None if they have no history in common, and several if they were merged crosswise.
        let bases = repository.merge_bases(from, to);
        let bases = bases.map(|bases| bases.to_vec()).unwrap_or_default();
        walk(repository, &[from, to], &bases, None)
    } else if let Some((from, to)) = spec.split_once("..") {
        let (from, to) = (commit(repository, from, dir)?, commit(repository, to, dir)?);
        walk(repository, &[to], &[from], None)
    } else {
        match (commit(repository, spec, dir), last(spec)) {
            (Ok(one), _) => Ok(vec![one]),
            (Err(_), Some((rev, count))) => walk(
                repository,
                &[commit(repository, rev, dir)?],
                &[],
                Some(count),
            ),
            (Err(error), None) => return Err(error),
        }
    };
    let ids = ids.map_err(|error| {
        anyhow!(
            "cannot read the commits {spec} in {}: {}{}",
            dir.display(),
            error.message(),
            shallow_hint(repository)
        )
    })?;
    if ids.is_empty() {
        bail!("there is no commit in {spec} in {}", dir.display());
    }
    Ok(ids)
}

/// `REV-N`.
fn last(spec: &str) -> Option<(&str, usize)> {
    let (rev, count) = spec.rsplit_once('-')?;
    Some((rev, count.parse().ok()?))
}

fn commit(repository: &Repository, rev: &str, dir: &Path) -> anyhow::Result<Oid> {
    let rev = if rev.is_empty() { "HEAD" } else { rev };
    let found = repository
        .revparse_single(rev)
        .and_then(|object| object.peel_to_commit());
    let commit = found.map_err(|error| {
        anyhow!(
            "no commit {rev} in {}: {}{}",
            dir.display(),
            error.message(),
            shallow_hint(repository)
        )
    })?;
    Ok(commit.id())
}

/// What is reached from `from` and not from `without`; of these the last `count`
/// that are no merges.
fn walk(
    repository: &Repository,
    from: &[Oid],
    without: &[Oid],
    count: Option<usize>,
) -> Result<Vec<Oid>, git2::Error> {
    let mut walk: Revwalk<'_> = repository.revwalk()?;
    for &id in from {
        walk.push(id)?;
    }
    for &id in without {
        walk.hide(id)?;
    }
    // By time alone, a parent of the same second may come before its child.
    walk.set_sorting(if count.is_some() {
        Sort::TIME | Sort::TOPOLOGICAL
    } else {
        Sort::TOPOLOGICAL
    })?;
    let mut left = count.unwrap_or(usize::MAX);
    let mut ids = Vec::new();
    while left > 0
        && let Some(id) = walk.next()
    {
        let id = id?;
        if repository.find_commit(id)?.parent_count() <= 1 {
            left -= 1;
        }
        ids.push(id);
    }
    ids.reverse();
    Ok(ids)
}
