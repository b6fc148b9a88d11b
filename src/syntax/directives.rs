// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Preprocessor directives taken apart.
//!
//! Works on the text of one directive token. It may not know which macros
//! matter.

use super::lexer::{Kind, Span, Token, lex};

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
    let start = text
        .iter()
        .skip(1)
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(text.len(), |at| at + 1);
    let length = text[start..]
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .unwrap_or(text.len() - start);
    (&text[start..start + length], start + length)
}

/// Tokens of the rest of a directive, with spans of the whole.
fn tokens(text: &[u8], from: usize) -> Vec<Token> {
    let mut tokens = lex(&text[from..], false).tokens;
    for token in &mut tokens {
        token.span = token.span.shifted(from as u32);
    }
    tokens
}

fn first_word(text: &[u8], from: usize) -> &[u8] {
    tokens(text, from)
        .first()
        .filter(|token| token.is_word())
        .map_or(&[], |token| token.span.of(text))
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
    let tokens = tokens(text, from);
    let name = tokens.first().filter(|token| token.is_word())?.span;
    // Only a parenthesis that touches the name opens parameters.
    let function_like = tokens
        .get(1)
        .is_some_and(|token| token.is(b'(') && token.span.start == name.end);
    let (parameters, body_start) = if function_like {
        let close = tokens.iter().position(|token| token.is(b')'))?;
        let parameters = parameters(text, &tokens[2..close]);
        (Some(parameters), tokens[close].span.end)
    } else {
        (None, name.end)
    };
    Some(Define {
        name: name.of(text),
        parameters,
        body: Span {
            start: body_start,
            end: text.len() as u32,
        },
    })
}

fn parameters<'a>(text: &'a [u8], tokens: &[Token]) -> Vec<&'a [u8]> {
    tokens
        .split(|token| token.is(b','))
        .filter_map(|part| {
            let (first, last) = (part.first()?, part.last()?);
            Some(&text[first.span.start as usize..last.span.end as usize])
        })
        .collect()
}

/// The tokens of an expression, comments gone.
pub fn expression_tokens(text: &[u8]) -> Vec<Token> {
    let mut tokens = lex(text, false).tokens;
    tokens.retain(|token| token.kind != Kind::Directive);
    tokens
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
