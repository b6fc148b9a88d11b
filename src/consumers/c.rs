// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The uses in one translation unit of C, as [`super::preprocess`] makes it.

use super::bpf::{LOADERS, is_name, section};
use super::names::Names;
use super::preprocess::Flat;
use super::{Way, text};
use crate::inventory::uses::{Sign, Tokens, sign};
use crate::syntax::groups::{closing_within, parameter};
use crate::syntax::lexer::{Kind, lex};
use crate::syntax::outline::Outline;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// How many tokens the arguments of a call may have.
const DISTANCE: usize = 1 << 14;

/// Something that may be a use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Found {
    pub name: String,
    pub file: String,
    pub line: u32,
    pub way: Way,
    /// The functions that may be the probe.
    pub probes: Vec<String>,
    /// The probe's parameters, where they stand beside the use.
    pub prototype: Option<Vec<String>>,
    /// For a string that is a use only if something of the consumer looks tracepoints
    /// up: the function that it is given to, or nothing for an initialiser.
    pub looked_up: Option<Option<String>>,
}

/// What one unit holds.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub found: Vec<Found>,
    /// Whether it walks over all tracepoints.
    pub looks_up: bool,
    /// The parameters of the functions that it defines.
    pub functions: HashMap<String, Vec<Vec<String>>>,
}

/// Functions that compare strings.
const COMPARING: [&str; 9] = [
    "strcmp",
    "strncmp",
    "strcasecmp",
    "strstr",
    "memcmp",
    "sysfs_streq",
    "match_string",
    "strequal",
    "streq",
];

/// Whether a string given to `function` may be the name of a tracepoint that is looked
/// for: the function compares strings, or the consumer wrote it.
pub(super) fn may_look_up(function: &str, own: &HashSet<&str>) -> bool {
    COMPARING.contains(&function) || function.starts_with("__builtin_str") || own.contains(function)
}

/// Looks at a unit.
pub(super) fn look(flat: &Flat, names: &Names) -> Look {
    let lexed = lex(&flat.text, true);
    let tokens = Tokens {
        text: &flat.text,
        all: &lexed.tokens,
    };
    let mut looker = Looker {
        flat,
        names,
        tokens,
        outline: Outline::new(&flat.text, &lexed.tokens),
        look: Look::default(),
        dynamic: memchr::memmem::find(&flat.text, b"dynamic_events").is_some(),
    };
    looker.walk();
    looker.look
}

struct Looker<'a> {
    flat: &'a Flat,
    names: &'a Names,
    tokens: Tokens<'a>,
    outline: Outline<'a>,
    look: Look,
    dynamic: bool,
}

impl Looker<'_> {
    fn walk(&mut self) {
        for index in 0..self.tokens.all.len() {
            match self.tokens.all[index].kind {
                Kind::Directive => self.outline.directive(index, false),
                Kind::Identifier => {
                    self.definition(index);
                    self.identifier(index);
                }
                Kind::String => self.string(index),
                Kind::Punctuator(_) => self.outline.token(index),
                _ => {}
            }
        }
    }

    fn word(&self, index: usize) -> String {
        String::from_utf8_lossy(self.tokens.word(index)).into_owned()
    }

    fn found(&self, index: usize, way: Way, name: &str) -> Found {
        let (file, line) = self.flat.place(self.tokens.all[index].span.start);
        Found {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
            way,
            probes: Vec::new(),
            prototype: None,
            looked_up: None,
        }
    }

    fn add(&mut self, index: usize, way: Way, name: &str, probes: Vec<String>) {
        if is_name(name) {
            let found = self.found(index, way, name);
            self.look.found.push(Found { probes, ..found });
        }
    }

    // Functions.

    /// Keeps the parameters of a function that is defined here.
    fn definition(&mut self, index: usize) {
        if !self.outline.at_file_scope()
            || self.outline.in_initialiser()
            || !self.tokens.is(index + 1, b'(')
        {
            return;
        }
        let Some(arguments) = self.tokens.arguments_of(index) else {
            return;
        };
        let Some(close) = self.close(index + 1) else {
            return;
        };
        let mut next = close + 1;
        // Attributes may come before the body.
        for _ in 0..8 {
            match self.tokens.all.get(next).map(|token| token.kind) {
                Some(Kind::Identifier) => next += 1,
                Some(Kind::Punctuator(b'(')) => match self.close(next) {
                    Some(close) => next = close + 1,
                    None => return,
                },
                _ => break,
            }
        }
        if self.tokens.is(next, b'{') {
            let name = self.word(index);
            let parameters = self.parameters(&arguments);
            let known = self.look.functions.entry(name).or_default();
            if !known.contains(&parameters) {
                known.push(parameters);
            }
        }
    }

    fn close(&self, open: usize) -> Option<usize> {
        closing_within(self.tokens.text, self.tokens.all, open, DISTANCE)
    }

    /// Without the `void *data` that comes first.
    fn parameters(&self, ranges: &[Range<usize>]) -> Vec<String> {
        let all = ranges
            .iter()
            .map(|range| parameter(self.tokens.text, &self.tokens.all[range.clone()]));
        let mut all: Vec<String> = all.filter(|one| one != "void").collect();
        if all.first().is_some_and(|first| first.starts_with("void *")) {
            all.remove(0);
        }
        all
    }

    // Identifiers.

    fn identifier(&mut self, index: usize) {
        match sign(self.tokens, index) {
            Some(Sign::Registers(probe)) if !self.is_definition(index) => {
                let word = self.word(index);
                let name = word.strip_prefix("register_trace_").unwrap_or_default();
                let name = match name.strip_prefix("prio_") {
                    Some(rest) if self.names.real(name).is_none() => rest,
                    _ => name,
                };
                let probes = probe.into_iter().map(String::from).collect();
                self.add(index, Way::Register, name, probes);
            }
            Some(Sign::Symbol {
                name,
                probes,
                registered,
            }) if (registered || self.is_pointer(index)) && !self.is_generated(&name) => {
                let probes = probes.into_iter().map(String::from).collect();
                self.add(index, Way::Symbol, &name, probes);
            }
            Some(Sign::RegistersSome(probe)) => self.old_registration(index, probe),
            Some(Sign::LooksUp) => self.look.looks_up = true,
            Some(_) => {}
            None => self.call(index),
        }
    }

    /// Whether the name is being declared: it stands behind a type.
    fn is_definition(&self, index: usize) -> bool {
        let before = index.checked_sub(1);
        before.is_some_and(|before| {
            let token = &self.tokens.all[before];
            token.is(b'*') && self.outline.at_file_scope()
                || token.kind == Kind::Identifier
                    && !matches!(self.tokens.word(before), b"return" | b"else" | b"do")
        })
    }

    /// Whether it stands in `register_trace_X()` itself, in a copy of
    /// include/linux/tracepoint.h.
    fn is_generated(&self, name: &str) -> bool {
        let function = self.outline.function();
        function.is_some_and(|function| {
            let stem = function.strip_prefix("register_trace_");
            stem.is_some_and(|stem| stem.strip_prefix("prio_").unwrap_or(stem) == name)
        })
    }

    /// `&__tracepoint_X`, but not `&__tracepoint_X.key`.
    fn is_pointer(&self, index: usize) -> bool {
        let before = index.checked_sub(1);
        before.is_some_and(|before| self.tokens.is(before, b'&'))
            && !self.tokens.is(index + 1, b'.')
            && !self.tokens.is(index + 1, b'-')
    }

    /// Until Linux 3.15, the first argument was a name.
    fn old_registration(&mut self, index: usize, probe: Option<Box<str>>) {
        let first = self.argument(index, 0);
        if let Some(name) = first.and_then(|range| self.literal(range)) {
            let probes = probe.into_iter().map(String::from).collect();
            self.add(index, Way::Lookup, &name, probes);
        }
    }

    fn argument(&self, call: usize, place: usize) -> Option<Range<usize>> {
        self.tokens.arguments_of(call)?.into_iter().nth(place)
    }

    /// What the strings at the start of `range` come to.
    fn literal(&self, range: Range<usize>) -> Option<String> {
        let all = range.take_while(|&index| self.tokens.all[index].kind == Kind::String);
        let parts: Vec<String> = all.map(|index| self.content(index)).collect();
        (!parts.is_empty()).then(|| parts.concat())
    }

    fn content(&self, index: usize) -> String {
        let word = self.word(index);
        word.trim_matches('"').to_owned()
    }

    fn call(&mut self, index: usize) {
        if !self.tokens.is(index + 1, b'(') {
            return;
        }
        let word = self.word(index);
        match word.as_str() {
            "rv_attach_trace_probe" => {
                let name = self.argument(index, 1).filter(|range| range.len() == 1);
                let probe = self
                    .argument(index, 2)
                    .map(|range| self.word(range.end - 1));
                if let Some(name) = name {
                    let name = self.word(name.start);
                    self.add(index, Way::Register, &name, probe.into_iter().collect());
                }
            }
            "SEC" | "section" | "__section" | "__section__" => self.section(index),
            "RAW_TRACEPOINT_PROBE" => self.bcc(index, 0, Way::BpfRawTracepoint),
            "TRACEPOINT_PROBE" => self.bcc(index, 1, Way::Perf),
            _ if word.starts_with("LTTNG_TRACEPOINT_EVENT") => self.lttng(index, &word),
            _ => self.loader(index, word.as_bytes()),
        }
    }

    fn bcc(&mut self, index: usize, place: usize, way: Way) {
        if let Some(range) = self.argument(index, place)
            && range.len() == 1
        {
            let name = self.word(range.start);
            self.add(index, way, &name, Vec::new());
        }
    }

    /// LTTng looks the first name up; the mapped one is its own.
    fn lttng(&mut self, index: usize, word: &str) {
        if word.contains("EVENT_CLASS") {
            return;
        }
        let place = usize::from(word.contains("EVENT_INSTANCE"));
        let Some(range) = self.argument(index, place).filter(|range| range.len() == 1) else {
            return;
        };
        let name = self.word(range.start);
        if !is_name(&name) {
            return;
        }
        let arguments = self.tokens.arguments_of(index).unwrap_or_default();
        let prototype = arguments
            .iter()
            .find(|range| self.tokens.word(range.start) == b"TP_PROTO")
            .and_then(|range| self.tokens.arguments_of(range.start));
        let found = self.found(index, Way::Lookup, &name);
        self.look.found.push(Found {
            prototype: prototype.map(|ranges| self.parameters(&ranges)),
            ..found
        });
    }

    fn section(&mut self, index: usize) {
        let Some(text) = self
            .argument(index, 0)
            .and_then(|range| self.literal(range))
        else {
            return;
        };
        let Some((way, name)) = section(&text) else {
            return;
        };
        let found = self.found(index, way, name);
        self.look.found.push(Found {
            prototype: self.bpf_prototype(index),
            ..found
        });
    }

    /// The parameters of the `BPF_PROG(name, …)` that follows a section.
    fn bpf_prototype(&self, section: usize) -> Option<Vec<String>> {
        let close = self.close(section + 1)?;
        let near = close + 1..(close + 8).min(self.tokens.all.len());
        let program = near
            .take_while(|&index| !self.tokens.is(index, b'{') && !self.tokens.is(index, b';'))
            .find(|&index| self.tokens.word(index) == b"BPF_PROG")?;
        let arguments = self.tokens.arguments_of(program)?;
        let rest = arguments.get(1..)?;
        let all = rest
            .iter()
            .map(|range| parameter(self.tokens.text, &self.tokens.all[range.clone()]));
        Some(all.collect())
    }

    fn loader(&mut self, index: usize, word: &[u8]) {
        let Some(&(_, place, way)) = LOADERS.iter().find(|(name, ..)| *name == word) else {
            return;
        };
        if let Some(name) = self
            .argument(index, place)
            .and_then(|range| self.literal(range))
        {
            // bcc names an event by its system, too.
            let name = name.rsplit(':').next().unwrap_or_default();
            self.add(index, way, name, Vec::new());
        }
    }

    // Strings.

    fn string(&mut self, index: usize) {
        let first = !index
            .checked_sub(1)
            .is_some_and(|before| self.tokens.all[before].kind == Kind::String);
        if !first {
            return;
        }
        let Some(text) = self.literal(index..self.tokens.all.len()) else {
            return;
        };
        if let Some(name) = text.strip_prefix("__tracepoint_") {
            // kallsyms_lookup_name() and its likes.
            if self.tokens.companions(index).is_empty() || self.callee(index).is_some() {
                self.add(index, Way::Symbol, name, Vec::new());
            }
        } else if self.names.real(&text).is_some() {
            // Nothing that runs in user space looks tracepoints up.
            if !self.flat.in_user_space {
                self.candidate(index, &text);
            }
        } else {
            for one in text::in_string(&text, self.names, self.dynamic) {
                self.add(index, one.way, &one.name, Vec::new());
            }
        }
    }

    /// The function in whose arguments the token at `index` stands.
    fn callee(&self, index: usize) -> Option<String> {
        let (open, is_call) = self.opening(index)?;
        let name = open.checked_sub(1)?;
        (is_call && self.tokens.all[name].kind == Kind::Identifier).then(|| self.word(name))
    }

    /// What opens the innermost group around `index`, and whether that is a parenthesis.
    fn opening(&self, index: usize) -> Option<(usize, bool)> {
        let mut depth = 0u32;
        for at in (index.saturating_sub(DISTANCE)..index).rev() {
            match self.tokens.all[at].kind {
                Kind::Punctuator(b')' | b'}' | b']') => depth += 1,
                Kind::Punctuator(open @ (b'(' | b'{' | b'[')) if depth == 0 => {
                    return Some((at, open == b'('));
                }
                Kind::Punctuator(b'(' | b'{' | b'[') => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The name of a tracepoint as a string, which may be looked up.
    fn candidate(&mut self, index: usize, name: &str) {
        let looked_up = match self.opening(index) {
            Some((_, true)) => match self.callee(index) {
                Some(callee) => Some(callee),
                // Parentheses around the string itself.
                None => return,
            },
            Some((_, false)) | None => {
                let before = index.checked_sub(1).map(|before| self.word(before));
                let in_braces = self.outline.in_initialiser() || !self.outline.at_file_scope();
                match before.as_deref() {
                    Some("=" | "return" | "{" | ",") if in_braces => None,
                    _ => return,
                }
            }
        };
        let probes = self.tokens.companions(index);
        let found = self.found(index, Way::Lookup, name);
        self.look.found.push(Found {
            probes: probes.into_iter().map(String::from).collect(),
            looked_up: Some(looked_up),
            ..found
        });
    }
}
