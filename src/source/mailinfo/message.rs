// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The message above a patch: the fields at the top of the body, the text, and the line
//! that ends it. May not know how the text was encoded.

use std::borrow::Cow;
use std::mem;

use super::content::Content;
use super::fields::{Fields, Repeated};
use super::lines::trimmed_end;
use super::{Decoding, charset};
use crate::source::mailsplit::is_space;

/// The message as far as it has been read.
#[derive(Debug)]
pub(super) struct Message {
    /// Fields may still come.
    is_in_header: bool,
    /// A field that may go on.
    field: Vec<u8>,
    pub fields: Fields,
    pub text: Vec<u8>,
    /// A line could begin a diff to other readers than git.
    pub has_odd_start: bool,
    decoding: Decoding,
}

impl Message {
    pub(super) fn new(decoding: Decoding) -> Self {
        Self {
            is_in_header: true,
            field: Vec::new(),
            fields: Fields::default(),
            text: Vec::new(),
            has_odd_start: false,
            decoding,
        }
    }

    /// Takes a line; gives it back, in UTF-8, if the patch begins with it.
    pub(super) fn line<'l>(
        &mut self,
        line: &'l [u8],
        charset: &[u8],
    ) -> Result<Option<Cow<'l, [u8]>>, String> {
        if self.is_in_header {
            if matches!(line, [] | [b'\n']) {
                if !self.field.is_empty() {
                    self.end_field()?;
                    self.is_in_header = false;
                }
                return Ok(None);
            }
            self.is_in_header = self.take_field(line)?;
            if self.is_in_header {
                return Ok(None);
            }
        }
        let line = match self.decoding {
            Decoding::ByHeader => charset::to_utf8(line, charset)?,
            Decoding::Never => line.into(),
        };
        let is_odd = line.starts_with(b"--- ");
        if begins_patch(&line) || is_odd && self.decoding == Decoding::Never {
            return Ok(Some(line));
        }
        self.has_odd_start |= is_odd;
        self.text.extend_from_slice(&line);
        Ok(None)
    }

    /// Whether the line is part of the fields at the top of the body.
    fn take_field(&mut self, line: &[u8]) -> Result<bool, String> {
        if !self.field.is_empty() && matches!(line.first(), Some(b' ' | b'\t')) {
            if self.field.ends_with(b"\n") {
                self.field.pop();
            }
            self.field.extend_from_slice(line);
            return Ok(true);
        }
        self.end_field()?;
        let is_after = |prefix: &[u8]| {
            let rest = line.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.first().is_some_and(|byte| is_space(*byte)))
        };
        if is_after(b">From") {
            return Ok(is_separator(line.get(1..).unwrap_or_default()));
        }
        if is_after(b"[PATCH]") {
            self.fields.subject = Some(line.to_vec());
            return Ok(true);
        }
        let is_field = self.fields.wants(line);
        if is_field {
            self.field.extend_from_slice(line);
        }
        Ok(is_field)
    }

    /// The field cannot go on.
    pub(super) fn end_field(&mut self) -> Result<(), String> {
        let field = mem::take(&mut self.field);
        // What is said there of the encoding is text.
        let mut ignored = Content::default();
        self.fields
            .take(&field, Repeated::First, &mut ignored, self.decoding)
    }
}

/// The first line of what `git format-patch` writes, and nothing else.
fn is_separator(line: &[u8]) -> bool {
    let is_id = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    line.strip_prefix(b"From ")
        .and_then(|rest| rest.split_at_checked(40))
        .is_some_and(|(id, rest)| id.iter().all(is_id) && rest == b" Mon Sep 17 00:00:00 2001\n")
}

/// Whether git takes the line for the first one of a patch.
fn begins_patch(line: &[u8]) -> bool {
    if line.starts_with(b"diff -") || line.starts_with(b"Index: ") {
        return true;
    }
    let Some(rest) = line.strip_prefix(b"---") else {
        return false;
    };
    let names = |rest: &[u8]| rest.first().is_none_or(|byte| !is_space(*byte));
    // `--- ` and a name, or nothing but blanks.
    rest.strip_prefix(b" ").is_some_and(names)
        || rest
            .iter()
            .find(|byte| !is_space(**byte) || **byte == b'\n')
            == Some(&b'\n')
}

/// A text as `git stripspace` leaves it: no blanks at the ends of lines, no empty lines at
/// either end, and no two in a row.
pub(super) fn without_excess(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut is_apart = false;
    for line in text.split(|byte| *byte == b'\n').map(trimmed_end) {
        if line.is_empty() {
            is_apart = !kept.is_empty();
            continue;
        }
        if is_apart {
            kept.push(b'\n');
        }
        is_apart = false;
        kept.extend_from_slice(line);
        kept.push(b'\n');
    }
    kept.pop();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_patch_begins() {
        for line in [
            "diff -u a b\n",
            "diff --git a/x b/x\n",
            "Index: x\n",
            "--- a/x\n",
            "--- \"a b\"\n",
            "---\n",
            "--- \t \n",
            "---\t\n",
            "--- ",
        ] {
            assert!(begins_patch(line.as_bytes()), "{line:?}");
        }
        for line in [
            "diff x\n",
            " diff -u\n",
            "index: x\n",
            "---  x\n",
            "--- \tx\n",
            "---x\n",
            "----\n",
            "-- \n",
            "--",
            "---",
            "@@ -1 +1 @@\n",
            "",
        ] {
            assert!(!begins_patch(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn texts_are_stripped() {
        assert_eq!(without_excess(b"\n \na \n\n\t\nb\n  c\n\n"), b"a\n\nb\n  c");
        assert_eq!(without_excess(b"\n\n"), b"");
    }
}
