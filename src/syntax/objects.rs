// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What stands between one function and another: the objects of a file, and the
//! functions that were put into them.
//!
//! `static DECLARE_WORK(flush, flush_fn);`, `static struct ops ops = { .emit = emit };`,
//! and in a function `timer_setup(&timer, expired, 0)` or `ops.emit = emit`. It may not
//! know what the functions do.

use super::functions::Function;
use super::groups::{arguments, closing_within};
use super::lexer::{Kind, Span, Token, is_in_capitals, lex};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How many tokens a declaration or a call may have.
const LONGEST: usize = 1 << 12;

/// The objects of a file by name. One that is a member goes by its whole name, as
/// `hooks.work`.
pub type Objects = BTreeMap<String, Object>;

/// An object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// The identifiers that were put into it.
    pub put: BTreeSet<String>,
    /// Whether a macro made it, whose name says nothing of a variable: that of
    /// `DEVICE_ATTR(count, …)` is `dev_attr_count`.
    pub by_macro: bool,
}

/// The objects of `text`, in which `functions` are.
pub fn objects(text: &[u8], functions: &[Function]) -> Objects {
    let mut objects = Objects::new();
    let mut start = 0;
    let mut functions: Vec<Span> = functions.iter().map(|one| one.span).collect();
    functions.sort();
    for function in functions {
        if let Some(between) = text.get(start..function.start as usize) {
            declared(between, &mut objects);
        }
        put(function.of(text), &mut objects);
        start = start.max(function.end as usize);
    }
    declared(text.get(start..).unwrap_or_default(), &mut objects);
    objects
}

/// A run of tokens.
struct Run<'a> {
    text: &'a [u8],
    tokens: Vec<Token>,
}

impl<'a> Run<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            tokens: lex(text, true).tokens,
        }
    }

    fn is(&self, index: usize, byte: u8) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is(byte))
    }

    fn word(&self, index: usize) -> Option<String> {
        let token = self.tokens.get(index)?;
        let word = token.span.of(self.text);
        (token.kind == Kind::Identifier).then(|| String::from_utf8_lossy(word).into_owned())
    }

    fn words(&self, range: Range<usize>) -> impl Iterator<Item = String> {
        range.filter_map(|index| self.word(index))
    }

    /// `&x`, `x`, `&x.y` or `x->y` as a whole.
    fn lvalue(&self, range: Range<usize>) -> Option<String> {
        let start = range.start + usize::from(self.is(range.start, b'&'));
        let mut name = self.word(start)?;
        let mut at = start + 1;
        while at < range.end {
            let length = if self.is(at, b'.') { 1 } else { 2 };
            if length == 2 && !(self.is(at, b'-') && self.is(at + 1, b'>')) {
                return None;
            }
            name = format!("{name}.{}", self.word(at + length)?);
            at += length + 1;
        }
        Some(name)
    }

    /// The arguments of the call whose parenthesis is at `open`.
    fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let close = closing_within(self.text, &self.tokens, open, LONGEST);
        close.map_or_else(Vec::new, |close| {
            arguments(self.text, &self.tokens, open, close)
        })
    }
}

/// Declarations at file scope with an initialiser, and those by a macro.
fn declared(text: &[u8], objects: &mut Objects) {
    let run = Run::of(text);
    let mut start = 0;
    let mut depth = 0u32;
    for (index, token) in run.tokens.iter().enumerate() {
        match token.kind {
            Kind::Punctuator(b'{' | b'(' | b'[') => depth += 1,
            Kind::Punctuator(b'}' | b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Punctuator(b';') if depth == 0 => {
                declaration(&run, start..index, objects);
                start = index + 1;
            }
            Kind::Directive if depth == 0 => start = index + 1,
            _ => {}
        }
    }
}

fn declaration(run: &Run<'_>, range: Range<usize>, objects: &mut Objects) {
    let mut depth = 0u32;
    for index in range.clone() {
        match run.tokens[index].kind {
            Kind::Punctuator(b'=') if depth == 0 => {
                let name = declarator(run, range.start..index);
                let into = name.map(|name| objects.entry(name).or_default());
                if let Some(into) = into {
                    into.put.extend(run.words(index + 1..range.end));
                }
                return;
            }
            Kind::Punctuator(b'{' | b'(' | b'[') => depth += 1,
            Kind::Punctuator(b'}' | b')' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // `static DEFINE_STATIC_CALL(emit, emit_fn)`
    let open = range.clone().find(|&index| run.is(index, b'('));
    let is_macro = |&open: &usize| {
        let name = open.checked_sub(1).and_then(|name| run.word(name));
        name.is_some_and(|name| is_in_capitals(name.as_bytes()))
    };
    let Some(open) = open.filter(is_macro) else {
        return;
    };
    let given = run.arguments(open);
    let [first, rest @ ..] = given.as_slice() else {
        return;
    };
    if let (1, Some(name)) = (first.len(), run.word(first.start)) {
        let into = objects.entry(name).or_default();
        into.by_macro = true;
        into.put
            .extend(rest.iter().flat_map(|range| run.words(range.clone())));
    }
}

/// The name in `static void (*name[2])(int)`.
fn declarator(run: &Run<'_>, range: Range<usize>) -> Option<String> {
    let pointer = range
        .clone()
        .find(|&index| run.is(index, b'(') && run.is(index + 1, b'*'));
    if let Some(pointer) = pointer {
        return run.words(pointer..range.end).next();
    }
    let end = range.clone().find(|&index| run.is(index, b'['));
    run.words(range.start..end.unwrap_or(range.end)).last()
}

/// What a function puts into objects: `setup(&object, …, function, …)` and
/// `object.member = function`.
fn put(text: &[u8], objects: &mut Objects) {
    let run = Run::of(text);
    for (index, token) in run.tokens.iter().enumerate() {
        match token.kind {
            Kind::Punctuator(b'(') if index > 0 && run.word(index - 1).is_some() => {
                let given = run.arguments(index);
                let [first, rest @ ..] = given.as_slice() else {
                    continue;
                };
                let names = rest.iter().filter(|range| range.len() == 1);
                let names: Vec<String> = names.filter_map(|one| run.word(one.start)).collect();
                if let (false, true, Some(object)) = (
                    names.is_empty(),
                    run.is(first.start, b'&'),
                    run.lvalue(first.clone()),
                ) {
                    objects.entry(object).or_default().put.extend(names);
                }
            }
            Kind::Punctuator(b'=') if run.is(index + 2, b';') => {
                let start = (0..index).rev().find(|&at| {
                    matches!(
                        run.tokens[at].kind,
                        Kind::Punctuator(b';' | b'{' | b'}' | b')')
                    )
                });
                let object = run.lvalue(start.map_or(0, |at| at + 1)..index);
                if let (Some(object), Some(name)) = (object, run.word(index + 1)) {
                    objects.entry(object).or_default().put.insert(name);
                }
            }
            _ => {}
        }
    }
}

/// The objects and functions that a function names in whatever way, members by their
/// whole names.
pub fn named(text: &[u8]) -> BTreeSet<String> {
    let run = Run::of(text);
    let mut names = BTreeSet::new();
    for index in 0..run.tokens.len() {
        let is_member = index.checked_sub(1).is_some_and(|before| {
            run.is(before, b'.') || run.is(before, b'>') && before > 0 && run.is(before - 1, b'-')
        });
        let Some(mut name) = run.word(index).filter(|_| !is_member) else {
            continue;
        };
        let mut at = index + 1;
        loop {
            let length = match (run.is(at, b'.'), run.is(at, b'-') && run.is(at + 1, b'>')) {
                (true, _) => 1,
                (_, true) => 2,
                _ => break,
            };
            let Some(member) = run.word(at + length) else {
                break;
            };
            names.insert(name.clone());
            name = format!("{name}.{member}");
            at += length + 1;
        }
        names.insert(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::functions::functions;
    use super::*;

    #[test]
    fn functions_in_objects() {
        let text = "#define X 1\nstatic DECLARE_WORK(w, fn);\nint g(void);\n\
            static struct ops ops[] = { { .a = b }, };\nstatic void (*p)(int) = q;\n\
            static struct s s, t;\nvoid f(void)\n{\n\tINIT_WORK(&s.work, h);\n\ts.emit = k;\n\
            \tif (a == b)\n\t\tr = m;\n\tx(\"\", n);\n}\nstatic int last = 3;\n";
        let found = objects(text.as_bytes(), &functions(text.as_bytes()));
        let has = |name: &str, put: &str| found.get(name).is_some_and(|one| one.put.contains(put));
        for (name, put) in [
            ("w", "fn"),
            ("ops", "b"),
            ("p", "q"),
            ("s.work", "h"),
            ("s.emit", "k"),
            ("r", "m"),
        ] {
            assert!(has(name, put), "{name} {put} {found:?}");
        }
        assert!(
            !found.contains_key("x") && !found.contains_key("g"),
            "{found:?}"
        );
    }

    #[test]
    fn names_of_members() {
        let found = named(b"f(&s->work.x); o.emit(1);");
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, ["f", "o", "o.emit", "s", "s.work", "s.work.x"]);
    }
}
