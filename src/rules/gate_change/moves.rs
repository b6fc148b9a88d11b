// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Bare tracepoints that come to stand where others may approve of an event in their
//! place. The next input would go by that.

use super::maintainers::{of_file, parsed};
use super::{Texts, at_line, finding};
use crate::inventory::resolve::{Inventory, Tracepoint};
use crate::kernel::maintainers::Maintainers;
use crate::rules::approval::Authority;
use crate::rules::finding::Finding;
use crate::rules::promotion::{names_after, promoted};
use crate::rules::review::{Input, declared_at, related};
use crate::rules::zones::{Zone, Zones};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn check(input: &Input<'_>, texts: &Texts<'_>) -> Vec<Finding> {
    let (before, after) = (input.review.before(), input.review.after());
    if Arc::ptr_eq(&before.inventory, &after.inventory) {
        return Vec::new();
    }
    let zones = input.review.zones;
    let people = People {
        before: input.review.maintainers,
        after: parsed(&texts.at(super::maintainers::MAINTAINERS, texts.count())),
    };
    let promoted = promoted(input.review);
    let mut moves: BTreeMap<Way<'_>, Vec<Hook<'_>>> = BTreeMap::new();
    for name in before.inventory.names_that_differ(&after.inventory) {
        let old = bare(&before.inventory, &name);
        let new = in_place_of(&after.inventory, &name);
        let is_promoted = names_after(&name)
            .iter()
            .any(|name| promoted.contains(name.as_str()));
        if let (Some(first), Some(last), false) = (old.first(), new.first(), is_promoted)
            && is_handed_on(zones, &people, &old, &new)
        {
            for way in steps(input, &people, first, last) {
                moves.entry(way).or_default().push((first, last));
            }
        }
    }
    let moves = moves.into_iter();
    moves
        .map(|(way, hooks)| moved(input, &way, hooks))
        .collect()
}

/// A hook as it was before the input, and as it is after it.
type Hook<'a> = (&'a Tracepoint, &'a Tracepoint);

/// How a patch hands hooks on: all that go one way are one mistake.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Way<'a> {
    patch: usize,
    /// The zone that is left; `None` if they were outside of zones.
    zone: Option<&'a str>,
    /// The file in which they were.
    from: &'a str,
    /// The file in which they stand in the end.
    to: &'a str,
}

/// Whether others may approve where hooks are `new` than where they were.
fn is_handed_on(
    zones: &Zones,
    people: &People<'_>,
    old: &[&Tracepoint],
    new: &[&Tracepoint],
) -> bool {
    let left = left(zones, old, new);
    !left.is_empty() || zones_of(zones, old).is_empty() && people.gain(zones, old, new)
}

/// The zones in which a hook does not stand any more.
fn left<'z>(zones: &'z Zones, old: &[&Tracepoint], new: &[&Tracepoint]) -> Vec<&'z Zone> {
    let mut left = zones_of(zones, old);
    left.retain(|zone| !has_zone(zones, zone, new));
    left
}

/// How each patch hands the hook on, which stands `last` in the end. Where it is not there
/// for a while, it comes from where it stood before that.
fn steps<'a>(
    input: &Input<'a>,
    people: &People<'_>,
    first: &'a Tracepoint,
    last: &'a Tracepoint,
) -> Vec<Way<'a>> {
    let zones = input.review.zones;
    let name = first.name();
    let mut ways = Vec::new();
    let mut known = bare(&input.review.before().inventory, name);
    for (patch, state) in input.review.states.iter().skip(1).enumerate() {
        let now = in_place_of(&state.inventory, name);
        let Some(from) = known.first().filter(|_| !now.is_empty()) else {
            continue;
        };
        let way = |zone| Way {
            patch,
            zone,
            from: &from.file,
            to: &last.file,
        };
        let left = left(zones, &known, &now).into_iter();
        ways.extend(left.map(|zone| way(Some(zone.name.as_str()))));
        if zones_of(zones, &known).is_empty() && people.gain(zones, &known, &now) {
            ways.push(way(None));
        }
        known = now;
    }
    ways
}

fn moved(input: &Input<'_>, way: &Way<'_>, mut hooks: Vec<Hook<'_>>) -> Finding {
    hooks.sort_by_key(|(_, last)| last.declaration.at.line);
    let names: Vec<&str> = hooks.iter().map(|(first, _)| first.name()).collect();
    let (what, s) = match names.as_slice() {
        [one] => (format!("bare tracepoint {one}"), "s"),
        all => (format!("bare tracepoints {}", all.join(", ")), ""),
    };
    let zone = input
        .review
        .zones
        .iter()
        .find(|one| Some(one.name.as_str()) == way.zone);
    let (message, authority) = match zone {
        Some(zone) => (
            format!(
                "{what} leave{s} zone {}, and with it who may approve of an event instead",
                zone.name
            ),
            Authority::Zone(zone),
        ),
        None => (
            format!("{what} move{s} to where somebody else may approve of an event instead"),
            Authority::File(way.from),
        ),
    };
    let place = hooks.first().map(|(_, last)| declared_at(last));
    let place = place.unwrap_or_else(|| at_line(way.to, 1));
    let mut found = finding(input, place, message, way.patch, &[authority]);
    let before = hooks.iter().map(|(first, _)| declared_at(first));
    found.related = before
        .map(|place| related(place, "it is declared here before"))
        .collect();
    found.tracepoint = match names.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    };
    found
}

/// The bare tracepoints called `name`.
fn bare<'i>(inventory: &'i Inventory, name: &str) -> Vec<&'i Tracepoint> {
    inventory.named(name).filter(|one| one.is_bare()).collect()
}

/// Those that a later event would take the place of as it would of `name`.
fn in_place_of<'i>(inventory: &'i Inventory, name: &str) -> Vec<&'i Tracepoint> {
    let names = names_after(name);
    names
        .iter()
        .flat_map(|name| bare(inventory, name))
        .collect()
}

fn zones_of<'z>(zones: &'z Zones, hooks: &[&Tracepoint]) -> Vec<&'z Zone> {
    let holds = |zone: &&Zone| has_zone(zones, zone, hooks);
    zones.iter().filter(holds).collect()
}

fn has_zone(zones: &Zones, zone: &Zone, hooks: &[&Tracepoint]) -> bool {
    let mut files = hooks.iter().map(|one| &one.file);
    files.any(|file| zones.of(file).is_some_and(|of| of.name == zone.name))
}

/// Who maintains which file before the input, and after it.
struct People<'a> {
    before: &'a Maintainers,
    after: Maintainers,
}

impl People<'_> {
    /// Whether somebody may approve where the hooks outside of zones stand that are `new`
    /// who might not where the `old` ones did.
    fn gain(&self, zones: &Zones, old: &[&Tracepoint], new: &[&Tracepoint]) -> bool {
        let known: BTreeSet<&str> = old
            .iter()
            .flat_map(|one| of_file(self.before, &one.file))
            .collect();
        let moved = new.iter().filter(|one| {
            let stays = old.iter().any(|other| other.file == one.file);
            !stays && zones.of(&one.file).is_none()
        });
        let mut who = moved.flat_map(|one| of_file(&self.after, &one.file));
        who.any(|who| !known.contains(who))
    }
}
