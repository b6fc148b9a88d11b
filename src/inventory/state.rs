// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree at one moment, and the next moment after some of its files changed.
//!
//! Only the changed files are read again, unless the tracing core itself is
//! among them: then every macro may mean something else.

use super::facts::Facts;
use super::partial;
use super::pasted;
use super::reader;
use super::resolve::{FactsByPath, Inventory};
use super::scan;
use crate::kernel::semantics::{self, Phases, Semantics, is_framework_header};
use crate::source::Tree;
use anyhow::Context;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a tree holds at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// What its macros mean.
    pub semantics: Arc<Semantics>,
    /// What its files say.
    pub facts: FactsByPath,
    /// Every tracepoint.
    pub inventory: Arc<Inventory>,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub enum NewText {
    /// This is its text now.
    Whole(Arc<[u8]>),
    /// Only what the hunks of a patch show is known: fragments, each with the
    /// line of its first.
    Hunks {
        /// What they remove or keep.
        before: Vec<(u32, Vec<u8>)>,
        /// What they keep or add.
        after: Vec<(u32, Vec<u8>)>,
    },
    /// It is gone.
    Absent,
}

/// Reads the macros of a tree.
///
/// # Errors
/// The tree's tracing headers are missing or cannot be understood.
pub fn semantics_of(tree: &dyn Tree) -> anyhow::Result<Semantics> {
    Semantics::of(&phases_of(tree)?).with_context(|| tree.name())
}

/// Runs the headers of the tracing core. One that cannot be read is not one that is
/// not there: without it, macros would seem to make less than they do.
fn phases_of(tree: &dyn Tree) -> anyhow::Result<Phases> {
    let unread = RefCell::new(None);
    let phases = Phases::run(&|path| {
        tree.read(path).unwrap_or_else(|error| {
            unread.borrow_mut().get_or_insert(error);
            None
        })
    });
    match unread.into_inner() {
        Some(error) => Err(error),
        None => phases.with_context(|| tree.name()),
    }
}

impl State {
    /// Reads a whole tree.
    ///
    /// # Errors
    /// A part of it cannot be read, or its macros cannot be understood.
    pub fn of(tree: &dyn Tree) -> anyhow::Result<Self> {
        Self::of_where(tree, &scan::is_source)
    }

    /// As [`State::of`], of the files for which `wanted` holds.
    ///
    /// # Errors
    /// As [`State::of`].
    pub fn of_where(
        tree: &dyn Tree,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> anyhow::Result<Self> {
        let phases = phases_of(tree)?;
        let semantics = Semantics::of(&phases).with_context(|| tree.name())?;
        let mut facts = scan::facts_where(tree, &semantics, wanted)?;
        let semantics = super::extensions::add(tree, &phases, semantics, &mut facts, wanted)?;
        Ok(Self::joined(Arc::new(semantics), facts))
    }

    /// The state that these facts make.
    pub fn joined(semantics: Arc<Semantics>, facts: FactsByPath) -> Self {
        let inventory = Arc::new(Inventory::of(&facts, &semantics));
        Self {
            semantics,
            facts,
            inventory,
        }
    }

    /// The state after `changes`. `tree` is the tree as it is then, where there
    /// is one.
    ///
    /// # Errors
    /// The tracing core changed and can no longer be understood.
    pub fn after(
        &self,
        changes: &BTreeMap<String, NewText>,
        tree: Option<&dyn Tree>,
    ) -> anyhow::Result<Self> {
        if let Some(tree) = tree
            && changes.keys().any(|path| is_framework_header(path))
            && semantics_of(tree)? != *self.semantics
        {
            return Self::of(tree);
        }
        let mut facts = self.facts.clone();
        for (path, new) in changes
            .iter()
            .filter(|(path, _)| scan::is_source(path) && !is_framework_header(path))
        {
            let new = self.facts_of(path, new);
            if new == Facts::default() {
                facts.remove(path.as_str());
            } else {
                facts.insert(path.as_str().into(), Arc::new(new));
            }
        }
        self.read_with_imports(changes, &mut facts);
        let texts = changes.iter().filter_map(|(path, new)| match new {
            NewText::Whole(text) => Some((path.as_str(), text.as_ref())),
            _ => None,
        });
        pasted::add_to(texts, &mut facts, &self.semantics);
        if facts == self.facts {
            return Ok(self.clone());
        }
        let mut inventory = Inventory::of(&facts, &self.semantics);
        inventory.share(&self.inventory);
        Ok(Self {
            semantics: self.semantics.clone(),
            facts,
            inventory: Arc::new(inventory),
        })
    }

    /// Reads the changed files again that call macros of headers, as both are now.
    fn read_with_imports(&self, changes: &BTreeMap<String, NewText>, facts: &mut FactsByPath) {
        for (path, new) in changes {
            let NewText::Whole(text) = new else { continue };
            let imported = super::extensions::imported(path, facts);
            if !imported.is_empty() {
                let again = reader::read(path, text, &self.semantics, &imported);
                facts.insert(path.as_str().into(), Arc::new(again));
            }
        }
    }

    fn facts_of(&self, path: &str, new: &NewText) -> Facts {
        let known = self.facts.get(path);
        match new {
            NewText::Whole(text) => reader::read(path, text, &self.semantics, &[]),
            NewText::Absent => Facts::default(),
            NewText::Hunks { before, after } => partial::changed(
                path,
                known.map(AsRef::as_ref),
                before,
                after,
                &self.semantics,
            ),
        }
    }
}

/// Why a tree's macros could not be read, for callers that tell it apart.
pub type SemanticsError = semantics::Error;
