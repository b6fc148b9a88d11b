// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that becomes a trace event.

use super::finding::{Finding, Level};
use super::review::{Review, by_macro, declared_at, related};
use super::suffix::SUFFIX;
use crate::inventory::resolve::{Inventory, Tracepoint};
use std::collections::BTreeMap;

/// Compares each state with the one before it, so that a series cannot bring a
/// hook bare and promote it later. What is undone at the end does not count.
pub(super) fn check(review: &Review<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    for (patch, pair) in review.states.windows(2).enumerate() {
        let (before, after) = (&pair[0].inventory, &pair[1].inventory);
        for (hook, event) in promotions(before, after) {
            let Some(last) = events_named(&review.after().inventory, event.name()).next() else {
                continue;
            };
            let finding = finding(review, patch, hook, last);
            found.insert(event.name().to_owned(), finding);
        }
    }
    found.into_values().collect()
}

/// The bare tracepoints of `before` with the events that `after` has instead.
fn promotions<'a>(
    before: &'a Inventory,
    after: &'a Inventory,
) -> impl Iterator<Item = (&'a Tracepoint, &'a Tracepoint)> {
    let mut bare: Vec<&str> = before.bare_names().into_iter().collect();
    bare.sort_unstable();
    bare.into_iter().filter_map(move |name| {
        let hook = before.named(name).next()?;
        let event = names_after(name)
            .into_iter()
            .filter(|name| events_named(before, name).next().is_none())
            .find_map(|name| events_named(after, &name).next())?;
        Some((hook, event))
    })
}

/// The names under which an event may take the place of the bare tracepoint
/// `name`: its own, and with and without the suffix.
fn names_after(name: &str) -> [String; 2] {
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

/// Whether `event` takes the place of a bare tracepoint somewhere in the series.
pub(super) fn is_promotion(review: &Review<'_>, event: &str) -> bool {
    review.states.windows(2).any(|pair| {
        promotions(&pair[0].inventory, &pair[1].inventory).any(|(_, new)| new.name() == event)
    })
}

fn finding(review: &Review<'_>, patch: usize, hook: &Tracepoint, event: &Tracepoint) -> Finding {
    let zone = review
        .zones
        .of(&hook.file)
        .or_else(|| review.zones.of(&event.file));
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
    };
    review.weighed(found, zone, &hook.file)
}
