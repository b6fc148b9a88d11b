// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macro expansion as C has it: arguments expanded first, `#` and `##`,
//! variadic parameters, rescanning, and no macro inside its own expansion.
//!
//! Bounded in depth and in size, so that no input can keep it busy. It may not
//! know what any macro means.

use crate::syntax::directives::{Define, Directive};
use crate::syntax::lexer::{Kind, lex};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many tokens one expansion may handle; what is left after that stays as it is.
const MOST_TOKENS: usize = 1 << 16;

/// How deep arguments may nest in arguments.
const DEEPEST: usize = 48;

/// A token with the macros that may not be expanded in its place.
#[derive(Clone, Debug)]
struct Piece {
    text: Arc<[u8]>,
    kind: Kind,
    hidden: Hidden,
}

/// Macros that a token came out of, by their numbers in the table.
type Hidden = Arc<[u32]>;

#[derive(Debug)]
struct Macro {
    number: u32,
    /// `None` for an object-like macro.
    parameters: Option<Vec<Arc<[u8]>>>,
    variadic: bool,
    body: Vec<(Arc<[u8]>, Kind)>,
}

impl Macro {
    /// Whether a call of either gives the same.
    fn is_alike(&self, other: &Self) -> bool {
        (&self.parameters, self.variadic, &self.body)
            == (&other.parameters, other.variadic, &other.body)
    }

    fn arity(&self) -> usize {
        self.parameters.as_ref().map_or(0, Vec::len)
    }

    /// Index of the parenthesis in the body that closes the one at `open`.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (index, (_, kind)) in self.body.iter().enumerate().skip(open) {
            match kind {
                Kind::Punctuator(b'(') => depth += 1,
                Kind::Punctuator(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return (index > open).then_some(index);
            }
        }
        None
    }
}

/// Macros by name.
#[derive(Clone, Debug, Default)]
pub struct MacroTable {
    macros: HashMap<Arc<[u8]>, Arc<Macro>>,
    count: u32,
}

impl MacroTable {
    /// Defines a macro by its whole directive. Anything but a `#define` does nothing.
    pub fn define(&mut self, directive: &[u8]) {
        if let Directive::Define(define) = Directive::parse(directive) {
            self.define_as(&define, directive);
        }
    }

    /// Defines the macro that `define`, a part of `directive`, describes.
    pub fn define_as(&mut self, define: &Define<'_>, directive: &[u8]) {
        let body = define.body.of(directive);
        let (parameters, variadic) = parameters(define);
        self.count += 1;
        let body = lex(body, false)
            .tokens
            .iter()
            .map(|token| (Arc::from(token.span.of(body)), token.kind))
            .collect();
        let entry = Macro {
            number: self.count,
            parameters,
            variadic,
            body,
        };
        self.macros.insert(define.name.into(), Arc::new(entry));
    }

    /// Forgets a macro.
    pub fn undefine(&mut self, name: &[u8]) {
        self.macros.remove(name);
    }

    /// Whether `name` is defined.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.macros.contains_key(name)
    }

    /// The names of all macros.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.macros.keys().map(AsRef::as_ref)
    }

    /// The names that are not defined alike in all of `tables`.
    pub fn varied(tables: &[&Self]) -> HashSet<Vec<u8>> {
        let Some((first, others)) = tables.split_first() else {
            return HashSet::new();
        };
        let is_alike = |name: &[u8], one: &Arc<Macro>| {
            let mut all = others.iter().map(|table| table.macros.get(name));
            all.all(|other| {
                other.is_some_and(|other| Arc::ptr_eq(one, other) || one.is_alike(other))
            })
        };
        let of_first = first.macros.iter();
        let of_first = of_first.filter(|(name, one)| !is_alike(name, one));
        let of_others = others.iter().flat_map(|table| table.names());
        let names = of_first.map(|(name, _)| name.as_ref());
        let names = names.chain(of_others.filter(|name| !first.contains(name)));
        names.map(<[u8]>::to_vec).collect()
    }

    /// How many parameters the function-like macro `name` has, a variadic one
    /// included.
    pub fn arity(&self, name: &[u8]) -> Option<usize> {
        let parameters = self.macros.get(name)?.parameters.as_ref()?;
        Some(parameters.len())
    }

    /// The words and literals of the body of `name`.
    pub fn body(&self, name: &[u8]) -> impl Iterator<Item = (&[u8], Kind)> {
        self.macros
            .get(name)
            .into_iter()
            .flat_map(|entry| entry.body.iter().map(|(text, kind)| (text.as_ref(), *kind)))
    }
}

/// The parameters by name, and whether the last takes all that is left.
fn parameters(define: &Define<'_>) -> (Option<Vec<Arc<[u8]>>>, bool) {
    let Some(given) = &define.parameters else {
        return (None, false);
    };
    let mut variadic = false;
    let names = given
        .iter()
        .map(|name| match name.strip_suffix(b"...") {
            Some(rest) => {
                variadic = true;
                let rest = rest.trim_ascii();
                Arc::from(if rest.is_empty() {
                    b"__VA_ARGS__"
                } else {
                    rest
                })
            }
            None => Arc::from(*name),
        })
        .collect();
    (Some(names), variadic)
}

/// Expands every macro in `text`. The result has single spaces between tokens.
pub fn expand(text: &[u8], table: &MacroTable) -> Vec<u8> {
    expand_watching(text, table, &HashSet::new()).0
}

/// As [`expand`], and whether one of the macros in `watched` was met on the way. If none
/// was, all tables that differ in those only give the same.
pub fn expand_watching(
    text: &[u8],
    table: &MacroTable,
    watched: &HashSet<Vec<u8>>,
) -> (Vec<u8>, bool) {
    let none: Hidden = Arc::from([]);
    let pieces = lex(text, false)
        .tokens
        .iter()
        .map(|token| Piece {
            text: token.span.of(text).into(),
            kind: token.kind,
            hidden: none.clone(),
        })
        .collect();
    let mut expander = Expander {
        table,
        left: MOST_TOKENS,
        watched,
        met: false,
    };
    let mut out = Vec::with_capacity(text.len());
    for piece in expander.expand(pieces, 0) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(&piece.text);
    }
    (out, expander.met)
}

struct Expander<'a> {
    table: &'a MacroTable,
    left: usize,
    watched: &'a HashSet<Vec<u8>>,
    met: bool,
}

impl Expander<'_> {
    fn expand(&mut self, pieces: Vec<Piece>, depth: usize) -> Vec<Piece> {
        let mut stack = pieces;
        stack.reverse();
        let mut out = Vec::new();
        while let Some(piece) = stack.pop() {
            if self.left == 0 || depth > DEEPEST {
                out.push(piece);
                continue;
            }
            self.left -= 1;
            match self.replacement(&piece, &mut stack, depth) {
                Some(mut new) => {
                    self.left = self.left.saturating_sub(new.len());
                    new.reverse();
                    stack.append(&mut new);
                }
                None => out.push(piece),
            }
        }
        out
    }

    /// What `piece` and, for a function-like macro, its arguments on the stack
    /// are replaced by.
    fn replacement(
        &mut self,
        piece: &Piece,
        stack: &mut Vec<Piece>,
        depth: usize,
    ) -> Option<Vec<Piece>> {
        if piece.kind != Kind::Identifier {
            return None;
        }
        // One that is not defined here may be in another table.
        self.met |= !self.met && !self.watched.is_empty() && self.watched.contains(&*piece.text);
        let entry = self.table.macros.get(&piece.text)?.clone();
        // In a long chain of macros, to look through those is work, too.
        self.left = self.left.saturating_sub(piece.hidden.len() / 16);
        if piece.hidden.contains(&entry.number) {
            return None;
        }
        if entry.parameters.is_none() {
            let hidden = with(&piece.hidden, entry.number);
            return Some(self.substitute(&entry, &[], &hidden, depth));
        }
        let before = stack.len();
        let taken = take_arguments(stack);
        // Looking for the end of the arguments is work, too.
        let looked_at = before - taken.as_ref().map_or(0, |_| stack.len());
        self.left = self.left.saturating_sub(looked_at / 4);
        let (arguments, close_hidden) = taken?;
        let common: Vec<u32> = piece
            .hidden
            .iter()
            .filter(|number| close_hidden.contains(number))
            .copied()
            .collect();
        let hidden = with(&common, entry.number);
        let arguments = bind(&entry, arguments);
        Some(self.substitute(&entry, &arguments, &hidden, depth))
    }

    fn substitute(
        &mut self,
        entry: &Macro,
        arguments: &[Vec<Piece>],
        hidden: &Hidden,
        depth: usize,
    ) -> Vec<Piece> {
        let mut out: Vec<Piece> = Vec::new();
        let mut at = 0;
        while at < entry.body.len() {
            if self.left == 0 {
                break;
            }
            at = self.substitute_one(entry, at, arguments, hidden, depth, &mut out);
        }
        out.retain(|piece| !piece.text.is_empty());
        out
    }

    /// Handles the body token at `at`; gives the index of the next.
    fn substitute_one(
        &mut self,
        entry: &Macro,
        at: usize,
        arguments: &[Vec<Piece>],
        hidden: &Hidden,
        depth: usize,
        out: &mut Vec<Piece>,
    ) -> usize {
        let kind_at = |index: usize| entry.body.get(index).map(|(_, kind)| *kind);
        let (text, kind) = &entry.body[at];
        let literal = |text: &Arc<[u8]>, kind: Kind| Piece {
            text: text.clone(),
            kind,
            hidden: hidden.clone(),
        };
        if *kind == Kind::Paste && at > 0 && at + 1 < entry.body.len() {
            let (right, right_kind) = &entry.body[at + 1];
            match argument(entry, arguments, right) {
                Some(given) => self.paste_argument(entry, at, given, out),
                None => paste(out, &literal(right, *right_kind)),
            }
            return at + 2;
        }
        if *kind == Kind::Punctuator(b'#')
            && entry.parameters.is_some()
            && let Some(given) = entry
                .body
                .get(at + 1)
                .and_then(|(name, _)| argument(entry, arguments, name))
        {
            out.push(literal(&stringified(given), Kind::String));
            return at + 2;
        }
        if entry.variadic
            && text.as_ref() == b"__VA_OPT__"
            && let Some(close) = entry.closing(at + 1)
        {
            let is_given = arguments
                .get(entry.arity().saturating_sub(1))
                .is_some_and(|rest| !rest.is_empty());
            let mut next = if is_given { at + 2 } else { close };
            while next < close {
                next = self.substitute_one(entry, next, arguments, hidden, depth, out);
            }
            return close + 1;
        }
        match argument(entry, arguments, text) {
            Some(given) if kind_at(at + 1) == Some(Kind::Paste) => {
                self.left = self.left.saturating_sub(given.len());
                // A placemarker keeps an empty operand from joining the token before.
                if given.is_empty() {
                    out.push(literal(&Arc::from([]), Kind::Paste));
                }
                out.extend(given.iter().map(|piece| hide(piece, hidden)));
            }
            Some(given) => {
                let expanded = self.expand(given.to_vec(), depth + 1);
                out.extend(expanded.iter().map(|piece| hide(piece, hidden)));
            }
            None => out.push(literal(text, *kind)),
        }
        at + 1
    }

    fn paste_argument(&mut self, entry: &Macro, at: usize, given: &[Piece], out: &mut Vec<Piece>) {
        self.left = self.left.saturating_sub(given.len());
        // GNU C: `, ## args` is nothing at all where there are no args.
        let after_comma = entry.body[at - 1].1 == Kind::Punctuator(b',');
        if after_comma && entry.variadic {
            if given.is_empty() {
                out.pop();
            } else {
                out.extend(given.iter().cloned());
            }
            return;
        }
        if let Some((first, rest)) = given.split_first() {
            paste(out, first);
            out.extend(rest.iter().cloned());
        }
    }
}

/// The argument for the parameter `name`.
fn argument<'a>(entry: &Macro, arguments: &'a [Vec<Piece>], name: &[u8]) -> Option<&'a [Piece]> {
    let place = entry
        .parameters
        .as_ref()?
        .iter()
        .position(|parameter| parameter.as_ref() == name)?;
    Some(arguments.get(place).map_or(&[], Vec::as_slice))
}

fn with(hidden: &[u32], number: u32) -> Hidden {
    hidden.iter().copied().chain([number]).collect()
}

fn hide(piece: &Piece, hidden: &Hidden) -> Piece {
    if hidden.iter().all(|number| piece.hidden.contains(number)) {
        return piece.clone();
    }
    if piece.hidden.is_empty() {
        return Piece {
            hidden: hidden.clone(),
            ..piece.clone()
        };
    }
    let mut numbers: Vec<u32> = piece.hidden.iter().chain(hidden.iter()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    Piece {
        hidden: numbers.into(),
        ..piece.clone()
    }
}

/// Joins `right` to the last token of `out`.
fn paste(out: &mut Vec<Piece>, right: &Piece) {
    let Some(left) = out.pop() else {
        out.push(right.clone());
        return;
    };
    let text: Vec<u8> = left.text.iter().chain(right.text.iter()).copied().collect();
    let kind = match lex(&text, false).tokens.first() {
        Some(token) if token.span.end as usize == text.len() => token.kind,
        _ => right.kind,
    };
    out.push(Piece {
        text: text.into(),
        kind,
        hidden: left.hidden,
    });
}

fn stringified(pieces: &[Piece]) -> Arc<[u8]> {
    let mut text = vec![b'"'];
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        text.extend(
            piece
                .text
                .iter()
                .copied()
                .filter(|byte| !matches!(byte, b'"' | b'\\')),
        );
    }
    text.push(b'"');
    text.into()
}

/// Takes `( … )` off the stack, split at its commas; `None`, with the stack as
/// it was, if no parenthesis comes next or it does not close.
fn take_arguments(stack: &mut Vec<Piece>) -> Option<(Vec<Vec<Piece>>, Hidden)> {
    if stack.last()?.kind != Kind::Punctuator(b'(') {
        return None;
    }
    let mut depth = 0usize;
    let length = stack.iter().rev().position(|piece| {
        match piece.kind {
            Kind::Punctuator(b'(') => depth += 1,
            Kind::Punctuator(b')') => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    let mut group = stack.split_off(stack.len() - length - 1);
    let close = group.first()?.hidden.clone();
    group.pop();
    group.reverse();
    group.pop();
    Some((split(group), close))
}

fn split(group: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut arguments = vec![Vec::new()];
    let mut depth = 0usize;
    for piece in group {
        match piece.kind {
            Kind::Punctuator(b'(') => depth += 1,
            Kind::Punctuator(b')') => depth = depth.saturating_sub(1),
            Kind::Punctuator(b',') if depth == 0 => {
                arguments.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = arguments.last_mut() {
            last.push(piece);
        }
    }
    arguments
}

/// Gathers what the variadic parameter takes into one argument.
fn bind(entry: &Macro, mut arguments: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
    let count = entry.arity();
    if !entry.variadic || arguments.len() <= count || count == 0 {
        return arguments;
    }
    let rest = arguments.split_off(count);
    if let Some(last) = arguments.last_mut() {
        for more in rest {
            last.push(Piece {
                text: Arc::from(*b","),
                kind: Kind::Punctuator(b','),
                hidden: Arc::from([]),
            });
            last.extend(more);
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(defines: &[&str], text: &str) -> String {
        let mut table = MacroTable::default();
        for define in defines {
            table.define(define.as_bytes());
        }
        let out = expand(text.as_bytes(), &table);
        String::from_utf8_lossy(&out).replace(' ', "")
    }

    #[test]
    fn pasting_stringifying_and_rescanning() {
        assert_eq!(
            expanded(&["#define T(n) trace_##n##_tp(#n)"], "T(x)"),
            "trace_x_tp(\"x\")"
        );
        assert_eq!(
            expanded(
                &[
                    "#define ice ICE",
                    "#define P_(x) (trace_ ## ice ## _ ## x)",
                    "#define P(x) P_(x)"
                ],
                "P(a)(b)"
            ),
            "(trace_ice_a)(b)"
        );
        assert_eq!(expanded(&["#define A B", "#define B(x) x"], "A(1)"), "1");
        assert_eq!(
            expanded(
                &["#define PARAMS(args...) args", "#define F(p) f(p)"],
                "F(PARAMS(a, b))"
            ),
            "f(a,b)"
        );
        assert_eq!(
            expanded(
                &["#define E(f, ...) p(f, ##__VA_ARGS__)"],
                "E(1) E(1, 2, 3)"
            ),
            "p(1)p(1,2,3)"
        );
        let optional = "#define O(f, ...) f(1 __VA_OPT__(, (__VA_ARGS__)))";
        assert_eq!(expanded(&[optional], "O(p) O(p, 2, 3)"), "p(1)p(1,(2,3))");
        assert_eq!(expanded(&["#define N(a) a##_x"], "N(9p)"), "9p_x");
        assert_eq!(
            expanded(&["#define C(a, b) x a##b y"], "C(,q) C(,)"),
            "xqyxy"
        );
    }

    #[test]
    fn no_macro_expands_inside_itself() {
        assert_eq!(expanded(&["#define A A B", "#define B A"], "A"), "AA");
        assert_eq!(
            expanded(&["#define f(x) f(x) g(x)", "#define g(x) f(x)"], "f(1)"),
            "f(1)f(1)"
        );
    }

    #[test]
    fn what_differs_between_tables_is_noticed_on_the_way() {
        let table = |defines: &[&str]| {
            let mut table = MacroTable::default();
            for define in defines {
                table.define(define.as_bytes());
            }
            table
        };
        let common = "#define SAME(x) x";
        let one = table(&[common, "#define OTHER 1", "#define GONE(x) x"]);
        let other = table(&[common, "#define OTHER 2", "#define COME(x) x"]);
        let varied = MacroTable::varied(&[&one, &other]);
        let names = ["OTHER", "GONE", "COME"].map(|name| name.as_bytes().to_vec());
        assert_eq!(varied, HashSet::from(names));
        for (text, varies) in [
            ("SAME(1)", false),
            ("SAME(OTHER)", true),
            // Neither is defined everywhere, so what is not called is met as well.
            ("SAME(GONE)", true),
            ("SAME(COME(1))", true),
            ("OTHERS SAME(ELSE)", false),
        ] {
            for table in [&one, &other] {
                let (_, met) = expand_watching(text.as_bytes(), table, &varied);
                assert_eq!(met, varies, "{text}");
            }
        }
    }

    #[test]
    fn growth_is_bounded() {
        let defines: Vec<String> = (0..64)
            .map(|index| format!("#define M{index} M{next} M{next} M{next}", next = index + 1))
            .collect();
        let defines: Vec<&str> = defines.iter().map(String::as_str).collect();
        assert!(expanded(&defines, "M0").len() < 1 << 20);
        let nested = format!("{}1{}", "F(".repeat(10_000), ")".repeat(10_000));
        assert!(
            expanded(&["#define F(x) F2(x) F2(x)", "#define F2(x) x"], &nested).len() < 1 << 22
        );
        assert_eq!(expanded(&["#define F(x) x"], "F(1"), "F(1");
    }
}
