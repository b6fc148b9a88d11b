// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What one file says about tracepoints, before other files are known.
//!
//! Plain data. How it is read and joined is not known here.

use crate::syntax::conditions::Condition;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A place within a file whose path is known from the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in bytes, counted from 1.
    pub column: u32,
    /// Byte offset.
    pub offset: u32,
}

/// What a declaration makes, as the tree's own macros have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Makes {
    /// A `struct tracepoint`, in section `__tracepoints`.
    pub tracepoint: bool,
    /// A `struct trace_event_call`, in section `_ftrace_events`.
    pub event: bool,
    /// An entry in section `__bpf_raw_tp_map`.
    pub bpf: bool,
}

impl Makes {
    /// Everything that either makes.
    pub fn or(self, other: Self) -> Self {
        Self {
            tracepoint: self.tracepoint || other.tracepoint,
            event: self.event || other.event,
            bpf: self.bpf || other.bpf,
        }
    }
}

/// A macro call that makes a tracepoint or a trace event.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The real name, as in `__tracepoint_NAME`.
    pub name: Box<str>,
    /// The macro of the tracing core that made it.
    pub framework: Box<str>,
    /// The wrapper macros around it, outermost first.
    pub via: Vec<Box<str>>,
    /// What it makes when its file is read through `trace/define_trace.h`.
    pub makes: Makes,
    /// Where the outermost macro is called.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
    /// The parameters of `TP_PROTO()`.
    pub prototype: Vec<Box<str>>,
    /// The arguments of `TP_ARGS()`.
    pub arguments: Vec<Box<str>>,
    /// The event class, of a `DEFINE_EVENT()`.
    pub class: Option<Box<str>>,
    /// `TRACE_SYSTEM` at this place.
    pub system: Option<Arc<str>>,
}

/// A `DEFINE_TRACE()`: the tracepoint itself, made in a `.c` file.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Real name.
    pub name: Box<str>,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// An `#include`.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// The path between the delimiters.
    pub target: Box<str>,
    /// Whether the delimiters are `"`.
    pub quoted: bool,
    /// Whether `CREATE_TRACE_POINTS` is defined here.
    pub creates: bool,
    /// Macros of the file that declare tracepoints and stand before it: what is
    /// included may call them.
    pub given: Vec<MacroDefinition>,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// An export of a tracepoint to modules.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Real name.
    pub name: Box<str>,
    /// Whether only GPL modules may use it.
    pub gpl: bool,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// How a function that the tracing core generates is named at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Called: `trace_X(…)`.
    Call,
    /// Named without a call: a function pointer.
    Pointer,
    /// Asked for: `trace_X_enabled()`, `tracepoint_enabled(X)`.
    Guard,
    /// Written by hand: a stub for kernels without the tracepoint, or a
    /// function that merely has such a name.
    Definition,
}

/// An identifier that may name a function generated for a tracepoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The identifier, such as `trace_sched_switch`.
    pub identifier: Box<str>,
    /// How it is used.
    pub usage: Use,
    /// The function or macro around it.
    pub function: Option<Arc<str>>,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
    /// Whether the identifier was pasted by a macro that is called here.
    pub pasted: bool,
}

/// How a probe finds its tracepoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Through a generated function: `register_trace_X`, the whole identifier.
    Function(Box<str>),
    /// By symbol: the X of `__tracepoint_X`.
    Symbol(Box<str>),
    /// By its name in a string, through `for_each_kernel_tracepoint()`.
    Name(Box<str>),
}

/// A probe being attached.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// To what.
    pub target: Target,
    /// The functions that may be the probe; one but for look-ups by name.
    pub probes: Vec<Box<str>>,
    /// The function around it.
    pub function: Option<Arc<str>>,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// A `TRACE_CUSTOM_EVENT()` or `DEFINE_CUSTOM_EVENT()`, or an event made by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomEvent {
    /// Name of the tracepoint that the event is attached to.
    pub tracepoint: Box<str>,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// A macro of the tracing core being defined by a file outside of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Which macro.
    pub name: Box<str>,
    /// What a declaration by it makes here.
    pub makes: Makes,
    /// Where.
    pub at: At,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// A macro that other files may need to understand theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroDefinition {
    /// Its name.
    pub name: Box<str>,
    /// The directive, `#define` and all.
    pub text: Box<[u8]>,
    /// The `#if`s around it.
    pub condition: Condition,
}

/// A comment that allows what a rule would find: `barepoint: allow(rule): reason`.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowance {
    /// The rules that it names.
    pub rules: Vec<Box<str>>,
    /// Why; empty if it does not say.
    pub reason: Box<str>,
    /// The line that it speaks of: its own if there is code before it, else the next
    /// one with code.
    pub line: u32,
    /// Where it stands.
    pub at: At,
}

/// A call that may make tracepoints, and cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// The macro that is called.
    pub name: Box<str>,
    /// Where.
    pub at: At,
    /// Why.
    pub why: Unreadable,
}

/// Why a call cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its closing parenthesis is not there, or too far away to be looked for.
    Open,
    /// It stands between braces, which a macro may open or close unseen.
    Nested,
}

impl Unreadable {
    /// The reason, as an error says it behind the name of the macro.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Open => "is called, and the call does not end",
            Self::Nested => "is called between braces, where it declares nothing",
        }
    }
}

/// Everything that one file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The first call that should say something, and cannot be read.
    pub unread: Option<Unread>,
    /// Declarations, in order.
    pub declarations: Vec<Arc<Declaration>>,
    /// `DEFINE_TRACE()`s.
    pub definitions: Vec<Definition>,
    /// All includes of a file that makes or declares tracepoints.
    pub includes: Vec<Include>,
    /// Exports.
    pub exports: Vec<Export>,
    /// Uses of generated functions.
    pub mentions: Vec<Mention>,
    /// Probes being attached.
    pub attachments: Vec<Attachment>,
    /// Custom events.
    pub custom_events: Vec<CustomEvent>,
    /// Redefined macros of the tracing core.
    pub overrides: Vec<Override>,
    /// Macros that declare tracepoints when called.
    pub wrappers: Vec<MacroDefinition>,
    /// Macros that write the sections of tracepoints and events themselves.
    pub sections: Vec<MacroDefinition>,
    /// Macros that paste names of generated functions when called, and those
    /// that they need.
    pub pasting: Vec<MacroDefinition>,
    /// Comments that allow something.
    pub allowances: Vec<Allowance>,
    /// Macros called at file scope that this file does not define.
    pub unresolved: BTreeSet<Box<str>>,
    /// Macros, defined in no file known so far, that may come to declarations: lists of
    /// names, that are handed a macro to call with each or know its name.
    pub lists: BTreeSet<Box<str>>,
    /// Where macros that it calls were looked for.
    pub asked: BTreeSet<Box<str>>,
    /// Whether a macro of the file itself may make a declaration of each name.
    pub declares_by_lists: bool,
}

/// The facts of every file that has any, by path.
pub type FactsByPath = BTreeMap<Arc<str>, Arc<Facts>>;

impl Facts {
    /// Whether nothing is said about tracepoints, but for includes that may
    /// lead to files that do, and calls of macros that other files define.
    fn is_silent(&self) -> bool {
        self.unread.is_none()
            && self.declarations.is_empty()
            && self.definitions.is_empty()
            && self.exports.is_empty()
            && self.mentions.is_empty()
            && self.attachments.is_empty()
            && self.custom_events.is_empty()
            && self.overrides.is_empty()
            && self.allowances.is_empty()
            && self.wrappers.is_empty()
            && self.sections.is_empty()
            && self.pasting.is_empty()
    }

    /// Whether the includes lead to the same places.
    pub fn includes_alike(&self, other: &Self) -> bool {
        let same = |(a, b): (&Include, &Include)| {
            (&a.target, a.quoted, a.creates, &a.given, &a.condition)
                == (&b.target, b.quoted, b.creates, &b.given, &b.condition)
        };
        self.includes.len() == other.includes.len()
            && self.includes.iter().zip(&other.includes).all(same)
    }

    /// Drops what can be of no use to anyone. A trace header may say all that
    /// it says by macros of other headers. Includes stay: by them a file gets macros
    /// that paste names, as include/rv/instrumentation.h has them for monitors.
    pub fn prune(&mut self, is_trace_header: bool) {
        if self.is_silent() && !is_trace_header {
            self.unresolved.clear();
            self.lists.clear();
        }
    }
}
