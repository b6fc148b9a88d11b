// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Two declarations of one tracepoint in one kernel.

use super::finding::{Finding, Level, Place};
use super::review::{Sight, declared_at, related};
use super::sites::text_of;
use crate::inventory::resolve::{Tracepoint, can_be_built_together};
use crate::inventory::state::State;
use crate::kernel::kbuild;

/// Compares all declarations of each name in pairs.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let all = &sight.state.inventory.tracepoints;
    let mut found = Vec::new();
    for same in all
        .chunk_by(|a, b| a.name() == b.name())
        .filter(|same| same.len() > 1)
    {
        for (index, later) in same.iter().enumerate().skip(1) {
            if let Some(earlier) = same[..index]
                .iter()
                .find(|earlier| clash(sight, earlier, later))
            {
                found.push(finding(sight, earlier, later));
            }
        }
    }
    found
}

/// Whether both are surely in one file, or both made: a header may replace another in
/// steps, and while only one of them is made, all builds.
pub(super) fn does_not_link(state: &State, finding: &Finding) -> bool {
    let name = finding.tracepoint.as_deref().unwrap_or_default();
    let all: Vec<_> = state.inventory.named(name).collect();
    let places = finding.related.iter().map(|one| &one.place);
    let of = |place: &Place| all.iter().find(|one| declared_at(one) == *place);
    let mut clashing = places.chain([&finding.place]).filter_map(of);
    let in_one_file = finding
        .related
        .iter()
        .any(|one| one.place.file == finding.place.file);
    in_one_file || clashing.all(|one| !one.definitions.is_empty())
}

fn clash(sight: &Sight<'_>, a: &Tracepoint, b: &Tracepoint) -> bool {
    can_be_built_together(&a.file, &b.file)
        && !a
            .declaration
            .condition
            .is_exclusive_with(&b.declaration.condition)
        && !chosen_by_options(sight, a, b)
}

/// Whether Kbuild or Kconfig keeps the code that defines them apart.
fn chosen_by_options(sight: &Sight<'_>, a: &Tracepoint, b: &Tracepoint) -> bool {
    let read = |path: &str| text_of(sight, path);
    a.file != b.file
        && !a.definitions.is_empty()
        && !b.definitions.is_empty()
        && a.definitions.iter().all(|one| {
            b.definitions
                .iter()
                .all(|other| kbuild::are_alternatives(&one.file, &other.file, &read))
        })
}

/// Shown at the later of both by path and line, unless only the other is in a
/// file of the series.
fn finding(sight: &Sight<'_>, earlier: &Tracepoint, later: &Tracepoint) -> Finding {
    let touched = |one: &Tracepoint| {
        sight
            .touched
            .is_some_and(|touched| touched.contains(one.file.as_ref()))
    };
    let (earlier, later) = if touched(earlier) && !touched(later) {
        (later, earlier)
    } else {
        (earlier, later)
    };
    Finding {
        rule: "name-clash",
        level: Level::Error,
        tracepoint: Some(later.name().to_owned()),
        place: declared_at(later),
        message: format!("tracepoint {} is declared a second time", later.name()),
        related: vec![related(declared_at(earlier), "it is declared here, too")],
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}
