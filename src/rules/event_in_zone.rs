// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A new trace event where tracepoints have to stay bare.

use super::finding::{Finding, Level};
use super::promotion::promoted;
use super::review::{Review, by_macro, declared_at, related};
use super::zones::{Zone, Zones};
use crate::inventory::definitions::is_trace_header;
use crate::inventory::resolve::{Inventory, Tracepoint};
use crate::inventory::state::State;
use std::collections::BTreeSet;

/// Compares the events of each zone after the series with those before it.
pub(super) fn check(review: &Review<'_>) -> Vec<Finding> {
    let before = events_by_zone(review.zones, review.before(), review.before());
    let after = events_by_zone(review.zones, review.before(), review.after());
    let promoted = promoted(review);
    let mut found = Vec::new();
    for (zone, name) in after.difference(&before) {
        if promoted.contains(name) {
            continue;
        }
        for event in in_zone(review, zone, name) {
            found.push(finding(review, event));
        }
    }
    found
}

/// The names of the events of each zone.
fn events_by_zone<'a>(
    zones: &'a Zones,
    first: &State,
    state: &'a State,
) -> BTreeSet<(&'a str, &'a str)> {
    let events = state
        .inventory
        .tracepoints
        .iter()
        .filter(|one| !one.is_bare());
    events
        .filter_map(|event| Some((zone_of(zones, first, event)?.name.as_str(), event.name())))
        .collect()
}

fn in_zone<'a>(review: &'a Review<'_>, zone: &str, name: &str) -> Vec<&'a Tracepoint> {
    let inventory: &Inventory = &review.after().inventory;
    inventory
        .named(name)
        .filter(|one| !one.is_bare())
        .filter(|one| zone_of(review.zones, review.before(), one).is_some_and(|of| of.name == zone))
        .collect()
}

/// The zone of a tracepoint: that of its header or, for a header that is not in
/// `first` and for a part of others, of the code that defines it.
pub(super) fn zone_of<'z>(
    zones: &'z Zones,
    first: &State,
    tracepoint: &Tracepoint,
) -> Option<&'z Zone> {
    zones.of(&tracepoint.file).or_else(|| {
        let known = first.facts.get(&tracepoint.file);
        let is_old = known.is_some_and(|says| is_trace_header(says));
        let definitions = tracepoint.definitions.iter().filter(|_| !is_old);
        definitions
            .into_iter()
            .find_map(|definition| zones.of(&definition.file))
    })
}

fn finding(review: &Review<'_>, event: &Tracepoint) -> Finding {
    let zone = zone_of(review.zones, review.before(), event);
    let name = zone.map_or("", |zone| zone.name.as_str());
    let place = declared_at(event);
    let patch = patch_of(review, event);
    let found = Finding {
        rule: "event-in-zone",
        level: Level::Error,
        tracepoint: Some(event.name().to_owned()),
        message: format!(
            "new trace event {} in zone {name} by {}",
            event.name(),
            by_macro(event)
        ),
        related: elsewhere(review, event),
        place,
        patch,
        fix: None,
        approval: None,
        passing: false,
    };
    review.weighed(found, zone, &event.file)
}

/// The first patch after which the event is there for good.
fn patch_of(review: &Review<'_>, event: &Tracepoint) -> Option<usize> {
    let has = |state: &State| {
        let mut named = state.inventory.named(event.name());
        named.any(|one| !one.is_bare() && zone_of(review.zones, review.before(), one).is_some())
    };
    let last_without = review.states.iter().rposition(|state| !has(state))?;
    Some(last_without)
}

/// Where the event stood before, outside of the zone.
fn elsewhere(review: &Review<'_>, event: &Tracepoint) -> Vec<super::finding::Related> {
    let before = review.before().inventory.named(event.name());
    before
        .map(|one| related(declared_at(one), "it is declared here before the patch"))
        .collect()
}
