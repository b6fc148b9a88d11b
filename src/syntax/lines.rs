// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Byte offsets into lines and columns.

use std::cell::OnceCell;

/// The starts of a text's lines, found when they are first asked for.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a [u8],
    starts: OnceCell<Vec<u32>>,
}

impl<'a> Lines<'a> {
    /// The lines of `text`.
    pub fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            starts: OnceCell::new(),
        }
    }

    fn starts(&self) -> &[u32] {
        self.starts.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.text);
            std::iter::once(0)
                .chain(newlines.map(|at| at as u32 + 1))
                .collect()
        })
    }

    /// Line of the byte at `offset`, counted from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts().partition_point(|&start| start <= offset) as u32
    }

    /// Column of the byte at `offset`, in bytes, counted from 1.
    pub fn column(&self, offset: u32) -> u32 {
        let line = self.line(offset).max(1) as usize;
        offset - self.starts().get(line - 1).copied().unwrap_or(0) + 1
    }
}
