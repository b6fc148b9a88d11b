// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! States of trees in git. A few are kept: most trees that are asked for are not far from
//! one that is known, and to read a whole kernel takes its time.

use crate::inventory::state::{NewText, State};
use crate::kernel::semantics::{TRACEPOINT_H, is_framework_header};
use crate::source::Tree;
use crate::source::commits::{History, Oid};
use crate::source::git::GitTree;
use crate::source::overlay::OverlayTree;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// So many states are kept.
const MOST: usize = 6;

/// A tree that differs from the one that is known in more files than this is read anew.
const MOST_FILES: usize = 2048;

/// The headers of a tracing core.
type Core = BTreeMap<String, Option<Arc<[u8]>>>;

/// States of the repository that `dir` lies in, by the ids of their trees.
pub(super) struct Kept<'a> {
    dir: &'a Path,
    states: VecDeque<(Oid, State)>,
    /// What macros mean in a tree that has no tracing core.
    core: Core,
    core_of: Option<Oid>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(dir: &'a Path) -> Self {
        Self {
            dir,
            states: VecDeque::new(),
            core: Core::new(),
            core_of: None,
        }
    }

    /// Takes the tracing core of the commit `from` where a tree has none.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn borrow_core(&mut self, from: Oid) -> anyhow::Result<()> {
        if self.core_of == Some(from) {
            return Ok(());
        }
        let tree = self.open(from)?;
        let paths = tree.paths(&is_framework_header)?;
        let headers = paths.into_iter().map(|path| {
            let text = tree.read(&path)?;
            Ok((path, text))
        });
        self.core = headers.collect::<anyhow::Result<_>>()?;
        self.core_of = Some(from);
        Ok(())
    }

    /// The tree `id`, or that of the commit `id`.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn open(&self, id: Oid) -> anyhow::Result<GitTree> {
        GitTree::open(self.dir, &id.to_string())
    }

    /// `tree` with a tracing core, be it another's: files that are no kernel by themselves
    /// are made for one.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn whole<'t>(&self, tree: &'t dyn Tree) -> anyhow::Result<OverlayTree<'t>> {
        let core = match tree.read(TRACEPOINT_H)? {
            Some(_) => Core::new(),
            None => self.core.clone(),
        };
        Ok(OverlayTree::of(Some(tree), core))
    }

    /// The state of the tree `id`, or of the commit.
    ///
    /// # Errors
    /// A part of it cannot be read, or its macros cannot be understood.
    pub(super) fn state(&mut self, id: Oid) -> anyhow::Result<State> {
        let history = History::open(self.dir)?;
        let tree_id = history.tree(id)?;
        if let Some((_, state)) = self.states.iter().find(|(known, _)| *known == tree_id) {
            return Ok(state.clone());
        }
        let tree = self.open(tree_id)?;
        let whole = self.whole(&tree)?;
        let near = match self.states.front() {
            Some((known, state)) => {
                let paths = history.changed(*known, tree_id)?;
                (paths.len() <= MOST_FILES).then_some((state, paths))
            }
            None => None,
        };
        drop(history);
        let state = match near {
            Some((state, paths)) => {
                let texts = paths.into_iter().map(|path| {
                    let text = match whole.read(&path)? {
                        Some(text) => NewText::Whole(text),
                        None => NewText::Absent,
                    };
                    Ok((path, text))
                });
                state.after(&texts.collect::<anyhow::Result<_>>()?, Some(&whole))?
            }
            None => State::of(&whole)?,
        };
        self.keep(tree_id, state.clone());
        Ok(state)
    }

    /// Keeps the state of a tree, as the one that the next is likely to be near.
    pub(super) fn keep(&mut self, tree: Oid, state: State) {
        self.states.retain(|(known, _)| *known != tree);
        self.states.truncate(MOST - 1);
        self.states.push_front((tree, state));
    }
}
