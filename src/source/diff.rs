// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Bytes into the file changes that they describe, as `git apply` reads them.
//!
//! A parser of its own, since none of those at hand (diffy, git2) reads `git
//! diff` and `diff -u` out of one input, tells the blob ids of the `index` line
//! and the input line of every line, and refuses what git refuses. Prose around the
//! diffs is skipped, as git does. What it refuses is a flaw: then it applies nothing of
//! the whole input; here the rest is read nevertheless, so that more can be said of it.
//! May not know mail or trees.

mod header;
mod hunk;
mod names;
mod timestamp;

use super::patch::{ChangeKind, FileChange, Hunk, LineKind};
use header::{Header, Strip};

/// Most lines that the hunks of an input may have: all of them are held in memory.
const MOST_LINES: usize = 2_500_000;

/// What [`parse`] found.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The changes, in the order of the input, that could be read whole.
    pub changes: Vec<FileChange>,
    /// Why others could not: input line and message. Git applies nothing then.
    pub flaws: Vec<(u32, String)>,
    /// The first flaw is one at which git gives the whole input up as corrupt, not one
    /// that only we stop at.
    pub is_corrupt: bool,
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

/// Why git would refuse what stands at a line.
#[derive(Debug)]
struct Flaw {
    at: usize,
    message: String,
    /// Git says "corrupt patch".
    is_corrupt: bool,
}

impl Flaw {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            is_corrupt: false,
        }
    }

    fn corrupt(at: usize, message: impl Into<String>) -> Self {
        Self {
            is_corrupt: true,
            ..Self::new(at, message)
        }
    }
}

/// Reads every diff in `text`, whose first line is `first_line` of the input.
pub(crate) fn parse(text: &[u8], first_line: u32) -> Parsed {
    let lines = Lines::of(text, first_line);
    let mut parsed = Parsed::default();
    let mut strip = Strip::default();
    let mut room = MOST_LINES;
    let mut at = 0;
    while at < lines.len() {
        // What follows a flaw may well be its rest.
        let strict = parsed.flaws.is_empty();
        at = match Header::find(&lines, at, &mut strip, strict) {
            Ok(None) => break,
            Ok(Some(header)) => {
                let start = lines.offset(header.at);
                parsed.start.get_or_insert(start);
                let body = header.body;
                match read_file(&lines, header, &mut room) {
                    Ok((change, end)) => {
                        parsed.changes.push(change);
                        end
                    }
                    // What is below the names is no header of its own.
                    Err(flaw) => parsed.flaw(&lines, flaw).max(body),
                }
            }
            Err(flaw) => {
                parsed.start.get_or_insert(lines.offset(flaw.at));
                parsed.flaw(&lines, flaw)
            }
        }
    }
    parsed
}

impl Parsed {
    /// Keeps a flaw; gives the line after it.
    fn flaw(&mut self, lines: &Lines<'_>, flaw: Flaw) -> usize {
        self.is_corrupt |= self.flaws.is_empty() && flaw.is_corrupt;
        self.flaws.push((lines.number(flaw.at), flaw.message));
        flaw.at + 1
    }
}

/// Reads the file whose header is `header`; gives the line after it.
fn read_file(
    lines: &Lines<'_>,
    mut header: Header,
    room: &mut usize,
) -> Result<(FileChange, usize), Flaw> {
    let (hunks, mut end) = hunk::read_all(lines, header.body, room)?;
    if hunks.is_empty() && announces_binary(lines.get(end).unwrap_or_default()) {
        header.is_binary = true;
        end += 1;
    }
    settle_kind(&mut header, &hunks);
    let flaw = |message| Flaw::new(header.at, message);
    let mut change = header.change(lines).map_err(flaw)?;
    if hunks.is_empty() && !header.is_binary && !header.changes_without_hunks() {
        let path = change.path();
        let message = if lines.get(end).is_none() {
            format!("the diff of {path} is cut off; get the patch again")
        } else {
            format!(
                "the diff of {path} has no hunk, so git refuses the whole patch; make it again \
                 with git format-patch"
            )
        };
        return Err(flaw(message));
    }
    if change.kind == ChangeKind::ModeOnly {
        return Ok((change, end));
    }
    change.may_be_new = header.is_new.is_none();
    change.hunks = hunks;
    let stays = change.old_path == change.new_path;
    if change.kind == ChangeKind::Modify && change.hunks.is_empty() && stays {
        change.kind = ChangeKind::ModeOnly;
    }
    match misuse(&change) {
        Some(why) => Err(flaw(why)),
        None => Ok((change, end)),
    }
}

/// Whether a line says that the file is binary, or starts to show it so.
fn announces_binary(line: &[u8]) -> bool {
    let differs = line.ends_with(b" differ");
    line == b"GIT binary patch"
        || differs && (line.starts_with(b"Binary files ") || line.starts_with(b"Files "))
}

/// Tells from the hunks of a plain diff that its file is there before or after it.
fn settle_kind(header: &mut Header, hunks: &[Hunk]) {
    let has = |missing| {
        let mut lines = hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.any(|line| line.kind != missing)
    };
    if header.is_new.is_none() && (hunks.len() > 1 || has(LineKind::Added)) {
        header.is_new = Some(false);
    }
    if header.is_deleted.is_none() && (hunks.len() > 1 || has(LineKind::Removed)) {
        header.is_deleted = Some(false);
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

    /// How many bytes there are from line `at` on.
    fn left(&self, at: usize) -> usize {
        self.text.len() - self.offset(at)
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
