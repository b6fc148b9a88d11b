// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Reads of an ELF file that cost no more than a real one does, whatever it says of
//! itself: how far is looked for the end of a name, and how much is kept of a file.

use object::read::{ReadCache, ReadRef};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::{Read, Seek};
use std::ops::Range;

/// The most bytes that are kept of a file: more than twice the headers, symbols and tables
/// of a kernel with everything built in.
pub(super) const MOST: u64 = 160 << 20;
/// What it takes to keep a piece, beside its bytes.
const PIECE: u64 = 64;
/// The longest name that is looked for.
const LONGEST_NAME: u64 = 4096;

/// A file in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole<'data>(pub(super) &'data [u8]);

impl<'data> ReadRef<'data> for Whole<'data> {
    fn len(self) -> Result<u64, ()> {
        ReadRef::len(self.0)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        self.0.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let end = range.end.min(range.start.saturating_add(LONGEST_NAME));
        self.0.read_bytes_at_until(range.start..end, delimiter)
    }
}

/// A file of which only what is asked for is read, once, and kept.
pub(super) struct Kept<F: Read + Seek> {
    file: ReadCache<F>,
    pieces: RefCell<HashSet<(u64, u64)>>,
    left: Cell<u64>,
    is_full: Cell<bool>,
}

impl<F: Read + Seek> Kept<F> {
    pub(super) fn new(file: F) -> Self {
        Self {
            file: ReadCache::new(file),
            pieces: RefCell::default(),
            left: Cell::new(MOST),
            is_full: Cell::new(false),
        }
    }

    /// Whether more was asked for than is kept. From then on nothing is read, and what
    /// was is not all.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.get()
    }

    fn keep(&self, bytes: u64) -> Result<(), ()> {
        let left = self.left.get().checked_sub(bytes);
        self.is_full.set(self.is_full() || left.is_none());
        self.left.set(left.unwrap_or_default());
        if self.is_full() { Err(()) } else { Ok(()) }
    }

    fn is_new(&self, piece: (u64, u64)) -> bool {
        self.pieces.borrow_mut().insert(piece)
    }
}

impl<'data, F: Read + Seek> ReadRef<'data> for &'data Kept<F> {
    fn len(self) -> Result<u64, ()> {
        (&self.file).len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        // What is not there costs nothing.
        let end = offset.checked_add(size).ok_or(())?;
        let is_new = end <= self.len()? && self.is_new((offset, size));
        self.keep(if is_new {
            size.saturating_add(PIECE)
        } else {
            0
        })?;
        (&self.file).read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let end = range.end.min(range.start.saturating_add(LONGEST_NAME));
        // No piece is of this size.
        let is_new = self.is_new((range.start, u64::MAX));
        self.keep(if is_new { PIECE } else { 0 })?;
        let name = (&self.file).read_bytes_at_until(range.start..end, delimiter)?;
        self.keep(if is_new { name.len() as u64 } else { 0 })?;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn no_more_is_kept_than_may_be() {
        let kept = Kept::new(Cursor::new(vec![0; 1 << 20]));
        let all = kept.len().expect("a length");
        // The same again costs nothing, and neither does what is not there.
        for _ in 0..2 * MOST / all {
            assert!((&kept).read_bytes_at(0, all).is_ok());
            assert!((&kept).read_bytes_at(1, all).is_err());
        }
        assert!(!kept.is_full());
        kept.left.set(all);
        assert!((&kept).read_bytes_at(1, all - 1).is_err() && kept.is_full());
        assert!((&kept).read_bytes_at(1, all - 1).is_err());
    }

    #[test]
    fn no_name_is_looked_for_far() {
        let mut text = vec![b'a'; 10_000];
        text[9_000] = 0;
        let kept = Kept::new(Cursor::new(text.clone()));
        for (start, length) in [(8_000, Some(1_000)), (0, None), (9_001, None)] {
            let name = (&kept).read_bytes_at_until(start..10_000, 0);
            assert_eq!(name.ok().map(<[u8]>::len), length);
            let name = Whole(&text).read_bytes_at_until(start..10_000, 0);
            assert_eq!(name.ok().map(<[u8]>::len), length);
        }
    }
}
