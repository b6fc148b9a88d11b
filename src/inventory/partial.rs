// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a file says after a patch, where only the patch's hunks are known.
//!
//! What the hunks showed before is taken away from what is known of the file,
//! and what they show after is added. Each hunk is read for itself.

use super::facts::{At, Facts};
use super::reader;
use crate::kernel::semantics::Semantics;

/// Closes whatever a hunk cuts off.
const CLOSING: &[u8] = b"\n))))))))\n";

/// The facts of `path` after a patch that turns the fragments `before` into
/// `after`, if they were `known`.
pub fn changed(
    path: &str,
    known: Option<&Facts>,
    before: &[(u32, Vec<u8>)],
    after: &[(u32, Vec<u8>)],
    semantics: &Semantics,
) -> Facts {
    let mut facts = known.cloned().unwrap_or_default();
    let wrappers = facts.wrappers.clone();
    let gone = read(path, before, semantics, &wrappers);
    let new = read(path, after, semantics, &wrappers);
    take_away(&mut facts.declarations, &gone.declarations, |one| {
        one.name.clone()
    });
    take_away(&mut facts.definitions, &gone.definitions, |one| {
        one.name.clone()
    });
    take_away(&mut facts.exports, &gone.exports, |one| one.name.clone());
    take_away(&mut facts.mentions, &gone.mentions, |one| {
        one.identifier.clone()
    });
    take_away(&mut facts.attachments, &gone.attachments, |one| {
        one.target.clone()
    });
    take_away(&mut facts.custom_events, &gone.custom_events, |one| {
        one.tracepoint.clone()
    });
    take_away(&mut facts.overrides, &gone.overrides, |one| {
        one.name.clone()
    });
    take_away(&mut facts.allowances, &gone.allowances, |one| {
        (one.rules.clone(), one.reason.clone())
    });
    take_away(&mut facts.includes, &gone.includes, |one| {
        one.target.clone()
    });
    add(&mut facts, new);
    facts
}

/// Removes from `from` one item for each of `gone` with the same key.
fn take_away<T, K: PartialEq>(from: &mut Vec<T>, gone: &[T], key: impl Fn(&T) -> K) {
    for one in gone {
        if let Some(at) = from.iter().position(|other| key(other) == key(one)) {
            from.remove(at);
        }
    }
}

fn add(facts: &mut Facts, new: Facts) {
    facts.declarations.extend(new.declarations);
    facts.definitions.extend(new.definitions);
    facts.exports.extend(new.exports);
    facts.mentions.extend(new.mentions);
    facts.attachments.extend(new.attachments);
    facts.custom_events.extend(new.custom_events);
    facts.overrides.extend(new.overrides);
    facts.includes.extend(new.includes);
    facts.allowances.extend(new.allowances);
    facts.wrappers.extend(new.wrappers);
    facts.pasting.extend(new.pasting);
}

pub fn read(
    path: &str,
    fragments: &[(u32, Vec<u8>)],
    semantics: &Semantics,
    wrappers: &[super::facts::MacroDefinition],
) -> Facts {
    let mut all = Facts::default();
    for (line, text) in fragments {
        let mut text = text.clone();
        text.extend_from_slice(CLOSING);
        let mut facts = reader::read(path, &text, semantics, wrappers);
        facts
            .wrappers
            .retain(|one| !wrappers.iter().any(|known| known.name == one.name));
        shift(&mut facts, line.saturating_sub(1));
        add(&mut all, facts);
    }
    all
}

/// Moves everything down by `lines`.
fn shift(facts: &mut Facts, lines: u32) {
    let down = |at: &mut At| at.line = at.line.saturating_add(lines);
    facts
        .declarations
        .iter_mut()
        .for_each(|one| down(&mut one.at));
    facts
        .definitions
        .iter_mut()
        .for_each(|one| down(&mut one.at));
    facts.exports.iter_mut().for_each(|one| down(&mut one.at));
    facts.mentions.iter_mut().for_each(|one| down(&mut one.at));
    facts
        .attachments
        .iter_mut()
        .for_each(|one| down(&mut one.at));
    facts
        .custom_events
        .iter_mut()
        .for_each(|one| down(&mut one.at));
    facts.overrides.iter_mut().for_each(|one| down(&mut one.at));
    facts.includes.iter_mut().for_each(|one| down(&mut one.at));
    for one in &mut facts.allowances {
        down(&mut one.at);
        one.line = one.line.saturating_add(lines);
    }
}
