// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Byte offsets into lines and columns.

/// The starts of a text's lines.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    /// Finds the lines of `text`.
    pub fn of(text: &[u8]) -> Self {
        let starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text).map(|at| at as u32 + 1))
            .collect();
        Self { starts }
    }

    /// Line of the byte at `offset`, counted from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// Column of the byte at `offset`, in bytes, counted from 1.
    pub fn column(&self, offset: u32) -> u32 {
        let line = self.line(offset).max(1) as usize;
        offset - self.starts[line - 1] + 1
    }
}
