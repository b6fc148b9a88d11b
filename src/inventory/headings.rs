// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The comment that speaks of a declaration: the one above it, inside it, or above
//! the group of declarations that it stands in.

use super::allowances::MARK;
use super::facts::At;
use crate::kernel::semantics::Semantics;
use crate::syntax::groups::closing;
use crate::syntax::lexer::{Kind, Token, lex};
use memchr::memmem;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// How many tokens a declaration may have.
const LONGEST: usize = 1 << 14;

/// A file with declarations.
#[derive(Debug)]
pub struct Headings<'a> {
    text: &'a [u8],
    tokens: Vec<Token>,
    /// Where each line starts.
    lines: Vec<u32>,
    /// The offsets of the file's declarations that one comment may head.
    declarations: Vec<u32>,
    /// Those of them whose comments speak of nothing else.
    alone: Vec<u32>,
    /// By whose macros something may stand between them, with comments of its own.
    semantics: Option<&'a Semantics>,
    /// What heads the declarations below a token, where it is known.
    headings: RefCell<BTreeMap<usize, Option<Range<usize>>>>,
}

impl<'a> Headings<'a> {
    /// Lexes a file. `declared` are the places of the declarations that one comment
    /// may head.
    pub fn of(text: &'a [u8], declared: Vec<At>) -> Self {
        let starts = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
        let lines = std::iter::once(0).chain(starts);
        let mut headings = Self {
            text,
            tokens: lex(text, true).tokens,
            lines: lines.map_while(|at| u32::try_from(at).ok()).collect(),
            declarations: Vec::new(),
            alone: Vec::new(),
            semantics: None,
            headings: RefCell::default(),
        };
        headings.declarations = headings.offsets(&declared);
        headings
    }

    /// With declarations whose comments are theirs alone, and head no group.
    pub fn with_alone(mut self, alone: Vec<At>) -> Self {
        self.alone = self.offsets(&alone);
        self
    }

    /// With calls of macros of the tracing core, such as event classes, which end no group.
    pub fn past_macros_of(mut self, semantics: &'a Semantics) -> Self {
        self.semantics = Some(semantics);
        self
    }

    /// In order.
    fn offsets(&self, places: &[At]) -> Vec<u32> {
        let offsets = places.iter().filter_map(|&at| self.offset(at));
        let mut offsets: Vec<u32> = offsets.collect();
        offsets.sort_unstable();
        offsets
    }

    /// A place's offset in this text. That of the place itself is one in the hunk,
    /// where only hunks are known.
    fn offset(&self, at: At) -> Option<u32> {
        let line = self.lines.get(at.line.checked_sub(1)? as usize)?;
        Some(line + at.column.checked_sub(1)?)
    }

    /// The comment above the declaration at `at` or above its group, without its
    /// stars and in one line.
    pub fn above(&self, at: At) -> Option<String> {
        plain(self.text.get(self.gap_above(at)?)?)
    }

    /// What stands between the declaration at `at`, or the group that it stands in,
    /// and the token before: the comment above with the white space around it.
    pub fn gap_above(&self, at: At) -> Option<Range<usize>> {
        let own = self.at(self.offset(at)?)?;
        if plain(self.gap_before(own)).is_some() {
            return Some(self.range_before(own));
        }
        self.heading(self.before(own)?)
    }

    /// The gap with the comment that heads what stands below the declaration, or the
    /// conditional, at `index`. A group is walked through once.
    fn heading(&self, index: usize) -> Option<Range<usize>> {
        let mut passed = Vec::new();
        let mut next = Some(index);
        let mut heading = None;
        while let Some(index) = next {
            if let Some(known) = self.headings.borrow().get(&index) {
                heading = known.clone();
                break;
            }
            if !self.is_alone(index) && plain(self.gap_before(index)).is_some() {
                heading = Some(self.range_before(index));
                break;
            }
            passed.push(index);
            next = self.before(index);
        }
        let passed = passed.into_iter().map(|index| (index, heading.clone()));
        self.headings.borrow_mut().extend(passed);
        heading
    }

    fn is_alone(&self, index: usize) -> bool {
        let start = &self.tokens[index].span.start;
        self.alone.binary_search(start).is_ok() || !self.is_declared(index) && self.is_core(index)
    }

    fn is_declared(&self, index: usize) -> bool {
        let start = &self.tokens[index].span.start;
        self.declarations.binary_search(start).is_ok()
    }

    /// Whether the token is a macro of the tracing core.
    fn is_core(&self, index: usize) -> bool {
        let name = std::str::from_utf8(self.tokens[index].span.of(self.text));
        let semantics = self.semantics.zip(name.ok());
        semantics.is_some_and(|(semantics, name)| semantics.is_core_macro(name))
    }

    /// The first comment inside the declaration at `at`.
    pub fn inside(&self, at: At) -> Option<String> {
        let index = self.at(self.offset(at)?)?;
        let close = closing(self.text, &self.tokens, index + 1)?;
        (index + 1..=close).find_map(|inside| plain(self.gap_before(inside)))
    }

    fn at(&self, offset: u32) -> Option<usize> {
        self.tokens
            .binary_search_by_key(&offset, |token| token.span.start)
            .ok()
    }

    /// What stands between a token and the one before it.
    fn gap_before(&self, index: usize) -> &'a [u8] {
        self.text.get(self.range_before(index)).unwrap_or_default()
    }

    /// The gap before a token, without comments that stand in the line of the token
    /// before: those speak of that one.
    fn range_before(&self, index: usize) -> Range<usize> {
        let end = self.tokens[index].span.start as usize;
        let Some(before) = index.checked_sub(1) else {
            return 0..end;
        };
        let start = self.tokens[before].span.end as usize;
        start + self.text.get(start..end).map_or(0, trailing)..end
    }

    /// The comment behind the declaration at `at`, in the line of its end.
    pub fn behind(&self, at: At) -> Option<String> {
        let index = self.at(self.offset(at)?)?;
        let mut last = closing(self.text, &self.tokens, index + 1)?;
        if self.tokens.get(last + 1).is_some_and(|next| next.is(b';')) {
            last += 1;
        }
        let start = self.tokens[last].span.end as usize;
        let next = self.tokens.get(last + 1);
        let end = next.map_or(self.text.len(), |next| next.span.start as usize);
        let gap = self.text.get(start..end)?;
        let is_last = next.is_none();
        let length = trailing(gap).max(if is_last { gap.len() } else { 0 });
        plain(&gap[..length])
    }

    /// The declaration or the conditional that ends right above the one at `index`.
    fn before(&self, index: usize) -> Option<usize> {
        let mut last = index.checked_sub(1)?;
        if self.tokens[last].kind == Kind::Directive {
            return is_conditional(self.tokens[last].span.of(self.text)).then_some(last);
        }
        if self.tokens[last].is(b';') {
            last = last.checked_sub(1)?;
        }
        let mut depth = 0_usize;
        let open = (0..=last).rev().take(LONGEST).find(|&at| {
            depth += usize::from(self.tokens[at].is(b')'));
            depth -= usize::from(self.tokens[at].is(b'(') && depth > 0);
            depth == 0
        })?;
        let name = open.checked_sub(1)?;
        (self.is_declared(name) || self.is_core(name)).then_some(name)
    }
}

fn is_conditional(directive: &[u8]) -> bool {
    let word = directive
        .strip_prefix(b"#")
        .unwrap_or(directive)
        .trim_ascii_start();
    [&b"if"[..], b"el", b"endif"]
        .iter()
        .any(|start| word.starts_with(start))
}

/// The first comment in a gap, which holds nothing else but white space.
fn comment(gap: &[u8]) -> Option<Range<usize>> {
    let start = memchr::memchr(b'/', gap)?;
    let rest = gap.get(start..)?;
    let length = if rest.starts_with(b"/*") {
        memmem::find(rest, b"*/").map(|at| at + 2)
    } else {
        memchr::memchr(b'\n', rest)
    };
    Some(start..start + length.unwrap_or(rest.len()))
}

/// Length of the comments in a gap's first line, if another line follows.
fn trailing(gap: &[u8]) -> usize {
    let mut length = 0;
    while let Some(next) = comment(&gap[length..]) {
        let line = memchr::memchr(b'\n', &gap[length..]);
        if line.is_some_and(|line| line < next.start) {
            return length;
        }
        length += next.end;
    }
    if memchr::memchr(b'\n', &gap[length..]).is_some() {
        length
    } else {
        0
    }
}

/// The words of the comments in a gap, with single spaces; `None` without any. What
/// allows a finding says nothing of the declaration.
fn plain(gap: &[u8]) -> Option<String> {
    let mut said = Vec::new();
    let mut rest = gap;
    while let Some(next) = comment(rest) {
        let text = &rest[next.clone()];
        let end = memmem::find(text, MARK.as_bytes()).unwrap_or(text.len());
        let text = String::from_utf8_lossy(&text[..end]);
        let words = text
            .split_whitespace()
            .map(|word| word.trim_matches(['*', '/']));
        said.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        rest = &rest[next.end..];
    }
    (!said.is_empty()).then(|| said.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, what: &str) -> At {
        let before = text.split(what).next().unwrap_or_default();
        At {
            line: before.matches('\n').count() as u32 + 1,
            column: before.rsplit('\n').next().unwrap_or_default().len() as u32 + 1,
            offset: 0,
        }
    }

    fn headings<'t>(text: &'t str, names: &[&str]) -> Headings<'t> {
        Headings::of(
            text.as_bytes(),
            names.iter().map(|name| at(text, name)).collect(),
        )
    }

    #[test]
    fn a_comment_heads_a_group() {
        let text = "struct rq;\n/*\n * Of the\n * run queue.\n */\nDECLARE_TRACE(a, f(1));\n\n\
                    #ifdef X\nDECLARE_TRACE(b, f(2))\n#endif\nDECLARE_TRACE(c);";
        let names = ["DECLARE_TRACE(a", "DECLARE_TRACE(b", "DECLARE_TRACE(c"];
        for name in names {
            let comment = headings(text, &names).above(at(text, name));
            assert_eq!(comment.as_deref(), Some("Of the run queue."), "{name}");
        }
    }

    #[test]
    fn a_comment_of_an_event_is_its_own() {
        let text = "/* All. */\nDECLARE_TRACE(a);\n/* b. */\nTRACE_EVENT(b);\nDECLARE_TRACE(c);\n";
        let names = ["DECLARE_TRACE(a", "TRACE_EVENT(b", "DECLARE_TRACE(c"];
        let headings = headings(text, &names).with_alone(vec![at(text, names[1])]);
        let above = |name| headings.above(at(text, name));
        assert_eq!(above(names[2]).as_deref(), Some("All."));
        assert_eq!(above(names[1]).as_deref(), Some("b."));
    }

    #[test]
    fn a_long_group_has_one_heading() {
        let group: String = (0..20_000)
            .map(|at| format!("DECLARE_TRACE(a{at});\n"))
            .collect();
        let group = format!("/* All. */\n{group}");
        let place = |line| At {
            line,
            column: 1,
            offset: 0,
        };
        let all: Vec<At> = (2..20_002).map(place).collect();
        let headings = Headings::of(group.as_bytes(), all.clone());
        for &at in all.iter().rev() {
            assert_eq!(headings.above(at).as_deref(), Some("All."));
        }
    }

    #[test]
    fn a_comment_in_the_line_of_something_speaks_of_that() {
        let names = ["DECLARE_TRACE(a", "DECLARE_TRACE(b"];
        let text = "struct x; /* An x. */ // See y.\nDECLARE_TRACE(a,\n\tf(1)); /* Of a. */\n\
                    /* Of b. */\nDECLARE_TRACE(b); /* Last. */";
        let headings = headings(text, &names);
        assert_eq!(headings.above(at(text, names[0])), None);
        let above = headings.above(at(text, names[1]));
        assert_eq!(above.as_deref(), Some("Of b."));
        let behind = |name| headings.behind(at(text, name));
        assert_eq!(behind(names[0]).as_deref(), Some("Of a."));
        assert_eq!(behind(names[1]).as_deref(), Some("Last."));
    }

    #[test]
    fn an_allowance_says_nothing() {
        let names = ["DECLARE_TRACE(a"];
        let allowed = "/* barepoint: allow(suffix): old name */\nDECLARE_TRACE(a);\n";
        assert_eq!(headings(allowed, &names).above(at(allowed, names[0])), None);
        let both = "/*\n * Of a.\n * barepoint: allow(suffix): old\n */\nDECLARE_TRACE(a);\n";
        let said = headings(both, &names).above(at(both, names[0]));
        assert_eq!(said.as_deref(), Some("Of a."));
    }

    #[test]
    fn anything_else_between_ends_the_group() {
        let names = ["DECLARE_TRACE(a", "DECLARE_TRACE(b"];
        for text in [
            "/* One. */\nDECLARE_TRACE(a);\nstruct rq;\nDECLARE_TRACE(b);\n",
            "/* One. */\nfoo(a);\nDECLARE_TRACE(b);\n",
            "DECLARE_TRACE(b);",
            ")));DECLARE_TRACE(b);",
        ] {
            let comment = headings(text, &names).above(at(text, names[1]));
            assert_eq!(comment, None, "{text}");
        }
    }
}
