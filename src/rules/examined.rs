// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! In which files a rule can find anything else at the end of a series than before it.
//!
//! All others it finds the same in, at each state, and need not look at. What the rules
//! are is not known here.

use super::review::Review;
use super::suffix::with_and_without;
use crate::inventory::facts::{Facts, FactsByPath, Target, Use};
use crate::inventory::state::State;
use crate::kernel::semantics::Semantics;
use crate::source::series::Series;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The files that the series touches or of which more is known by what it touches, and
/// those that declare, use or just name a tracepoint or a function of such a name that
/// it brings, changes or takes away.
pub(super) fn examined(review: &Review<'_>, series: &Series) -> BTreeSet<Arc<str>> {
    let paths = series.steps.iter();
    let paths = paths.flat_map(|step| [step.path.as_deref(), step.old_path.as_deref()]);
    let mut files: BTreeSet<Arc<str>> = paths.flatten().map(Arc::from).collect();
    let mut changed = Changed::default();
    // What differs from the first state differs from one to the next, too, and most
    // patches change no facts.
    for (before, after) in review.states.iter().zip(review.states.iter().skip(1)) {
        if !Arc::ptr_eq(&before.facts, &after.facts) {
            changed.add_files(before, after, &mut files);
        }
        if !Arc::ptr_eq(&before.inventory, &after.inventory) {
            changed.add_uses(before, after, &mut files);
        }
    }
    if !changed.is_empty() {
        let before = review.before();
        let facts = before.facts.iter();
        let naming = facts.filter(|(_, says)| changed.are_named_in(says, &before.semantics));
        files.extend(naming.map(|(file, _)| file.clone()));
    }
    files
}

/// Names that mean something else than before the series.
#[derive(Default)]
struct Changed {
    /// Tracepoints, and what they are called with the suffix or without it.
    tracepoints: HashSet<Box<str>>,
    /// Functions that somebody wrote.
    functions: HashSet<Box<str>>,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.tracepoints.is_empty() && self.functions.is_empty()
    }

    /// Adds the files that do not say the same in both states.
    fn add_files(&mut self, before: &State, after: &State, files: &mut BTreeSet<Arc<str>>) {
        for (file, old, new) in differing(&before.facts, &after.facts) {
            files.insert(file.clone());
            let (old, new) = (written(old), written(new));
            let differ = old.symmetric_difference(&new);
            self.functions.extend(differ.map(|&name| name.into()));
        }
    }

    /// Adds the files that declare or use a tracepoint that is not the same in both states.
    fn add_uses(&mut self, before: &State, after: &State, files: &mut BTreeSet<Arc<str>>) {
        let (before, after) = (&before.inventory, &after.inventory);
        for name in before.names_that_differ(after) {
            for one in before.named(&name).chain(after.named(&name)) {
                let uses = one.call_sites.iter().chain(&one.guards);
                files.extend(uses.map(|call| call.site.file.clone()));
                files.insert(one.file.clone());
            }
            self.tracepoints.extend(with_and_without(&name));
            self.tracepoints.insert(name);
        }
    }

    fn are_named_in(&self, says: &Facts, semantics: &Semantics) -> bool {
        let is_changed = |name: &str| self.tracepoints.contains(name);
        let is_said_by = |identifier: &str| {
            let mut calls = semantics.calls_of(identifier).map(|(name, _)| name);
            let mut probes = semantics.registrations_of(identifier);
            self.functions.contains(identifier) || calls.any(is_changed) || probes.any(is_changed)
        };
        let mut exports = says.exports.iter();
        let mut attachments = says.attachments.iter();
        says.mentions.iter().any(|one| is_said_by(&one.identifier))
            || exports.any(|one| is_changed(&one.name))
            || attachments.any(|one| match &one.target {
                Target::Function(identifier) => is_said_by(identifier),
                Target::Symbol(name) | Target::Name(name) => is_changed(name),
            })
    }
}

/// The functions that are written in a file and called as a tracepoint's might be.
fn written(says: Option<&Arc<Facts>>) -> BTreeSet<&str> {
    let mentions = says.into_iter().flat_map(|says| &says.mentions);
    let written = mentions.filter(|one| one.usage == Use::Definition);
    written.map(|one| one.identifier.as_ref()).collect()
}

/// The files of which not the same is said, with what is.
fn differing<'f>(
    old: &'f FactsByPath,
    new: &'f FactsByPath,
) -> impl Iterator<Item = (&'f Arc<str>, Option<&'f Arc<Facts>>, Option<&'f Arc<Facts>>)> {
    let changed = old.iter().filter_map(|(file, before)| {
        let after = new.get(file);
        let is_same = after.is_some_and(|after| Arc::ptr_eq(before, after) || before == after);
        (!is_same).then_some((file, Some(before), after))
    });
    let come = new.iter().filter(|(file, _)| !old.contains_key(*file));
    changed.chain(come.map(|(file, after)| (file, None, Some(after))))
}
