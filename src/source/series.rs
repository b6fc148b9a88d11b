// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A series of patches, each file before and after each of them.
//!
//! Where the texts come from, in this order, for all patches of a file (and of
//! what it is renamed from and to) at once:
//!
//! 1. the blobs that the `index` lines name: b4 runs its checks with the tree
//!    at the tip of the series, never at the patch's parent;
//! 2. the tree's text, which the first patches may have changed already, and
//!    which the others fit, as `git am` would have it: offsets, no fuzz;
//! 3. the hunks alone: what they show, at the lines where they show it.
//!
//! Of texts that fit both ways the blob ids decide, then forward goes first.
//! May not know what the texts mean.

mod alternatives;
mod chain;
mod lines;
mod partial;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::apply::Place;
use super::patch::{ChangeKind, DiffLine, FileChange, Patch, Problem};
use super::{Blobs, Tree};
use chain::Resolved;

/// A text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Only what the patches show; the lines between are empty.
    pub partial: bool,
}

impl Text {
    fn whole(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            bytes: bytes.into(),
            partial: false,
        }
    }
}

/// Where the texts of a step come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// They are, or follow from, the blobs that the patches name.
    ByBlob,
    /// The tree's text, which the hunks fit, perhaps some lines away from where
    /// they say.
    Forward {
        /// How far the hunk that moved most is away.
        offset: i64,
    },
    /// The tree has the patch already.
    Backward,
    /// No text: only what the hunks show.
    HunksAlone,
}

/// One file in one patch.
#[derive(Clone, Debug)]
pub struct Step {
    /// Index of the patch in the series.
    pub patch: usize,
    /// Index of the file's change in the patch.
    pub change: usize,
    /// Path after; `None` if the file goes.
    pub path: Option<String>,
    /// Path before; `None` if the file is new.
    pub old_path: Option<String>,
    /// Text before, of a copy that of its source; `None` if the file is new.
    pub before: Option<Text>,
    /// Text after; `None` if the file goes.
    pub after: Option<Text>,
    /// Where the texts come from.
    pub how: How,
    /// Where each hunk of the change lies in the texts.
    pub places: Vec<Place>,
}

/// Patches in order, with what they do to their files.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The patches.
    pub patches: Vec<Patch>,
    /// A step for each text that a patch changes, by patch, then as the patch
    /// has them.
    pub steps: Vec<Step>,
    /// Where patches do not fit the tree; such files stand on their hunks alone.
    pub problems: Vec<Problem>,
    /// Index of the first patch that does not fit.
    pub unfit: Option<usize>,
}

impl Series {
    /// Finds the texts before and after each of `patches`, which are applied in
    /// order.
    ///
    /// Without a tree, that a file stands on its hunks alone is no problem.
    pub fn resolve(
        patches: Vec<Patch>,
        tree: Option<&dyn Tree>,
        blobs: Option<&dyn Blobs>,
    ) -> Self {
        let mut resolved = Resolved::default();
        for chain in chain::chains(&patches) {
            chain.resolve(&patches, tree, blobs, &mut resolved);
        }
        let Resolved {
            mut steps,
            mut problems,
            unfit,
            ..
        } = resolved;
        steps.sort_by_key(|step| (step.patch, step.change));
        problems.sort();
        Self {
            patches,
            steps,
            problems,
            unfit,
        }
    }

    /// The change that a step makes.
    pub fn change(&self, step: usize) -> Option<&FileChange> {
        let step = self.steps.get(step)?;
        self.patches.get(step.patch)?.changes.get(step.change)
    }

    /// The line of the patch that shows line `after_line` (from 1) of a step's
    /// text after it: an added or a context line.
    pub fn diff_line(&self, step: usize, after_line: u32) -> Option<&DiffLine> {
        self.locate(step, after_line)?.shown
    }

    /// The line before a step of line `after_line` after it; `None` if added.
    pub fn line_before(&self, step: usize, after_line: u32) -> Option<u32> {
        self.locate(step, after_line)?.before
    }

    fn locate(&self, step: usize, line: u32) -> Option<lines::Located<'_>> {
        let places = &self.steps.get(step)?.places;
        Some(lines::locate(&self.change(step)?.hunks, places, line))
    }

    /// Which step added line `line` of `path` as it is after the whole series,
    /// and the line of the patch that did; `None` if no patch did.
    pub fn introduced(&self, path: &str, line: u32) -> Option<(usize, &DiffLine)> {
        let (mut path, mut line) = (path, line);
        for (index, step) in self.steps.iter().enumerate().rev() {
            if step.path.as_deref() != Some(path) {
                continue;
            }
            match self.line_before(index, line) {
                Some(before) => line = before,
                None => return self.diff_line(index, line).map(|shown| (index, shown)),
            }
            path = step.old_path.as_deref()?;
        }
        None
    }

    fn is_copy(&self, step: usize) -> bool {
        self.change(step)
            .is_some_and(|change| change.kind == ChangeKind::Copy)
    }

    /// The file at `path` as it is after the first `count` patches, as
    /// [`Series::files_after`] has it; `None` if the series does not touch it.
    pub fn file_after(&self, path: &str, count: usize) -> Option<Option<Text>> {
        let mut file = None;
        for step in &self.steps {
            if step.old_path.as_deref() == Some(path) {
                file = Some(step.before.clone());
                break;
            }
            if step.path.as_deref() == Some(path) {
                file = Some(None);
                break;
            }
        }
        for (index, step) in self.steps.iter().enumerate() {
            if step.patch >= count {
                break;
            }
            if step.old_path.as_deref() == Some(path) && !self.is_copy(index) {
                file = Some(None);
            }
            if step.path.as_deref() == Some(path) {
                file = Some(step.after.clone());
            }
        }
        file
    }

    /// The files that the series touches as they are after its first `count`
    /// patches: `None` for one that is absent then. With 0, before all.
    pub fn files_after(&self, count: usize) -> BTreeMap<String, Option<Text>> {
        let mut files = BTreeMap::new();
        for step in &self.steps {
            if let Some(old) = &step.old_path {
                files
                    .entry(old.clone())
                    .or_insert_with(|| step.before.clone());
            }
            if let Some(new) = &step.path {
                files.entry(new.clone()).or_insert(None);
            }
        }
        for (index, step) in self.steps.iter().enumerate() {
            if step.patch >= count {
                break;
            }
            if let Some(old) = step.old_path.as_ref().filter(|_| !self.is_copy(index)) {
                files.insert(old.clone(), None);
            }
            if let Some(new) = &step.path {
                files.insert(new.clone(), step.after.clone());
            }
        }
        files
    }
}

#[cfg(test)]
mod tests;
