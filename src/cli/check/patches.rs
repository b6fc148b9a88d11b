// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check` of patches, which are one series.

use super::super::tree;
use super::entries::{entry_of_patch, subject_of};
use crate::inventory::profiles;
use crate::inventory::state::State;
use crate::inventory::vicinity::Vicinity;
use crate::kernel::maintainers::Maintainers;
use crate::kernel::semantics::is_framework_header;
use crate::output::report::{Report, Subject};
use crate::rules::engine::{self, check_series};
use crate::rules::review::Review;
use crate::rules::{changes, zones::Zones};
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::git::GitBlobs;
use crate::source::input;
use crate::source::overlay::OverlayTree;
use crate::source::patch::{LineKind, Problem};
use crate::source::series::{Blobs, Series};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

/// Lints patches as one series.
pub(super) fn patches(
    tree: Option<&DiskTree>,
    inputs: &[PathBuf],
    zones: &Zones,
    whole_tree: bool,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<Report> {
    let loaded = input::load(inputs, &mut io::stdin());
    problems.extend(loaded.problems);
    if loaded.patches.is_empty() {
        return Ok(Report::default());
    }
    let blobs = match tree {
        Some(tree) => GitBlobs::at(tree.dir())?,
        None => None,
    };
    let base = tree.map(|tree| tree as &dyn Tree);
    let series = Series::resolve(
        loaded.patches,
        base,
        blobs.as_ref().map(|blobs| blobs as &dyn Blobs),
    );
    problems.extend(series.problems.iter().cloned());
    let (first, maintainers, profile) = match tree {
        Some(tree) => {
            let first = first_state(tree, &series, whole_tree)?;
            (first, maintainers_before(tree, &series), None)
        }
        None => {
            let count = series.patches.len();
            let all: Vec<_> = (0..count)
                .map(|patch| changes::of_patch(&series, patch))
                .collect();
            let (profile, state) = profiles::fitting(&all)?;
            (state, profile.maintainers(), Some(profile.version))
        }
    };
    let first = first.after(&changes::before(&series), base)?;
    let mut report = review(&series, first, base, zones, &maintainers)?;
    report.tree = tree.map(|tree| tree::name(tree));
    report.profile = profile;
    Ok(report)
}

/// The state before the series, of the part of the tree that decides about it.
/// The tracing core means all files, and is read with them.
fn first_state(tree: &DiskTree, series: &Series, whole_tree: bool) -> anyhow::Result<State> {
    let before = OverlayTree::after(Some(tree), series, 0);
    let touched: BTreeSet<&str> = before.files().keys().map(String::as_str).collect();
    if whole_tree || touched.iter().any(|path| is_framework_header(path)) {
        return State::of(tree);
    }
    let names = profiles::files_that_declare(&declared_by(series))?;
    State::of(&Vicinity::of(&before, &touched, &names)?)
}

/// The words in lines that the series adds, some of which it declares: other
/// files may declare them, too.
fn declared_by(series: &Series) -> BTreeSet<String> {
    let changes = series.patches.iter().flat_map(|patch| &patch.changes);
    let lines = changes
        .flat_map(|change| &change.hunks)
        .flat_map(|hunk| &hunk.lines);
    let added = lines.filter(|line| line.kind == LineKind::Added);
    let mut words = BTreeSet::new();
    for line in added {
        let text = String::from_utf8_lossy(&line.text);
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.extend(split.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

/// MAINTAINERS as it was before the series, which may change it.
fn maintainers_before(tree: &dyn Tree, series: &Series) -> Maintainers {
    tree::maintainers(&OverlayTree::after(Some(tree), series, 0))
}

/// Lints one series from the state before it.
pub(super) fn review(
    series: &Series,
    first: State,
    tree: Option<&dyn Tree>,
    zones: &Zones,
    maintainers: &Maintainers,
) -> anyhow::Result<Report> {
    let subject = engine::Subject { series, tree };
    let states = engine::states(first, &subject)?;
    let introduced = |path: &str, line: u32| {
        let (step, _) = series.introduced(path, line)?;
        series.steps.get(step).map(|step| step.patch)
    };
    let review = Review {
        states: &states,
        patches: &series.patches,
        zones,
        maintainers,
        introduced: &introduced,
    };
    let findings = check_series(&review, &subject);
    let after = OverlayTree::after(tree, series, series.patches.len());
    let mut subjects: Vec<Subject> = series.patches.iter().map(subject_of).collect();
    for finding in findings {
        let patch = finding.patch.unwrap_or(0);
        let entry = entry_of_patch(series, &after, finding);
        if let Some(subject) = subjects.get_mut(patch) {
            subject.findings.push(entry);
        }
    }
    Ok(Report {
        subjects,
        ..Report::default()
    })
}
