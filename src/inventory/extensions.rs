// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macros over the tracing core that a header outside of it gives to others.
//!
//! Android's include/trace/hooks/vendor_hooks.h is the model: `DECLARE_HOOK` is
//! another name for `DECLARE_TRACE`, and `DECLARE_RESTRICTED_HOOK` writes the
//! section itself. The files that call such a macro are read once more, with
//! the header's macros known.

use super::definitions::is_trace_header;
use super::facts::{Facts, FactsByPath, MacroDefinition};
use super::includes::{Includes, defines};
use super::macros::identifiers;
use super::reader;
use super::sought::{self, Found};
use super::state::Core;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whether others include the file at `path` for its macros.
pub fn may_give(path: &str) -> bool {
    !path.ends_with(".c") && !path.ends_with(".rs")
}

/// Files that give macros to others, by the names of these.
type Givers<'a> = BTreeMap<&'a str, Vec<&'a Arc<str>>>;

fn givers<'a>(
    facts: &'a FactsByPath,
    of: impl Fn(&'a Facts) -> &'a [MacroDefinition],
) -> Givers<'a> {
    let mut givers = Givers::new();
    for (path, says) in facts.iter().filter(|(path, _)| may_give(path)) {
        for one in of(says) {
            let files = givers.entry(&one.name).or_default();
            if files.last() != Some(&path) {
                files.push(path);
            }
        }
    }
    givers
}

/// Reads files once more, with what they get from others. All that it goes by is what
/// files say without others.
pub struct Imports<'a> {
    tree: Option<&'a dyn Tree>,
    core: &'a Core,
    facts: &'a FactsByPath,
    includes: OnceCell<Includes<'a>>,
    /// The files with macros that declare tracepoints, by the names of these.
    given: Givers<'a>,
    /// Those with macros that write sections themselves.
    sections: Givers<'a>,
    /// What macros mean with those of some headers.
    extended: RefCell<BTreeMap<Vec<Arc<str>>, Arc<Semantics>>>,
}

impl<'a> Imports<'a> {
    /// Those that `facts` tell of, with the texts of `tree` where there is one.
    pub fn of(tree: Option<&'a dyn Tree>, core: &'a Core, facts: &'a FactsByPath) -> Self {
        let mut sections = givers(facts, |says| &says.sections);
        sections.retain(|name, _| !core.semantics.is_framework_macro(name));
        Self {
            tree,
            core,
            facts,
            includes: OnceCell::new(),
            given: givers(facts, |says| &says.wrappers),
            sections,
            extended: RefCell::default(),
        }
    }

    /// What the file `path`, whose text `read` gives, says with the macros that it gets
    /// from others; `None` if it gets none.
    ///
    /// # Errors
    /// A header cannot be read; the message names it.
    pub fn again(
        &self,
        path: &str,
        read: impl FnOnce() -> anyhow::Result<Option<Arc<[u8]>>>,
    ) -> anyhow::Result<Option<Facts>> {
        let Some((path, says)) = self.facts.get_key_value(path) else {
            return Ok(None);
        };
        let Found { macros, asked } = self.macros(path, says)?;
        let semantics = self.semantics(path, says, &macros)?;
        if macros.is_empty() && asked.is_empty() && Arc::ptr_eq(&semantics, &self.core.semantics) {
            return Ok(None);
        }
        let Some(text) = read()? else {
            return Ok(None);
        };
        let mut again = reader::read(path, &text, &semantics, &macros);
        // What it gives and asks for does not depend on others: these may change.
        again.wrappers.clone_from(&says.wrappers);
        again.sections.clone_from(&says.sections);
        again.unresolved.clone_from(&says.unresolved);
        again.lists.clone_from(&says.lists);
        again.declares_by_lists = says.declares_by_lists;
        again.asked = asked;
        Ok(Some(again))
    }

    /// The macros that `path` gets from others: from headers that are known, and, by
    /// following its includes through texts, from any.
    fn macros(&self, path: &'a Arc<str>, says: &Facts) -> anyhow::Result<Found> {
        let known = self.imported(path, says);
        let mut found = match self.tree {
            Some(tree) => self.found(tree, path, says, &known)?,
            None => Found::default(),
        };
        found.macros.splice(0..0, known);
        let more = self.out_of_sight(path, says, &found.macros);
        found.macros.extend(more);
        Ok(found)
    }

    fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The macros that it calls and that nothing in its sight gives: what includes it, or a
    /// Makefile, may have another file included before.
    fn out_of_sight(
        &self,
        path: &Arc<str>,
        says: &Facts,
        known: &[MacroDefinition],
    ) -> Vec<MacroDefinition> {
        let called = says.unresolved.iter();
        let open = called.filter(|name| !known.iter().any(|one| one.name == **name));
        let files: BTreeSet<&Arc<str>> = open
            .filter_map(|name| self.given.get(name.as_ref()))
            .flatten()
            .copied()
            .filter(|file| *file != path)
            .collect();
        let said = files.into_iter().filter_map(|file| self.facts.get(file));
        said.flat_map(|says| says.wrappers.iter().cloned())
            .collect()
    }

    /// Those from headers that it includes, itself or through others, if it calls one that
    /// is given, or a list.
    fn imported(&self, path: &'a Arc<str>, says: &Facts) -> Vec<MacroDefinition> {
        // What a list calls is known when it was found.
        if says.lists.is_empty() && !says.unresolved.iter().any(|name| self.is_given(name)) {
            return Vec::new();
        }
        let reached = self.reachable(path).into_iter();
        let others = reached.filter(|&header| header != path);
        let said = others.filter_map(|header| self.facts.get(header));
        said.flat_map(|says| says.wrappers.iter().cloned())
            .collect()
    }

    /// The macros that it calls and that are to be found only by following its includes
    /// through texts, those that are `known` excepted.
    fn found(
        &self,
        tree: &dyn Tree,
        path: &str,
        says: &Facts,
        known: &[MacroDefinition],
    ) -> anyhow::Result<Found> {
        let mut names = sought::sought(says, |name| self.is_given(name));
        if known.is_empty()
            && !says.declares_by_lists
            && names.iter().all(|&one| !self.is_given(one))
        {
            // Nothing that a list may call declares anything.
            return Ok(Found::default());
        }
        names.retain(|name| !known.iter().any(|one| one.name.as_ref() == *name));
        if names.is_empty() {
            return Ok(Found::default());
        }
        sought::definitions(tree, path, self.facts, &names, &self.core.semantics)
    }

    /// What macros mean in the file `path`: some that it calls may write sections themselves.
    fn semantics(
        &self,
        path: &'a Arc<str>,
        says: &Facts,
        macros: &[MacroDefinition],
    ) -> anyhow::Result<Arc<Semantics>> {
        let core = &self.core.semantics;
        let (Some(tree), Some(phases)) = (self.tree, &self.core.phases) else {
            return Ok(core.clone());
        };
        let bodies: Vec<_> = macros
            .iter()
            .map(|one| identifiers(&one.text, Vec::new()))
            .collect();
        let bodies = bodies.iter().flat_map(|body| body.iter());
        let names = says.unresolved.iter().chain(bodies);
        let mut headers: BTreeSet<&Arc<str>> = names
            .filter_map(|name| self.sections.get(name.as_ref()))
            .flatten()
            .copied()
            .collect();
        if !headers.is_empty() {
            let reached = self.reachable(path);
            if headers.iter().any(|header| reached.contains(header)) {
                headers.retain(|header| reached.contains(header));
            }
        }
        headers.remove(path);
        if is_trace_header(says) && !says.sections.is_empty() {
            headers.insert(path);
        }
        let headers: Vec<Arc<str>> = headers.into_iter().cloned().collect();
        if headers.is_empty() {
            return Ok(core.clone());
        }
        if let Some(known) = self.extended.borrow().get(&headers) {
            return Ok(known.clone());
        }
        let mut texts = Vec::new();
        for header in &headers {
            if let Some(text) = tree.read(header)? {
                texts.push((header.as_ref(), text));
            }
        }
        let texts: Vec<(&str, &[u8])> = texts
            .iter()
            .map(|(path, text)| (*path, text.as_ref()))
            .collect();
        let extended = Arc::new(core.extended(phases, &texts));
        self.extended.borrow_mut().insert(headers, extended.clone());
        Ok(extended)
    }

    fn reachable(&self, path: &'a Arc<str>) -> Vec<&'a Arc<str>> {
        let includes = self.includes.get_or_init(|| Includes::of(self.facts));
        includes.reachable(path)
    }
}

/// Reads the files of `tree` again that call macros of others, as far as they are `wanted`.
///
/// # Errors
/// A file of the tree could not be read; the message names it.
pub fn add(
    tree: &dyn Tree,
    core: &Core,
    facts: &mut FactsByPath,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<()> {
    let imports = Imports::of(Some(tree), core, facts);
    let mut all = Vec::new();
    for path in facts.keys().filter(|path| wanted(path)) {
        if let Some(again) = imports.again(path, || tree.read(path))? {
            all.push((path.clone(), Arc::new(again)));
        }
    }
    facts.extend(all);
    Ok(())
}

/// The files that call macros which the files `changed`, each before and after, gave
/// or give, or that looked for macros there.
pub fn callers<'a>(
    changed: impl Iterator<Item = (&'a str, &'a Facts, &'a Facts)>,
    facts: &FactsByPath,
) -> Vec<Arc<str>> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    for (path, old, new) in changed {
        paths.insert(path);
        let wrappers = (&old.wrappers, &new.wrappers);
        for (old, new) in [wrappers, (&old.sections, &new.sections)] {
            if old != new {
                names.extend(old.iter().chain(new).map(|one| one.name.as_ref()));
            }
        }
    }
    let calls = |says: &Facts| {
        let mut called = says.unresolved.iter().chain(&says.lists);
        let looked = |path: &&str| says.asked.contains(*path);
        // Most changes are of no wrapper, and this is asked for every file.
        !names.is_empty() && called.any(|one| names.contains(one.as_ref()))
            || !says.asked.is_empty() && paths.iter().any(looked)
    };
    let callers = facts.iter().filter(|(_, says)| calls(says));
    callers.map(|(path, _)| path.clone()).collect()
}

/// Whether a list that a file calls may be defined in one of `texts`.
pub fn has_list(says: &Facts, texts: &[Arc<[u8]>]) -> bool {
    let mut lists = says.lists.iter();
    lists.any(|name| texts.iter().any(|text| defines(text, name.as_bytes())))
}
