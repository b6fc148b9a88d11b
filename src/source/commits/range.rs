// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which commits a specification stands for, and what lies before them. May not know
//! what they change.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use git2::{Oid, Repository, Revwalk, Sort};

use super::super::git::shallow_hint;
use super::{Commit, History, Range};

/// Reads the commits that `spec` names in the repository that `dir` lies in:
/// `REV` alone, `A..B`, `A...B`, which is two ranges, or `REV-N` for the last N of REV,
/// merges aside. Zones and MAINTAINERS count as in `ground`, as in none if that is empty,
/// and as before the commits if it is not given.
///
/// # Errors
/// There is no repository, no such revision, or no commit in the range; or the
/// repository is broken or shallow.
pub fn ranges(dir: &Path, spec: &str, ground: Option<&str>) -> anyhow::Result<Vec<Range>> {
    let history = History::open(dir)?;
    let named = Named {
        history: &history,
        spec,
        dir,
        ground: match ground {
            Some("") => Some(None),
            Some(rev) => Some(Some(history.named(rev, dir)?)),
            None => None,
        },
    };
    let mut ranges = if let Some((from, to)) = spec.split_once("...") {
        let (from, to) = (history.named(from, dir)?, history.named(to, dir)?);
        vec![named.between(to, from)?, named.between(from, to)?]
    } else if let Some((from, to)) = spec.split_once("..") {
        vec![named.between(history.named(from, dir)?, history.named(to, dir)?)?]
    } else {
        match (history.named(spec, dir), last(spec)) {
            (Ok(one), _) => vec![named.counted(one, Count::This)?],
            (Err(_), Some((rev, count))) => {
                vec![named.counted(history.named(rev, dir)?, Count::Last(count))?]
            }
            (Err(error), None) => return Err(error),
        }
    };
    ranges.retain(|range| !range.commits.is_empty());
    if ranges.is_empty() {
        bail!("there is no commit in {spec} in {}", dir.display());
    }
    Ok(ranges)
}

/// `REV-N`.
fn last(spec: &str) -> Option<(&str, usize)> {
    let (rev, count) = spec.rsplit_once('-')?;
    Some((rev, count.parse().ok()?))
}

enum Count {
    /// The commit that is named.
    This,
    /// So many that are no merges.
    Last(usize),
}

/// A specification, where it is looked up, and the commit whose zones count, if one was
/// given.
struct Named<'a> {
    history: &'a History,
    spec: &'a str,
    dir: &'a Path,
    ground: Option<Option<Oid>>,
}

impl Named<'_> {
    /// What `to` has and `from` has not. What counts as before is where they part.
    fn between(&self, from: Oid, to: Oid) -> anyhow::Result<Range> {
        let mut bases = self.history.merge_bases(to, from)?.into_iter();
        let base = bases.next();
        let commits = self.history.walk(&[to], &[from], None);
        Ok(Range {
            name: self.spec.to_owned(),
            tip: to,
            commits: commits.with_context(|| self.failed())?,
            base,
            // There are several if the two were merged crosswise.
            known: bases.collect(),
            ground: self.ground.unwrap_or(base.or(Some(from))),
            is_counted: false,
        })
    }

    fn counted(&self, tip: Oid, count: Count) -> anyhow::Result<Range> {
        let commits = match count {
            Count::This => Ok(vec![self.history.commit(tip)?]),
            Count::Last(count) => self.history.walk(&[tip], &[], Some(count)),
        };
        let commits = commits.with_context(|| self.failed())?;
        let base = below(&commits, tip);
        Ok(Range {
            name: self.spec.to_owned(),
            tip,
            commits,
            base,
            known: Vec::new(),
            ground: self.ground.unwrap_or(base),
            is_counted: true,
        })
    }

    fn failed(&self) -> String {
        format!(
            "cannot read the commits {} in {}",
            self.spec,
            self.dir.display()
        )
    }
}

/// The commit that first parents lead to from `tip` when they leave `commits`.
fn below(commits: &[Commit], tip: Oid) -> Option<Oid> {
    let mut at = tip;
    for commit in commits.iter().rev() {
        if commit.id == at {
            at = *commit.parents.first()?;
        }
    }
    Some(at)
}

impl History {
    /// The commit that `rev` names; nothing is HEAD.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn named(&self, rev: &str, dir: &Path) -> anyhow::Result<Oid> {
        let rev = if rev.is_empty() { "HEAD" } else { rev };
        let repository = &self.repository;
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

    /// What is reached from `from` and not from `without`, oldest first; of these the
    /// last `count` that are no merges.
    ///
    /// # Errors
    /// A commit cannot be read.
    pub(super) fn walk(
        &self,
        from: &[Oid],
        without: &[Oid],
        count: Option<usize>,
    ) -> anyhow::Result<Vec<Commit>> {
        let ids = walk(&self.repository, from, without, count).map_err(|error| {
            let hint = shallow_hint(&self.repository);
            anyhow!("{}{hint}", error.message())
        })?;
        ids.into_iter().map(|id| self.commit(id)).collect()
    }
}

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
    for &id in without.iter().collect::<BTreeSet<_>>() {
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
