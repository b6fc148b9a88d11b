// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macros over the tracing core that a header outside of it gives to others.
//!
//! Android's include/trace/hooks/vendor_hooks.h is the model: `DECLARE_HOOK` is
//! another name for `DECLARE_TRACE`, and `DECLARE_RESTRICTED_HOOK` writes the
//! section itself. The files that call such a macro are read once more, with
//! the header's macros known.

use super::facts::{FactsByPath, MacroDefinition};
use super::includes::Includes;
use super::reader;
use crate::kernel::semantics::{Phases, Semantics, is_framework_header};
use crate::source::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of the macros that a header gives to others.
pub fn given(facts: &FactsByPath) -> BTreeSet<Box<str>> {
    let headers = facts.iter().filter(|(path, _)| path.ends_with(".h"));
    let wrappers = headers.flat_map(|(_, says)| &says.wrappers);
    wrappers.map(|one| one.name.clone()).collect()
}

/// The macros that `path` gets from headers that it includes, itself or
/// through others, if it calls one that is among those `given`.
pub fn imported(
    path: &str,
    facts: &FactsByPath,
    given: &BTreeSet<Box<str>>,
) -> Vec<MacroDefinition> {
    let Some((path, says)) = facts.get_key_value(path) else {
        return Vec::new();
    };
    if !says.unresolved.iter().any(|name| given.contains(name)) {
        return Vec::new();
    }
    let includes = Includes::of(facts);
    let mut macros = Vec::new();
    let reached = includes.reachable(path);
    for header in reached.into_iter().filter(|&header| header != path) {
        if let Some(header) = facts.get(header) {
            macros.extend(header.wrappers.iter().cloned());
        }
    }
    macros
}

/// Reads the files again that call macros of other headers, and gives the
/// semantics with these macros.
///
/// # Errors
/// A file of the tree could not be read; the message names it.
pub fn add(
    tree: &dyn Tree,
    phases: &Phases,
    semantics: Semantics,
    facts: &mut FactsByPath,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<Semantics> {
    let calls = calls_of_others(facts, &semantics);
    if calls.is_empty() {
        return Ok(semantics);
    }
    let headers: BTreeSet<Arc<str>> = calls.values().flatten().cloned().collect();
    let mut texts = Vec::new();
    for header in &headers {
        if let Some(text) = tree.read(header)? {
            texts.push((header.clone(), text));
        }
    }
    let given: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(path, text)| (path.as_ref(), text.as_ref()))
        .collect();
    let extended = semantics.extended(phases, &given);
    for (path, from) in calls.iter().filter(|(path, _)| wanted(path)) {
        let macros: Vec<MacroDefinition> = from
            .iter()
            .filter_map(|header| facts.get(header))
            .flat_map(|header| header.wrappers.iter().cloned())
            .collect();
        if let Some(text) = tree.read(path)? {
            let again = reader::read(path, &text, &extended, &macros);
            facts.insert(path.clone(), Arc::new(again));
        }
    }
    Ok(extended)
}

/// The files that call a macro that another header defines, with those headers.
fn calls_of_others(
    facts: &FactsByPath,
    semantics: &Semantics,
) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    let mut givers: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
    for (path, says) in facts {
        for one in says.wrappers.iter().chain(&says.sections) {
            if path.ends_with(".h")
                && !is_framework_header(path)
                && !semantics.is_framework_macro(&one.name)
            {
                givers.entry(&one.name).or_default().push(path);
            }
        }
    }
    let called = |name: &str| givers.get(name);
    let includes = Includes::of(facts);
    let mut calls = BTreeMap::new();
    for (path, says) in facts {
        if !says.unresolved.iter().any(|name| called(name).is_some()) {
            continue;
        }
        let reached = includes.reachable(path);
        let from: BTreeSet<Arc<str>> = says
            .unresolved
            .iter()
            .filter_map(|name| called(name))
            .flatten()
            .filter(|header| **header != path && reached.contains(header))
            .map(|&header| header.clone())
            .collect();
        if !from.is_empty() {
            calls.insert(path.clone(), from.into_iter().collect());
        }
    }
    calls
}
