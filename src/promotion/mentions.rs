// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What speaks of the hook and is not rewritten: comments, documents, scripts, and
//! names that macros paste together.

use super::declaration::Above;
use super::edits::Rename;
use super::hook::Hook;
use crate::inventory::scan::is_source;
use crate::inventory::state::State;
use crate::source::Tree;
use crate::syntax::lexer::lex;
use crate::syntax::lines::Lines;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How many places are named.
const MOST: usize = 8;

/// Words of comments that are no longer true of the whole file.
const BARENESS: [&str; 4] = ["tracefs", "bare trace", "are bare", "no trace event"];

/// Comments of the hook's file that speak of bare tracepoints.
pub(super) fn of_bareness(path: &str, text: &[u8], above: &Above, hook: &Hook<'_>) -> Vec<String> {
    let lines = Lines::of(text);
    let says = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).to_lowercase();
        BARENESS.iter().any(|word| text.contains(word))
    };
    let moved = above.is_shared && !above.is_apart;
    let comments = lex(text, true).comments;
    let comments = comments.iter().filter(|one| says(one.of(text)));
    let still = comments.filter(|one| !(moved && Some(one.start as usize) == above.start));
    let places: Vec<String> = still
        .take(MOST)
        .map(|one| format!("{path}:{}", lines.line(one.start)))
        .collect();
    if places.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} speaks of bare tracepoints: is that still right beside the event {}?",
        places.join(", "),
        hook.event
    )]
}

/// Documents, tools and scripts that name the hook.
pub(super) fn outside_of_sources(
    tree: &dyn Tree,
    rename: &Rename<'_>,
) -> anyhow::Result<Option<String>> {
    let found: Mutex<BTreeSet<(String, u32)>> = Mutex::default();
    let folders = ["Documentation", "tools", "samples", "scripts"].map(str::to_owned);
    tree.visit_below(&folders, &|path| !is_source(path), &|path, text| {
        let lines = Lines::of(text);
        for place in rename.places(text) {
            let line = lines.line(place.start as u32);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert((path.to_owned(), line));
        }
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let places = found
        .into_iter()
        .map(|(path, line)| format!("{path}:{line}"));
    Ok(listed(places)
        .map(|places| format!("{} is named, and not renamed, at {places}", rename.old)))
}

/// What still uses the old name after the draft.
pub(super) fn unresolved(after: &State, hook: &Hook<'_>) -> Option<String> {
    let old = hook.tracepoint.name();
    if old == hook.event {
        return None;
    }
    let semantics = &after.semantics;
    let mut places = BTreeSet::new();
    for (path, facts) in after.facts.iter() {
        let mut add = |line: u32| places.insert((path.to_string(), line));
        for mention in &facts.mentions {
            if semantics
                .calls_of(&mention.identifier)
                .any(|(name, _)| name == old)
            {
                add(mention.at.line);
            }
        }
        for attachment in &facts.attachments {
            use crate::inventory::facts::Target::{Function, Name, Symbol};
            let is_it = match &attachment.target {
                Symbol(name) | Name(name) => name.as_ref() == old,
                Function(name) => semantics.registrations_of(name).any(|name| name == old),
            };
            if is_it {
                add(attachment.at.line);
            }
        }
        for export in facts.exports.iter().filter(|one| one.name.as_ref() == old) {
            add(export.at.line);
        }
    }
    let places = places
        .into_iter()
        .map(|(path, line)| format!("{path}:{line}"));
    listed(places)
        .map(|places| format!("{old} is still used by a name that is pasted together, at {places}"))
}

fn listed(places: impl Iterator<Item = String>) -> Option<String> {
    let places: Vec<String> = places.collect();
    let more = places.len().saturating_sub(MOST);
    let shown = places
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match (places.is_empty(), more) {
        (true, _) => None,
        (_, 0) => Some(shown),
        _ => Some(format!("{shown} and {more} more places")),
    }
}
