// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A call of a function that would be generated for a tracepoint that is none.

use super::finding::{Finding, Fix, Level};
use super::review::{Sight, declared_at, place, related};
use super::suffix::with_and_without;
use crate::inventory::facts::{At, Mention, Target, Use};
use crate::inventory::resolve::Inventory;
use crate::kernel::semantics::Semantics;
use std::cell::LazyCell;
use std::collections::HashSet;
use std::fmt;

/// Looks at every call, guard and registration whose name says a tracepoint that
/// there is not, but for its `_tp`, or that there was before the series. Any other
/// function may be called trace_something.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let by_hand = LazyCell::new(|| written_by_hand(sight));
    let is_by_hand = |said| match said {
        Said::Function(identifier) => by_hand.contains(identifier),
        Said::Symbol(_) => false,
    };
    let mut found = Vec::new();
    for (file, facts) in sight.files() {
        let called = facts.mentions.iter();
        let called = called
            .filter(|one| one.usage != Use::Definition)
            .map(|one: &Mention| (Said::Function(&one.identifier), one.at));
        let attached = facts.attachments.iter().filter_map(|one| {
            let said = match &one.target {
                Target::Function(identifier) => Said::Function(identifier),
                Target::Symbol(name) => Said::Symbol(name),
                Target::Name(_) => return None,
            };
            Some((said, one.at))
        });
        for (said, at) in called.chain(attached) {
            found.extend(judged(sight, file, said, at).filter(|_| !is_by_hand(said)));
        }
    }
    found
}

/// What says a tracepoint.
#[derive(Clone, Copy)]
enum Said<'s> {
    /// The name of a function that its declaration would make.
    Function(&'s str),
    /// `__tracepoint_X`: the X.
    Symbol(&'s str),
}

impl<'s> Said<'s> {
    /// The tracepoints that may be meant.
    fn names(self, semantics: &'s Semantics) -> impl Iterator<Item = &'s str> {
        let (function, symbol) = match self {
            Self::Function(identifier) => (Some(identifier), None),
            Self::Symbol(name) => (None, Some(name)),
        };
        let of_function = function.into_iter().flat_map(|identifier| {
            let calls = semantics.calls_of(identifier).map(|(name, _)| name);
            calls.chain(semantics.registrations_of(identifier))
        });
        symbol.into_iter().chain(of_function)
    }
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(identifier) => write!(f, "{identifier}()"),
            Self::Symbol(name) => write!(f, "__tracepoint_{name}"),
        }
    }
}

/// The functions of such names that someone wrote.
fn written_by_hand<'s>(sight: &'s Sight<'_>) -> HashSet<&'s str> {
    let mentions = sight.state.facts.values().flat_map(|facts| &facts.mentions);
    mentions
        .filter(|one| one.usage == Use::Definition)
        .map(|one| one.identifier.as_ref())
        .collect()
}

fn judged(sight: &Sight<'_>, file: &str, said: Said<'_>, at: At) -> Option<Finding> {
    let inventory = &sight.state.inventory;
    let names = || said.names(&sight.state.semantics);
    if names().any(|name| inventory.contains(name)) {
        return None;
    }
    let finding = |name: &str, message: String, explained, fix| Finding {
        rule: "undeclared-call",
        level: Level::Error,
        tracepoint: Some(name.to_owned()),
        place: place(file, at),
        message,
        related: explained,
        patch: None,
        fix,
        approval: None,
        passing: false,
    };
    let near = names().find_map(|name| Some((name, nearly(inventory, name)?)));
    if let Some((name, nearly)) = near {
        let declared = inventory.named(&nearly).next().map(declared_at);
        let declared = declared.map(|at| related(at, "that is declared here"));
        return Some(finding(
            name,
            format!("{said}: {name} is no tracepoint; {nearly} is"),
            declared.into_iter().collect(),
            Some(Fix {
                old: name.to_owned(),
                new: nearly,
            }),
        ));
    }
    let before = &sight.before?.inventory;
    let gone = names().find_map(|name| before.named(name).next())?;
    Some(finding(
        gone.name(),
        format!("{said}: tracepoint {} is gone", gone.name()),
        vec![related(
            declared_at(gone),
            "it was declared here before the series",
        )],
        None,
    ))
}

/// The tracepoint that is called as `name` is but for a `_tp` at its end.
pub(super) fn nearly(inventory: &Inventory, name: &str) -> Option<String> {
    let mut others = with_and_without(name);
    others
        .find(|other| inventory.contains(other))
        .map(String::from)
}
