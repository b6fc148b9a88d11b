// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Bare tracepoints that come to stand where others may approve of an event in their
//! place. The next input would go by that.

use super::maintainers::{of_file, parsed};
use super::{Texts, finding};
use crate::inventory::resolve::{Inventory, Tracepoint};
use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::rules::approval::Authority;
use crate::rules::finding::Finding;
use crate::rules::promotion::names_after;
use crate::rules::review::{Input, declared_at, related};
use crate::rules::zones::{Zone, Zones};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn check(input: &Input<'_>, texts: &Texts<'_>) -> Vec<Finding> {
    let (before, after) = (input.review.before(), input.review.after());
    if Arc::ptr_eq(&before.inventory, &after.inventory) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let people = People {
        before: input.review.maintainers,
        after: parsed(&texts.at(super::maintainers::MAINTAINERS, texts.count())),
    };
    for name in before.inventory.names_that_differ(&after.inventory) {
        let old = bare(&before.inventory, &name);
        let new = in_place_of(&after.inventory, &name);
        let (Some(first), Some(last)) = (old.first(), new.first()) else {
            continue;
        };
        let zones = zones_of(input.review.zones, &old);
        let is_left = |zone: &&&Zone| !has_zone(input.review.zones, zone, &new);
        for zone in zones.iter().filter(is_left) {
            let stands = |state: &State| {
                has_zone(
                    input.review.zones,
                    zone,
                    &in_place_of(&state.inventory, &name),
                )
            };
            let message = format!(
                "bare tracepoint {name} leaves zone {}, and with it who may approve of an event \
                 in its place",
                zone.name
            );
            found.push(moved(
                input,
                (first, last),
                &stands,
                message,
                Authority::Zone(zone),
            ));
        }
        if zones.is_empty() && people.gain(input.review.zones, &old, &new) {
            let stands = |state: &State| {
                let now = in_place_of(&state.inventory, &name);
                !now.is_empty() && !people.gain(input.review.zones, &old, &now)
            };
            let message = format!(
                "bare tracepoint {name} moves to where somebody else may approve of an event in \
                 its place"
            );
            let authority = Authority::File(&first.file);
            found.push(moved(input, (first, last), &stands, message, authority));
        }
    }
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

/// A finding at the hook's last place, charged to the patch after which it is not `stands`
/// for good.
fn moved(
    input: &Input<'_>,
    (first, last): (&Tracepoint, &Tracepoint),
    stands: &dyn Fn(&State) -> bool,
    message: String,
    authority: Authority<'_>,
) -> Finding {
    let patch = input.review.states.iter().rposition(stands);
    let mut found = finding(
        input,
        declared_at(last),
        message,
        patch.unwrap_or_default(),
        &[authority],
    );
    found.tracepoint = Some(first.name().to_owned());
    found.related = vec![related(declared_at(first), "it is declared here before")];
    found
}
