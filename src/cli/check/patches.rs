// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check` of patches, which are one series.

use super::super::tree::{self, Gate};
use super::entries::{entries_of_patches, subject_of};
use super::united::united;
use crate::inventory::profiles;
use crate::output::report::{Report, Subject};
use crate::review::{self, series::Ground};
use crate::rules::finding::Finding;
use crate::rules::{changes, engine};
use crate::source::disk::DiskTree;
use crate::source::input::Loaded;
use crate::source::overlay::OverlayTree;
use crate::source::past::GitPast;
use crate::source::patch::Patch;
use crate::source::series::Series;
use crate::source::{Blobs, Tree};
use anyhow::Context;

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
    let base = tree.map(|tree| tree as &dyn Tree);
    let (findings, profile) = match tree {
        Some(tree) => {
            let ground = ground(tree, series, gate)?;
            let findings = review::series::on_tree(series, tree, &ground, whole_tree)?;
            (findings, None)
        }
        None => {
            let (findings, version) = on_profile(series, gate)?;
            (findings, Some(version))
        }
    };
    let after = OverlayTree::after(base, series, series.patches.len());
    let mut subjects: Vec<Subject> = series.patches.iter().map(subject_of).collect();
    for entry in entries_of_patches(series, &after, findings) {
        let patch = entry.finding.patch.unwrap_or(0);
        if let Some(subject) = subjects.get_mut(patch) {
            subject.findings.push(entry);
        }
    }
    Ok(Report {
        subjects,
        profile,
        ..Report::default()
    })
}

/// What a series for a tree is held against.
fn ground(tree: &DiskTree, series: &Series, gate: Gate<'_>) -> anyhow::Result<Ground> {
    // A series cannot appoint its own approvers, or change its own zones.
    let before = OverlayTree::after(Some(tree), series, 0);
    let after = OverlayTree::after(Some(tree), series, series.patches.len());
    Ok(Ground {
        zones: gate.zones_before(tree.dir(), Some(&before), &after)?,
        maintainers: tree::maintainers(&before)?,
    })
}

/// What a series without a tree brings, by the embedded profile that fits, and the version
/// of the kernel that it is of.
fn on_profile(series: &Series, gate: Gate<'_>) -> anyhow::Result<(Vec<Finding>, String)> {
    let all: Vec<_> = (0..series.patches.len())
        .map(|patch| changes::of_patch(series, patch))
        .collect();
    let (profile, first) = profiles::fitting(&all)?;
    let ground = Ground {
        zones: tree::zones(None, gate)?,
        maintainers: profile.maintainers(),
    };
    let findings = review::series::on_profile(series, first, &ground)?;
    Ok((findings, profile.version))
}
