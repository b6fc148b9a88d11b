// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Byte offsets into lines and columns.

use std::cell::Cell;

/// The lines of a text. Each question costs what lies between its offset and that of
/// the last question: who asks in order reads the text once.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    last: Cell<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    offset: usize,
    /// Counted from 1.
    line: u32,
    /// Offset of the line's first byte.
    start: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `text`.
    pub fn of(text: &'a [u8]) -> Self {
        let last = Cell::new(Place {
            offset: 0,
            line: 1,
            start: 0,
        });
        Self { text, last }
    }

    fn place(&self, offset: u32) -> Place {
        let last = self.last.get();
        let offset = (offset as usize).min(self.text.len());
        let (from, to) = (last.offset.min(offset), last.offset.max(offset));
        let between = self.text.get(from..to).unwrap_or_default();
        let newlines = memchr::memchr_iter(b'\n', between).count() as u32;
        let mut place = Place { offset, ..last };
        if newlines > 0 {
            place.line = if offset > last.offset {
                last.line + newlines
            } else {
                last.line - newlines
            };
            let before = self.text.get(..offset).unwrap_or_default();
            place.start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        }
        self.last.set(place);
        place
    }

    /// Line of the byte at `offset`, counted from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.place(offset).line
    }

    /// Column of the byte at `offset`, in bytes, counted from 1.
    pub fn column(&self, offset: u32) -> u32 {
        offset - self.place(offset).start as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_order() {
        let text = b"ab\n\nc\n";
        let wanted = [
            (1, 1),
            (1, 2),
            (1, 3),
            (2, 1),
            (3, 1),
            (3, 2),
            (4, 1),
            (4, 2),
        ];
        for step in [1, 3, 5, 7] {
            let lines = Lines::of(text);
            for number in 0..64 {
                let offset = number * step % 8;
                let found = (lines.line(offset), lines.column(offset));
                assert_eq!(found, wanted[offset as usize], "{offset}");
            }
        }
    }
}
