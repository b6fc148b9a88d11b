// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check` of patches, which are one series.

use super::super::tree::{self, Gate};
use super::entries::{Lines, entry_of_patch, subject_of};
use super::united::united;
use crate::inventory::profiles;
use crate::inventory::state::{State, semantics_of};
use crate::inventory::vicinity::{self, Vicinity};
use crate::kernel::semantics::is_framework_header;
use crate::output::report::{Report, Subject};
use crate::review::series::{Ground, review};
use crate::rules::review::Knowledge;
use crate::rules::{changes, engine};
use crate::source::disk::DiskTree;
use crate::source::input::Loaded;
use crate::source::overlay::OverlayTree;
use crate::source::past::GitPast;
use crate::source::patch::{LineKind, Patch};
use crate::source::series::Series;
use crate::source::{Blobs, Tree};
use anyhow::Context;
use std::collections::BTreeSet;

/// If more patches touch the tracing core than this, it is taken as changed.
const MOST_TOUCHING: usize = 8;

/// Lints patches as one series.
pub(super) fn patches(
    tree: Option<&DiskTree>,
    loaded: Loaded,
    gate: Gate<'_>,
    whole_tree: bool,
) -> anyhow::Result<Report> {
    let Loaded {
        patches,
        older,
        mut notices,
        mut problems,
        ..
    } = loaded;
    if patches.is_empty() {
        return Ok(Report {
            problems,
            ..Report::default()
        });
    }
    engine::check_length(patches.len() + older.len())?;
    let past = match tree {
        Some(tree) => GitPast::at(tree.dir())?,
        None => None,
    };
    let base = tree.map(|tree| tree as &dyn Tree);
    let past = past.as_ref().map(|past| past as &dyn Blobs);
    let patches = match together(older, &patches, base, past) {
        Some(all) => {
            notices.clear();
            all
        }
        None => patches,
    };
    let alternatives = Series::alternatives(patches, base, past);
    // Where there is more than one answer, that of git tells what does not fit.
    let misfits = alternatives.iter().take(1);
    problems.extend(misfits.flat_map(|series| series.problems.iter().cloned()));
    let reports: Vec<Report> = alternatives
        .iter()
        .map(|series| check(tree, series, gate, whole_tree))
        .collect::<anyhow::Result<_>>()?;
    let mut report = united(reports).context("patches come to something")?;
    report.tree = tree.map(|tree| tree::name(tree));
    report.problems = problems;
    report.notices = notices;
    Ok(report)
}

/// The older versions of a series and the newest one, if all of them apply together: then
/// `git am` takes them all, whatever their subjects say.
fn together(
    older: Vec<Patch>,
    newest: &[Patch],
    tree: Option<&dyn Tree>,
    blobs: Option<&dyn Blobs>,
) -> Option<Vec<Patch>> {
    if older.is_empty() || tree.is_none() {
        return None;
    }
    let all = [older, newest.to_vec()].concat();
    let answers = Series::alternatives(all.clone(), tree, blobs);
    let fits = |series: &Series| series.unfit.is_none() && series.patches.len() == all.len();
    answers.first().is_some_and(fits).then_some(all)
}

/// Lints one answer to what the patches come to.
fn check(
    tree: Option<&DiskTree>,
    series: &Series,
    gate: Gate<'_>,
    whole_tree: bool,
) -> anyhow::Result<Report> {
    let (first, ground, profile) = match tree {
        Some(tree) => {
            let (first, ground) = on_tree(tree, series, gate, whole_tree)?;
            (first, ground, None)
        }
        None => {
            let (first, ground, version) = on_profile(series, gate)?;
            (first, ground, Some(version))
        }
    };
    let (mut report, wants_more) = checked(series, first, &ground)?;
    if let (true, Some(tree)) = (wants_more, tree) {
        let ground = Ground {
            knowledge: Knowledge::Whole,
            ..ground
        };
        report = checked(series, State::of(tree)?, &ground)?.0;
    }
    report.profile = profile;
    Ok(report)
}

/// The state before a series for a tree, and what the series is held against.
fn on_tree<'a>(
    tree: &'a DiskTree,
    series: &Series,
    gate: Gate<'_>,
    whole_tree: bool,
) -> anyhow::Result<(State, Ground<'a>)> {
    let (first, knowledge) = first_state(tree, series, whole_tree)?;
    // A series cannot appoint its own approvers, or change its own zones.
    let before = OverlayTree::after(Some(tree), series, 0);
    let after = OverlayTree::after(Some(tree), series, series.patches.len());
    let ground = Ground {
        tree: Some(tree),
        zones: gate.zones_before(tree.dir(), Some(&before), &after)?,
        maintainers: tree::maintainers(&before)?,
        knowledge,
    };
    Ok((first, ground))
}

/// As [`on_tree`] without a tree, by the embedded profile that fits, and the version of
/// the kernel that it is of.
fn on_profile<'a>(series: &Series, gate: Gate<'_>) -> anyhow::Result<(State, Ground<'a>, String)> {
    let all: Vec<_> = (0..series.patches.len())
        .map(|patch| changes::of_patch(series, patch))
        .collect();
    let (profile, first) = profiles::fitting(&all)?;
    let ground = Ground {
        tree: None,
        zones: tree::zones(None, gate)?,
        maintainers: profile.maintainers(),
        knowledge: Knowledge::Profile,
    };
    Ok((first, ground, profile.version))
}

/// The state before the series, of the part of the tree that decides about it.
fn first_state(
    tree: &DiskTree,
    series: &Series,
    whole_tree: bool,
) -> anyhow::Result<(State, Knowledge)> {
    let before = OverlayTree::after(Some(tree), series, 0);
    let touched: BTreeSet<&str> = before.files().keys().map(String::as_str).collect();
    if whole_tree || changes_meanings(tree, series)? {
        return Ok((State::of(tree)?, Knowledge::Whole));
    }
    let mut names = profiles::files_that_declare(&declared_by(series))?;
    // What a new file includes, or an old one now does, is around it, too.
    let after = OverlayTree::after(Some(tree), series, series.patches.len());
    let mut texts = Vec::new();
    for path in after.files().keys() {
        if let Some(text) = after.read(path)? {
            vicinity::included(path, &text, &mut names);
            texts.push(text);
        }
    }
    let part = State::of(&Vicinity::of(&before, &touched, &names)?)?;
    // What a list of hooks is handed may be defined out of sight.
    if part.calls_list_of(&texts) {
        return Ok((State::of(tree)?, Knowledge::Whole));
    }
    Ok((part, Knowledge::Part))
}

/// Whether a patch of the series makes the macros of the tracing core mean something
/// else; then it is about every file that calls one.
fn changes_meanings(tree: &DiskTree, series: &Series) -> anyhow::Result<bool> {
    let touches = |patch: usize| {
        let mut changed = changes::of_patch(series, patch).into_keys();
        changed.any(|path| is_framework_header(&path))
    };
    let touching: Vec<usize> = (0..series.patches.len())
        .filter(|&patch| touches(patch))
        .collect();
    if touching.len() > MOST_TOUCHING {
        return Ok(true);
    }
    for patch in touching {
        let before = semantics_of(&OverlayTree::after(Some(tree), series, patch))?;
        if before != semantics_of(&OverlayTree::after(Some(tree), series, patch + 1))? {
            return Ok(true);
        }
    }
    Ok(false)
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

/// Lints one series. `first` is the state of the tree as it is, which may have
/// some of the series. Gives also whether more of the kernel has to be read to be sure.
fn checked(series: &Series, first: State, ground: &Ground<'_>) -> anyhow::Result<(Report, bool)> {
    let tree = ground.tree;
    let first = first.after(&changes::before(series), tree)?;
    let states = engine::states(first, &engine::Subject { series, tree })?;
    let reviewed = review(series, &states, ground);
    let after = OverlayTree::after(tree, series, series.patches.len());
    let mut lines = Lines::of(&after);
    let mut subjects: Vec<Subject> = series.patches.iter().map(subject_of).collect();
    for finding in reviewed.findings {
        let patch = finding.patch.unwrap_or(0);
        let entry = entry_of_patch(series, &mut lines, finding);
        if let Some(subject) = subjects.get_mut(patch) {
            subject.findings.push(entry);
        }
    }
    let report = Report {
        subjects,
        ..Report::default()
    };
    Ok((report, reviewed.wants_more))
}
