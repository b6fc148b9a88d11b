// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Hunks onto a text, forward or backward.
//!
//! As `git apply` does it (apply_one_fragment() in git's apply.c): a hunk may lie
//! elsewhere than its header says, and the nearest place counts, but all of its lines
//! have to be there (no fuzz). A line that a hunk has shown, be it as context, is none
//! for a later one, and those need not be in order. One that says that it is for line 1
//! belongs to the start of the file, one without context behind it to its end. May not
//! know paths, patches or trees.

use super::patch::{DiffLine, Hunk, LineKind};
use image::{Image, Piece};
use std::cell::Cell;

mod image;

/// What looking for the hunks of one file, in all patches of a series, may cost before
/// they are said to fit nowhere: a line that is compared or moved is one.
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

    /// How many lines stand before the hunk as its header has it, as git counts: an empty
    /// range, too, starts at its line.
    fn position(self, hunk: &Hunk) -> usize {
        let start = match self {
            Self::Old => hunk.old_start,
            Self::New => hunk.new_start,
        };
        start.saturating_sub(1) as usize
    }
}

/// Where a hunk lies: how many lines stand before it on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// Why hunks cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The hunk of this index fits nowhere.
    Hunk(usize),
    /// The hunk of this index leaves a line without a newline amid the file.
    Joined(usize),
    /// To find out takes too long.
    TooLong,
}

/// Replaces what the hunks have on the side `from` by what they have on the
/// other. `budget` is what is left of [`BUDGET`].
///
/// # Errors
/// They do not fit.
pub(crate) fn apply(
    text: &[u8],
    hunks: &[Hunk],
    from: Side,
    budget: &Cell<usize>,
) -> Result<Applied, Unfit> {
    let mut image = Image::of(text, budget);
    let mut starts = Vec::with_capacity(hunks.len());
    let mut offset = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let unfit = |_| Unfit::TooLong;
        let old = Piece::of(hunk, from);
        let wanted = from.other().position(hunk);
        let found = image
            .find(&old, wanted, limits(hunk, from))
            .map_err(unfit)?;
        let at = found.ok_or(Unfit::Hunk(index))?;
        offset = larger(offset, at as i64 - wanted as i64);
        starts.push(image.origin(at));
        let new = Piece::of(hunk, from.other());
        image.replace(at, old.len(), &new).map_err(unfit)?;
    }
    let text = image.text().map_err(Unfit::Joined)?;
    Ok(Applied {
        text,
        places: places(hunks, from, &starts),
        offset,
    })
}

/// Which ends of the text a hunk is bound to: those of which it shows no context.
fn limits(hunk: &Hunk, from: Side) -> image::Ends {
    let start = match from {
        Side::Old => hunk.old_start,
        Side::New => hunk.new_start,
    };
    let trails = hunk
        .lines
        .last()
        .is_some_and(|line| line.kind == LineKind::Context);
    image::Ends {
        start: start <= 1,
        end: !trails,
    }
}

/// Where hunks lie that start at these lines of the text that they were put onto.
fn places(hunks: &[Hunk], from: Side, starts: &[usize]) -> Vec<Place> {
    let mut order: Vec<usize> = (0..hunks.len().min(starts.len())).collect();
    order.sort_by_key(|&index| starts[index]);
    let mut places = vec![Place::default(); order.len()];
    let mut grown: i64 = 0;
    for index in order {
        let (here, there) = (
            from.range(&hunks[index]).1,
            from.other().range(&hunks[index]).1,
        );
        let line = |at: i64| u32::try_from(at.max(0)).unwrap_or(u32::MAX);
        let start = starts[index] as i64;
        let (before, after) = (line(start), line(start + grown));
        places[index] = match from {
            Side::Old => Place {
                old: before,
                new: after,
            },
            Side::New => Place {
                old: after,
                new: before,
            },
        };
        grown += i64::from(there) - i64::from(here);
    }
    places
}

fn larger(one: i64, other: i64) -> i64 {
    if other.abs() > one.abs() { other } else { one }
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

    fn forward(text: &str, diff: &str) -> Result<(String, i64), Unfit> {
        let budget = Cell::new(BUDGET);
        let applied = apply(text.as_bytes(), &hunks(diff), Side::Old, &budget)?;
        let text = String::from_utf8_lossy(&applied.text).into_owned();
        Ok((text, applied.offset))
    }

    /// As [`forward`], of what can be undone.
    fn both_ways(text: &str, diff: &str) -> Result<(String, i64), Unfit> {
        let (after, offset) = forward(text, diff)?;
        let budget = Cell::new(BUDGET);
        let back = apply(after.as_bytes(), &hunks(diff), Side::New, &budget);
        assert_eq!(back.map(|back| back.text).as_deref(), Ok(text.as_bytes()));
        Ok((after, offset))
    }

    const MIDDLE: &str = "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";

    #[test]
    fn hunks_fit_where_they_say_or_nearby() {
        let fits = |text: &str, after: &str, offset: i64| {
            assert_eq!(both_ways(text, MIDDLE), Ok((after.to_owned(), offset)));
        };
        fits("a\nb\nc\nd\n", "a\nb\nC\nd\n", 0);
        fits("a\n0\n0\nb\nc\nd\n", "a\n0\n0\nb\nC\nd\n", 2);
        fits("b\nc\nd\n", "b\nC\nd\n", -1);
        assert_eq!(forward("a\nb\nx\nd\n", MIDDLE), Err(Unfit::Hunk(0)));
        assert_eq!(forward("", MIDDLE), Err(Unfit::Hunk(0)));
    }

    /// What is put onto a text of `lines`, each of them a letter.
    fn letters(lines: &str, diff: &str) -> Result<String, Unfit> {
        let text: String = lines.chars().map(|letter| format!("{letter}\n")).collect();
        let after = forward(&text, diff)?.0;
        Ok(after.replace('\n', ""))
    }

    #[test]
    fn the_new_line_number_says_where_to_look() {
        // The old one, which nobody looks at, says line 2.
        let twin = "@@ -2,2 +6,3 @@\n a\n+n\n b\n";
        assert_eq!(letters("0ab00ab00", twin), Ok("0ab00anb00".into()));
        // Of two that are equally near, the lower one
        let between = "@@ -4,2 +4,3 @@\n a\n+n\n b\n";
        assert_eq!(letters("0ab0ab00", between), Ok("0ab0anb00".into()));
        let nearer = "@@ -2,2 +3,3 @@\n a\n+n\n b\n";
        assert_eq!(letters("0ab00ab00", nearer), Ok("0anb00ab00".into()));
    }

    #[test]
    fn what_a_hunk_has_shown_is_no_place_for_another() {
        let twice = "@@ -2,3 +2,4 @@\n a\n+n\n b\n c\n@@ -3,2 +4,3 @@\n b\n+m\n c\n";
        assert_eq!(letters("0abc00bc0", twice), Ok("0anbc00bmc0".into()));
        assert_eq!(letters("0abc0", twice), Err(Unfit::Hunk(1)));
    }

    #[test]
    fn hunks_need_not_be_in_order() {
        let diff = "@@ -5,2 +5,3 @@\n d\n+m\n e\n@@ -2,2 +2,3 @@\n a\n+n\n b\n";
        assert_eq!(letters("0abcdef", diff), Ok("0anbcdmef".into()));
        let budget = Cell::new(BUDGET);
        let text = b"0\na\nb\nc\nd\ne\nf\n";
        let applied = apply(text, &hunks(diff), Side::Old, &budget).expect("it fits");
        let places = [Place { old: 4, new: 5 }, Place { old: 1, new: 1 }];
        assert_eq!(applied.places, places);
    }

    #[test]
    fn ends_of_the_file_are_kept_to() {
        let start = "@@ -1,2 +1,3 @@\n+n\n a\n b\n";
        assert_eq!(both_ways("a\nb\n", start), Ok(("n\na\nb\n".into(), 0)));
        assert_eq!(letters("0ab", start), Err(Unfit::Hunk(0)));
        let end = "@@ -1,2 +1,3 @@\n a\n b\n+n\n";
        assert_eq!(letters("ab", end), Ok("abn".into()));
        assert_eq!(letters("0ab", end), Err(Unfit::Hunk(0)));
        let end = "@@ -2,2 +2,3 @@\n a\n b\n+n\n";
        assert_eq!(letters("000ab", end), Ok("000abn".into()));
        assert_eq!(letters("0ab0", end), Err(Unfit::Hunk(0)));
        // Line 1 it is with context above, too.
        let first = "@@ -1,2 +1,3 @@\n a\n+n\n b\n";
        assert_eq!(letters("0ab0", first), Err(Unfit::Hunk(0)));
        // Without any context, a hunk lands at the end.
        assert_eq!(letters("abc", "@@ -2,0 +3 @@\n+n\n"), Ok("abcn".into()));
        assert_eq!(letters("abcb", "@@ -2 +1,0 @@\n-b\n"), Ok("abc".into()));
        assert_eq!(letters("ab", "@@ -1,0 +2 @@\n+n\n"), Err(Unfit::Hunk(0)));
    }

    #[test]
    fn a_missing_newline_counts() {
        let diff = "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
        assert_eq!(both_ways("a", diff), Ok(("a\n".into(), 0)));
        assert_eq!(forward("a\n", diff), Err(Unfit::Hunk(0)));
        let new = "@@ -0,0 +1 @@\n+a\n";
        assert_eq!(both_ways("", new), Ok(("a\n".into(), 0)));
        // A line of context may have one that the hunk says it has not.
        let mark = "\\ No newline at end of file\n";
        let cut = format!("@@ -2,2 +2,2 @@\n-b\n+c\n d\n{mark}");
        assert_eq!(forward("a\nb\nd\n", &cut), Ok(("a\nc\nd".into(), 0)));
        assert_eq!(forward("a\nb\nd  \n", &cut), Ok(("a\nc\nd".into(), 0)));
        assert_eq!(forward("a\nb\ne\n", &cut), Err(Unfit::Hunk(0)));
        assert_eq!(forward("a\nb\nd\ne\n", &cut), Err(Unfit::Joined(0)));
    }

    #[test]
    fn a_hunk_that_would_take_forever_fits_nowhere() {
        let text = "x\n".repeat(100_000);
        let lines = " x\n".repeat(50_000);
        let diff = format!("@@ -2,50002 +2,50002 @@\n x\n-y\n+z\n{lines}");
        assert_eq!(forward(&text, &diff), Err(Unfit::Hunk(0)));
        let diff = format!("@@ -2,50002 +2,50002 @@\n{lines}-y\n+z\n x\n");
        assert_eq!(forward(&text, &diff), Err(Unfit::TooLong));
        // Long lines count for more than one.
        let (long, many) = ("x".repeat(100_000), 600);
        let text = format!("{long}\n").repeat(many);
        let line = format!(" {long}\n").repeat(many / 2);
        let diff = format!("@@ -2,302 +2,302 @@\n{line}-y\n+z\n x\n");
        assert_eq!(forward(&text, &diff), Err(Unfit::TooLong));
    }

    #[test]
    fn many_hunks_cost_no_more_than_their_lines() {
        let mut diff = String::new();
        let mut text = String::new();
        for number in 0..20_000 {
            let (line, at) = (format!("{number}\n"), 3 * number + 2);
            diff += &format!("@@ -{at},2 +{at},2 @@\n {line}-y\n+z\n c\n").replace(",2", ",3");
            text += &format!("{line}y\nc\n");
        }
        let text = format!("a\n{text}");
        let budget = Cell::new(BUDGET);
        apply(text.as_bytes(), &hunks(&diff), Side::Old, &budget).expect("it fits");
        assert!(BUDGET - budget.get() < 200_000, "{}", BUDGET - budget.get());
    }
}
