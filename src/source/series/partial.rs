// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Texts out of hunks alone.
//!
//! What the patches of a file show of it is gathered in the text before the
//! first one, which goes through them all: so a line that only the third patch
//! shows, as context, is there before the first, too, and does not look new.
//! Patches that contradict each other stand for themselves. May not know trees.

use std::collections::BTreeMap;

use super::super::apply::{Place, Side};
use super::super::patch::{ChangeKind, DiffLine, FileChange, Hunk};
use super::chain::{Link, Outcome};
use super::{How, Text};

/// Most lines that the partial texts of a chain may have: the longest file of
/// a kernel, many times over.
const MAX_LINES: u64 = 16_000_000;
/// Most lines that one of them may have.
const MAX_LINE: u32 = 1_000_000;
/// Most lines that those of all chains of a series may have: a hunk of three lines can
/// ask for a text of a million.
const MAX_TOTAL: u64 = 64_000_000;

/// How many lines a series may still ask for.
pub(super) struct Room(u64);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_TOTAL)
    }
}

impl Room {
    /// Whether there is room for that many; then it is taken.
    fn take(&mut self, lines: u64) -> bool {
        let left = self.0.checked_sub(lines);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Known lines by their index.
type Sparse<'p> = BTreeMap<u32, &'p DiffLine>;

/// Makes the texts; `None` if they would be larger than any file is, or hunks overlap.
pub(super) fn resolve(links: &[Link<'_>], room: &mut Room) -> Option<Vec<Outcome>> {
    if !links.iter().all(|link| is_in_order(&link.file.hunks)) {
        return None;
    }
    let last = |link: &Link<'_>| {
        let ends = link.file.hunks.iter().map(|hunk| {
            let end = |start: u32, len: u32| start.saturating_add(len);
            end(hunk.old_start, hunk.old_len).max(end(hunk.new_start, hunk.new_len))
        });
        ends.max().unwrap_or(0)
    };
    let longest = links.iter().map(last).max().unwrap_or(0);
    let lines = u64::from(longest) * links.len() as u64;
    if longest > MAX_LINE || lines > MAX_LINES || !room.take(lines) {
        return None;
    }
    Some(together(links).unwrap_or_else(|| links.iter().map(alone).collect()))
}

/// Whether the hunks lie one after the other by their headers.
fn is_in_order(hunks: &[Hunk]) -> bool {
    let ends = |side: Side, hunk: &Hunk| {
        let (start, len) = side.range(hunk);
        start.saturating_add(len)
    };
    let apart = |side: Side, one: &Hunk, next: &Hunk| ends(side, one) <= side.range(next).0;
    hunks.windows(2).all(|pair| match pair {
        [one, next] => apart(Side::Old, one, next) && apart(Side::New, one, next),
        _ => true,
    })
}

/// A change for itself.
fn alone(link: &Link<'_>) -> Outcome {
    outcome(
        link.file,
        &shown(&link.file.hunks, Side::Old),
        &shown(&link.file.hunks, Side::New),
    )
}

/// All changes of a chain; `None` if they contradict each other.
fn together(links: &[Link<'_>]) -> Option<Vec<Outcome>> {
    let mut files: BTreeMap<&str, Sparse<'_>> = BTreeMap::new();
    for link in links.iter().rev() {
        undo(&mut files, link)?;
    }
    links.iter().map(|link| redo(&mut files, link)).collect()
}

fn undo<'p>(files: &mut BTreeMap<&'p str, Sparse<'p>>, link: &Link<'p>) -> Option<()> {
    let file = link.file;
    let mut after = file
        .new_path
        .as_deref()
        .and_then(|path| files.remove(path))
        .unwrap_or_default();
    merge(&mut after, shown(&file.hunks, Side::New))?;
    let mut before = carry(&after, &file.hunks, Side::New);
    merge(&mut before, shown(&file.hunks, Side::Old))?;
    let Some(old) = file.old_path.as_deref() else {
        return before.is_empty().then_some(());
    };
    if file.kind == ChangeKind::Copy {
        let source = files.remove(old).unwrap_or_default();
        merge(&mut before, source)?;
    }
    files.insert(old, before);
    Some(())
}

fn redo<'p>(files: &mut BTreeMap<&'p str, Sparse<'p>>, link: &Link<'p>) -> Option<Outcome> {
    let file = link.file;
    let before = match file.old_path.as_deref() {
        Some(old) if file.kind == ChangeKind::Copy => files.get(old).cloned().unwrap_or_default(),
        Some(old) => files.remove(old).unwrap_or_default(),
        None => Sparse::new(),
    };
    let mut after = carry(&before, &file.hunks, Side::Old);
    merge(&mut after, shown(&file.hunks, Side::New))?;
    let outcome = outcome(file, &before, &after);
    if let Some(new) = file.new_path.as_deref() {
        files.insert(new, after);
    }
    Some(outcome)
}

/// The lines that hunks have on one side, where their headers say.
fn shown(hunks: &[Hunk], side: Side) -> Sparse<'_> {
    let mut lines = Sparse::new();
    for hunk in hunks {
        let (start, _) = side.range(hunk);
        let own = hunk.lines.iter().filter(|line| side.has(line.kind));
        lines.extend((start..).zip(own));
    }
    lines
}

/// Adds `more`; `None` if they contradict.
fn merge<'p>(lines: &mut Sparse<'p>, more: Sparse<'p>) -> Option<()> {
    for (at, line) in more {
        let own = lines.entry(at).or_insert(line);
        if own.text != line.text || own.no_newline != line.no_newline {
            return None;
        }
    }
    Some(())
}

/// The lines between the hunks, where they are on the other side.
fn carry<'p>(lines: &Sparse<'p>, hunks: &[Hunk], from: Side) -> Sparse<'p> {
    let mut moved = Sparse::new();
    let mut hunks = hunks.iter().peekable();
    let mut shift: i64 = 0;
    for (&at, &line) in lines {
        while let Some(hunk) = hunks.peek() {
            let (start, len) = from.range(hunk);
            if start.saturating_add(len) > at {
                break;
            }
            shift += i64::from(from.other().range(hunk).1) - i64::from(len);
            hunks.next();
        }
        let covered = hunks
            .peek()
            .is_some_and(|hunk| from.range(hunk).0 <= at && from.range(hunk).1 > 0);
        if let (false, Ok(at)) = (covered, u32::try_from(i64::from(at) + shift)) {
            moved.insert(at, line);
        }
    }
    moved
}

fn outcome(file: &FileChange, before: &Sparse<'_>, after: &Sparse<'_>) -> Outcome {
    let whole = matches!(file.kind, ChangeKind::Add | ChangeKind::Delete);
    let is_new = is_new(file);
    let text = |lines: &Sparse<'_>| Text {
        bytes: render(lines).into(),
        partial: !whole && !is_new,
    };
    let place = |hunk| Place {
        old: Side::Old.range(hunk).0,
        new: Side::New.range(hunk).0,
    };
    Outcome {
        before: file
            .old_path
            .as_ref()
            .filter(|_| !is_new)
            .map(|_| text(before)),
        after: file.new_path.as_ref().map(|_| text(after)),
        how: How::HunksAlone,
        places: file.hunks.iter().map(place).collect(),
        is_named: true,
        fits: None,
    }
}

/// Whether the file is new by all that can be told without a tree.
fn is_new(file: &FileChange) -> bool {
    let start = file.hunks.first().map(|hunk| hunk.old_start);
    file.may_be_new && start == Some(0)
}

fn render(lines: &Sparse<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut next = 0;
    for (&at, line) in lines {
        text.resize(text.len() + at.saturating_sub(next) as usize, b'\n');
        text.extend_from_slice(&line.text);
        if !line.no_newline {
            text.push(b'\n');
        }
        next = at.saturating_add(1);
    }
    text
}
