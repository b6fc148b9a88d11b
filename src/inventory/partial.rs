// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a file says after a patch, where only the patch's hunks are known.
//!
//! What the hunks showed before is taken away from what is known of the file,
//! and what they show after is added. Each hunk is read for itself.

use super::facts::{At, Facts, MacroDefinition};
use super::reader;
use crate::kernel::semantics::Semantics;
use std::cmp::Ordering;
use std::sync::Arc;

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
    take_away(&mut facts.declarations, &gone.declarations, |a, b| {
        a.name.cmp(&b.name)
    });
    take_away(&mut facts.definitions, &gone.definitions, |a, b| {
        a.name.cmp(&b.name)
    });
    take_away(&mut facts.exports, &gone.exports, |a, b| {
        a.name.cmp(&b.name)
    });
    take_away(&mut facts.mentions, &gone.mentions, |a, b| {
        a.identifier.cmp(&b.identifier)
    });
    take_away(&mut facts.attachments, &gone.attachments, |a, b| {
        a.target.cmp(&b.target)
    });
    take_away(&mut facts.custom_events, &gone.custom_events, |a, b| {
        a.tracepoint.cmp(&b.tracepoint)
    });
    take_away(&mut facts.overrides, &gone.overrides, |a, b| {
        a.name.cmp(&b.name)
    });
    take_away(&mut facts.allowances, &gone.allowances, |a, b| {
        (&a.rules, &a.reason).cmp(&(&b.rules, &b.reason))
    });
    take_away(&mut facts.includes, &gone.includes, |a, b| {
        a.target.cmp(&b.target)
    });
    add(&mut facts, new);
    facts
}

/// Removes from `from`, for each of `gone`, the first that is equal in `order`.
fn take_away<T>(from: &mut Vec<T>, gone: &[T], order: impl Fn(&T, &T) -> Ordering) {
    let mut gone: Vec<&T> = gone.iter().collect();
    gone.sort_by(|a, b| order(a, b));
    // For the first of those that are equal: how many of them were found.
    let mut found = vec![0; gone.len()];
    from.retain(|one| {
        let start = gone.partition_point(|other| order(other, one).is_lt());
        let end = gone.partition_point(|other| order(other, one).is_le());
        match found.get_mut(start) {
            Some(found) if *found < end - start => {
                *found += 1;
                false
            }
            _ => true,
        }
    });
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

/// The facts of fragments of the file `path`, which may call the macros `wrappers`.
pub fn read(
    path: &str,
    fragments: &[(u32, Vec<u8>)],
    semantics: &Semantics,
    wrappers: &[MacroDefinition],
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
        .for_each(|one| down(&mut Arc::make_mut(one).at));
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

#[cfg(test)]
mod tests {
    use super::take_away;

    #[test]
    fn one_is_taken_for_each_that_is_gone() {
        let mut from = vec![("a", 1), ("b", 2), ("a", 3), ("a", 4), ("c", 5)];
        let gone = [("c", 0), ("a", 0), ("x", 0), ("a", 0)];
        take_away(&mut from, &gone, |a, b| a.0.cmp(b.0));
        assert_eq!(from, [("b", 2), ("a", 4)]);
    }
}
