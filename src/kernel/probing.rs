// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What one macro makes, found out by calling it with made-up arguments and
//! looking at what comes out. It may not know which macros there are, nor of which
//! headers they are.

use super::expand::{MacroTable, expand_watching};
use crate::syntax::groups::closing;
use crate::syntax::lexer::{Kind, Token, lex};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How a name is made from an argument: `DECLARE_TRACE(x)` makes `x_tp` since
/// Linux 6.16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePattern {
    /// Which argument, counted from 0.
    pub argument: usize,
    /// What is put before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// What is put behind it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
}

impl NamePattern {
    /// The name for this argument.
    pub fn apply(&self, argument: &str) -> String {
        format!("{}{argument}{}", self.prefix, self.suffix)
    }
}

/// An export macro.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEffect {
    /// Which tracepoint.
    pub name: NamePattern,
    /// Whether only GPL modules may use it.
    pub gpl: bool,
}

/// All that a call of a macro makes, over all the times that
/// include/trace/define_trace.h reads a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MacroEffect {
    /// A `struct tracepoint` in section `__tracepoints`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracepoint: Option<NamePattern>,
    /// A `struct trace_event_call` in section `_ftrace_events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<NamePattern>,
    /// An entry in section `__bpf_raw_tp_map`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpf: Option<NamePattern>,
    /// The functions `trace_X()`, `register_trace_X()` and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declares: Option<NamePattern>,
    /// An event on the existing tracepoint of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event: Option<NamePattern>,
    /// The tracepoint itself, in a `.c` file: `DEFINE_TRACE()`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defines: Option<NamePattern>,
    /// An export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportEffect>,
    /// Which argument is the event class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<usize>,
    /// Which argument is the prototype.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prototype: Option<usize>,
    /// Which argument holds the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<usize>,
}

impl MacroEffect {
    /// Whether it makes anything at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another reading of the headers shows.
    pub fn merge(&mut self, other: Self) {
        fn fill<T>(slot: &mut Option<T>, other: Option<T>) {
            if slot.is_none() {
                *slot = other;
            }
        }
        fill(&mut self.tracepoint, other.tracepoint);
        fill(&mut self.event, other.event);
        fill(&mut self.bpf, other.bpf);
        fill(&mut self.declares, other.declares);
        fill(&mut self.custom_event, other.custom_event);
        fill(&mut self.defines, other.defines);
        fill(&mut self.export, other.export);
        fill(&mut self.class, other.class);
        fill(&mut self.prototype, other.prototype);
        fill(&mut self.arguments, other.arguments);
    }
}

/// How a generated function is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormKind {
    /// Calls the tracepoint.
    Call,
    /// Asks whether it is on.
    Guard,
    /// Attaches a probe.
    Register,
    /// Detaches one, or checks its type.
    Other,
}

/// A function generated for each tracepoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// What stands before the tracepoint's name.
    pub prefix: String,
    /// What stands behind it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suffix: String,
    /// What it is for.
    pub kind: FormKind,
}

/// What marks a macro body as one that may make something.
pub const MARKS: [&[u8]; 6] = [
    b"\"__tracepoints\"",
    b"\"_ftrace_events\"",
    b"\"__bpf_raw_tp_map\"",
    b"register_trace_",
    b"EXPORT_SYMBOL",
    b"EXPORT_SYMBOL_GPL",
];

const TRACEPOINT: &str = "__tracepoint_";

/// Calls the macro `name` and reads off what it makes; and whether one of the macros
/// `watched` had a part in that, itself or by not being there.
pub fn probe(name: &[u8], table: &MacroTable, watched: &HashSet<Vec<u8>>) -> (MacroEffect, bool) {
    let Some(arity) = table.arity(name) else {
        return (MacroEffect::default(), watched.contains(name));
    };
    let (output, is_met) = Output::of(name, arity, table, watched);
    (output.effect(), is_met)
}

/// The functions that the macro `name` makes for a tracepoint.
pub fn forms(name: &[u8], table: &MacroTable) -> Vec<Form> {
    let Some(arity) = table.arity(name) else {
        return Vec::new();
    };
    Output::of(name, arity, table, &HashSet::new()).0.forms()
}

/// The made-up argument at `place`.
fn placeholder(place: usize) -> String {
    format!("QZ{place}QZ")
}

/// The pattern behind a word that holds a made-up argument.
fn pattern(word: &str) -> Option<NamePattern> {
    let (prefix, rest) = word.split_once("QZ")?;
    let (number, suffix) = rest.split_once("QZ")?;
    Some(NamePattern {
        argument: number.parse().ok()?,
        prefix: prefix.to_owned(),
        suffix: suffix.to_owned(),
    })
}

/// What came out of a call.
struct Output {
    text: String,
    tokens: Vec<Token>,
}

impl Output {
    /// What a call makes, and whether it met one of the macros `watched`.
    fn of(
        name: &[u8],
        arity: usize,
        table: &MacroTable,
        watched: &HashSet<Vec<u8>>,
    ) -> (Self, bool) {
        let arguments: Vec<String> = (0..arity).map(placeholder).collect();
        let mut call = name.to_vec();
        call.extend(format!("({})", arguments.join(", ")).bytes());
        let (text, is_met) = expand_watching(&call, table, watched);
        // No name of C is lost by it.
        let text = String::from_utf8_lossy(&text).into_owned();
        let tokens = lex(text.as_bytes(), false).tokens;
        (Self { text, tokens }, is_met)
    }

    fn word(&self, index: usize) -> &str {
        let token = self.tokens.get(index);
        let span = token.map(|token| token.span.start as usize..token.span.end as usize);
        span.and_then(|span| self.text.get(span))
            .unwrap_or_default()
    }

    fn effect(&self) -> MacroEffect {
        let tracepoint = self.in_section("\"__tracepoints\"", TRACEPOINT);
        let declares = self.declares();
        let function = declares
            .as_ref()
            .map(|name| name.apply(&placeholder(name.argument)));
        MacroEffect {
            event: self.in_section("\"_ftrace_events\"", "__event_"),
            custom_event: self.in_section("\"_ftrace_events\"", "__custom_event_"),
            bpf: self.in_section("\"__bpf_raw_tp_map\"", "__bpf_trace_tp_map_"),
            class: self.class(),
            prototype: function.as_deref().and_then(|name| self.prototype(name)),
            arguments: function.as_deref().and_then(|name| self.arguments(name)),
            export: self.export(),
            tracepoint,
            declares,
            defines: None,
        }
    }

    /// The symbol with `prefix` in the statement that names `section`.
    fn in_section(&self, section: &str, prefix: &str) -> Option<NamePattern> {
        const REACH: usize = 24;
        let at = (0..self.tokens.len()).find(|&index| {
            self.word(index) == section && self.symbol_near(index, prefix, REACH).is_some()
        })?;
        self.symbol_near(at, prefix, REACH)
    }

    fn symbol_near(&self, at: usize, prefix: &str, reach: usize) -> Option<NamePattern> {
        let ends = |index: &usize| self.tokens.get(*index).is_none_or(|token| token.is(b';'));
        let back = (at.saturating_sub(reach)..at)
            .rev()
            .take_while(|index| !ends(index));
        let forth = (at..at + reach).take_while(|index| !ends(index));
        back.chain(forth)
            .find_map(|index| pattern(self.word(index).strip_prefix(prefix)?))
    }

    /// The name of which `register_trace_NAME()` is made.
    fn declares(&self) -> Option<NamePattern> {
        (0..self.tokens.len())
            .filter(|&index| self.tokens.get(index + 1).is_some_and(|next| next.is(b'(')))
            .find_map(|index| pattern(self.word(index).strip_prefix("register_trace_")?))
    }

    /// Which argument is the whole parameter list of `trace_NAME()`.
    fn prototype(&self, name: &str) -> Option<usize> {
        let function = format!("trace_{name}");
        self.calls_of(&function)
            .find_map(|open| self.lone_placeholder(open + 1))
    }

    /// Which argument is handed on to the probes behind `__data`.
    fn arguments(&self, name: &str) -> Option<usize> {
        let traceiter = format!("__traceiter_{name}");
        let call = format!("tp_func_{name}");
        (0..self.tokens.len())
            .filter(|&index| self.word(index) == call || self.word(index) == traceiter)
            .flat_map(|index| index..(index + 12).min(self.tokens.len()))
            .find_map(|index| {
                let first = matches!(self.word(index), "__data" | "NULL");
                let passed = first
                    && self.word(index.saturating_sub(1)) == "("
                    && self.word(index + 1) == ",";
                passed.then(|| self.lone_placeholder(index + 2)).flatten()
            })
    }

    /// The indices of the parentheses that follow `function`.
    fn calls_of<'a>(&'a self, function: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len())
            .filter(move |&index| {
                self.word(index) == function
                    && self.tokens.get(index + 1).is_some_and(|next| next.is(b'('))
            })
            .map(|index| index + 1)
    }

    /// The placeholder at `index` if a parenthesis closes behind it.
    fn lone_placeholder(&self, index: usize) -> Option<usize> {
        let found = pattern(self.word(index))?;
        let closes = self.tokens.get(index + 1).is_some_and(|next| next.is(b')'));
        (closes && found.prefix.is_empty() && found.suffix.is_empty()).then_some(found.argument)
    }

    fn class(&self) -> Option<usize> {
        (0..self.tokens.len())
            .find_map(|index| pattern(self.word(index).strip_prefix("event_class_")?))
            .map(|found| found.argument)
    }

    fn export(&self) -> Option<ExportEffect> {
        (0..self.tokens.len()).find_map(|index| {
            let word = self.word(index);
            let gpl = word == "EXPORT_SYMBOL_GPL";
            if !gpl && word != "EXPORT_SYMBOL" {
                return None;
            }
            let name = pattern(self.word(index + 2).strip_prefix(TRACEPOINT)?)?;
            Some(ExportEffect { name, gpl })
        })
    }

    /// The functions with the first argument in their names.
    fn forms(&self) -> Vec<Form> {
        let mut forms: Vec<Form> = Vec::new();
        for index in 0..self.tokens.len() {
            let Some(found) = self.defined_function(index) else {
                continue;
            };
            let form = Form {
                kind: kind_of(&found),
                prefix: found.prefix,
                suffix: found.suffix,
            };
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        // The most particular first: `trace_X_enabled` before `trace_X`.
        forms.sort_by_key(|form| std::cmp::Reverse(form.prefix.len() + form.suffix.len()));
        forms
    }

    /// The pattern of the function whose definition or declaration names it at
    /// `index`.
    fn defined_function(&self, index: usize) -> Option<NamePattern> {
        let found = pattern(self.word(index)).filter(|found| found.prefix.contains("trace_"))?;
        let typed = index
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        let typed = typed.is_some_and(|token| token.kind == Kind::Identifier);
        self.tokens.get(index + 1).filter(|next| next.is(b'('))?;
        let close = closing(self.text.as_bytes(), &self.tokens, index + 1)?;
        let after = self.tokens.get(close + 1);
        (typed && after.is_some_and(|token| token.is(b'{') || token.is(b';'))).then_some(found)
    }
}

fn kind_of(found: &NamePattern) -> FormKind {
    if found.prefix.starts_with("register_trace") {
        FormKind::Register
    } else if found.prefix.starts_with("unregister_") || found.prefix.starts_with("check_") {
        FormKind::Other
    } else if found.suffix.ends_with("_enabled") {
        FormKind::Guard
    } else {
        FormKind::Call
    }
}
