// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One change onto the texts as they are so far, forward, backward, or by the
//! blobs that it names. May not know of other changes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::apply::{BUDGET, Side, apply};
use super::super::git::blob_id;
use super::super::patch::{ChangeKind, FileChange};
use super::super::{Blobs, Tree};
use super::chain::Outcome;
use super::{How, Text};

/// What the copies that a series makes, and the files that it changes again and again, may
/// have together, in bytes. A hostile one copies the largest a thousand times, or changes
/// it line by line; what is changed once is no more than the tree has.
const MOST_TEXT: usize = 512 << 20;

/// What may still be done for a series.
pub(super) struct Limits {
    /// Comparisons of lines, for one file in all of its patches.
    pub comparisons: Cell<usize>,
    /// Bytes of text that are made beside what the tree has, in all files.
    pub text: Cell<usize>,
}

impl Limits {
    /// Runs `make`; if it fails, it has made no text.
    pub(super) fn unless_failed<T, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let before = self.text.get();
        let made = make();
        if made.is_err() {
            self.text.set(before);
        }
        made
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            comparisons: Cell::new(BUDGET),
            text: Cell::new(MOST_TEXT),
        }
    }
}

/// Why a change does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// Nothing is known of the file.
    Unknown,
    /// It should be there.
    Absent,
    /// It should not be there, or not so.
    Present,
    /// The hunk of this index does not fit.
    Hunk(usize),
    /// It cannot be read.
    Unreadable(String),
    /// With its text, the series would have more than it may.
    TooMuch,
}

impl Miss {
    /// Line of the input and reason.
    pub(super) fn explain(&self, file: &FileChange) -> (u32, String) {
        let old = file.old_path.as_deref().unwrap_or_default();
        match self {
            Self::Unknown => (file.line, format!("nothing is known of {}", file.path())),
            Self::Absent => (file.line, format!("there is no {old}")),
            Self::Present => (
                file.line,
                format!("{} is there already, with another text", file.path()),
            ),
            Self::Unreadable(why) => (file.line, why.clone()),
            Self::TooMuch => (
                file.line,
                format!(
                    "the patches make more than {} MiB of text: check them in parts",
                    MOST_TEXT >> 20
                ),
            ),
            Self::Hunk(index) => match file.hunks.get(*index) {
                Some(hunk) => {
                    let (number, line) = (index + 1, hunk.old_start);
                    (
                        hunk.line,
                        format!("{old}: hunk #{number} at line {line} is not there"),
                    )
                }
                None => (file.line, format!("{old} has another text")),
            },
        }
    }
}

type Content = Arc<[u8]>;

/// The texts so far: those of the tree, but for what changes made of them.
pub(super) struct Files<'t> {
    tree: Option<&'t dyn Tree>,
    now: BTreeMap<String, Option<Content>>,
    limits: &'t Limits,
}

impl<'t> Files<'t> {
    pub(super) fn of(tree: Option<&'t dyn Tree>, limits: &'t Limits) -> Self {
        Self {
            tree,
            now: BTreeMap::new(),
            limits,
        }
    }

    /// Puts the hunks onto `text`, which stays as it is if there is none. Gives the new
    /// text, where the hunks lie, and how far away the one is that moved most.
    fn apply(
        &mut self,
        text: Option<&Content>,
        file: &FileChange,
        from: Side,
    ) -> Result<(Content, Vec<super::Place>, i64), Miss> {
        if let Some(text) = text.filter(|_| file.hunks.is_empty()) {
            self.make(text.len(), file, from)?;
            return Ok((text.clone(), Vec::new(), 0));
        }
        let bytes = text.map(|text| &**text).unwrap_or_default();
        let applied =
            apply(bytes, &file.hunks, from, &self.limits.comparisons).map_err(Miss::Hunk)?;
        self.make(applied.text.len(), file, from)?;
        Ok((applied.text.into(), applied.places, applied.offset))
    }

    /// Counts `size` bytes of text that the change makes.
    fn make(&mut self, size: usize, file: &FileChange, from: Side) -> Result<(), Miss> {
        let path = match from {
            Side::Old => &file.old_path,
            Side::New => &file.new_path,
        };
        let is_made = path
            .as_ref()
            .is_some_and(|path| self.now.contains_key(path));
        if file.kind == ChangeKind::Copy || is_made && !file.hunks.is_empty() {
            let left = self.limits.text.get().checked_sub(size);
            self.limits.text.set(left.ok_or(Miss::TooMuch)?);
        }
        Ok(())
    }

    fn get(&self, path: Option<&String>) -> Result<Option<Content>, Miss> {
        let path = path.ok_or(Miss::Unknown)?;
        if let Some(text) = self.now.get(path) {
            return Ok(text.clone());
        }
        let tree = self.tree.ok_or(Miss::Unknown)?;
        tree.read(path)
            .map_err(|error| Miss::Unreadable(error.to_string()))
    }

    fn set(&mut self, path: Option<&String>, text: Option<&Text>) {
        if let Some(path) = path {
            self.now
                .insert(path.clone(), text.map(|text| text.bytes.clone()));
        }
    }

    /// Puts the change onto its file.
    pub(super) fn forward(&mut self, file: &FileChange) -> Result<Outcome, Miss> {
        let old = match file.kind {
            ChangeKind::Binary => return Err(Miss::Unknown),
            ChangeKind::Add => match self.get(file.new_path.as_ref()) {
                Ok(None) | Err(Miss::Unknown) => None,
                Ok(Some(_)) => return Err(Miss::Present),
                Err(miss) => return Err(miss),
            },
            _ => Some(self.get(file.old_path.as_ref())?.ok_or(Miss::Absent)?),
        };
        self.make_after(file, old)
    }

    fn make_after(&mut self, file: &FileChange, old: Option<Content>) -> Result<Outcome, Miss> {
        let (text, places, offset) = self.apply(old.as_ref(), file, Side::Old)?;
        let is_named = |old: &Content| is_blob(old, file.old_blob.as_deref());
        let exact = old.as_ref().is_none_or(is_named);
        let how = match (exact && offset == 0, &old) {
            (true, Some(_)) => How::ByBlob,
            _ => How::Forward { offset },
        };
        let before = old.map(Text::whole);
        let after = match file.kind {
            // `git format-patch -D` leaves the deleted text out.
            ChangeKind::Delete if file.hunks.is_empty() || text.is_empty() => None,
            ChangeKind::Delete => return Err(Miss::Hunk(file.hunks.len())),
            _ => Some(text),
        };
        Ok(self.forward_done(file, before, after, how, places))
    }

    fn forward_done(
        &mut self,
        file: &FileChange,
        before: Option<Text>,
        after: Option<Content>,
        how: How,
        places: Vec<super::Place>,
    ) -> Outcome {
        let after = after.map(Text::whole);
        if file.kind != ChangeKind::Copy {
            self.set(file.old_path.as_ref(), None);
        }
        self.set(file.new_path.as_ref(), after.as_ref());
        Outcome {
            before,
            after,
            how,
            places,
        }
    }

    /// Takes the change off its file, which has it already.
    pub(super) fn backward(&mut self, file: &FileChange) -> Result<Outcome, Miss> {
        let new = match file.kind {
            ChangeKind::Binary => return Err(Miss::Unknown),
            ChangeKind::Delete => match self.get(file.old_path.as_ref())? {
                None if file.hunks.is_empty() => return Err(Miss::Unknown),
                None => None,
                Some(_) => return Err(Miss::Present),
            },
            _ => Some(self.get(file.new_path.as_ref())?.ok_or(Miss::Absent)?),
        };
        let how = match &new {
            Some(text) if is_blob(text, file.new_blob.as_deref()) => How::ByBlob,
            _ => How::Backward,
        };
        self.make_before(file, new, how)
    }

    fn make_before(
        &mut self,
        file: &FileChange,
        new: Option<Content>,
        how: How,
    ) -> Result<Outcome, Miss> {
        let (text, places, _) = self.apply(new.as_ref(), file, Side::New)?;
        let before = match file.kind {
            ChangeKind::Add if text.is_empty() => None,
            ChangeKind::Add => return Err(Miss::Present),
            _ => Some(Text::whole(text)),
        };
        if file.kind != ChangeKind::Copy {
            self.set(file.old_path.as_ref(), before.as_ref());
        }
        if file.old_path != file.new_path {
            self.set(file.new_path.as_ref(), None);
        }
        Ok(Outcome {
            before,
            after: new.map(Text::whole),
            how,
            places,
        })
    }

    /// Finds the texts by the blobs that the change names.
    pub(super) fn by_blob(&mut self, file: &FileChange, blobs: &dyn Blobs) -> Option<Outcome> {
        let find = |id: &Option<String>| id.as_deref().and_then(|id| blobs.blob(id));
        let how = How::ByBlob;
        if file.kind != ChangeKind::Add {
            match self.forward(file) {
                Ok(outcome) => return Some(Outcome { how, ..outcome }),
                // An earlier change made something else of the file than this one is for:
                // with the blob that this one names, the earlier one would be undone. Names
                // that a patch exchanges are all meant as they were before it.
                Err(Miss::Hunk(_) | Miss::Absent | Miss::TooMuch)
                    if !matches!(file.kind, ChangeKind::Rename | ChangeKind::Copy) =>
                {
                    return None;
                }
                Err(_) => {}
            }
        }
        let (old, new) = (find(&file.old_blob), find(&file.new_blob));
        if file.hunks.is_empty() {
            return self.without_hunks(file, old, new);
        }
        if file.kind == ChangeKind::Add {
            new?;
            return self
                .forward(file)
                .ok()
                .map(|outcome| Outcome { how, ..outcome });
        }
        if let Some(old) = old
            && let Ok(outcome) = self.make_after(file, Some(old))
        {
            return Some(Outcome { how, ..outcome });
        }
        let outcome = self.make_before(file, Some(new?), how).ok()?;
        self.set(
            file.old_path
                .as_ref()
                .filter(|_| file.kind != ChangeKind::Copy),
            None,
        );
        self.set(file.new_path.as_ref(), outcome.after.as_ref());
        Some(outcome)
    }

    /// A commit's change that git took for binary, an empty file, a pure rename.
    fn without_hunks(
        &mut self,
        file: &FileChange,
        old: Option<Content>,
        new: Option<Content>,
    ) -> Option<Outcome> {
        // What the change names has to be there.
        let missing = |id: &Option<String>, text: &Option<Content>| id.is_some() && text.is_none();
        let unnamed = file.old_blob.is_none() && file.new_blob.is_none();
        if unnamed || missing(&file.old_blob, &old) || missing(&file.new_blob, &new) {
            return None;
        }
        Some(self.forward_done(file, old.map(Text::whole), new, How::ByBlob, Vec::new()))
    }
}

/// Whether `text` is the blob of this id.
fn is_blob(text: &[u8], id: Option<&str>) -> bool {
    id.is_some_and(|id| blob_id(text).is_some_and(|own| own.starts_with(id)))
}
