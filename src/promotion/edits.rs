// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Changes of a text by byte ranges, and the renaming of words.

use crate::syntax::groups::closing;
use crate::syntax::lexer::{is_word_byte, lex};
use memchr::memmem;
use std::ops::Range;

/// Changes of one text. They don't overlap: of two that would, the first stays.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    /// Puts `text` in the place of `range`.
    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<Vec<u8>>) {
        let overlaps = |other: &Range<usize>| range.start < other.end && other.start < range.end;
        if !self.0.iter().any(|(other, _)| overlaps(other)) {
            self.0.push((range, text.into()));
        }
    }

    /// Puts `text` before the byte at `offset`.
    pub(super) fn insert(&mut self, offset: usize, text: impl Into<Vec<u8>>) {
        self.replace(offset..offset, text);
    }

    /// The text with the changes made.
    pub(super) fn apply(mut self, text: &[u8]) -> Vec<u8> {
        // Stable: of several insertions at one place, the first comes first.
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for (range, new) in self.0 {
            out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(&new);
            at = range.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        out
    }
}

/// A tracepoint's old name and its new one, in all words that are made from it:
/// `foo_tp`, `trace_foo_tp_enabled`, `probe_foo_tp`.
#[derive(Debug)]
pub(super) struct Rename<'a> {
    pub(super) old: &'a str,
    pub(super) new: &'a str,
    /// Longer names of other tracepoints that hold the old one.
    pub(super) others: Vec<&'a str>,
}

impl Rename<'_> {
    /// The places of the old name in `text`.
    pub(super) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let found = memmem::find_iter(text, self.old.as_bytes());
        found
            .map(|at| at..at + self.old.len())
            .filter(|range| self.is_meant(text, range))
            .collect()
    }

    /// Renames in a file of C.
    pub(super) fn add_to(&self, edits: &mut Edits, text: &[u8]) {
        for place in self.places(text) {
            edits.replace(place, self.new);
        }
    }

    fn is_meant(&self, text: &[u8], range: &Range<usize>) -> bool {
        let edge = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == b'_' || !is_word_byte(byte));
        let before = range.start.checked_sub(1).and_then(|at| text.get(at));
        if !edge(before) || !edge(text.get(range.end)) {
            return false;
        }
        let word = word_around(text, range);
        !self
            .others
            .iter()
            .any(|other| memmem::find(word, other.as_bytes()).is_some())
    }
}

fn word_around<'t>(text: &'t [u8], range: &Range<usize>) -> &'t [u8] {
    let before = &text[..range.start];
    let start = before.iter().rposition(|&byte| !is_word_byte(byte));
    let after = &text[range.end..];
    let end = after.iter().position(|&byte| !is_word_byte(byte));
    let end = end.map_or(text.len(), |length| range.end + length);
    &text[start.map_or(0, |at| at + 1)..end]
}

/// The line that holds the byte at `offset`, with its end.
pub(super) fn line_around(text: &[u8], offset: usize) -> Range<usize> {
    let before = text.get(..offset).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let after = text.get(offset..).unwrap_or_default();
    let end = memchr::memchr(b'\n', after).map_or(text.len(), |at| offset + at + 1);
    start..end
}

/// The call that starts at `offset`, with its semicolon; and with its lines, where
/// nothing but a comment stands beside it.
pub(super) fn statement_at(text: &[u8], offset: usize) -> Range<usize> {
    let end = end_of_call(text, offset).unwrap_or(offset);
    let first = line_around(text, offset);
    let last = line_around(text, end.saturating_sub(1).max(offset));
    let before = text.get(first.start..offset).unwrap_or_default();
    let behind = text.get(end..last.end).unwrap_or_default().trim_ascii();
    let is_comment = behind.starts_with(b"/*") && behind.ends_with(b"*/")
        || behind.is_empty()
        || behind.starts_with(b"//");
    if before.trim_ascii().is_empty() && is_comment {
        first.start..last.end
    } else {
        offset..end
    }
}

fn end_of_call(text: &[u8], offset: usize) -> Option<usize> {
    let rest = text.get(offset..)?;
    let tokens = lex(rest, true).tokens;
    let close = closing(rest, &tokens, 1)?;
    let last = match tokens.get(close + 1) {
        Some(next) if next.is(b';') => next,
        _ => tokens.get(close)?,
    };
    Some(offset + last.span.end as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_with_their_lines() {
        for (text, left) in [
            ("a;\nEXPORT(x);\nb;\n", "a;\nb;\n"),
            ("a;\n\tEXPORT(\n\t\tx);  /* why */\nb;\n", "a;\nb;\n"),
            ("a; EXPORT(x); b;\n", "a;  b;\n"),
            ("EXPORT(x); EXPORT(y);\n", " EXPORT(y);\n"),
            ("EXPORT(x)", ""),
            ("EXPORT(x", "EXPORT(x"),
        ] {
            let offset = text.find("EXPORT(").expect("a call");
            let mut edits = Edits::default();
            edits.replace(statement_at(text.as_bytes(), offset), "");
            let shown = String::from_utf8(edits.apply(text.as_bytes())).expect("text");
            assert_eq!(shown, left, "{text:?}");
        }
    }

    fn renamed(text: &str) -> String {
        let rename = Rename {
            old: "foo_tp",
            new: "foo",
            others: vec!["foo_tp_more_tp"],
        };
        let mut edits = Edits::default();
        rename.add_to(&mut edits, text.as_bytes());
        String::from_utf8_lossy(&edits.apply(text.as_bytes())).into_owned()
    }

    #[test]
    fn words_that_are_made_from_the_name() {
        assert_eq!(
            renamed(
                "trace_foo_tp(x); trace_foo_tp_enabled(); HOOK(foo_tp) \"foo_tp\" /* foo_tp */"
            ),
            "trace_foo(x); trace_foo_enabled(); HOOK(foo) \"foo\" /* foo */"
        );
        for kept in [
            "trace_xfoo_tp()",
            "foo_tpx",
            "trace_foo_tp_more_tp()",
            "foo",
        ] {
            assert_eq!(renamed(kept), kept);
        }
    }

    #[test]
    fn what_overlaps_stays_out() {
        let mut edits = Edits::default();
        edits.replace(1..3, "X");
        edits.replace(2..4, "Y");
        edits.insert(0, "a");
        edits.insert(0, "b");
        assert_eq!(edits.apply(b"01234"), b"ab0X34");
    }
}
