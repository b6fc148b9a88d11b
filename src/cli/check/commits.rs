// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check --git`: commits, each against its first parent.

use super::super::tree;
use super::patches::{Ground, review};
use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::output::list::TreeName;
use crate::output::report::Report;
use crate::rules::review::Knowledge;
use crate::rules::zones::Zones;
use crate::source::commits::{CommitPatch, Range, resolve_range};
use crate::source::git::{GitBlobs, GitTree, is_bare};
use crate::source::kernel_root::check_kernel;
use crate::source::patch::{Problem, short_id};
use crate::source::series::Series;
use anyhow::ensure;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Lints the commits that `spec` names in the repository of the tree `given`, or of the
/// one around the current directory; a repository needs no work tree.
pub(super) fn commits(
    given: Option<&Path>,
    spec: &str,
    zones: Option<&Path>,
) -> anyhow::Result<Report> {
    let directory = given.unwrap_or(Path::new("."));
    if is_bare(directory)? {
        let range = resolve_range(directory, spec)?;
        let last = GitTree::open(directory, &range.last)?;
        check_kernel(&last)?;
        let mut name = tree::name(&last);
        name.path = directory.display().to_string();
        return each(directory, &range, name, zones);
    }
    let tree = tree::needed(given)?;
    let range = resolve_range(tree.dir(), spec)?;
    ensure!(
        GitBlobs::at(tree.dir())?.is_some(),
        "{} is not the top of its repository, whose commits are of more than the kernel: check \
         patches of git format-patch --relative",
        tree.dir().display()
    );
    each(tree.dir(), &range, tree::name(&tree), zones)
}

/// Lints each commit of `range`, which are the repository's at `directory`.
fn each(
    directory: &Path,
    range: &Range,
    tree: TreeName,
    zones: Option<&Path>,
) -> anyhow::Result<Report> {
    let mut stderr = io::stderr();
    let progress = stderr.is_terminal();
    let total = range.commits.len();
    let mut report = Report {
        tree: Some(tree),
        ..Report::default()
    };
    let mut walk = Walk::new(directory);
    for (index, commit) in range.commits.iter().enumerate() {
        if progress {
            let _ = write!(stderr, "\r{}/{total} {} ", index + 1, commit.short_id);
        }
        let one = walk.check(commit, zones)?;
        report.subjects.extend(one.subjects);
        report.problems.extend(one.problems);
    }
    if progress {
        let _ = write!(stderr, "\r\x1b[K");
    }
    report.skipped = range
        .merges
        .iter()
        .map(|merge| format!("{} (\"{}\")", short_id(&merge.id), merge.subject))
        .collect();
    Ok(report)
}

/// The state at one commit, from which the next is not far.
struct Walk<'a> {
    directory: &'a Path,
    at: Option<(String, State)>,
    /// The zones and MAINTAINERS before the first commit: as a series cannot, a range
    /// cannot appoint its own approvers.
    rules: Option<(Zones, Maintainers)>,
}

impl<'a> Walk<'a> {
    fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            at: None,
            rules: None,
        }
    }

    fn check(&mut self, commit: &CommitPatch, zones: Option<&Path>) -> anyhow::Result<Report> {
        let Some(parent) = &commit.parent else {
            return Ok(Report {
                problems: vec![Problem {
                    input: format!("commit {}", commit.short_id),
                    line: None,
                    message: "it has no parent to be checked against".to_owned(),
                }],
                ..Report::default()
            });
        };
        let base = GitTree::open(self.directory, parent)?;
        let series = {
            // Not open for longer: what it has mapped of a pack stays.
            let blobs = GitBlobs::around(self.directory)?;
            Series::resolve(vec![commit.patch.clone()], Some(&base), Some(&blobs))
        };
        let first = match self.at.take() {
            Some((id, state)) if id == *parent => state,
            _ => State::of(&base)?,
        };
        let rules = match self.rules.take() {
            Some(rules) => rules,
            None => (tree::zones(Some(&base), zones)?, tree::maintainers(&base)?),
        };
        let (zones, maintainers) = self.rules.insert(rules).clone();
        let ground = Ground {
            tree: Some(&base),
            zones,
            maintainers,
            knowledge: Knowledge::Whole,
        };
        let reviewed = review(&series, first, &ground)?;
        if let Some(id) = &commit.patch.commit {
            self.at = Some((id.clone(), reviewed.last));
        }
        let mut report = reviewed.report;
        report.problems.extend(series.problems);
        Ok(report)
    }
}
