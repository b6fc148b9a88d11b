// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A text as lines, while hunks are put onto it one after the other (`struct image` in
//! git's apply.c). May not know hunks, but for the lines of one side.

use super::super::patch::{DiffLine, Hunk};
use super::Side;
use std::cell::Cell;

/// Bytes that cost as much to compare as a line does.
const BYTES: usize = 64;

/// A line of the text.
#[derive(Clone, Copy)]
struct Slot<'t> {
    line: Line<'t>,
    /// Which line of the text it was; `None` if a hunk has put it there.
    origin: Option<usize>,
    /// The hunk that has put it there.
    hunk: usize,
}

/// The bytes of a line, with its newline in a part of its own: a hunk's line has none.
#[derive(Clone, Copy)]
struct Line<'t> {
    text: &'t [u8],
    newline: bool,
    hash: u32,
}

impl<'t> Line<'t> {
    fn of(text: &'t [u8], newline: bool) -> Self {
        let hash = hash(text);
        Self {
            text,
            newline,
            hash,
        }
    }

    fn len(&self) -> usize {
        self.text.len() + usize::from(self.newline)
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let end: &[u8] = if self.newline { b"\n" } else { b"" };
        self.text.iter().chain(end).copied()
    }

    fn is(&self, other: &Line<'_>) -> bool {
        self.newline == other.newline && self.text == other.text
    }
}

/// What git compares of a line first, in which white space does not count.
fn hash(line: &[u8]) -> u32 {
    let seen = line.iter().filter(|byte| {
        // The newline is white space, too.
        !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
    });
    let hash = seen.fold(0_u32, |hash, &byte| {
        hash.wrapping_mul(3).wrapping_add(u32::from(byte))
    });
    hash & 0x00ff_ffff
}

/// The lines that a hunk has on one side.
pub(super) struct Piece<'h> {
    lines: Vec<Line<'h>>,
    size: usize,
}

impl<'h> Piece<'h> {
    pub(super) fn of(hunk: &'h Hunk, side: Side) -> Self {
        let own = hunk.lines.iter().filter(|line| side.has(line.kind));
        let lines: Vec<Line<'h>> = own
            .map(|line: &DiffLine| Line::of(&line.text, !line.no_newline))
            .collect();
        Self {
            size: lines.iter().map(Line::len).sum(),
            lines,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

/// Which ends of the text a piece has to lie at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub start: bool,
    pub end: bool,
}

/// The budget is used up.
#[derive(Debug)]
pub(super) struct TooLong;

/// The lines as they are now. They are kept in two parts, those above the place where
/// something was replaced last and, upside down, those below it: what comes next is
/// mostly near, and then nothing has to be moved.
pub(super) struct Image<'t, 'b> {
    above: Vec<Slot<'t>>,
    below: Vec<Slot<'t>>,
    /// How many lines the text had.
    lines: usize,
    replaced: usize,
    budget: &'b Cell<usize>,
}

impl<'t, 'b> Image<'t, 'b> {
    pub(super) fn of(text: &'t [u8], budget: &'b Cell<usize>) -> Self {
        let split = text.split_inclusive(|&byte| byte == b'\n');
        let slots = split.enumerate().map(|(number, line)| Slot {
            line: match line.strip_suffix(b"\n") {
                Some(text) => Line::of(text, true),
                None => Line::of(line, false),
            },
            origin: Some(number),
            hunk: 0,
        });
        let mut below: Vec<Slot<'t>> = slots.collect();
        below.reverse();
        Self {
            above: Vec::new(),
            lines: below.len(),
            below,
            replaced: 0,
            budget,
        }
    }

    fn len(&self) -> usize {
        self.above.len() + self.below.len()
    }

    fn get(&self, at: usize) -> Option<&Slot<'t>> {
        match at.checked_sub(self.above.len()) {
            None => self.above.get(at),
            Some(down) => self.below.get(self.below.len().checked_sub(down + 1)?),
        }
    }

    fn spend(&self, cost: usize) -> Result<(), TooLong> {
        let left = self.budget.get().checked_sub(cost);
        self.budget.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(TooLong)
    }

    /// Where the piece lies: how many lines stand above it, of all places the nearest to
    /// `wanted`, the lower one of two; `None` if it lies nowhere.
    pub(super) fn find(
        &self,
        piece: &Piece<'_>,
        wanted: usize,
        ends: Ends,
    ) -> Result<Option<usize>, TooLong> {
        let Some(last) = self.len().checked_sub(piece.len()) else {
            return Ok(None);
        };
        if ends.start || ends.end {
            let at = if ends.start { 0 } else { last };
            let is_there = (!ends.end || at == last) && self.has(piece, at, ends)?;
            return Ok(is_there.then_some(at));
        }
        let wanted = wanted.min(self.len());
        if wanted <= last && self.has(piece, wanted, ends)? {
            return Ok(Some(wanted));
        }
        for distance in 1..=wanted.max(last.saturating_sub(wanted)) {
            let down = wanted.checked_add(distance).filter(|at| *at <= last);
            let up = wanted.checked_sub(distance).filter(|at| *at <= last);
            self.spend(1)?;
            for at in [down, up].into_iter().flatten() {
                if self.has(piece, at, ends)? {
                    return Ok(Some(at));
                }
            }
        }
        Ok(None)
    }

    /// Whether the piece lies at `at` (match_fragment() in apply.c).
    fn has(&self, piece: &Piece<'_>, at: usize, ends: Ends) -> Result<bool, TooLong> {
        let mut is_same = true;
        for (line, number) in piece.lines.iter().zip(at..) {
            self.spend(1)?;
            let Some(slot) = self.get(number) else {
                return Ok(false);
            };
            if slot.origin.is_none() || slot.line.hash != line.hash {
                return Ok(false);
            }
            if is_same {
                self.spend(line.len() / BYTES)?;
                is_same = slot.line.is(line);
            }
        }
        if is_same {
            return Ok(true);
        }
        self.has_bytes(piece, at, ends)
    }

    /// Whether the bytes of the piece are those at `at`, however they are cut into lines:
    /// what lacks a newline in the piece may have one here.
    fn has_bytes(&self, piece: &Piece<'_>, at: usize, ends: Ends) -> Result<bool, TooLong> {
        self.spend(piece.size / BYTES)?;
        let own = (at..).map_while(|number| self.get(number));
        let mut own = own.flat_map(|slot| slot.line.bytes());
        let mut wanted = piece.lines.iter().flat_map(Line::bytes);
        let fits = wanted.all(|byte| own.next() == Some(byte));
        Ok(fits && (!ends.end || own.next().is_none()))
    }

    /// Which line of the text stands at `at`, or would.
    pub(super) fn origin(&self, at: usize) -> usize {
        let slot = self.get(at);
        slot.and_then(|slot| slot.origin).unwrap_or(self.lines)
    }

    /// Puts `new` in the place of the `count` lines at `at`.
    pub(super) fn replace(
        &mut self,
        at: usize,
        count: usize,
        new: &Piece<'t>,
    ) -> Result<(), TooLong> {
        while self.above.len() > at {
            self.spend(1)?;
            self.below.extend(self.above.pop());
        }
        let moved = at.saturating_sub(self.above.len());
        self.spend(moved / BYTES)?;
        let start = self.below.len().saturating_sub(moved);
        self.above.extend(self.below.drain(start..).rev());
        self.below.truncate(self.below.len().saturating_sub(count));
        let hunk = self.replaced;
        self.above.extend(new.lines.iter().map(|line| Slot {
            line: *line,
            origin: None,
            hunk,
        }));
        self.replaced += 1;
        Ok(())
    }

    /// The text as it is now.
    ///
    /// # Errors
    /// A hunk, by its number, has put a line without a newline above others.
    pub(super) fn text(&self) -> Result<Vec<u8>, usize> {
        let slots = || self.above.iter().chain(self.below.iter().rev());
        let mut text = Vec::with_capacity(slots().map(|slot| slot.line.len()).sum());
        let mut open = None;
        for slot in slots() {
            if let Some(hunk) = open {
                return Err(hunk);
            }
            text.extend_from_slice(slot.line.text);
            if slot.line.newline {
                text.push(b'\n');
            } else {
                open = Some(slot.hunk);
            }
        }
        Ok(text)
    }
}
