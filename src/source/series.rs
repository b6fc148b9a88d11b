// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A series of patches, each file before and after each of them.
//!
//! Where the texts come from, for all patches of a file (and of what it is renamed from
//! and to) at once:
//!
//! 1. the tree's text, if the hunks fit it as `git apply` would have it: offsets, no fuzz.
//!    If the `index` lines name another text that the file had once, and that fits as
//!    well, there are two answers, and both count: see `alternatives`.
//! 2. that of the `index` lines, if what they say is history: b4 runs its checks with the
//!    tree at the tip of the series, never at the patch's parent;
//! 3. the tree's text, which has the first patches already, and which the others fit;
//! 4. the hunks alone: what they show, at the lines where they show it.
//!
//! Of commits, which git shows itself, the ids go before all. May not know what the texts
//! mean.

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
use chain::{Ids, Resolved};
use std::collections::btree_map::Entry;

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
    /// The steps that leave something at a path.
    by_path: BTreeMap<String, Vec<usize>>,
}

impl Series {
    /// Finds the texts before and after each of `patches`, which are applied in
    /// order, and whose ids are certain: git itself has made them.
    ///
    /// Without a tree, that a file stands on its hunks alone is no problem.
    pub fn resolve(
        patches: Vec<Patch>,
        tree: Option<&dyn Tree>,
        blobs: Option<&dyn Blobs>,
    ) -> Self {
        let ids = blobs.map_or(Ids::Unknown, Ids::Certain);
        Self::worlds(patches, tree, ids).0
    }

    /// The same of patches by anyone; with another answer, if there is one.
    fn worlds(patches: Vec<Patch>, tree: Option<&dyn Tree>, ids: Ids<'_>) -> (Self, Option<Self>) {
        let mut resolved = Resolved::of(ids);
        for chain in chain::chains(&patches) {
            chain.resolve(&patches, tree, ids, &mut resolved);
        }
        resolved.refuse_halves(&patches);
        resolved.refuse_rest();
        let Resolved {
            steps,
            others,
            mut problems,
            unfit,
            ..
        } = resolved;
        problems.sort();
        let first = Self {
            patches,
            steps,
            problems,
            unfit,
            ..Self::default()
        };
        let second = (!others.is_empty()).then(|| {
            let mut second = first.clone();
            for (range, steps) in others {
                for (own, other) in second.steps[range].iter_mut().zip(steps) {
                    *own = other;
                }
            }
            second
        });
        (first.in_order(), second.map(Self::in_order))
    }

    /// Puts the steps, and the hunks of each, in the order of the patches and of the files.
    fn in_order(mut self) -> Self {
        self.steps.sort_by_key(|step| (step.patch, step.change));
        for step in &mut self.steps {
            let patch = self.patches.get_mut(step.patch);
            let change = patch.and_then(|patch| patch.changes.get_mut(step.change));
            if let Some(change) = change.filter(|_| !step.places.is_sorted()) {
                let hunks = std::mem::take(&mut change.hunks);
                let mut both: Vec<_> = step.places.drain(..).zip(hunks).collect();
                both.sort_by_key(|(place, _)| *place);
                (step.places, change.hunks) = both.into_iter().unzip();
            }
        }
        for (index, step) in self.steps.iter().enumerate() {
            if let Some(path) = &step.path {
                self.by_path.entry(path.clone()).or_default().push(index);
            }
        }
        self
    }

    /// The steps of one patch, as it has them, with their indices.
    pub fn steps_of(&self, patch: usize) -> impl Iterator<Item = (usize, &Step)> {
        let start = self.steps.partition_point(|step| step.patch < patch);
        let steps = self.steps.iter().enumerate().skip(start);
        steps.take_while(move |(_, step)| step.patch == patch)
    }

    /// The last step of the first `count` patches that leaves something at `path`.
    pub fn last_at(&self, path: &str, count: usize) -> Option<usize> {
        let end = self.steps.partition_point(|step| step.patch < count);
        let at = self.by_path.get(path)?;
        at[..at.partition_point(|&index| index < end)]
            .last()
            .copied()
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
        self.introduced_by(path, line, self.patches.len())
    }

    /// The same of the file as it is after the first `count` patches.
    pub fn introduced_by(&self, path: &str, line: u32, count: usize) -> Option<(usize, &DiffLine)> {
        let (mut path, mut line) = (path, line);
        let mut end = self.steps.partition_point(|step| step.patch < count);
        loop {
            let at = self.by_path.get(path)?;
            let index = at[..at.partition_point(|&index| index < end)]
                .last()
                .copied()?;
            match self.line_before(index, line) {
                Some(before) => line = before,
                None => return self.diff_line(index, line).map(|shown| (index, shown)),
            }
            let step = self.steps.get(index)?;
            path = step.old_path.as_deref()?;
            end = index;
            // What moves is taken as it was before the patch.
            let kind = self.change(index)?.kind;
            if matches!(kind, ChangeKind::Rename | ChangeKind::Copy) {
                end = self.steps.partition_point(|other| other.patch < step.patch);
            }
        }
    }

    /// Whether a step leaves what it takes where it was.
    pub fn is_copy(&self, step: usize) -> bool {
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
        for steps in self.steps.chunk_by(|one, other| one.patch == other.patch) {
            for step in steps {
                if let Some(old) = &step.old_path
                    && let Entry::Vacant(entry) = files.entry(old.clone())
                {
                    entry.insert(step.before.clone());
                }
            }
            for new in steps.iter().filter_map(|step| step.path.as_ref()) {
                if !files.contains_key(new) {
                    files.insert(new.clone(), None);
                }
            }
        }
        for patch in 0..count.min(self.patches.len()) {
            // What goes is gone before anything new is written.
            for (index, step) in self.steps_of(patch) {
                if let Some(old) = step.old_path.as_ref().filter(|_| !self.is_copy(index)) {
                    files.insert(old.clone(), None);
                }
            }
            for (_, step) in self.steps_of(patch) {
                if let Some(new) = &step.path {
                    files.insert(new.clone(), step.after.clone());
                }
            }
        }
        files
    }
}

#[cfg(test)]
mod tests;
