// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Preprocessor directives taken apart.
//!
//! Works on the text of one directive token. It may not know which macros
//! matter.

use super::lexer::{Span, is_word_byte, spliced};
use memchr::memmem;

/// A directive; the slices point into its text.
#[derive(Clone, Debug, PartialEq)]
pub enum Directive<'a> {
    /// `#define`.
    Define(Define<'a>),
    /// `#undef` of this name.
    Undef(&'a [u8]),
    /// `#if` with its expression.
    If(&'a [u8]),
    /// `#ifdef` with its name.
    Ifdef(&'a [u8]),
    /// `#ifndef` with its name.
    Ifndef(&'a [u8]),
    /// `#elif` with its expression.
    Elif(&'a [u8]),
    /// `#elifdef` with its name.
    Elifdef(&'a [u8]),
    /// `#elifndef` with its name.
    Elifndef(&'a [u8]),
    /// `#else`.
    Else,
    /// `#endif`.
    Endif,
    /// `#include`.
    Include(IncludeTarget<'a>),
    /// Anything else.
    Other,
}

/// A `#define`.
#[derive(Clone, Debug, PartialEq)]
pub struct Define<'a> {
    /// The macro's name.
    pub name: &'a [u8],
    /// The parameters of a function-like macro. A variadic one ends with
    /// `...` or, as GNU C has it, `args...`.
    pub parameters: Option<Vec<&'a [u8]>>,
    /// The body, as a span of the directive's text.
    pub body: Span,
}

/// What an `#include` names.
#[derive(Clone, Debug, PartialEq)]
pub enum IncludeTarget<'a> {
    /// `"path"`.
    Quoted(&'a [u8]),
    /// `<path>`.
    Angled(&'a [u8]),
    /// Something to be expanded, such as `TRACE_INCLUDE(TRACE_INCLUDE_FILE)`.
    Macro(&'a [u8]),
}

impl<'a> Directive<'a> {
    /// Takes the directive `text` apart, which starts with its `#`.
    pub fn parse(text: &'a [u8]) -> Self {
        let (keyword, rest) = keyword(text);
        match keyword {
            b"define" => define(text, rest).map_or(Self::Other, Self::Define),
            b"undef" => Self::Undef(first_word(text, rest)),
            b"if" => Self::If(expression(text, rest)),
            b"ifdef" => Self::Ifdef(first_word(text, rest)),
            b"ifndef" => Self::Ifndef(first_word(text, rest)),
            b"elif" => Self::Elif(expression(text, rest)),
            b"elifdef" => Self::Elifdef(first_word(text, rest)),
            b"elifndef" => Self::Elifndef(first_word(text, rest)),
            b"else" => Self::Else,
            b"endif" => Self::Endif,
            b"include" | b"include_next" => Self::Include(include(text, rest)),
            _ => Self::Other,
        }
    }
}

/// The keyword and the offset past it.
fn keyword(text: &[u8]) -> (&[u8], usize) {
    let sign = if text.starts_with(b"%:") { 2 } else { 1 };
    let start = past_space(text, sign).min(text.len());
    let length = text[start..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .unwrap_or(text.len() - start);
    (&text[start..start + length], start + length)
}

/// Offset of the first byte from `from` on that is neither space nor comment.
fn past_space(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        if byte.is_ascii_whitespace() {
            at += 1;
        } else if spliced(rest) > 0 {
            at += spliced(rest);
        } else if rest.starts_with(b"/*") {
            at += memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
        } else {
            break;
        }
    }
    at
}

/// The word at `from` and the offset past it; empty if there is none.
fn word(text: &[u8], from: usize) -> (&[u8], usize) {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|&byte| !is_word_byte(byte))
        .unwrap_or(rest.len());
    (&rest[..length], from + length)
}

fn first_word(text: &[u8], from: usize) -> &[u8] {
    word(text, past_space(text, from)).0
}

fn expression(text: &[u8], from: usize) -> &[u8] {
    text[from..].trim_ascii()
}

fn include(text: &[u8], from: usize) -> IncludeTarget<'_> {
    let rest = expression(text, from);
    let between = |close: u8| {
        let end = memchr::memchr(close, &rest[1..])?;
        Some(&rest[1..=end])
    };
    match rest.first() {
        Some(b'"') => between(b'"').map_or(IncludeTarget::Macro(rest), IncludeTarget::Quoted),
        Some(b'<') => between(b'>').map_or(IncludeTarget::Macro(rest), IncludeTarget::Angled),
        _ => IncludeTarget::Macro(rest),
    }
}

fn define(text: &[u8], from: usize) -> Option<Define<'_>> {
    let (name, past) = word(text, past_space(text, from));
    if name.is_empty() {
        return None;
    }
    // Only a parenthesis that touches the name opens parameters.
    let (parameters, body_start) = if text.get(past) == Some(&b'(') {
        let close = past + memchr::memchr(b')', &text[past..])?;
        (Some(parameters(&text[past + 1..close])), close + 1)
    } else {
        (None, past)
    };
    Some(Define {
        name,
        parameters,
        body: Span {
            start: body_start as u32,
            end: text.len() as u32,
        },
    })
}

/// The parameters between the parentheses, without space and comments.
fn parameters(list: &[u8]) -> Vec<&[u8]> {
    list.split(|&byte| byte == b',')
        .map(|part| {
            let part = part.get(past_space(part, 0)..).unwrap_or_default();
            let end = memmem::find(part, b"/*").unwrap_or(part.len());
            let part = part[..end].trim_ascii_end();
            part.strip_suffix(b"\\")
                .map_or(part, <[u8]>::trim_ascii_end)
        })
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defines() {
        let text = b"# define X(a, b...) a \\\n  ## b";
        let Directive::Define(define) = Directive::parse(text) else {
            panic!("no define")
        };
        assert_eq!(define.name, b"X");
        assert_eq!(define.parameters, Some(vec![&b"a"[..], &b"b..."[..]]));
        assert_eq!(define.body.of(text), b" a \\\n  ## b");
        let Directive::Define(define) = Directive::parse(b"#define X (a)") else {
            panic!("no define")
        };
        assert_eq!(define.parameters, None);
    }

    #[test]
    fn others() {
        assert_eq!(
            Directive::parse(b"#ifdef /* x */ A"),
            Directive::Ifdef(b"A")
        );
        assert_eq!(
            Directive::parse(b"#include <a/b.h> // c"),
            Directive::Include(IncludeTarget::Angled(b"a/b.h"))
        );
        assert_eq!(
            Directive::parse(b"#include \"b.h\""),
            Directive::Include(IncludeTarget::Quoted(b"b.h"))
        );
        let text = b"#define /* x */ X(a /* y */, \\\n b) c";
        let Directive::Define(define) = Directive::parse(text) else {
            panic!("no define")
        };
        assert_eq!(define.parameters, Some(vec![&b"a"[..], &b"b"[..]]));
        for text in [
            &b"#"[..],
            b"#define",
            b"#define X(",
            b"#include",
            b"#include \"a",
            b"#if",
        ] {
            let _ = Directive::parse(text);
        }
    }
}
