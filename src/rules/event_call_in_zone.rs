// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A new call of a trace event in a zone's code.

use super::event_in_zone::zone_of;
use super::finding::{Finding, Level};
use super::promotion::{events_named, promoted};
use super::review::{Review, declared_at, related};
use super::zones::Zones;
use crate::inventory::facts::Use;
use crate::inventory::resolve::{CallSite, Tracepoint};
use crate::inventory::state::State;
use std::collections::BTreeMap;

/// Counts the calls of each event in each zone before and after the series.
pub(super) fn check(review: &Review<'_>) -> Vec<Finding> {
    let before = counts(review.zones, review.before());
    let promoted = promoted(review);
    let mut found = Vec::new();
    for event in review
        .after()
        .inventory
        .tracepoints
        .iter()
        .filter(|one| !one.is_bare())
    {
        if is_judged_itself(review, event) || promoted.contains(event.name()) {
            continue;
        }
        for (zone, calls) in calls_by_zone(review.zones, event) {
            let known = before.get(&(zone, event.name())).copied().unwrap_or(0);
            let more = calls.len().saturating_sub(known);
            found.extend(
                new_ones(review, calls, more)
                    .map(|(call, patch)| finding(zone, event, call, patch)),
            );
        }
    }
    found
}

/// Whether the event is new, and in a zone, where it is answered for by itself.
fn is_judged_itself(review: &Review<'_>, event: &Tracepoint) -> bool {
    let before = &review.before().inventory;
    events_named(before, event.name()).next().is_none()
        && zone_of(review.zones, review.before(), event).is_some()
}

fn counts<'a>(zones: &'a Zones, state: &'a State) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut counts = BTreeMap::new();
    for event in state
        .inventory
        .tracepoints
        .iter()
        .filter(|one| !one.is_bare())
    {
        for (zone, calls) in calls_by_zone(zones, event) {
            let count: &mut usize = counts.entry((zone, event.name())).or_default();
            *count = calls.len().max(*count);
        }
    }
    counts
}

fn calls_by_zone<'a>(
    zones: &'a Zones,
    event: &'a Tracepoint,
) -> BTreeMap<&'a str, Vec<&'a CallSite>> {
    let mut calls: BTreeMap<&str, Vec<&CallSite>> = BTreeMap::new();
    for call in event
        .call_sites
        .iter()
        .filter(|call| call.usage != Use::Guard)
    {
        if let Some(zone) = zones.of(&call.site.file) {
            calls.entry(&zone.name).or_default().push(call);
        }
    }
    calls
}

/// The `more` calls among `calls` that the series brought.
fn new_ones<'a>(
    review: &'a Review<'_>,
    calls: Vec<&'a CallSite>,
    more: usize,
) -> impl Iterator<Item = (&'a CallSite, Option<usize>)> {
    let mut calls: Vec<_> = calls
        .into_iter()
        .map(|call| {
            (
                call,
                (review.introduced)(&call.site.file, call.site.at.line),
            )
        })
        .collect();
    calls.sort_by_key(|(call, patch)| (patch.is_none(), call.site.clone()));
    calls.into_iter().take(more)
}

fn finding(zone: &str, event: &Tracepoint, call: &CallSite, patch: Option<usize>) -> Finding {
    let function = call
        .function
        .as_deref()
        .map_or_else(String::new, |name| format!(" by {name}()"));
    Finding {
        rule: "event-call-in-zone",
        level: Level::Warning,
        tracepoint: Some(event.name().to_owned()),
        place: (&call.site).into(),
        message: format!(
            "new call of the trace event {} in zone {zone}{function}",
            event.name()
        ),
        related: vec![related(declared_at(event), "the event is declared here")],
        patch: patch.or(Some(0)),
        fix: None,
        approval: None,
        passing: false,
    }
}
