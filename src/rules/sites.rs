// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The text of a call and of the function around it.
//!
//! Facts say where a tracepoint is called; some rules must see how. A place that
//! is not in the text, as where only the hunks of a patch are known, gives nothing.

use super::review::Sight;
use crate::inventory::facts::{At, Use};
use crate::inventory::resolve::{CallSite, Inventory, Tracepoint};
use crate::syntax::directives::Directive;
use crate::syntax::functions::{Function, functions, living};
use crate::syntax::groups::{Branch, arguments, closing};
use crate::syntax::lexer::{Kind, Token, is_word_byte, lex};
use memchr::memmem;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// How far the arguments of a call may reach, tried one after the other.
const REACH: [usize; 2] = [1 << 11, 1 << 15];

/// A call with its arguments, each as its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'t> {
    /// What is called.
    pub name: &'t [u8],
    /// The arguments.
    pub arguments: Vec<Vec<&'t [u8]>>,
    /// Whether an `#if` stands among them.
    pub branches: bool,
}

/// The call whose name is at `offset`.
pub fn given(text: &[u8], offset: u32) -> Option<Given<'_>> {
    let rest = text.get(offset as usize..)?;
    REACH
        .iter()
        .find_map(|&reach| given_within(&rest[..rest.len().min(reach)]))
}

fn given_within(text: &[u8]) -> Option<Given<'_>> {
    let tokens = lex(text, true).tokens;
    let name = tokens
        .first()
        .filter(|name| name.kind == Kind::Identifier)?;
    if !tokens.get(1)?.is(b'(') {
        return None;
    }
    let close = closing(text, &tokens, 1)?;
    let directive = |token: &Token| token.kind == Kind::Directive;
    let words = |range: std::ops::Range<usize>| {
        let tokens = tokens.get(range).unwrap_or_default();
        let words = tokens.iter().filter(|token| !directive(token));
        words.map(|token| token.span.of(text)).collect()
    };
    Some(Given {
        name: name.span.of(text),
        arguments: arguments(text, &tokens, 1, close)
            .into_iter()
            .map(words)
            .collect(),
        branches: tokens.iter().take(close).any(directive),
    })
}

/// The calls that are `wanted` in each file that has to be looked at, each with its
/// tracepoint, once.
pub fn calls<'s>(
    sight: &'s Sight<'_>,
    wanted: impl Fn(&Tracepoint, &CallSite) -> bool,
) -> BTreeMap<Arc<str>, BTreeMap<(At, &'s str), &'s CallSite>> {
    let mut calls: BTreeMap<Arc<str>, BTreeMap<(At, &str), &CallSite>> = BTreeMap::new();
    for tracepoint in &sight.state.inventory.tracepoints {
        for call in tracepoint
            .call_sites
            .iter()
            .filter(|call| call.usage == Use::Call && sight.examines(&call.site.file))
            .filter(|call| wanted(tracepoint, call))
        {
            calls
                .entry(call.site.file.clone())
                .or_default()
                .insert((call.site.at, tracepoint.name()), call);
        }
    }
    calls
}

/// The tracepoints that each file declares.
pub fn by_file(inventory: &Inventory) -> BTreeMap<&str, Vec<&Tracepoint>> {
    let mut files: BTreeMap<&str, Vec<&Tracepoint>> = BTreeMap::new();
    for one in &inventory.tracepoints {
        files.entry(&one.file).or_default().push(one);
    }
    files
}

/// Whether a call is of a bare tracepoint or stands in a zone's code. Others'
/// events are theirs to judge.
pub fn is_our_business(
    sight: &Sight<'_>,
    bare: &HashSet<&str>,
    tracepoint: &Tracepoint,
    call: &CallSite,
) -> bool {
    bare.contains(tracepoint.name()) || sight.zones.of(&call.site.file).is_some()
}

/// The text of a file of the tree.
pub fn text_of(sight: &Sight<'_>, path: &str) -> Option<Arc<[u8]>> {
    // What cannot be read was reported by the scan of the tree.
    sight.tree.read(path).ok().flatten()
}

/// How many calls of one function are looked at. Nobody writes as many, and what leads
/// to each of them is followed from the function's start on.
const MOST_CALLS: usize = 256;

/// A file taken apart.
pub struct Source<'t> {
    text: Cow<'t, [u8]>,
    functions: Vec<Slice>,
}

/// A function or macro of a file.
struct Slice {
    function: Function,
    lexed: OnceCell<Lexed>,
    /// How many calls in it were asked for.
    asked: Cell<usize>,
}

struct Lexed {
    tokens: Vec<Token>,
    is_macro: bool,
}

impl<'t> Source<'t> {
    /// Takes `text` apart.
    pub fn of(text: &'t [u8]) -> Self {
        let text = living(text);
        let slice = |function| Slice {
            function,
            lexed: OnceCell::new(),
            asked: Cell::new(0),
        };
        let functions = functions(&text).into_iter().map(slice).collect();
        Self { text, functions }
    }

    /// The innermost function or macro around the call at `offset`.
    pub fn around(&self, offset: u32) -> Option<Around<'_>> {
        let slice = &self.functions[self.index_around(offset)?];
        slice.asked.set(slice.asked.get() + 1);
        if slice.asked.get() > MOST_CALLS {
            return None;
        }
        let function = &slice.function;
        let text = function.span.of(&self.text);
        let lexed = slice.lexed.get_or_init(|| self.lexed(function));
        let inside = offset - function.span.start;
        let starts = |token: &Token| token.span.start;
        Some(Around {
            name: &function.name,
            offset,
            text,
            tokens: &lexed.tokens,
            call: lexed.tokens.binary_search_by_key(&inside, starts).ok()?,
            is_macro: lexed.is_macro,
        })
    }

    fn lexed(&self, function: &Function) -> Lexed {
        let is_macro = self.is_macro(function);
        Lexed {
            tokens: lex(function.span.of(&self.text), !is_macro).tokens,
            is_macro,
        }
    }

    fn index_around(&self, offset: u32) -> Option<usize> {
        let spans = self.functions.iter().map(|one| one.function.span);
        spans
            .enumerate()
            .filter(|(_, span)| span.start <= offset && offset < span.end)
            .min_by_key(|(_, span)| span.end - span.start)
            .map(|(index, _)| index)
    }

    /// The functions that are declared, without their bodies, with one of `words`.
    pub fn declared_with(&self, words: &[&[u8]]) -> Vec<&[u8]> {
        let tokens = lex(&self.text, true).tokens;
        let ends = |token: &Token| {
            matches!(
                token.kind,
                Kind::Directive | Kind::Punctuator(b';' | b'{' | b'}')
            )
        };
        let parts = tokens.split_inclusive(ends);
        let parts = parts.filter(|part| {
            let is_whole = part.last().is_some_and(|last| last.is(b';'));
            is_whole
                && part
                    .iter()
                    .any(|one| words.contains(&one.span.of(&self.text)))
        });
        let called = parts.flat_map(|part| part.iter().zip(&part[1..]));
        let called = called.filter(|(name, open)| name.kind == Kind::Identifier && open.is(b'('));
        called.map(|(name, _)| name.span.of(&self.text)).collect()
    }

    /// The macros without parameters whose bodies name one of `words`.
    pub fn other_names(&self, words: &[&[u8]]) -> Vec<&[u8]> {
        let tokens = lex(&self.text, true).tokens;
        let directives = tokens.iter().filter(|token| token.kind == Kind::Directive);
        let names = directives.filter_map(|token| {
            let text = token.span.of(&self.text);
            let Directive::Define(define) = Directive::parse(text) else {
                return None;
            };
            let body = define.body.of(text);
            let mut named = lex(body, false).tokens.into_iter();
            let comes_to = named.any(|token| words.contains(&token.span.of(body)));
            (define.parameters.is_none() && comes_to).then_some(define.name)
        });
        names.collect()
    }

    /// Where a function's, or a macro's, `name` stands in others.
    pub fn uses(&self, name: &str) -> Vec<Around<'_>> {
        let is_word = |at: Option<&u8>| at.is_some_and(|&byte| is_word_byte(byte));
        let found = memmem::find_iter(&self.text, name).filter(|&at| {
            let before = at.checked_sub(1).and_then(|before| self.text.get(before));
            !is_word(before) && !is_word(self.text.get(at + name.len()))
        });
        found
            .filter_map(|at| self.around(u32::try_from(at).ok()?))
            .filter(|around| around.name != name)
            .collect()
    }

    /// The body of a macro starts within a directive.
    fn is_macro(&self, function: &Function) -> bool {
        let before = self
            .text
            .get(..function.span.start as usize)
            .unwrap_or_default();
        let text = function.span.of(&self.text).trim_ascii_start();
        let head = logical_line(before).trim_ascii_start();
        head.starts_with(b"#") && !text.starts_with(b"#") && head.len() > 1
    }
}

/// The last line of `text`, with those that are continued into it.
pub fn logical_line(text: &[u8]) -> &[u8] {
    let mut end = text.len();
    while let Some(newline) = memchr::memrchr(b'\n', &text[..end]) {
        if !text[..newline].trim_ascii_end().ends_with(b"\\") {
            return &text[newline + 1..];
        }
        end = newline;
    }
    text
}

/// A function, or a macro, around a call.
pub struct Around<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where the call is in the file.
    pub offset: u32,
    /// Its text, and nothing else.
    pub text: &'a [u8],
    /// The tokens of that.
    pub tokens: &'a [Token],
    /// Which of them names what is called.
    pub call: usize,
    /// Whether it is a macro.
    pub is_macro: bool,
}

impl<'a> Around<'a> {
    /// The word at `index`; empty past the end.
    pub fn word(&self, index: usize) -> &'a [u8] {
        self.tokens
            .get(index)
            .map_or(&[], |token| token.span.of(self.text))
    }

    /// Index of the brace that opens the body of the function.
    pub fn body(&self) -> Option<usize> {
        let mut depth = 0u32;
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Punctuator(b'(') => depth += 1,
                Kind::Punctuator(b')') => depth = depth.saturating_sub(1),
                Kind::Punctuator(b'{') if depth == 0 => return Some(index),
                Kind::Directive if Branch::of(token.span.of(self.text)) == Some(Branch::Close) => {
                    depth = 0;
                }
                _ => {}
            }
        }
        None
    }

    /// The strings before the body, such as the name of a section.
    pub fn strings(&self) -> impl Iterator<Item = &'a [u8]> {
        let head = self.tokens.iter().take(self.body().unwrap_or_default());
        let strings = head.filter(|token| token.kind == Kind::String);
        strings.map(|token| token.span.of(self.text))
    }

    /// The words before the body that stand in no parentheses.
    pub fn attributes(&self) -> Vec<&'a [u8]> {
        let mut depth = 0u32;
        let mut words = Vec::new();
        for token in self.tokens.iter().take(self.body().unwrap_or_default()) {
            match token.kind {
                Kind::Punctuator(b'(') => depth += 1,
                Kind::Punctuator(b')') => depth = depth.saturating_sub(1),
                Kind::Identifier if depth == 0 => words.push(token.span.of(self.text)),
                _ => {}
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str, word: &str) -> Option<(Vec<String>, bool)> {
        let given = given(text.as_bytes(), text.find(word)? as u32)?;
        let one = |words: &Vec<&[u8]>| String::from_utf8_lossy(&words.join(&b' ')).into_owned();
        Some((given.arguments.iter().map(one).collect(), given.branches))
    }

    #[test]
    fn arguments_of_a_call() {
        let text = "x(); trace_a(rq,\n\tf(b, c) /* , */,\n#ifdef X\n\t\"d,\"\n#endif\n);";
        let words = ["rq", "f ( b , c )", "\"d,\""].map(str::to_owned).to_vec();
        assert_eq!(spelled(text, "trace_a"), Some((words, true)));
        assert_eq!(spelled("trace_a()", "trace_a"), Some((Vec::new(), false)));
        assert_eq!(spelled("trace_a(b", "trace_a"), None);
        assert_eq!(spelled("p = trace_a;", "trace_a"), None);
    }

    #[test]
    fn the_function_or_macro_around_a_call() {
        let text = "int a;\n#define M(x) \\\n\ttrace_m(x)\nEXPORT(g)\nnoinstr void f(int (*h)(int))\n{\n\ttrace_f(1);\n}\n";
        let source = Source::of(text.as_bytes());
        let at = |word: &str| source.around(text.find(word).unwrap_or_default() as u32);
        let inside = at("trace_m").map(|one| (one.name.to_owned(), one.is_macro));
        assert_eq!(inside, Some(("M".to_owned(), true)));
        let inside = at("trace_f").map(|one| (one.name.to_owned(), one.is_macro));
        assert_eq!(inside, Some(("f".to_owned(), false)));
        let attributes =
            at("trace_f").is_some_and(|one| one.attributes().contains(&&b"noinstr"[..]));
        assert!(attributes);
    }
}
