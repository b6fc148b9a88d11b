// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The changes of one patch onto the texts as they are so far, forward or backward.
//!
//! Forward, they go as `git apply` takes those of a mail (check_patch() in git's
//! apply.c): a file that is changed twice is changed as the first change left it, what is
//! renamed or copied is read as it was before the mail, and all that goes is gone before
//! anything new is written. May not know of other patches.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::apply::{BUDGET, Side, Unfit, apply};
use super::super::git::blob_id;
use super::super::patch::{ChangeKind, FileChange};
use super::super::{Blobs, Tree};
use super::chain::{Fits, Link, Outcome};
use super::{How, Text};

/// What the texts of a series may have together, in bytes: those before it, and those that
/// it makes of them. A hostile one copies the largest file a thousand times, changes it line
/// by line, or moves the whole tree; a change of a thousand files has 50 MiB.
const MOST_TEXT: usize = 160 << 20;
/// The same of commits, which somebody has taken into a repository: only copies count, and
/// files that are changed again and again.
const MOST_TEXT_OF_COMMITS: usize = 512 << 20;
/// How many times [`BUDGET`] all files of a series may cost together.
const MOST_BUDGETS: usize = 10;

/// What may still be done for a series.
pub(super) struct Limits {
    /// Comparisons of lines, for one file in all of its patches.
    comparisons: Cell<usize>,
    /// The same for all files.
    all_comparisons: Cell<usize>,
    /// Bytes of text that are read and made, in all files.
    text: Cell<usize>,
    /// What was there of them.
    most_text: usize,
    /// Whether a text counts that is changed once.
    counts_all: bool,
}

impl Limits {
    /// Those of a series, be it one of commits.
    pub(super) fn of(are_commits: bool) -> Self {
        let most_text = if are_commits {
            MOST_TEXT_OF_COMMITS
        } else {
            MOST_TEXT
        };
        Self {
            comparisons: Cell::new(BUDGET),
            all_comparisons: Cell::new(MOST_BUDGETS * BUDGET),
            text: Cell::new(most_text),
            most_text,
            counts_all: !are_commits,
        }
    }

    /// Starts with another file.
    pub(super) fn begin(&self) {
        let all = self.all_comparisons.get();
        self.comparisons.set(all.min(BUDGET));
    }

    /// Has done with it.
    pub(super) fn end(&self) {
        let all = self.all_comparisons.get();
        let used = all.min(BUDGET) - self.comparisons.get().min(all);
        self.all_comparisons.set(all - used);
    }

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

/// Why a change does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// Nothing is known of the file.
    Unknown,
    /// It should be there.
    Absent,
    /// It was renamed or deleted by the same patch.
    Gone,
    /// The same patch changes it and deletes it: git then keeps it.
    Torn,
    /// It should not be there, or not so.
    Present,
    /// It is deleted, and lines of it are left.
    Left,
    /// The hunk of this index does not fit.
    Hunk(usize),
    /// The hunk of this index leaves a line without a newline amid the file.
    Joined(usize),
    /// It cannot be read.
    Unreadable(String),
    /// With its text, the series would have more than it may, in bytes.
    TooMuch(usize),
    /// To find out where its hunks lie takes too long.
    TooLong,
}

impl From<Unfit> for Miss {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Hunk(index) => Self::Hunk(index),
            Unfit::Joined(index) => Self::Joined(index),
            Unfit::TooLong => Self::TooLong,
        }
    }
}

impl Miss {
    /// The patch is refused, whatever is in the tree.
    pub(super) fn is_limit(&self) -> bool {
        matches!(self, Self::TooMuch(_) | Self::TooLong)
    }

    /// Line of the input and reason.
    pub(super) fn explain(&self, file: &FileChange) -> (u32, String) {
        let old = file.old_path.as_deref().unwrap_or_default();
        let why = match self {
            Self::Unknown => format!("nothing is known of {}", file.path()),
            Self::Absent => format!("there is no {old}"),
            Self::Gone => format!("{old} is renamed or deleted above, by the same patch"),
            Self::Torn => format!("{old} is both changed and deleted by the same patch"),
            Self::Present => format!("{} is there already, with another text", file.path()),
            Self::Left => format!("{old} has lines that the patch does not delete with it"),
            Self::Unreadable(why) => why.clone(),
            Self::TooMuch(most) => format!(
                "the patches are about more than {} MiB of text: check them in parts",
                most >> 20
            ),
            Self::TooLong => format!(
                "to find out where the hunks of {old} lie takes too long: check them in parts"
            ),
            Self::Hunk(index) | Self::Joined(index) => return self.explain_hunk(file, *index),
        };
        (file.line, why)
    }

    fn explain_hunk(&self, file: &FileChange, index: usize) -> (u32, String) {
        let old = file.old_path.as_deref().unwrap_or_default();
        let Some(hunk) = file.hunks.get(index) else {
            return (file.line, format!("{old} has another text"));
        };
        let (number, line) = (index + 1, hunk.old_start);
        let why = if matches!(self, Self::Joined(_)) {
            "takes the newline off a line amid the file"
        } else {
            "is not there"
        };
        (
            hunk.line,
            format!("{old}: hunk #{number} at line {line} {why}"),
        )
    }
}

type Content = Arc<[u8]>;

/// Where the texts are that no change has made.
#[derive(Clone, Copy)]
pub(super) enum Source<'t> {
    /// Nowhere.
    Nothing,
    /// In a tree.
    Tree(&'t dyn Tree),
    /// In the blobs that the changes name.
    Blobs(&'t dyn Blobs),
}

/// What the changes of a patch above have done to a path.
enum Mark {
    /// One of them made this of it.
    Made(Content),
    /// One of them took it away.
    Gone,
    /// One below takes it away.
    Leaving,
}

/// What the changes of a patch have done so far.
#[derive(Default)]
struct Mail<'p> {
    marks: BTreeMap<&'p str, Mark>,
    removed: Vec<&'p str>,
    made: Vec<(&'p str, Content)>,
}

impl<'p> Mail<'p> {
    fn of(links: &[Link<'p>]) -> Self {
        let mut mail = Self::default();
        for link in links {
            let leaves = matches!(link.file.kind, ChangeKind::Delete | ChangeKind::Rename);
            if let Some(old) = link.file.old_path.as_deref().filter(|_| leaves) {
                mail.marks.insert(old, Mark::Leaving);
            }
        }
        mail
    }

    fn is_free(&self, path: &str) -> bool {
        matches!(self.marks.get(path), Some(Mark::Gone | Mark::Leaving))
    }

    fn note(&mut self, file: &'p FileChange, text: Option<&Content>) {
        let (old, new) = (file.old_path.as_deref(), file.new_path.as_deref());
        if let (Some(new), Some(text)) = (new, text) {
            self.marks.insert(new, Mark::Made(text.clone()));
            self.made.push((new, text.clone()));
        }
        if let Some(old) = old.filter(|_| file.kind != ChangeKind::Copy) {
            self.removed.push(old);
            if matches!(file.kind, ChangeKind::Delete | ChangeKind::Rename) {
                self.marks.insert(old, Mark::Gone);
            }
        }
    }
}

/// The texts so far: those of the source, but for what patches made of them.
pub(super) struct Files<'t> {
    source: Source<'t>,
    now: BTreeMap<String, Option<Content>>,
    limits: &'t Limits,
}

impl<'t> Files<'t> {
    pub(super) fn of(source: Source<'t>, limits: &'t Limits) -> Self {
        Self {
            source,
            now: BTreeMap::new(),
            limits,
        }
    }

    /// Puts the hunks onto `text`, which stays as it is if there is none. Gives the new
    /// text, where the hunks lie, and how far away the one is that moved most.
    fn apply(
        &self,
        text: Option<&Content>,
        file: &FileChange,
        from: Side,
        is_made: bool,
    ) -> Result<(Content, Vec<super::Place>, i64), Miss> {
        let size = text.map_or(0, |text| text.len());
        let counts_all = self.limits.counts_all;
        if counts_all && !is_made {
            self.spend(size)?;
        }
        if let Some(text) = text.filter(|_| file.hunks.is_empty()) {
            if file.kind == ChangeKind::Copy {
                self.spend(size)?;
            }
            return Ok((text.clone(), Vec::new(), 0));
        }
        let bytes = text.map(|text| &**text).unwrap_or_default();
        let applied = apply(bytes, &file.hunks, from, &self.limits.comparisons)?;
        if counts_all || is_made || file.kind == ChangeKind::Copy {
            self.spend(applied.text.len())?;
        }
        Ok((applied.text.into(), applied.places, applied.offset))
    }

    /// Counts `size` bytes of text.
    fn spend(&self, size: usize) -> Result<(), Miss> {
        let left = self.limits.text.get().checked_sub(size);
        let most = self.limits.most_text;
        self.limits.text.set(left.ok_or(Miss::TooMuch(most))?);
        Ok(())
    }

    fn get(&self, path: Option<&str>) -> Result<Option<Content>, Miss> {
        let path = path.ok_or(Miss::Unknown)?;
        if let Some(text) = self.now.get(path) {
            return Ok(text.clone());
        }
        match self.source {
            Source::Tree(tree) => tree
                .read(path)
                .map_err(|error| Miss::Unreadable(error.to_string())),
            Source::Blobs(_) | Source::Nothing => Err(Miss::Unknown),
        }
    }

    /// The text that a change is for.
    fn old(&self, file: &FileChange) -> Result<Option<Content>, Miss> {
        match (self.get(file.old_path.as_deref()), self.source) {
            (Err(Miss::Unknown), Source::Blobs(blobs)) => {
                let old = blob(blobs, file.old_path.as_deref(), file.old_blob.as_deref());
                if old.is_some() {
                    return Ok(old);
                }
                let new = blob(blobs, file.new_path.as_deref(), file.new_blob.as_deref());
                let new = new.ok_or(Miss::Unknown)?;
                Ok(Some(self.apply(Some(&new), file, Side::New, false)?.0))
            }
            (text, _) => text,
        }
    }

    fn is_there(&self, path: Option<&str>) -> Result<bool, Miss> {
        match self.get(path) {
            Ok(text) => Ok(text.is_some()),
            Err(Miss::Unknown) => Ok(false),
            Err(miss) => Err(miss),
        }
    }

    /// Puts a patch onto its files. The error has the number of the change.
    pub(super) fn forward(&mut self, links: &[Link<'_>]) -> Result<Vec<Outcome>, (usize, Miss)> {
        let mut mail = Mail::of(links);
        let outcomes = links.iter().enumerate().map(|(number, link)| {
            self.change(link.file, &mut mail)
                .map_err(|miss| (number, miss))
        });
        let outcomes = outcomes.collect::<Result<Vec<Outcome>, _>>()?;
        for path in mail.removed {
            self.now.insert(path.to_owned(), None);
        }
        for (path, text) in mail.made {
            self.now.insert(path.to_owned(), Some(text));
        }
        Ok(outcomes)
    }

    fn change<'p>(&self, file: &'p FileChange, mail: &mut Mail<'p>) -> Result<Outcome, Miss> {
        let (old, new) = (file.old_path.as_deref(), file.new_path.as_deref());
        let mark = old.and_then(|old| mail.marks.get(old));
        let is_made = matches!(mark, Some(Mark::Made(_)));
        if let Source::Blobs(blobs) = self.source
            && (file.hunks.is_empty() || file.kind == ChangeKind::Add)
        {
            return self.named(file, blobs, mail);
        }
        let text = match (file.kind, mark) {
            (ChangeKind::Binary, _) => return Err(Miss::Unknown),
            (ChangeKind::ModeOnly, _) if old.is_none() => return self.link(file, mail),
            (ChangeKind::Delete, Some(Mark::Made(_))) => return Err(Miss::Torn),
            (ChangeKind::Add, _) => None,
            (ChangeKind::Rename | ChangeKind::Copy, _) => self.old(file)?,
            (_, Some(Mark::Made(text))) => Some(text.clone()),
            (_, Some(Mark::Gone)) => return Err(Miss::Gone),
            (_, Some(Mark::Leaving) | None) => self.old(file)?,
        };
        let is_new = text.is_none() && (file.kind == ChangeKind::Add || file.may_be_new);
        if text.is_none() && !is_new {
            return Err(Miss::Absent);
        }
        let moves = old != new && new.is_some();
        if (is_new || moves) && !new.is_some_and(|new| mail.is_free(new)) && self.is_there(new)? {
            return Err(Miss::Present);
        }
        let is_made = is_made || old.is_some_and(|old| self.now.contains_key(old));
        let (made, places, offset) = self.apply(text.as_ref(), file, Side::Old, is_made)?;
        if file.kind == ChangeKind::Delete && !made.is_empty() {
            return Err(Miss::Left);
        }
        let made = (file.kind != ChangeKind::Delete).then_some(made);
        mail.note(file, made.as_ref());
        let is_named = match (&text, file.old_blob.as_deref()) {
            (Some(text), Some(id)) => is_blob(text, Some(id)),
            _ => true,
        };
        let by_blob = matches!(self.source, Source::Blobs(_))
            || is_named && offset == 0 && text.is_some() && file.old_blob.is_some();
        Ok(Outcome {
            before: text.map(Text::whole),
            after: made.map(Text::whole),
            how: if by_blob {
                How::ByBlob
            } else {
                How::Forward { offset }
            },
            places,
            is_named,
            fits: matches!(self.source, Source::Tree(_)).then_some(Fits::Forward),
        })
    }

    /// A symbolic link, which has no text; it may not take a file's place.
    fn link(&self, file: &FileChange, mail: &Mail<'_>) -> Result<Outcome, Miss> {
        let new = file.new_path.as_deref();
        let is_free = new.is_some_and(|new| mail.is_free(new));
        if file.may_be_new && !is_free && self.is_there(new)? {
            return Err(Miss::Present);
        }
        Ok(Outcome::default())
    }

    /// A change of which the blobs have to tell both sides: a new file, which may be there
    /// already, and what has no hunks (a commit's change that git took for binary, an
    /// empty file, a mere rename).
    fn named<'p>(
        &self,
        file: &'p FileChange,
        blobs: &dyn Blobs,
        mail: &mut Mail<'p>,
    ) -> Result<Outcome, Miss> {
        if file.kind == ChangeKind::ModeOnly {
            return Ok(Outcome::default());
        }
        let (old_id, new_id) = (file.old_blob.as_deref(), file.new_blob.as_deref());
        let mut old = blob(blobs, file.old_path.as_deref(), old_id);
        let mut new = blob(blobs, file.new_path.as_deref(), new_id);
        let missing = |id: Option<&str>, text: &Option<Content>| id.is_some() && text.is_none();
        if old_id.or(new_id).is_none() || missing(old_id, &old) || missing(new_id, &new) {
            return Err(Miss::Unknown);
        }
        let mut places = Vec::new();
        if file.kind == ChangeKind::Add {
            if file.new_path.as_deref().is_some_and(|path| {
                matches!(self.now.get(path), Some(Some(_))) && !mail.is_free(path)
            }) {
                return Err(Miss::Present);
            }
            old = None;
            if !file.hunks.is_empty() {
                let (text, own, _) = self.apply(None, file, Side::Old, false)?;
                (new, places) = (Some(text), own);
            }
        }
        if file.new_path.is_some() {
            mail.note(file, new.as_ref());
        } else {
            new = None;
            mail.note(file, None);
        }
        Ok(Outcome {
            before: old.map(Text::whole),
            after: new.map(Text::whole),
            how: How::ByBlob,
            places,
            is_named: true,
            fits: None,
        })
    }

    /// Takes a patch off its files, which have it already. The error has the number of
    /// the change.
    pub(super) fn backward(&mut self, links: &[Link<'_>]) -> Result<Vec<Outcome>, (usize, Miss)> {
        if !is_simple(links) {
            return Err((0, Miss::Unknown));
        }
        let mut outcomes = Vec::with_capacity(links.len());
        for (number, link) in links.iter().enumerate().rev() {
            outcomes.push(self.undo(link.file).map_err(|miss| (number, miss))?);
        }
        outcomes.reverse();
        Ok(outcomes)
    }

    fn undo(&mut self, file: &FileChange) -> Result<Outcome, Miss> {
        let (old, new) = (file.old_path.as_deref(), file.new_path.as_deref());
        let is_made = new.is_some_and(|new| self.now.contains_key(new));
        let text = match file.kind {
            ChangeKind::Binary => return Err(Miss::Unknown),
            ChangeKind::ModeOnly if file.may_be_new => return Err(Miss::Present),
            ChangeKind::ModeOnly => return Ok(Outcome::default()),
            ChangeKind::Delete => match self.get(old)? {
                None if file.hunks.is_empty() => return Err(Miss::Unknown),
                None => None,
                Some(_) => return Err(Miss::Present),
            },
            _ => Some(self.get(new)?.ok_or(Miss::Absent)?),
        };
        let moves = old.is_some() && new.is_some() && old != new;
        if moves && file.kind != ChangeKind::Copy && self.is_there(old)? {
            return Err(Miss::Present);
        }
        let how = match &text {
            Some(text) if is_blob(text, file.new_blob.as_deref()) => How::ByBlob,
            _ => How::Backward,
        };
        if file.kind == ChangeKind::Copy && file.hunks.is_empty() && self.get(old)? != text {
            return Err(Miss::Present);
        }
        let (before, places, _) = self.apply(text.as_ref(), file, Side::New, is_made)?;
        let before = match file.kind {
            ChangeKind::Add if before.is_empty() => None,
            ChangeKind::Add => return Err(Miss::Present),
            _ if file.may_be_new && before.is_empty() => None,
            _ => Some(before),
        };
        for path in [old, new].into_iter().flatten() {
            let is_source = file.kind == ChangeKind::Copy && Some(path) == old;
            if !is_source {
                let own = before.clone().filter(|_| Some(path) == old);
                self.now.insert(path.to_owned(), own);
            }
        }
        Ok(Outcome {
            before: before.map(Text::whole),
            after: text.map(Text::whole),
            how,
            places,
            is_named: true,
            fits: Some(Fits::Backward),
        })
    }
}

/// Whether no change of the patch is about what another one makes or takes away.
fn is_simple(links: &[Link<'_>]) -> bool {
    let mut seen = BTreeSet::new();
    links.iter().all(|link| {
        let old = link.file.old_path.as_deref();
        let old = old.filter(|_| link.file.kind != ChangeKind::Copy);
        let new = link.file.new_path.as_deref();
        let is_fresh = new.is_none_or(|new| seen.insert(new));
        is_fresh && old.is_none_or(|old| Some(old) == new || seen.insert(old))
    })
}

/// The blob of this id, if a change names one.
fn blob(blobs: &dyn Blobs, path: Option<&str>, id: Option<&str>) -> Option<Content> {
    blobs.blob(path?, id?)
}

/// Whether `text` is the blob of this id.
pub(super) fn is_blob(text: &[u8], id: Option<&str>) -> bool {
    id.is_some_and(|id| blob_id(text).is_some_and(|own| own.starts_with(id)))
}
