// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One change onto the texts as they are so far, forward, backward, or by the
//! blobs that it names. May not know of other changes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::apply::{Applied, Side, apply};
use super::super::git::blob_id;
use super::super::patch::{ChangeKind, FileChange};
use super::super::{Blobs, Tree};
use super::chain::Outcome;
use super::{How, Text};

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
    /// How many lines may still be compared.
    budget: &'t Cell<usize>,
}

impl<'t> Files<'t> {
    pub(super) fn of(tree: Option<&'t dyn Tree>, budget: &'t Cell<usize>) -> Self {
        Self {
            tree,
            now: BTreeMap::new(),
            budget,
        }
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
        let from = old.as_deref().unwrap_or_default();
        let applied = apply(from, &file.hunks, Side::Old, self.budget).map_err(Miss::Hunk)?;
        let exact = old.is_none() || is_blob(from, file.old_blob.as_deref());
        let how = match (exact && applied.offset == 0, &old) {
            (true, Some(_)) => How::ByBlob,
            _ => How::Forward {
                offset: applied.offset,
            },
        };
        let before = old.map(Text::whole);
        let after = match file.kind {
            // `git format-patch -D` leaves the deleted text out.
            ChangeKind::Delete if file.hunks.is_empty() || applied.text.is_empty() => None,
            ChangeKind::Delete => return Err(Miss::Hunk(file.hunks.len())),
            _ => Some(applied.text),
        };
        Ok(self.forward_done(file, before, after, how, applied.places))
    }

    fn forward_done(
        &mut self,
        file: &FileChange,
        before: Option<Text>,
        after: Option<Vec<u8>>,
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
        let to = new.as_deref().unwrap_or_default();
        let Applied { text, places, .. } =
            apply(to, &file.hunks, Side::New, self.budget).map_err(Miss::Hunk)?;
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
        if file.kind != ChangeKind::Add
            && let Ok(outcome) = self.forward(file)
        {
            return Some(Outcome { how, ..outcome });
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
        let after = new.map(|text| text.to_vec());
        Some(self.forward_done(file, old.map(Text::whole), after, How::ByBlob, Vec::new()))
    }
}

/// Whether `text` is the blob of this id.
fn is_blob(text: &[u8], id: Option<&str>) -> bool {
    id.is_some_and(|id| blob_id(text).is_some_and(|own| own.starts_with(id)))
}
