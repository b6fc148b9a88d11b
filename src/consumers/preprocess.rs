// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One translation unit as a single text: its own includes in place, macros expanded,
//! what is never compiled left out, and each token with the line that it comes from.
//!
//! For one kernel version at a time, so that conditionals on `LINUX_VERSION_CODE` are
//! decided, and with them which of several macros counts. What else a conditional asks
//! is not known; all such branches are kept, and stay branches. It may not know what a
//! use looks like.

use super::library::Library;
use crate::kernel::expand::{MacroTable, expand_watching};
use crate::syntax::directives::{Define, Directive, IncludeTarget};
use crate::syntax::expressions::Expression;
use crate::syntax::groups::{closing_within, joined};
use crate::syntax::lexer::{Kind, Token, lex};
use crate::syntax::lines::Lines;
use std::collections::{BTreeSet, HashMap, HashSet};

/// How deep includes may nest.
const DEEPEST: usize = 24;
/// How often one unit may include one file: X-macros do, several times.
const MOST_TIMES: u32 = 32;
/// How large a unit may become.
const MOST_BYTES: usize = 16 << 20;
/// How many definitions of one macro are kept, of branches that are not decided.
const MOST_VARIANTS: usize = 4;
/// How many tokens the arguments of a macro may have.
const DISTANCE: usize = 1 << 14;
/// How deep macros may nest in a condition.
const CONDITION_DEPTH: u8 = 8;

/// Macros that say more by their name than by what they come to.
const MEANINGFUL: [&[u8]; 6] = [
    b"SEC",
    b"BPF_PROG",
    b"RAW_TRACEPOINT_PROBE",
    b"TRACEPOINT_PROBE",
    b"rv_attach_trace_probe",
    b"KERNEL_VERSION",
];

/// The pasting macros of include/linux/args.h, compiler_types.h and stringify.h, which
/// a module does not bring along.
const KERNEL_MACROS: [&[u8]; 6] = [
    b"#define CONCATENATE(a, b) __CONCAT(a, b)",
    b"#define __CONCAT(a, b) a##b",
    b"#define __PASTE(a, b) ___PASTE(a, b)",
    b"#define ___PASTE(a, b) a##b",
    b"#define __stringify(x...) __stringify_1(x)",
    b"#define __stringify_1(x...) #x",
];

/// A unit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flat {
    /// Its text. The only directives are `#if 1`, `#else` and `#endif`, of branches of
    /// which it is not known which is compiled.
    pub text: Vec<u8>,
    /// Where each token of it comes from, by its offset.
    marks: Vec<(u32, u32, u32)>,
    /// The files that it was made of.
    pub files: Vec<String>,
    /// The versions that its conditions name; only where none of them is decided.
    pub codes: BTreeSet<u32>,
    /// Whether it is compiled for user space: it includes what no kernel has.
    pub in_user_space: bool,
}

impl Flat {
    /// The file and the line of what stands at `offset`.
    pub fn place(&self, offset: u32) -> (&str, u32) {
        let at = self.marks.partition_point(|mark| mark.0 <= offset);
        let mark = at.checked_sub(1).and_then(|at| self.marks.get(at));
        mark.and_then(|&(_, file, line)| Some((self.files.get(file as usize)?.as_str(), line)))
            .unwrap_or(("", 0))
    }

    fn push(&mut self, text: &[u8], file: u32, line: u32) {
        if self.text.len() + text.len() < MOST_BYTES {
            self.marks.push((self.text.len() as u32, file, line));
            self.text.extend_from_slice(text);
            self.text.push(b' ');
        }
    }

    fn directive(&mut self, text: &[u8]) {
        if self.text.len() < MOST_BYTES {
            self.text.push(b'\n');
            self.text.extend_from_slice(text);
            self.text.push(b'\n');
        }
    }
}

/// Makes the unit of `file`, for a kernel whose `LINUX_VERSION_CODE` is `version`.
/// Without one, all that depends on it is kept.
pub(super) fn flatten(file: &str, text: &[u8], version: Option<u32>, library: &Library) -> Flat {
    let mut unit = Unit {
        headers: library,
        version,
        macros: Macros::default(),
        times: HashMap::new(),
        once: HashSet::new(),
        flat: Flat::default(),
    };
    for text in KERNEL_MACROS {
        unit.macros.define_in_all(text);
    }
    unit.flat.in_user_space = is_cpp(file);
    unit.file(file, text, 0, Known::Yes);
    unit.flat
}

/// No kernel is written in C++.
fn is_cpp(file: &str) -> bool {
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx")
}

/// Whether something is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Yes,
    No,
    Maybe,
}

impl Known {
    fn of(value: Option<i64>) -> Self {
        match value {
            Some(0) => Self::No,
            Some(_) => Self::Yes,
            None => Self::Maybe,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Maybe,
        }
    }
}

/// One open `#if`.
struct Frame {
    outer: Known,
    /// Whether the current branch is compiled.
    here: Known,
    /// Whether an earlier one was, or this one is.
    taken: Known,
    /// Whether its branches are kept apart in the unit.
    written: bool,
    /// The name of an `#ifndef` that the next directive may show to be a guard.
    guard: Option<Vec<u8>>,
}

struct Unit<'a> {
    headers: &'a Library,
    version: Option<u32>,
    macros: Macros,
    times: HashMap<String, u32>,
    /// The files that say `#pragma once`.
    once: HashSet<String>,
    flat: Flat,
}

impl Unit<'_> {
    fn file(&mut self, file: &str, text: &[u8], depth: usize, outer: Known) {
        let number = self.flat.files.len() as u32;
        self.flat.files.push(file.to_owned());
        let lexed = lex(text, true);
        let lines = Lines::of(text);
        let mut frames: Vec<Frame> = Vec::new();
        let mut index = 0;
        while let Some(token) = lexed.tokens.get(index) {
            let known = frames.last().map_or(outer, |frame| frame.here);
            if token.kind == Kind::Directive {
                let line = token.span.of(text);
                self.directive(file, line, depth, outer, &mut frames);
            } else if known != Known::No {
                let line = lines.line(token.span.start);
                index = self.token(text, &lexed.tokens, index, number, line);
                continue;
            }
            index += 1;
        }
        for _ in frames.iter().filter(|frame| frame.written) {
            self.flat.directive(b"#endif");
        }
    }

    /// Takes the token at `index`, or the macro call that it starts; gives the index of
    /// the next.
    fn token(&mut self, text: &[u8], all: &[Token], index: usize, file: u32, line: u32) -> usize {
        let token = all[index];
        let word = token.span.of(text);
        let Some(last) = self.call(text, all, index) else {
            self.flat.push(word, file, line);
            return index + 1;
        };
        let call = joined(text, &all[index..=last]);
        for expansion in self.macros.expansions(call.as_bytes()) {
            self.flat.push(&expansion, file, line);
        }
        last + 1
    }

    /// If the token at `index` starts a macro call, the index of the last of its tokens.
    fn call(&self, text: &[u8], all: &[Token], index: usize) -> Option<usize> {
        let token = all[index];
        if token.kind != Kind::Identifier {
            return None;
        }
        let with_arguments = self.macros.takes_arguments(token.span.of(text))?;
        let mut last = index;
        if with_arguments {
            all.get(index + 1).filter(|next| next.is(b'('))?;
            last = closing_within(text, all, index + 1, DISTANCE)?;
        }
        // What it comes to may be the name of another macro: `HOOK(a)(b)`.
        while all.get(last + 1).is_some_and(|next| next.is(b'(')) && !with_arguments {
            last = closing_within(text, all, last + 1, DISTANCE)?;
        }
        Some(last)
    }

    fn directive(
        &mut self,
        file: &str,
        line: &[u8],
        depth: usize,
        outer: Known,
        frames: &mut Vec<Frame>,
    ) {
        let known = frames.last().map_or(outer, |frame| frame.here);
        let directive = Directive::parse(line);
        let guard = frames.last_mut().and_then(|frame| frame.guard.take());
        if let Directive::If(text) | Directive::Elif(text) = &directive
            && self.version.is_none()
        {
            self.note_versions(text);
        }
        match &directive {
            Directive::If(text) => self.open(frames, known, self.value(text), None),
            Directive::Ifdef(name) => self.open(frames, known, self.defined(name), None),
            Directive::Ifndef(name) => {
                let value = self.defined(name).map(|value| i64::from(value == 0));
                self.open(frames, known, value, Some(name.to_vec()));
            }
            Directive::Elif(text) => self.next(frames, self.value(text)),
            Directive::Elifdef(name) => self.next(frames, self.defined(name)),
            Directive::Elifndef(name) => {
                let value = self.defined(name).map(|value| i64::from(value == 0));
                self.next(frames, value);
            }
            Directive::Else => self.next(frames, Some(1)),
            Directive::Endif => {
                if frames.pop().is_some_and(|frame| frame.written) {
                    self.flat.directive(b"#endif");
                }
            }
            // What asks for it gets the answer of a kernel for which it is not defined.
            Directive::Define(define) if known == Known::No => self.macros.passed(define.name),
            _ if known == Known::No => {}
            Directive::Define(define) => {
                let mut known = known;
                if guard.as_deref() == Some(define.name)
                    && let Some(frame) = frames.last_mut()
                {
                    frame.here = frame.outer;
                    known = frame.outer;
                }
                self.macros.define(define, line, known);
            }
            Directive::Undef(name) => self.macros.undefine(name, known),
            Directive::Include(target) => self.include(file, target, depth, known),
            Directive::Other if is_pragma_once(line) => drop(self.once.insert(file.to_owned())),
            Directive::Other => {}
        }
    }

    fn include(&mut self, from: &str, target: &IncludeTarget<'_>, depth: usize, known: Known) {
        let Some((path, text)) = self.headers.included(from, target) else {
            self.flat.in_user_space |= known == Known::Yes && is_of_user_space(target);
            return;
        };
        if depth == DEEPEST || self.once.contains(&path) {
            return;
        }
        let times = self.times.entry(path.clone()).or_default();
        *times += 1;
        if *times <= MOST_TIMES && self.flat.text.len() < MOST_BYTES {
            self.file(&path, &text, depth + 1, known);
        }
    }

    fn open(
        &mut self,
        frames: &mut Vec<Frame>,
        outer: Known,
        value: Option<i64>,
        guard: Option<Vec<u8>>,
    ) {
        let asked = Known::of(value);
        let here = outer.and(asked);
        let written = outer != Known::No && asked == Known::Maybe;
        if written {
            self.flat.directive(b"#if 1");
        }
        frames.push(Frame {
            outer,
            here,
            taken: asked,
            written,
            guard,
        });
    }

    fn next(&mut self, frames: &mut [Frame], value: Option<i64>) {
        let Some(frame) = frames.last_mut() else {
            return;
        };
        let asked = Known::of(value);
        let not_before = match frame.taken {
            Known::Yes => Known::No,
            Known::No => Known::Yes,
            Known::Maybe => Known::Maybe,
        };
        frame.here = frame.outer.and(not_before.and(asked));
        frame.taken = match (frame.taken, asked) {
            (Known::Yes, _) | (_, Known::Yes) => Known::Yes,
            (Known::No, Known::No) => Known::No,
            _ => Known::Maybe,
        };
        if frame.written {
            self.flat.directive(b"#else");
        } else if frame.here == Known::Maybe && asked == Known::Maybe {
            frame.written = true;
            self.flat.directive(b"#if 1");
        }
    }

    // Conditions.

    /// Keeps the versions that a condition names, by itself or by macros.
    fn note_versions(&mut self, text: &[u8]) {
        for expansion in self.macros.expansions(text) {
            super::versions::add(&with_operators(&expansion), &mut self.flat.codes);
        }
    }

    fn value(&self, text: &[u8]) -> Option<i64> {
        self.value_at(&Expression::parse(text), CONDITION_DEPTH)
    }

    fn value_at(&self, expression: &Expression, depth: u8) -> Option<i64> {
        expression.value(&|one| match one {
            Expression::Defined(name) => self.defined(name.as_bytes()),
            Expression::Name(name) if name.ends_with("LINUX_VERSION_CODE") => {
                self.version.map(i64::from)
            }
            Expression::Name(name) => self.macro_value(name, name, depth),
            Expression::Call(name, arguments) => self
                .version_call(name, arguments)
                .or_else(|| self.macro_value(name, &format!("{name}({arguments})"), depth)),
            _ => None,
        })
    }

    /// `KERNEL_VERSION(a, b, c)`, and LTTng's `LTTNG_KERNEL_RANGE(a, b, c, d, e, f)`.
    fn version_call(&self, name: &str, arguments: &str) -> Option<i64> {
        let numbers = super::versions::numbers(arguments)?;
        let code = |from: usize| {
            let part = numbers.get(from..from + 3)?;
            super::versions::code(part[0], part[1], part[2])
        };
        if name.ends_with("KERNEL_VERSION") && numbers.len() == 3 {
            return code(0).map(i64::from);
        }
        if name.ends_with("KERNEL_RANGE") && numbers.len() == 6 {
            let (from, to) = (code(0)?, code(3)?);
            return self
                .version
                .map(|version| i64::from((from..to).contains(&version)));
        }
        None
    }

    /// The value of what a macro of the unit comes to, if that is certain.
    fn macro_value(&self, name: &str, call: &str, depth: u8) -> Option<i64> {
        if depth == 0 || self.macros.defined(name.as_bytes()) != Some(true) {
            return None;
        }
        let mut expansions = self.macros.expansions(call.as_bytes()).into_iter();
        let (Some(only), None) = (expansions.next(), expansions.next()) else {
            return None;
        };
        let expression = Expression::parse(&with_operators(&only));
        match &expression {
            Expression::Name(same) if same == name => None,
            _ => self.value_at(&expression, depth - 1),
        }
    }

    fn defined(&self, name: &[u8]) -> Option<i64> {
        if name.ends_with(b"LINUX_VERSION_CODE") {
            return Some(1);
        }
        self.macros.defined(name).map(i64::from)
    }
}

fn is_pragma_once(directive: &[u8]) -> bool {
    let mut words = directive
        .split(|byte| byte.is_ascii_whitespace() || *byte == b'#')
        .filter(|word| !word.is_empty());
    words.next() == Some(b"pragma") && words.next() == Some(b"once")
}

/// Whether a header that the consumer has not is one of C's or POSIX's that no code of a
/// kernel is compiled with; `<stdarg.h>`, `<stdbool.h>` and the like are.
fn is_of_user_space(target: &IncludeTarget<'_>) -> bool {
    const HEADERS: [&[u8]; 10] = [
        b"assert.h",
        b"errno.h",
        b"fcntl.h",
        b"pthread.h",
        b"signal.h",
        b"stdio.h",
        b"stdlib.h",
        b"string.h",
        b"time.h",
        b"unistd.h",
    ];
    matches!(target, IncludeTarget::Angled(name) if HEADERS.contains(name))
}

/// An expansion has spaces between all tokens, and `> =` is no operator.
fn with_operators(expansion: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(expansion.len());
    for &byte in expansion {
        let joins = matches!(
            (out.iter().rev().nth(1), out.last(), byte),
            (Some(b'<' | b'>' | b'=' | b'!'), Some(b' '), b'=')
                | (Some(b'&'), Some(b' '), b'&')
                | (Some(b'|'), Some(b' '), b'|')
                | (Some(b'<'), Some(b' '), b'<')
                | (Some(b'>'), Some(b' '), b'>')
        );
        if joins {
            out.pop();
        }
        out.push(byte);
    }
    out
}

/// The macros of a unit. Of one that is defined in branches of which it is not known
/// which is compiled, every definition is kept: the n-th of each macro is in the n-th
/// table.
#[derive(Default)]
struct Macros {
    tables: Vec<MacroTable>,
    entries: HashMap<Vec<u8>, Entry>,
    /// Undefined for certain.
    absent: HashSet<Vec<u8>>,
    /// Those that are not the same in all tables.
    varied: HashSet<Vec<u8>>,
}

#[derive(Clone, Default)]
struct Entry {
    variants: Vec<Vec<u8>>,
    arguments: bool,
    certain: bool,
}

impl Macros {
    fn define_in_all(&mut self, text: &[u8]) {
        if let Directive::Define(define) = Directive::parse(text) {
            self.define(&define, text, Known::Yes);
        }
    }

    fn define(&mut self, define: &Define<'_>, text: &[u8], known: Known) {
        let name = define.name;
        if MEANINGFUL.contains(&name) || name.starts_with(b"LTTNG_TRACEPOINT_EVENT") {
            return;
        }
        let entry = self.entries.entry(name.to_vec()).or_default();
        if known == Known::Yes {
            entry.variants.clear();
        }
        if entry.variants.len() == MOST_VARIANTS {
            entry.variants.pop();
        }
        entry.certain = known == Known::Yes || entry.certain;
        entry.arguments = define.parameters.is_some();
        entry.variants.push(text.to_vec());
        let variants = entry.variants.clone();
        self.absent.remove(name);
        self.write(name, &variants);
    }

    fn write(&mut self, name: &[u8], variants: &[Vec<u8>]) {
        if variants.len() > 1 {
            self.varied.insert(name.to_vec());
        } else {
            self.varied.remove(name);
        }
        while self.tables.len() < variants.len().max(1) {
            let table = self.tables.last().cloned().unwrap_or_default();
            self.tables.push(table);
        }
        for (number, table) in self.tables.iter_mut().enumerate() {
            match variants.get(number).or(variants.last()) {
                Some(text) => table.define(text),
                None => table.undefine(name),
            }
        }
    }

    fn undefine(&mut self, name: &[u8], known: Known) {
        self.entries.remove(name);
        if known == Known::Yes {
            self.absent.insert(name.to_vec());
        }
        self.write(name, &[]);
    }

    /// Passes a definition that is never compiled.
    fn passed(&mut self, name: &[u8]) {
        if !self.entries.contains_key(name) {
            self.absent.insert(name.to_vec());
        }
    }

    /// Whether it is defined, where that is certain.
    fn defined(&self, name: &[u8]) -> Option<bool> {
        match self.entries.get(name) {
            Some(entry) => entry.certain.then_some(true),
            None => self.absent.contains(name).then_some(false),
        }
    }

    /// Whether the macro `name` takes arguments; `None` if there is none of that name.
    fn takes_arguments(&self, name: &[u8]) -> Option<bool> {
        self.entries.get(name).map(|entry| entry.arguments)
    }

    /// What a call may come to, none twice.
    fn expansions(&self, call: &[u8]) -> Vec<Vec<u8>> {
        let Some((first, others)) = self.tables.split_first() else {
            return Vec::new();
        };
        let (one, varies) = expand_watching(call, first, &self.varied);
        let mut all = vec![one];
        for table in others.iter().filter(|_| varies) {
            let (one, _) = expand_watching(call, table, &self.varied);
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }
}
