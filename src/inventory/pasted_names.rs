// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which names a macro's body may paste together: those of macros of the tracing core,
//! as `kind##_EVENT`, and of the functions that it generates, as `trace_##name`.
//!
//! Which one a call means is only seen when it is expanded.

use super::uses::text_of;
use crate::kernel::semantics::Semantics;
use crate::syntax::directives::Define;
use crate::syntax::lexer::{Kind, Token, lex};
use memchr::memmem;

/// What generated functions start with, as far as macros paste them.
const STEMS: [&[u8]; 4] = [
    b"trace_",
    b"__trace_",
    b"register_trace_",
    b"rust_do_trace_",
];

/// The macros of the tracing core that `##` in the body of `define` may name. `text`
/// is the whole directive.
pub fn framework_names(define: &Define<'_>, text: &[u8], semantics: &Semantics) -> Vec<Box<str>> {
    let body = define.body.of(text);
    if memmem::find(body, b"##").is_none() {
        return Vec::new();
    }
    let tokens = lex(body, false).tokens;
    let sequences = sequences(&tokens);
    let patterns: Vec<Vec<Option<&[u8]>>> = sequences
        .map(|sequence| sequence.map(|token| literal(token, body, define)).collect())
        .filter(|pattern: &Vec<_>| says_something(pattern))
        .collect();
    semantics
        .framework_macros()
        .filter(|name| patterns.iter().any(|pattern| fits(name, pattern)))
        .map(|name| text_of(name.as_bytes()))
        .collect()
}

/// The words of each run of `a ## b ## c`.
fn sequences(tokens: &[Token]) -> impl Iterator<Item = impl Iterator<Item = &Token>> {
    let pasted = |index: usize| {
        tokens
            .get(index)
            .is_some_and(|token| token.kind == Kind::Paste)
    };
    let starts = move |&index: &usize| {
        let continues = index.checked_sub(1).is_some_and(pasted);
        tokens[index].is_word() && !continues && pasted(index + 1)
    };
    (0..tokens.len()).filter(starts).map(move |start| {
        let more = move |&index: &usize| index == start || pasted(index - 1);
        (start..tokens.len())
            .step_by(2)
            .take_while(more)
            .map(|index| &tokens[index])
    })
}

/// What a piece always is; `None` for a parameter, which may be anything.
fn literal<'t>(token: &Token, body: &'t [u8], define: &Define<'_>) -> Option<&'t [u8]> {
    let word = token.span.of(body);
    let parameters = define.parameters.as_deref().unwrap_or_default();
    let is_parameter = word == b"__VA_ARGS__"
        || parameters
            .iter()
            .any(|one| *one == word || one.strip_suffix(b"...") == Some(word));
    (!is_parameter).then_some(word)
}

/// Leaves out what could be nearly any name, such as `__##abi##_##name` of the
/// system calls; `a##b` may be called with anything, and is kept.
fn says_something(pattern: &[Option<&[u8]>]) -> bool {
    let letters = pattern
        .iter()
        .flatten()
        .flat_map(|word| word.iter())
        .filter(|byte| byte.is_ascii_alphabetic());
    pattern.iter().all(Option::is_none) || letters.count() >= 4
}

/// Whether the pieces of `pattern` can make `name`.
fn fits(name: &str, pattern: &[Option<&[u8]>]) -> bool {
    let mut rest = name.as_bytes();
    let mut free = false;
    for (index, piece) in pattern.iter().enumerate() {
        let after = match piece {
            None => {
                free = true;
                continue;
            }
            Some(word) if free && index + 1 == pattern.len() => return rest.ends_with(word),
            Some(word) if free => memmem::find(rest, word).map(|at| at + word.len()),
            Some(word) => rest.starts_with(word).then_some(word.len()),
        };
        let Some(after) = after else {
            return false;
        };
        rest = &rest[after..];
        free = false;
    }
    free || rest.is_empty()
}

/// Whether a macro's body pastes something onto the stem of a generated function.
pub fn pastes(body: &[u8]) -> bool {
    if memmem::find(body, b"##").is_none() || memmem::find(body, b"trace_").is_none() {
        return false;
    }
    let tokens = lex(body, false).tokens;
    tokens.windows(2).enumerate().any(|(index, pair)| {
        let starts_sequence = index
            .checked_sub(1)
            .is_none_or(|before| tokens[before].kind != Kind::Paste);
        let word = pair[0].span.of(body);
        starts_sequence
            && pair[1].kind == Kind::Paste
            && pair[0].kind == Kind::Identifier
            && STEMS.iter().any(|stem| word.starts_with(stem))
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn pieces_make_a_name_in_their_order() {
        let all = |pattern: &[Option<&str>]| {
            let pattern: Vec<_> = pattern.iter().map(|one| one.map(str::as_bytes)).collect();
            [
                "TRACE_EVENT",
                "DEFINE_EVENT",
                "TRACE_EVENT_FN",
                "DECLARE_TRACE",
            ]
            .into_iter()
            .filter(|name| fits(name, &pattern))
            .collect::<Vec<_>>()
        };
        assert_eq!(
            all(&[None, Some("_EVENT")]),
            ["TRACE_EVENT", "DEFINE_EVENT"]
        );
        assert_eq!(
            all(&[Some("TRACE_"), None]),
            ["TRACE_EVENT", "TRACE_EVENT_FN"]
        );
        assert_eq!(all(&[Some("TRACE"), Some("_EVENT")]), ["TRACE_EVENT"]);
        assert_eq!(all(&[None, Some("_EVENT_"), None]), ["TRACE_EVENT_FN"]);
        assert_eq!(all(&[Some("do_"), None]), [""; 0]);
        assert_eq!(all(&[None, None]).len(), 4);
    }
}
