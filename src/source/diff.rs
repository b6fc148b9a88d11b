// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Bytes into the file changes that they describe.
//!
//! A parser of its own, since none of those at hand (diffy, git2) reads `git
//! diff` and `diff -u` out of one input, tells the blob ids of the `index` line
//! and the input line of every line, refuses a hunk that does not add up, and
//! goes on with the next file after it. Prose around the diffs is skipped: a
//! `diff --git` counts only with what belongs below it, an `@@` only in a file.
//! May not know mail or trees.

mod header;
mod hunk;

use super::patch::{ChangeKind, FileChange};
use header::Header;

/// What [`parse`] found.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The changes, in the order of the input, that could be read whole.
    pub changes: Vec<FileChange>,
    /// Why others could not: input line and message.
    pub flaws: Vec<(u32, String)>,
    /// Byte where the first change begins, even if it is flawed.
    pub start: Option<usize>,
}

impl Parsed {
    /// There is a diff, and all of it could be read.
    #[cfg(test)]
    pub(crate) fn is_consistent(&self) -> bool {
        self.flaws.is_empty() && !self.changes.is_empty()
    }

    /// There is nothing that looks like a diff.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.flaws.is_empty() && self.changes.is_empty()
    }
}

/// Reads every diff in `text`, whose first line is `first_line` of the input.
pub(crate) fn parse(text: &[u8], first_line: u32) -> Parsed {
    let lines = Lines::of(text, first_line);
    let mut parsed = Parsed::default();
    let mut at = 0;
    while at < lines.len() {
        let Some(header) = Header::read(&lines, at) else {
            at += 1;
            continue;
        };
        if parsed.start.is_none() {
            parsed.start = Some(lines.offset(at));
        }
        at = read_file(&lines, &header, &mut parsed);
    }
    parsed
}

/// Reads the file whose header is `header`; gives the line after it.
fn read_file(lines: &Lines<'_>, header: &Header, parsed: &mut Parsed) -> usize {
    let mut change = match header.change(lines) {
        Ok(change) => change,
        Err(message) => {
            parsed.flaws.push((lines.number(header.at), message));
            return header.body;
        }
    };
    match hunk::read_all(lines, header, &mut change) {
        Ok(end) => {
            settle_kind(&mut change, header);
            match misuse(&change) {
                Some(why) => parsed.flaws.push((change.line, why)),
                None => parsed.changes.push(change),
            }
            end
        }
        Err(flaw) => {
            parsed.flaws.push((lines.number(flaw.at), flaw.message));
            flaw.at + 1
        }
    }
}

/// `diff -N` marks new and deleted files only by an empty range.
fn settle_kind(change: &mut FileChange, header: &Header) {
    if header.git || change.kind != ChangeKind::Modify {
        return;
    }
    if let [hunk] = change.hunks.as_slice() {
        if (hunk.old_start, hunk.old_len) == (0, 0) {
            change.kind = ChangeKind::Add;
            change.old_path = None;
        } else if (hunk.new_start, hunk.new_len) == (0, 0) {
            change.kind = ChangeKind::Delete;
            change.new_path = None;
        }
    }
}

/// Whether the header and the hunks contradict each other.
fn misuse(change: &FileChange) -> Option<String> {
    let path = change.path();
    match change.kind {
        ChangeKind::Add if change.hunks.iter().any(|hunk| hunk.old_len != 0) => Some(format!(
            "{path} is said to be new, but its hunks change old lines"
        )),
        ChangeKind::Delete if change.hunks.iter().any(|hunk| hunk.new_len != 0) => Some(format!(
            "{path} is said to be deleted, but its hunks leave lines"
        )),
        ChangeKind::ModeOnly | ChangeKind::Binary | ChangeKind::Delete => None,
        kind if change.hunks.is_empty() && wants_hunks(kind, change) => Some(format!(
            "the diff of {path} has no hunk: it is cut off; get the patch again"
        )),
        _ => None,
    }
}

/// Whether a change without hunks has lost them: its blob ids tell.
fn wants_hunks(kind: ChangeKind, change: &FileChange) -> bool {
    const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    match (kind, &change.new_blob) {
        (ChangeKind::Modify, _) => true,
        (ChangeKind::Add, Some(new)) => !EMPTY.starts_with(new.as_str()),
        (_, new) => new.is_some() && new != &change.old_blob,
    }
}

/// The lines of the input, without their newlines.
pub(crate) struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
    first: u32,
}

impl<'t> Lines<'t> {
    fn of(text: &'t [u8], first: u32) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|at| at + 1));
        if starts.last() == Some(&text.len()) {
            starts.pop();
        }
        Self {
            text,
            starts,
            first,
        }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    fn offset(&self, at: usize) -> usize {
        self.starts.get(at).copied().unwrap_or(self.text.len())
    }

    fn get(&self, at: usize) -> Option<&'t [u8]> {
        let start = *self.starts.get(at)?;
        let line = self.text.get(start..self.offset(at + 1))?;
        Some(line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// Whether the line has its newline; the last one of a cut text has not.
    fn is_ended(&self, at: usize) -> bool {
        at + 1 < self.starts.len() || self.text.ends_with(b"\n")
    }

    /// The line, if it starts with `prefix`: what follows that.
    fn after(&self, at: usize, prefix: &[u8]) -> Option<&'t [u8]> {
        self.get(at)?.strip_prefix(prefix)
    }

    /// Number of the line in the input.
    fn number(&self, at: usize) -> u32 {
        self.first
            .saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
