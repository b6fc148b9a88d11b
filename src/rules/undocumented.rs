// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that no comment speaks of.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use super::sites::{by_file, text_of};
use crate::inventory::headings::Headings;
use crate::inventory::resolve::Tracepoint;

/// Looks at every bare tracepoint whose file can be read.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    by_file(&sight.state.inventory)
        .into_iter()
        .filter(|(file, all)| sight.examines(file) && all.iter().any(|one| one.is_bare()))
        .flat_map(|(file, all)| of_file(sight, file, &all))
        .collect()
}

fn of_file(sight: &Sight<'_>, file: &str, all: &[&Tracepoint]) -> Vec<Finding> {
    let Some(text) = text_of(sight, file) else {
        return Vec::new();
    };
    let declared = all.iter().map(|one| one.declaration.at).collect();
    let events = all.iter().filter(|one| !one.is_bare());
    let events = events.map(|one| one.declaration.at).collect();
    let headings = Headings::of(&text, declared)
        .with_alone(events)
        .past_macros_of(&sight.state.semantics);
    let has_none = |one: &&&Tracepoint| {
        let at = one.declaration.at;
        let comment = headings.above(at).or_else(|| headings.inside(at));
        let comment = comment.or_else(|| headings.behind(at));
        one.is_bare() && comment.is_none() && sight.knows_all_of(file)
    };
    all.iter()
        .filter(has_none)
        .map(|one| finding(one))
        .collect()
}

fn finding(tracepoint: &Tracepoint) -> Finding {
    Finding {
        rule: "undocumented",
        level: Level::Warning,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: declared_at(tracepoint),
        message: format!(
            "no comment says what bare tracepoint {} is for",
            tracepoint.name()
        ),
        related: Vec::new(),
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}
