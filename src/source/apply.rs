// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Hunks onto a text, forward or backward.
//!
//! As `git am` does it: a hunk may lie elsewhere than its header says, the
//! nearest place counts, but all of its lines have to be there (no fuzz). One
//! without context before it belongs to the start of the file, one without
//! context behind it to its end. May not know paths, patches or trees.

use super::patch::{DiffLine, Hunk, LineKind};
use std::cell::Cell;

/// Comparisons of lines before hostile hunks, of one file in all patches of a series, are
/// said to fit nowhere.
pub(crate) const BUDGET: usize = 60_000_000;

/// Which side of a hunk is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The lines before the patch.
    Old,
    /// The lines after it.
    New,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }

    /// Whether a line of this kind stands on this side.
    pub(crate) fn has(self, kind: LineKind) -> bool {
        match self {
            Self::Old => kind != LineKind::Added,
            Self::New => kind != LineKind::Removed,
        }
    }

    /// How many lines of its hunk stand above a line on this side.
    pub(crate) fn above(self, line: &DiffLine) -> u32 {
        match self {
            Self::Old => line.above.0,
            Self::New => line.above.1,
        }
    }

    /// The hunk's range: how many lines stand before it, and how many it has.
    pub(crate) fn range(self, hunk: &Hunk) -> (u32, u32) {
        let (start, len) = match self {
            Self::Old => (hunk.old_start, hunk.old_len),
            Self::New => (hunk.new_start, hunk.new_len),
        };
        (
            if len == 0 {
                start
            } else {
                start.saturating_sub(1)
            },
            len,
        )
    }
}

/// Where a hunk lies: how many lines stand before it on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Before the patch.
    pub old: u32,
    /// After it.
    pub new: u32,
}

/// A text after its hunks have been applied.
#[derive(Debug)]
pub(crate) struct Applied {
    pub text: Vec<u8>,
    /// One for each hunk.
    pub places: Vec<Place>,
    /// How far the hunk that moved most lies from where its header says.
    pub offset: i64,
}

/// Replaces what the hunks have on the side `from` by what they have on the
/// other. `budget` is what is left of [`BUDGET`].
///
/// # Errors
/// The index of the first hunk that does not fit.
pub(crate) fn apply(
    text: &[u8],
    hunks: &[Hunk],
    from: Side,
    budget: &Cell<usize>,
) -> Result<Applied, usize> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let mut work = Work {
        lines: &lines,
        done: 0,
        shift: 0,
        budget,
    };
    let mut applied = Applied {
        text: Vec::with_capacity(text.len()),
        places: Vec::new(),
        offset: 0,
    };
    let mut written: u32 = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let (start, len) = from.range(hunk);
        let at = work.find(hunk, from).ok_or(index)?;
        applied.offset = larger(applied.offset, at as i64 - i64::from(start));
        for line in lines.get(work.done..at).unwrap_or_default() {
            applied.text.extend_from_slice(line);
            written = written.saturating_add(1);
        }
        let (here, there) = (u32::try_from(at).unwrap_or(u32::MAX), written);
        applied.places.push(match from {
            Side::Old => Place {
                old: here,
                new: there,
            },
            Side::New => Place {
                old: there,
                new: here,
            },
        });
        written = written.saturating_add(put(hunk, from.other(), &mut applied.text));
        work.done = at.saturating_add(len as usize);
        work.shift = at as i64 - i64::from(start);
    }
    for line in lines.get(work.done..).unwrap_or_default() {
        applied.text.extend_from_slice(line);
    }
    Ok(applied)
}

fn larger(one: i64, other: i64) -> i64 {
    if other.abs() > one.abs() { other } else { one }
}

/// Writes the lines that a hunk has on one side; gives their number.
pub(crate) fn put(hunk: &Hunk, side: Side, text: &mut Vec<u8>) -> u32 {
    let mut count = 0;
    for line in hunk.lines.iter().filter(|line| side.has(line.kind)) {
        text.extend_from_slice(&line.text);
        if !line.no_newline {
            text.push(b'\n');
        }
        count += 1;
    }
    count
}

struct Work<'t> {
    lines: &'t [&'t [u8]],
    /// Lines that earlier hunks have dealt with.
    done: usize,
    /// How far the last hunk lay from where its header says.
    shift: i64,
    budget: &'t Cell<usize>,
}

impl Work<'_> {
    /// How many lines stand before the hunk; `None` if it fits nowhere.
    fn find(&self, hunk: &Hunk, side: Side) -> Option<usize> {
        let lines: Vec<_> = hunk
            .lines
            .iter()
            .filter(|line| side.has(line.kind))
            .collect();
        let last = self.lines.len().checked_sub(lines.len())?;
        let (start, _) = side.range(hunk);
        let expected = i64::from(start).saturating_add(self.shift);
        let expected = usize::try_from(expected.max(0)).unwrap_or(0);
        let fits = |at: usize| {
            lines.iter().enumerate().all(|(index, line)| {
                self.budget.set(self.budget.get().saturating_sub(1));
                let text = self.lines.get(at + index);
                self.budget.get() > 0 && text.is_some_and(|text| is_same(text, line))
            })
        };
        let (first, last) = self.bounds(hunk, start, last)?;
        if lines.is_empty() {
            // Nothing tells a place but the header.
            return (first..=last).contains(&expected).then_some(expected);
        }
        let middle = expected.clamp(first, last);
        if fits(middle) {
            return Some(middle);
        }
        for distance in 1..=last.saturating_sub(first) {
            let places = [middle.checked_sub(distance), middle.checked_add(distance)];
            for at in places.into_iter().flatten() {
                if (first..=last).contains(&at) && fits(at) {
                    return Some(at);
                }
            }
            if self.budget.get() == 0 {
                return None;
            }
        }
        None
    }

    /// The first and the last place where the hunk may lie.
    fn bounds(&self, hunk: &Hunk, start: u32, last: usize) -> Option<(usize, usize)> {
        let context =
            |line: Option<&DiffLine>| line.is_some_and(|line| line.kind == LineKind::Context);
        let (leads, trails) = (context(hunk.lines.first()), context(hunk.lines.last()));
        let (first, last) = if start == 0 && !leads {
            (self.done, 0)
        } else if leads && !trails {
            (self.done.max(last), last)
        } else {
            (self.done, last)
        };
        (first <= last).then_some((first, last))
    }
}

/// Compares a line of a text with one of a hunk, newline and all.
fn is_same(text: &[u8], line: &DiffLine) -> bool {
    match text.strip_suffix(b"\n") {
        Some(text) => !line.no_newline && *text == *line.text,
        None => line.no_newline && *text == *line.text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::diff;
    use super::*;

    fn hunks(text: &str) -> Vec<Hunk> {
        let text = format!("--- a/x\n+++ b/x\n{text}");
        let mut parsed = diff::parse(text.as_bytes(), 1);
        assert!(parsed.is_consistent(), "{:?}", parsed.flaws);
        parsed.changes.remove(0).hunks
    }

    fn forward(text: &str, diff: &str) -> Result<(String, i64), usize> {
        let budget = Cell::new(BUDGET);
        let applied = apply(text.as_bytes(), &hunks(diff), Side::Old, &budget)?;
        let back = apply(&applied.text, &hunks(diff), Side::New, &budget);
        assert_eq!(back.map(|back| back.text).as_deref(), Ok(text.as_bytes()));
        Ok((
            String::from_utf8_lossy(&applied.text).into_owned(),
            applied.offset,
        ))
    }

    const MIDDLE: &str = "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";

    #[test]
    fn hunks_fit_where_they_say_or_nearby() {
        assert_eq!(
            forward("a\nb\nc\nd\n", MIDDLE),
            Ok(("a\nb\nC\nd\n".into(), 0))
        );
        assert_eq!(
            forward("a\n0\n0\nb\nc\nd\n", MIDDLE),
            Ok(("a\n0\n0\nb\nC\nd\n".into(), 2))
        );
        assert_eq!(forward("b\nc\nd\n", MIDDLE), Ok(("b\nC\nd\n".into(), -1)));
        assert_eq!(forward("a\nb\nx\nd\n", MIDDLE), Err(0));
        assert_eq!(forward("", MIDDLE), Err(0));
    }

    #[test]
    fn ends_of_the_file_are_kept_to() {
        let start = "@@ -1,2 +1,3 @@\n+n\n a\n b\n";
        assert_eq!(forward("a\nb\n", start), Ok(("n\na\nb\n".into(), 0)));
        assert_eq!(forward("0\na\nb\n", start), Err(0));
        let end = "@@ -1,2 +1,3 @@\n a\n b\n+n\n";
        assert_eq!(forward("0\na\nb\n", end), Ok(("0\na\nb\nn\n".into(), 1)));
        assert_eq!(forward("a\nb\n0\n", end), Err(0));
    }

    #[test]
    fn a_missing_newline_counts() {
        let diff = "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
        assert_eq!(forward("a", diff), Ok(("a\n".into(), 0)));
        assert_eq!(forward("a\n", diff), Err(0));
        assert_eq!(forward("", "@@ -0,0 +1 @@\n+a\n"), Ok(("a\n".into(), 0)));
        assert_eq!(
            forward("a\nb\n", "@@ -1,0 +2 @@\n+n\n"),
            Ok(("a\nn\nb\n".into(), 0))
        );
    }

    #[test]
    fn a_hunk_that_would_take_forever_fits_nowhere() {
        let text = "x\n".repeat(100_000);
        let lines = " x\n".repeat(50_000);
        let diff = format!("@@ -1,50002 +1,50002 @@\n x\n-y\n+z\n{lines}");
        assert_eq!(forward(&text, &diff), Err(0));
    }
}
