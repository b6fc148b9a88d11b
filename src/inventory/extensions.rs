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
use super::state::Core;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use crate::syntax::lexer::is_word_byte;
use memchr::memmem;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of the macros that a header gives to others.
fn given(facts: &FactsByPath) -> BTreeSet<Box<str>> {
    let headers = facts.iter().filter(|(path, _)| may_give(path));
    let wrappers = headers.flat_map(|(_, says)| &says.wrappers);
    wrappers.map(|one| one.name.clone()).collect()
}

/// Whether others include the file at `path` for its macros.
pub fn may_give(path: &str) -> bool {
    path.ends_with(".h") || path.ends_with(".inc")
}

/// Reads files once more, with what they get from others. All that it goes by is what
/// files say without others.
pub struct Imports<'a> {
    tree: Option<&'a dyn Tree>,
    core: &'a Core,
    facts: &'a FactsByPath,
    includes: OnceCell<Includes<'a>>,
    given: BTreeSet<Box<str>>,
    /// The headers with macros that write sections themselves, by the names of these.
    sections: BTreeMap<&'a str, Vec<&'a Arc<str>>>,
    /// What macros mean with those of some headers.
    extended: RefCell<BTreeMap<Vec<Arc<str>>, Arc<Semantics>>>,
}

impl<'a> Imports<'a> {
    /// Those that `facts` tell of, with the texts of `tree` where there is one.
    pub fn of(tree: Option<&'a dyn Tree>, core: &'a Core, facts: &'a FactsByPath) -> Self {
        let mut sections: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
        for (path, says) in facts.iter().filter(|(path, _)| may_give(path)) {
            for one in &says.sections {
                let headers = sections.entry(&one.name).or_default();
                if !headers.contains(&path) && !core.semantics.is_framework_macro(&one.name) {
                    headers.push(path);
                }
            }
        }
        Self {
            tree,
            core,
            facts,
            includes: OnceCell::new(),
            given: given(facts),
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
        let macros = self.macros(path, says)?;
        let semantics = self.semantics(path, says, &macros)?;
        if macros.is_empty() && Arc::ptr_eq(&semantics, &self.core.semantics) {
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
        if !again.lists.is_empty() {
            again
                .lists
                .extend(macros.iter().map(|one| one.name.clone()));
        }
        Ok(Some(again))
    }

    /// The macros that `path` gets from others: from headers that are known, and, by
    /// following its includes through texts, from any.
    fn macros(&self, path: &'a Arc<str>, says: &Facts) -> anyhow::Result<Vec<MacroDefinition>> {
        let mut macros = self.imported(path, says);
        if let Some(tree) = self.tree {
            macros.extend(self.found(tree, path, says, &macros)?);
        }
        Ok(macros)
    }

    /// Those from headers that it includes, itself or through others, if it calls one that
    /// is given, or a list.
    fn imported(&self, path: &'a Arc<str>, says: &Facts) -> Vec<MacroDefinition> {
        // What a list calls is known when it was found.
        if says.lists.is_empty() && !says.unresolved.iter().any(|name| self.given.contains(name)) {
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
    ) -> anyhow::Result<Vec<MacroDefinition>> {
        let given = &self.given;
        let mut names = sought::sought(says, given);
        if known.is_empty()
            && !says.declares_by_lists
            && names.iter().all(|&one| !given.contains(one))
        {
            // Nothing that a list may call declares anything.
            return Ok(Vec::new());
        }
        names.retain(|name| !known.iter().any(|one| one.name.as_ref() == *name));
        if names.is_empty() {
            return Ok(Vec::new());
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
            headers.retain(|header| *header != path && reached.contains(header));
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
/// or give, or a list in one of the `texts` as they are now.
pub fn callers<'a>(
    changed: impl Iterator<Item = (&'a Facts, &'a Facts)>,
    texts: &[Arc<[u8]>],
    facts: &FactsByPath,
) -> Vec<Arc<str>> {
    let names: BTreeSet<&str> = changed
        .flat_map(|(old, new)| {
            let wrappers = (&old.wrappers, &new.wrappers);
            let changed = [wrappers, (&old.sections, &new.sections)].into_iter();
            changed
                .filter(|(old, new)| old != new)
                .flat_map(|(old, new)| old.iter().chain(new))
        })
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
