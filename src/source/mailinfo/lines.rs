// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The lines of a mail, and the lines of its headers. May not know what a field means.

use super::super::mailsplit::{count_lines, is_space, line_at};

/// The lines of a mail that are still to be read.
pub(super) struct RawLines<'m> {
    text: &'m [u8],
    at: usize,
    /// How many lines have been read.
    read: u32,
}

/// What stands next in a header.
pub(super) enum HeaderLine {
    /// A field, its folded lines joined.
    Field(Vec<u8>),
    /// The line that ends the header, which is empty or no field; without blanks at its
    /// end, and with a newline.
    End(Vec<u8>),
    /// The mail ends with its header.
    Nothing,
}

impl<'m> RawLines<'m> {
    /// git skips what is blank above a mail.
    pub(super) fn of(text: &'m [u8]) -> Self {
        let at = text.iter().take_while(|byte| is_space(**byte)).count();
        let above = text.get(..at).unwrap_or_default();
        Self {
            text,
            at,
            read: count_lines(above),
        }
    }

    /// The next line, with its newline.
    pub(super) fn next(&mut self) -> Option<&'m [u8]> {
        let line = line_at(self.text, self.at);
        if line.is_empty() {
            return None;
        }
        self.at += line.len();
        self.read = self.read.saturating_add(1);
        Some(line)
    }

    /// The line that was read last, counted from 0.
    pub(super) fn number(&self) -> u32 {
        self.read.saturating_sub(1)
    }

    /// The mail from `line` on to its end, which is then read; `None` if `line` is not
    /// what was read last.
    pub(super) fn rest_from(&mut self, line: &[u8]) -> Option<&'m [u8]> {
        let rest = self.text.get(self.at.checked_sub(line.len())?..)?;
        let rest = rest.starts_with(line).then_some(rest)?;
        self.at = self.text.len();
        Some(rest)
    }

    /// Reads a field, or the line that ends the header.
    pub(super) fn header_line(&mut self) -> HeaderLine {
        let Some(line) = self.next() else {
            return HeaderLine::Nothing;
        };
        let mut line = trimmed_end(line).to_vec();
        if !is_field(&line) {
            line.push(b'\n');
            return HeaderLine::End(line);
        }
        while let Some(b' ' | b'\t') = self.text.get(self.at) {
            let folded = self.next().unwrap_or_default();
            let rest = trimmed_end(folded.get(1..).unwrap_or_default());
            if !rest.is_empty() {
                line.push(b' ');
                line.extend_from_slice(rest);
            }
        }
        HeaderLine::Field(line)
    }
}

/// Whether a line can stand in a header (RFC 5322, 3.6.8), or begins as a mailbox's mails do.
fn is_field(line: &[u8]) -> bool {
    let name = |byte: &&u8| matches!(byte, 33..=57 | 59..=126);
    let end = line.iter().take_while(name).count();
    line.starts_with(b"From ") || line.starts_with(b">From ") || line.get(end) == Some(&b':')
}

/// The text without the white space at its end.
pub(super) fn trimmed_end(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|byte| !is_space(*byte));
    text.get(..kept.map_or(0, |last| last + 1))
        .unwrap_or_default()
}

/// The text without the white space at both ends.
pub(super) fn trimmed(text: &[u8]) -> &[u8] {
    let blank = text.iter().take_while(|byte| is_space(**byte)).count();
    trimmed_end(text.get(blank..).unwrap_or_default())
}

/// What a C string would hold of it.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}
