// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macros over the tracing core that a header outside of it gives to others.
//!
//! Android's include/trace/hooks/vendor_hooks.h is the model: `DECLARE_HOOK` is
//! another name for `DECLARE_TRACE`, and `DECLARE_RESTRICTED_HOOK` writes the
//! section itself. The files that call such a macro are read once more, with
//! the header's macros known.

use super::facts::{Facts, FactsByPath, MacroDefinition};
use super::includes::Includes;
use super::reader;
use super::sought;
use crate::kernel::semantics::{Phases, Semantics};
use crate::source::Tree;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of the macros that a header gives to others.
pub fn given(facts: &FactsByPath) -> BTreeSet<Box<str>> {
    let headers = facts.iter().filter(|(path, _)| may_give(path));
    let wrappers = headers.flat_map(|(_, says)| &says.wrappers);
    wrappers.map(|one| one.name.clone()).collect()
}

/// Whether others include the file at `path` for its macros.
fn may_give(path: &str) -> bool {
    path.ends_with(".h") || path.ends_with(".inc")
}

/// What `path` says with the macros that it gets from others. Which those were stays
/// with it: they may change.
pub fn again(
    path: &str,
    text: &[u8],
    semantics: &Semantics,
    macros: &[MacroDefinition],
    facts: &FactsByPath,
) -> Facts {
    let mut again = reader::read(path, text, semantics, macros);
    if let Some(before) = facts.get(path) {
        again.unresolved.clone_from(&before.unresolved);
        again.handed.clone_from(&before.handed);
    }
    again
}

/// The macros that `path` calls and that are to be found only by following its includes
/// through texts.
///
/// # Errors
/// One of these cannot be read; the message names it.
pub fn sought(
    tree: &dyn Tree,
    path: &str,
    facts: &FactsByPath,
    given: &BTreeSet<Box<str>>,
    known: &[MacroDefinition],
    semantics: &Semantics,
) -> anyhow::Result<Vec<MacroDefinition>> {
    let Some(says) = facts.get(path) else {
        return Ok(Vec::new());
    };
    let mut names = sought::sought(says, given);
    names.retain(|name| !known.iter().any(|one| one.name.as_ref() == *name));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    sought::definitions(tree, path, facts, &names, semantics)
}

/// The files that call macros which the files `changed`, each before and after, gave
/// or give.
pub fn callers<'a>(
    changed: impl Iterator<Item = (&'a Facts, &'a Facts)>,
    facts: &FactsByPath,
) -> Vec<Arc<str>> {
    let names: BTreeSet<&str> = changed
        .filter(|(old, new)| old.wrappers != new.wrappers)
        .flat_map(|(old, new)| old.wrappers.iter().chain(&new.wrappers))
        .map(|one| one.name.as_ref())
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    let calls = |says: &Facts| {
        says.unresolved
            .iter()
            .any(|one| names.contains(one.as_ref()))
    };
    let callers = facts.iter().filter(|(_, says)| calls(says));
    callers.map(|(path, _)| path.clone()).collect()
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
    add_sought(tree, &semantics, facts, wanted)?;
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
            let again = again(path, &text, &extended, &macros, facts);
            facts.insert(path.clone(), Arc::new(again));
        }
    }
    Ok(extended)
}

/// Reads the files again that call macros which no header in sight gives.
fn add_sought(
    tree: &dyn Tree,
    semantics: &Semantics,
    facts: &mut FactsByPath,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<()> {
    let given = given(facts);
    let seeks = |says: &Facts| !sought::sought(says, &given).is_empty();
    let seeking = facts
        .iter()
        .filter(|(path, says)| wanted(path) && seeks(says));
    let seeking: Vec<Arc<str>> = seeking.map(|(path, _)| path.clone()).collect();
    for path in seeking {
        let mut macros = imported(&path, facts, &given);
        let more = sought(tree, &path, facts, &given, &macros, semantics)?;
        if !more.is_empty()
            && let Some(text) = tree.read(&path)?
        {
            macros.extend(more);
            let again = again(&path, &text, semantics, &macros, facts);
            facts.insert(path, Arc::new(again));
        }
    }
    Ok(())
}

/// The files that call a macro that another header defines, with those headers.
fn calls_of_others(
    facts: &FactsByPath,
    semantics: &Semantics,
) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    let mut givers: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
    for (path, says) in facts {
        for one in says.wrappers.iter().chain(&says.sections) {
            if may_give(path)
                && !semantics.is_core(path)
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
