// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which hook is meant, and whether it can be promoted at all.

use crate::inventory::resolve::{Inventory, Tracepoint};
use crate::inventory::state::State;
use anyhow::bail;
use similar::TextDiff;

/// How the names of bare tracepoints are marked as such.
pub(super) const SUFFIX: &str = "_tp";

/// What the framework's macros are called.
const BARE: &str = "DECLARE_TRACE";
const EVENT: &str = "TRACE_EVENT";

/// How many names an error suggests, and how alike they have to be.
const SUGGESTIONS: usize = 3;
const ALIKE: f32 = 0.75;

/// A bare tracepoint with what it is to become.
#[derive(Debug)]
pub(super) struct Hook<'a> {
    pub(super) tracepoint: &'a Tracepoint,
    /// The event's name.
    pub(super) event: String,
    /// The macro that declares the event.
    pub(super) framework: String,
}

/// Finds the hook called `name`, with or without its suffix.
pub(super) fn find<'a>(state: &'a State, name: &str) -> anyhow::Result<Hook<'a>> {
    let inventory = &*state.inventory;
    let tracepoint = only(inventory, name)?;
    let event = tracepoint.name().strip_suffix(SUFFIX);
    let event = event.unwrap_or(tracepoint.name()).to_owned();
    if event != tracepoint.name()
        && let Some(taken) = inventory.named(&event).next()
    {
        bail!(
            "{} cannot become the trace event {event}: there is a tracepoint of that name, {}",
            tracepoint.name(),
            place(taken)
        );
    }
    Ok(Hook {
        tracepoint,
        framework: framework(state, tracepoint)?,
        event,
    })
}

fn only<'a>(inventory: &'a Inventory, name: &str) -> anyhow::Result<&'a Tracepoint> {
    let names = [name.to_owned(), format!("{name}{SUFFIX}")];
    let mut bare = Vec::new();
    for name in names
        .iter()
        .chain(name.strip_suffix(SUFFIX).map(str::to_owned).as_ref())
    {
        bare.extend(inventory.named(name).filter(|one| one.is_bare()));
    }
    match bare[..] {
        [one] => Ok(one),
        [first, second, ..] => bail!(
            "{} is declared more than once, {} and {}: which of them its calls mean cannot be \
             told; promote it by hand",
            first.name(),
            place(first),
            place(second)
        ),
        [] => bail!("{}", unknown(inventory, name)),
    }
}

fn unknown(inventory: &Inventory, name: &str) -> String {
    if let Some(event) = inventory.named(name).next() {
        return format!("{name} is a trace event already, {}", place(event));
    }
    let mut near: Vec<(f32, &str)> = inventory
        .bare_names()
        .into_iter()
        .map(|other| (likeness(name, other), other))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near: Vec<&str> = near
        .iter()
        .take(SUGGESTIONS)
        .map(|(_, name)| *name)
        .collect();
    if near.is_empty() {
        format!("no bare tracepoint {name}: `barepoint list --bare` shows all")
    } else {
        format!("no bare tracepoint {name}: is {} meant?", near.join(" or "))
    }
}

fn likeness(a: &str, b: &str) -> f32 {
    fn plain(name: &str) -> &str {
        name.strip_suffix(SUFFIX).unwrap_or(name)
    }
    TextDiff::from_chars(plain(a), plain(b)).ratio()
}

/// The event macro that goes with the hook's, if the tree has it and it makes events.
fn framework(state: &State, tracepoint: &Tracepoint) -> anyhow::Result<String> {
    let declaration = &tracepoint.declaration;
    if let Some(wrapper) = declaration.via.first() {
        bail!(
            "{} is declared through {wrapper}(), {}: what a wrapper declares is to be promoted \
             by hand",
            tracepoint.name(),
            place(tracepoint)
        );
    }
    let event = declaration.framework.strip_prefix(BARE);
    let event = event.map(|kind| format!("{EVENT}{kind}"));
    let known = event.filter(|event| {
        matches!(event.as_str(), "TRACE_EVENT" | "TRACE_EVENT_CONDITION")
            && state
                .semantics
                .effect(event)
                .is_some_and(|effect| effect.event.is_some())
    });
    match known {
        Some(event) => Ok(event),
        None => bail!(
            "{} is declared by {}(), {}: which event macro takes its place is not known; promote \
             it by hand",
            tracepoint.name(),
            declaration.framework,
            place(tracepoint)
        ),
    }
}

/// `at FILE:LINE`.
pub(super) fn place(tracepoint: &Tracepoint) -> String {
    format!("at {}:{}", tracepoint.file, tracepoint.declaration.at.line)
}
