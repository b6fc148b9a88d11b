// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Uses of the functions and symbols that the tracing core generates: calls,
//! guards, pointers, and probes being attached.
//!
//! Works on any run of tokens: a file's, or those that a macro call expands to.
//! Which of the identifiers really belong to a tracepoint is decided when all
//! declarations are known.

use crate::syntax::groups::{arguments, closing_within};
use crate::syntax::lexer::{Kind, Token};
use std::ops::Range;

/// What an identifier is a sign of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A generated function being called, or named, or defined by hand.
    Function {
        /// Whether an opening parenthesis follows.
        called: bool,
    },
    /// `tracepoint_enabled(X)`: the X.
    Guard(Box<str>),
    /// `register_trace_X(probe, …)`: the probe.
    Registers(Option<Box<str>>),
    /// `__tracepoint_X` with the functions that stand beside it.
    Symbol {
        /// The X.
        name: Box<str>,
        /// Which of them may be the probe.
        probes: Vec<Box<str>>,
        /// Whether the call that it stands in attaches the probe.
        registered: bool,
    },
    /// `tracepoint_probe_register(tp, probe, …)` on a tracepoint that is not
    /// named there: the probe.
    RegistersSome(Option<Box<str>>),
    /// `for_each_kernel_tracepoint()` and its kin.
    LooksUp,
}

/// The prefixes of generated functions (include/linux/tracepoint.h,
/// `__DECLARE_TRACE`), and those of the trace_printk family that differ
/// (include/linux/trace_printk.h).
const PREFIXES: [&[u8]; 6] = [
    b"trace_",
    b"__trace_",
    b"__do_trace_",
    b"rust_do_trace_",
    b"ftrace_v",
    b"__ftrace_v",
];

/// The family of functions that attach probes to a `struct tracepoint`
/// (kernel/tracepoint.c).
const REGISTERING: &[u8] = b"tracepoint_probe_register";

/// Functions that walk over all tracepoints (kernel/tracepoint.c).
const WALKING: [&[u8]; 3] = [
    b"for_each_kernel_tracepoint",
    b"for_each_module_tracepoint",
    b"for_each_tracepoint_in_module",
];

/// How many tokens away from a use its arguments and its neighbours may be.
pub const DISTANCE: usize = 1 << 14;

/// How many of its neighbours, the nearest ones, may be probes.
const MOST_COMPANIONS: usize = 64;

/// A run of tokens with their text.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'a> {
    /// The text that was lexed.
    pub text: &'a [u8],
    /// Its tokens.
    pub all: &'a [Token],
}

impl<'a> Tokens<'a> {
    /// The bytes of the token at `index`; empty past the end.
    pub fn word(&self, index: usize) -> &'a [u8] {
        self.all
            .get(index)
            .map_or(&[], |token| token.span.of(self.text))
    }

    /// Whether the token at `index` is the punctuator `byte`.
    pub fn is(&self, index: usize, byte: u8) -> bool {
        self.all.get(index).is_some_and(|token| token.is(byte))
    }

    /// The arguments of the call whose name is at `name`.
    pub fn arguments_of(&self, name: usize) -> Option<Vec<Range<usize>>> {
        let close = self.end_of_call(name)?;
        Some(arguments(self.text, self.all, name + 1, close))
    }

    /// Index of the parenthesis that ends the call whose name is at `name`.
    pub fn end_of_call(&self, name: usize) -> Option<usize> {
        self.end_of_call_within(name, DISTANCE)
    }

    /// As [`Self::end_of_call`], of a call of `distance` tokens at most.
    pub fn end_of_call_within(&self, name: usize, distance: usize) -> Option<usize> {
        let opens = self.is(name + 1, b'(');
        opens.then(|| closing_within(self.text, self.all, name + 1, distance))?
    }

    /// The identifier that a range of tokens comes down to: the last one that
    /// is not called and follows no member access, as in `(void *)&probe`.
    fn last_identifier(&self, range: Range<usize>) -> Option<Box<str>> {
        range
            .rev()
            .find(|&index| self.is_plain_name(index))
            .map(|index| text_of(self.word(index)))
    }

    fn is_plain_name(&self, index: usize) -> bool {
        self.all
            .get(index)
            .is_some_and(|token| token.kind == Kind::Identifier)
            && !self.is(index + 1, b'(')
            && !self.is(index + 1, b':')
            && !index
                .checked_sub(1)
                .is_some_and(|before| self.is(before, b'.') || self.is(before, b'>'))
            && !matches!(
                self.word(index),
                b"void"
                    | b"const"
                    | b"struct"
                    | b"NULL"
                    | b"true"
                    | b"false"
                    | b"static"
                    | b"sizeof"
                    | b"int"
                    | b"tracepoint"
            )
    }

    /// Functions that may be meant by the plain names in the innermost group
    /// around the token at `index`, but for the token itself.
    pub fn companions(&self, index: usize) -> Vec<Box<str>> {
        let Some(open) = self.opening_before(index) else {
            return Vec::new();
        };
        let close = closing_within(self.text, self.all, open, DISTANCE).unwrap_or(open + 1);
        let mut depth = 0u32;
        let mut plain = Vec::new();
        for at in open + 1..close {
            match self.all[at].kind {
                Kind::Punctuator(b'(' | b'{' | b'[') => depth += 1,
                Kind::Punctuator(b')' | b'}' | b']') => depth = depth.saturating_sub(1),
                Kind::Identifier if depth == 0 && at != index && self.is_plain_name(at) => {
                    plain.push(at);
                }
                _ => {}
            }
        }
        let before = plain.partition_point(|&at| at < index);
        let first = before.saturating_sub(MOST_COMPANIONS / 2);
        let mut names = Vec::new();
        for &at in plain.iter().skip(first).take(MOST_COMPANIONS) {
            let name = text_of(self.word(at));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The opening parenthesis or brace of the innermost group around `index`,
    /// looked for within a bounded distance.
    fn opening_before(&self, index: usize) -> Option<usize> {
        let mut depth = 0u32;
        for at in (index.saturating_sub(DISTANCE)..index).rev() {
            match self.all[at].kind {
                Kind::Punctuator(b')' | b'}' | b']') => depth += 1,
                Kind::Punctuator(b'(' | b'{' | b'[') if depth == 0 => return Some(at),
                Kind::Punctuator(b'(' | b'{' | b'[') => depth -= 1,
                _ => {}
            }
        }
        None
    }
}

/// Bytes of the source as text.
pub fn text_of(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// What the identifier at `index` is a sign of, if of anything. Cheap for the
/// many that are not.
pub fn sign(tokens: Tokens<'_>, index: usize) -> Option<Sign> {
    let word = tokens.word(index);
    may_be_sign(word)
        .then(|| sign_of(tokens, index, word))
        .flatten()
}

/// Whether the word starts as one of those does that are looked for.
pub fn may_be_sign(word: &[u8]) -> bool {
    matches!(
        word,
        [b't', b'r', b'a', b'c', b'e', ..]
            | [b'_', b'_', b't' | b'd' | b'f', ..]
            | [b'r', b'e' | b'u', b'g' | b's', ..]
            | [b'f', b'o' | b't', b'r', ..]
    )
}

fn sign_of(tokens: Tokens<'_>, index: usize, word: &[u8]) -> Option<Sign> {
    if let Some(prefix) = PREFIXES.iter().find(|&&prefix| word.starts_with(prefix)) {
        return (word.len() > prefix.len()).then(|| Sign::Function {
            called: tokens.is(index + 1, b'('),
        });
    }
    if let Some(name) = word.strip_prefix(b"__tracepoint_") {
        return symbol(tokens, index, name);
    }
    if word.starts_with(b"register_trace_") && tokens.is(index + 1, b'(') {
        let probe = tokens.arguments_of(index)?.into_iter().next();
        return Some(Sign::Registers(
            probe.and_then(|range| tokens.last_identifier(range)),
        ));
    }
    if word == b"tracepoint_enabled" {
        let name = tokens.arguments_of(index)?.into_iter().next()?;
        return (name.len() == 1).then(|| Sign::Guard(text_of(tokens.word(name.start))));
    }
    if word.starts_with(REGISTERING) {
        return registers_some(tokens, index);
    }
    WALKING.contains(&word).then_some(Sign::LooksUp)
}

fn symbol(tokens: Tokens<'_>, index: usize, name: &[u8]) -> Option<Sign> {
    if name.is_empty() || is_exported_or_detached(tokens, index) {
        return None;
    }
    let (probes, registered) = match registering_call_around(tokens, index) {
        Some(probe) => (probe.into_iter().collect(), true),
        None => (tokens.companions(index), false),
    };
    Some(Sign::Symbol {
        name: text_of(name),
        probes,
        registered,
    })
}

/// The name of the function in whose arguments the token at `index` stands.
fn called_around<'a>(tokens: Tokens<'a>, index: usize) -> Option<(usize, &'a [u8])> {
    let open = tokens.opening_before(index)?;
    let name = open.checked_sub(1)?;
    tokens.is(open, b'(').then(|| (name, tokens.word(name)))
}

fn is_exported_or_detached(tokens: Tokens<'_>, index: usize) -> bool {
    called_around(tokens, index).is_some_and(|(_, name)| {
        name.starts_with(b"EXPORT_SYMBOL") || name.starts_with(b"tracepoint_probe_unregister")
    })
}

/// Where `&__tracepoint_X` is the first argument of `tracepoint_probe_register()`,
/// the second.
fn registering_call_around(tokens: Tokens<'_>, index: usize) -> Option<Option<Box<str>>> {
    let (call, name) = called_around(tokens, index)?;
    if !name.starts_with(REGISTERING) {
        return None;
    }
    let probe = tokens.arguments_of(call)?.into_iter().nth(1)?;
    Some(tokens.last_identifier(probe))
}

fn registers_some(tokens: Tokens<'_>, index: usize) -> Option<Sign> {
    let mut given = tokens.arguments_of(index)?.into_iter();
    let tracepoint = given.next()?;
    if tracepoint
        .clone()
        .any(|at| tokens.word(at).starts_with(b"__tracepoint_"))
    {
        return None;
    }
    let probe = given.next().and_then(|range| tokens.last_identifier(range));
    Some(Sign::RegistersSome(probe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::lexer::lex;

    fn signs(text: &str) -> Vec<Sign> {
        let text = text.as_bytes();
        let all = lex(text, true).tokens;
        let tokens = Tokens { text, all: &all };
        (0..all.len())
            .filter(|&index| all[index].kind == Kind::Identifier)
            .filter_map(|index| sign(tokens, index))
            .collect()
    }

    fn names(names: &[&str]) -> Vec<Box<str>> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn five_ways_to_attach_a_probe() {
        assert_eq!(
            signs("register_trace_a(probe, NULL)"),
            [Sign::Registers(Some("probe".into()))]
        );
        assert_eq!(
            signs("register_trace_prio_a((void *)&probe, data, 3)"),
            [Sign::Registers(Some("probe".into()))]
        );
        let symbol = |registered| Sign::Symbol {
            name: "a".into(),
            probes: names(&["probe"]),
            registered,
        };
        assert_eq!(
            signs("tracepoint_probe_register_prio(&__tracepoint_a, probe, x, 1)"),
            [symbol(true)]
        );
        assert_eq!(
            signs("struct t x[] = { { &__tracepoint_a, probe }, };"),
            [symbol(false)]
        );
        assert_eq!(
            signs("for_each_kernel_tracepoint(look, 0); tracepoint_probe_register(tp, probe, 0)"),
            [Sign::LooksUp, Sign::RegistersSome(Some("probe".into()))]
        );
    }

    #[test]
    fn of_many_names_the_nearest_may_be_the_probe() {
        let pair = |number| format!("&__tracepoint_t{number}, probe{number}, ");
        let pairs: String = (0..1000).map(pair).collect();
        let found = signs(&format!("void *x[] = {{ {pairs} }};"));
        assert_eq!(found.len(), 1000);
        for (number, sign) in found.iter().enumerate() {
            let Sign::Symbol { probes, .. } = sign else {
                panic!("{sign:?}");
            };
            assert!(probes.len() <= MOST_COMPANIONS);
            assert!(
                probes.contains(&format!("probe{number}").into()),
                "{probes:?}"
            );
        }
    }

    #[test]
    fn exports_and_detaching_are_no_probes() {
        assert_eq!(signs("EXPORT_SYMBOL(__tracepoint_a)"), []);
        assert_eq!(
            signs("tracepoint_probe_unregister(&__tracepoint_a, p, 0)"),
            []
        );
    }
}
