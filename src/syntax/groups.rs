// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Balanced groups of tokens and the arguments inside them.
//!
//! Branches of an `#if` inside a group are alternatives: each starts at the
//! depth at which the `#if` stood, as in the argument list of `sched_switch`.
//! It may not know what is called.

use super::lexer::{Kind, Token};
use std::ops::Range;

/// How a directive moves between the branches of a conditional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// `#if`, `#ifdef`, `#ifndef`.
    Open,
    /// `#else`, `#elif`, `#elifdef`, `#elifndef`.
    Next,
    /// `#endif`.
    Close,
}

impl Branch {
    /// Reads the keyword of the directive `text`, `#` included.
    pub fn of(text: &[u8]) -> Option<Self> {
        let sign = text.strip_prefix(b"#").or(text.strip_prefix(b"%:"));
        let keyword = sign?.trim_ascii_start();
        if keyword.starts_with(b"if") {
            Some(Self::Open)
        } else if keyword.starts_with(b"el") {
            Some(Self::Next)
        } else if keyword.starts_with(b"endif") {
            Some(Self::Close)
        } else {
            None
        }
    }
}

/// Depth at which branches opened, to be taken up again by each alternative.
#[derive(Debug, Default)]
pub(super) struct Depths {
    depth: usize,
    saved: Vec<usize>,
}

impl Depths {
    /// How many groups are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether a conditional is open.
    pub(super) fn is_inside(&self) -> bool {
        !self.saved.is_empty()
    }

    /// Moves past a token that is no directive.
    pub(super) fn token(&mut self, token: &Token) {
        if opens(token) {
            self.depth += 1;
        } else if closes(token) {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// Moves past a directive.
    pub(super) fn directive(&mut self, text: &[u8]) {
        match Branch::of(text) {
            Some(Branch::Open) => self.saved.push(self.depth),
            Some(Branch::Next) => self.depth = self.saved.last().copied().unwrap_or(self.depth),
            Some(Branch::Close) => drop(self.saved.pop()),
            None => {}
        }
    }
}

fn opens(token: &Token) -> bool {
    matches!(token.kind, Kind::Punctuator(b'(' | b'[' | b'{'))
}

fn closes(token: &Token) -> bool {
    matches!(token.kind, Kind::Punctuator(b')' | b']' | b'}'))
}

/// Index of the token that closes the group which `tokens[open]` opens.
pub fn closing(text: &[u8], tokens: &[Token], open: usize) -> Option<usize> {
    closing_within(text, tokens, open, tokens.len())
}

/// As [`closing`], looking no further than `distance` tokens ahead.
pub fn closing_within(
    text: &[u8],
    tokens: &[Token],
    open: usize,
    distance: usize,
) -> Option<usize> {
    let mut depths = Depths::default();
    for (index, token) in tokens.iter().enumerate().skip(open).take(distance) {
        if token.kind == Kind::Directive {
            depths.directive(token.span.of(text));
            continue;
        }
        depths.token(token);
        if depths.depth == 0 && closes(token) {
            return Some(index);
        }
    }
    None
}

/// The token ranges between the commas of the group `open..=close`, directives
/// left in. An empty group has no arguments.
pub fn arguments(text: &[u8], tokens: &[Token], open: usize, close: usize) -> Vec<Range<usize>> {
    items(text, tokens, open + 1..close)
}

/// The token ranges between the commas of `range`.
pub fn items(text: &[u8], tokens: &[Token], range: Range<usize>) -> Vec<Range<usize>> {
    let mut depths = Depths::default();
    let mut ranges = Vec::new();
    let Range { mut start, end } = range;
    let inside = tokens.iter().enumerate().take(end).skip(start);
    for (index, token) in inside {
        if token.kind == Kind::Directive {
            depths.directive(token.span.of(text));
            continue;
        }
        depths.token(token);
        if depths.depth == 0 && token.is(b',') {
            ranges.push(start..index);
            start = index + 1;
        }
    }
    if !ranges.is_empty() || start < end {
        ranges.push(start..end);
    }
    ranges
}

/// The text of `tokens`, with single spaces where the source has any space, and
/// without directives.
pub fn joined(text: &[u8], tokens: &[Token]) -> String {
    let mut out = Vec::new();
    let mut end = None;
    for token in tokens.iter().filter(|token| token.kind != Kind::Directive) {
        if end.is_some_and(|end| end < token.span.start) {
            out.push(b' ');
        }
        out.extend_from_slice(token.span.of(text));
        end = Some(token.span.end);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text of a parameter, such as `struct rq *rq`, in the kernel's own spacing
/// whatever the spacing of the source or of a macro's expansion.
pub fn parameter(text: &[u8], tokens: &[Token]) -> String {
    let mut out = Vec::new();
    let mut rest = tokens
        .iter()
        .filter(|token| token.kind != Kind::Directive)
        .peekable();
    while let Some(token) = rest.next() {
        out.extend_from_slice(token.span.of(text));
        let Some(next) = rest.peek() else {
            break;
        };
        let after_word = token.is_word() && (next.is_word() || next.is(b'*'));
        let before_pointer = token.is_word() && next.is(b'(') && {
            let mut ahead = rest.clone();
            ahead.nth(1).is_some_and(|token| token.is(b'*'))
        };
        if after_word || before_pointer || token.is(b',') {
            out.push(b' ');
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn split(text: &str) -> Option<Vec<String>> {
        let text = text.as_bytes();
        let tokens = lex(text, true).tokens;
        let open = tokens.iter().position(|token| token.is(b'('))?;
        let close = closing(text, &tokens, open)?;
        Some(
            arguments(text, &tokens, open, close)
                .into_iter()
                .map(|range| joined(text, &tokens[range]))
                .collect(),
        )
    }

    #[test]
    fn parameters_are_spaced_as_the_kernel_spaces_them() {
        for (source, expected) in [
            ("struct  rq * rq", "struct rq *rq"),
            ("const char*const *  v", "const char *const *v"),
            ("int ( * fun ) ( unsigned int )", "int (*fun)(unsigned int)"),
            ("u8 a [ N ]", "u8 a[N]"),
            ("int f(int,long)", "int f(int, long)"),
            ("void", "void"),
        ] {
            let text = source.as_bytes();
            assert_eq!(parameter(text, &lex(text, true).tokens), expected);
        }
    }

    #[test]
    fn arguments_are_split_at_their_own_commas() {
        assert_eq!(
            split("f(a, g(b,  c), { d, e })").unwrap_or_default(),
            ["a", "g(b, c)", "{ d, e }"]
        );
        assert_eq!(split("f()").unwrap_or_default(), [""; 0]);
        assert_eq!(split("f(,)").unwrap_or_default(), ["", ""]);
        assert_eq!(split("f(a"), None);
    }

    #[test]
    fn branches_are_alternatives() {
        let text = "f(a,\n#ifdef X\n g(b\n#else\n g(c\n#endif\n ), d)";
        assert_eq!(split(text).unwrap_or_default(), ["a", "g(b g(c )", "d"]);
    }
}
