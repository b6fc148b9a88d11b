// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that becomes a trace event.

use super::approval::Authority;
use super::finding::{Finding, Level};
use super::review::{Review, by_macro, declared_at, related};
use super::suffix::SUFFIX;
use crate::inventory::resolve::{Inventory, Tracepoint};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Compares each state with the one before it, so that a series cannot bring a
/// hook bare and promote it later. What is undone at the end does not count.
pub(super) fn check(review: &Review<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    for (patch, hook, event) in promotions(review) {
        if let Some(last) = events_named(&review.after().inventory, event.name()).next() {
            let finding = finding(review, patch, hook, last);
            found.insert(event.name().to_owned(), finding);
        }
    }
    found.into_values().collect()
}

/// The hooks that were bare at some time in the series, by name, as they were last.
type Hooks<'a> = BTreeMap<&'a str, &'a Tracepoint>;

/// The bare tracepoints that an event takes the place of, with the patch that makes
/// it. The hook may have gone in a patch before.
fn promotions<'a>(review: &'a Review<'_>) -> Vec<(usize, &'a Tracepoint, &'a Tracepoint)> {
    let mut found = Vec::new();
    let mut hooks = Hooks::new();
    for (patch, pair) in review.states.windows(2).enumerate() {
        let (before, after) = (&pair[0].inventory, &pair[1].inventory);
        if Arc::ptr_eq(before, after) {
            continue;
        }
        let bare = before.bare_names().into_iter();
        hooks.extend(bare.filter_map(|name| Some((name, before.named(name).next()?))));
        for (name, hook) in &hooks {
            let event = event_instead(name, before, after);
            found.extend(event.map(|event| (patch, *hook, event)));
        }
    }
    found
}

/// The event that `after` has in place of the bare tracepoint `name`, and that
/// `before` has not.
fn event_instead<'a>(
    name: &str,
    before: &Inventory,
    after: &'a Inventory,
) -> Option<&'a Tracepoint> {
    names_after(name)
        .into_iter()
        .filter(|name| events_named(before, name).next().is_none())
        .find_map(|name| events_named(after, &name).next())
}

/// The names under which an event may take the place of the bare tracepoint
/// `name`: its own, and with and without the suffix.
pub(super) fn names_after(name: &str) -> [String; 2] {
    let other = match name.strip_suffix(SUFFIX) {
        Some(stem) => stem.to_owned(),
        None => format!("{name}{SUFFIX}"),
    };
    [name.to_owned(), other]
}

/// The trace events called `name`.
pub(super) fn events_named<'a>(
    inventory: &'a Inventory,
    name: &str,
) -> impl Iterator<Item = &'a Tracepoint> {
    let all: Vec<_> = inventory.named(name).filter(|one| !one.is_bare()).collect();
    all.into_iter()
}

/// The events that take the place of a bare tracepoint somewhere in the series.
pub(super) fn promoted<'a>(review: &'a Review<'_>) -> BTreeSet<&'a str> {
    let promotions = promotions(review).into_iter();
    promotions.map(|(_, _, event)| event.name()).collect()
}

fn finding(review: &Review<'_>, patch: usize, hook: &Tracepoint, event: &Tracepoint) -> Finding {
    let what = if hook.name() == event.name() {
        format!("bare tracepoint {} becomes a trace event", hook.name())
    } else {
        format!(
            "bare tracepoint {} becomes the trace event {}",
            hook.name(),
            event.name()
        )
    };
    let found = Finding {
        rule: "promotion",
        level: Level::Error,
        tracepoint: Some(hook.name().to_owned()),
        place: declared_at(event),
        message: format!("{what} by {}", by_macro(event)),
        related: vec![related(
            declared_at(hook),
            "it is declared bare here before the patch",
        )],
        patch: Some(patch),
        fix: None,
        approval: None,
        passing: false,
    };
    review.weighed_by(found, &authorities(review, patch, hook, event))
}

/// Who has to approve: the maintainers of each zone in which the hook was declared, or the
/// event is; outside of zones, those of the hook's file. A second declaration elsewhere
/// makes nobody else one of them.
fn authorities<'a>(
    review: &'a Review<'_>,
    patch: usize,
    hook: &'a Tracepoint,
    event: &'a Tracepoint,
) -> Vec<Authority<'a>> {
    let states = review.states.iter().take(patch + 1);
    let hooks = states.flat_map(|state| state.inventory.named(hook.name()));
    let hooks = hooks.filter(|one| one.is_bare());
    let files = hooks.map(|one| &one.file).chain([&event.file]);
    let zones: BTreeMap<&str, Authority<'a>> = files
        .filter_map(|file| review.zones.of(file))
        .map(|zone| (zone.name.as_str(), Authority::Zone(zone)))
        .collect();
    if zones.is_empty() {
        return vec![Authority::File(&hook.file)];
    }
    zones.into_values().collect()
}
