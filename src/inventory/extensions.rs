// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macros over the tracing core that a header outside of it gives to others.
//!
//! Android's include/trace/hooks/vendor_hooks.h is the model: `DECLARE_HOOK` is
//! another name for `DECLARE_TRACE`, and `DECLARE_RESTRICTED_HOOK` writes the
//! section itself. The files that call such a macro are read once more, with
//! the header's macros known.

use super::facts::{Facts, FactsByPath, MacroDefinition};
use super::includes::Includes;
use super::macros::identifiers;
use super::reader;
use super::sought;
use crate::kernel::semantics::{Phases, Semantics};
use crate::source::Tree;
use crate::syntax::lexer::is_word_byte;
use memchr::memmem;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of the macros that a header gives to others.
pub fn given(facts: &FactsByPath) -> BTreeSet<Box<str>> {
    let headers = facts.iter().filter(|(path, _)| may_give(path));
    let wrappers = headers.flat_map(|(_, says)| &says.wrappers);
    wrappers.map(|one| one.name.clone()).collect()
}

/// Whether others include the file at `path` for its macros.
pub fn may_give(path: &str) -> bool {
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
        again.lists.clone_from(&before.lists);
        again.declares_by_lists = before.declares_by_lists;
    }
    if !again.lists.is_empty() {
        again
            .lists
            .extend(macros.iter().map(|one| one.name.clone()));
    }
    again
}

/// The macros that `path` gets from others: from headers that are known, and, by following
/// its includes through the texts of `tree`, from any.
///
/// # Errors
/// A header cannot be read; the message names it.
pub fn macros_of_others(
    tree: Option<&dyn Tree>,
    path: &str,
    facts: &FactsByPath,
    given: &BTreeSet<Box<str>>,
    semantics: &Semantics,
) -> anyhow::Result<Vec<MacroDefinition>> {
    let mut macros = imported(path, facts, given, &OnceCell::new());
    if let Some(tree) = tree {
        macros.extend(found(tree, path, facts, given, &macros, semantics)?);
    }
    Ok(macros)
}

/// The macros that `path` calls and that are to be found only by following its includes
/// through texts, those that are `known` excepted.
fn found(
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
    if known.is_empty() && !says.declares_by_lists && names.iter().all(|&one| !given.contains(one))
    {
        // Nothing that a list may call declares anything.
        return Ok(Vec::new());
    }
    names.retain(|name| !known.iter().any(|one| one.name.as_ref() == *name));
    if names.is_empty() {
        return Ok(Vec::new());
    }
    sought::definitions(tree, path, facts, &names, semantics)
}

/// The files that call macros which the files `changed`, each before and after, gave
/// or give, or a list in one of the `texts` as they are now.
pub fn callers<'a>(
    changed: impl Iterator<Item = (&'a Facts, &'a Facts)>,
    texts: &[Arc<[u8]>],
    facts: &FactsByPath,
) -> Vec<Arc<str>> {
    let names: BTreeSet<&str> = changed
        .filter(|(old, new)| old.wrappers != new.wrappers)
        .flat_map(|(old, new)| old.wrappers.iter().chain(&new.wrappers))
        .map(|one| one.name.as_ref())
        .collect();
    let calls = |says: &Facts| {
        let mut called = says.unresolved.iter().chain(&says.lists);
        // Most changes are of no wrapper, and this is asked for every file.
        !names.is_empty() && called.any(|one| names.contains(one.as_ref())) || has_list(says, texts)
    };
    let callers = facts.iter().filter(|(_, says)| calls(says));
    callers.map(|(path, _)| path.clone()).collect()
}

/// Whether a list that a file calls may be defined in one of `texts`.
pub fn has_list(says: &Facts, texts: &[Arc<[u8]>]) -> bool {
    let mut lists = says.lists.iter();
    lists.any(|name| texts.iter().any(|text| defines(text, name.as_bytes())))
}

/// Whether `text` has a `#define` of `name`.
fn defines(text: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(text, name).any(|at| {
        let (before, rest) = text.split_at(at);
        let is_whole = !rest.get(name.len()).is_some_and(|&byte| is_word_byte(byte));
        let keyword = before.trim_ascii_end();
        is_whole && keyword.len() < before.len() && keyword.ends_with(b"define")
    })
}

/// The macros that `path` gets from headers that it includes, itself or
/// through others, if it calls one that is among those `given`, or a list.
fn imported<'a>(
    path: &str,
    facts: &'a FactsByPath,
    given: &BTreeSet<Box<str>>,
    includes: &OnceCell<Includes<'a>>,
) -> Vec<MacroDefinition> {
    let Some((path, says)) = facts.get_key_value(path) else {
        return Vec::new();
    };
    // What a list calls is known when it was found.
    if says.lists.is_empty() && !says.unresolved.iter().any(|name| given.contains(name)) {
        return Vec::new();
    }
    let mut macros = Vec::new();
    let reached = includes.get_or_init(|| Includes::of(facts)).reachable(path);
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
    let found = found_by_all(tree, &semantics, facts, wanted)?;
    let calls = calls_of_others(facts, &found, &semantics);
    if calls.is_empty() && found.is_empty() {
        return Ok(semantics);
    }
    let headers: BTreeSet<Arc<str>> = calls.values().flatten().cloned().collect();
    let mut texts = Vec::new();
    for header in &headers {
        if let Some(text) = tree.read(header)? {
            texts.push((header.clone(), text));
        }
    }
    let texts: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(path, text)| (path.as_ref(), text.as_ref()))
        .collect();
    let extended = semantics.extended(phases, &texts);
    let mut files: BTreeMap<Arc<str>, Vec<MacroDefinition>> = BTreeMap::new();
    for (path, from) in calls.iter().filter(|(path, _)| wanted(path)) {
        let from = from.iter().filter_map(|header| facts.get(header));
        let wrappers = from.flat_map(|header| header.wrappers.iter().cloned());
        files.insert(path.clone(), wrappers.collect());
    }
    for (path, (known, more)) in found {
        let macros = files.entry(path).or_default();
        *macros = known;
        macros.extend(more);
    }
    for (path, macros) in files {
        if let Some(text) = tree.read(&path)? {
            let again = again(&path, &text, &extended, &macros, facts);
            facts.insert(path, Arc::new(again));
        }
    }
    Ok(extended)
}

/// The macros of others that a file calls, of headers that were known, and those that
/// were looked for.
type Found = BTreeMap<Arc<str>, (Vec<MacroDefinition>, Vec<MacroDefinition>)>;

/// What the files call that no header in sight gives.
fn found_by_all(
    tree: &dyn Tree,
    semantics: &Semantics,
    facts: &FactsByPath,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<Found> {
    let given = given(facts);
    let includes = OnceCell::new();
    let mut all = Found::new();
    for (path, says) in facts {
        if !wanted(path) || sought::sought(says, &given).is_empty() {
            continue;
        }
        let known = imported(path, facts, &given, &includes);
        let more = found(tree, path, facts, &given, &known, semantics)?;
        if !more.is_empty() {
            all.insert(path.clone(), (known, more));
        }
    }
    Ok(all)
}

/// The files that call a macro that another header defines, with those headers; lists
/// that were `found` may, too.
fn calls_of_others(
    facts: &FactsByPath,
    found: &Found,
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
        let bodies: Vec<_> = found
            .get(path)
            .into_iter()
            .flat_map(|(_, more)| more)
            .map(|one| identifiers(&one.text, Vec::new()))
            .collect();
        let bodies = bodies.iter().flat_map(|body| body.iter());
        let names = says.unresolved.iter().chain(bodies);
        if !names.clone().any(|name| called(name).is_some()) {
            continue;
        }
        let reached = includes.reachable(path);
        let from: BTreeSet<Arc<str>> = names
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
