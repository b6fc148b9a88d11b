// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One file's text into its [`Facts`].
//!
//! A single walk over the tokens: directives keep the conditions and the macro
//! table, calls at file scope declare, define and export, all other identifiers
//! are looked at for uses. It knows no other file but for the macros that it is
//! handed. What is made of each is in the files of the folder of this name.

mod alternatives;
mod calls;
mod directives;
mod finish;
mod uses;

use super::facts::{At, CustomEvent, Facts, MacroDefinition};
use super::macros::Macros;
use super::uses::{DISTANCE, Tokens, may_be_sign};
use crate::kernel::semantics::Semantics;
use crate::syntax::branches::ConditionStack;
use crate::syntax::conditions::Condition;
use crate::syntax::lexer::{Kind, Lexed, Token, lex_into, with_whole_words};
use crate::syntax::lines::Lines;
use crate::syntax::outline::Outline;
use std::cell::RefCell;
use std::sync::Arc;

/// Reads the file at `path`. `imported` are the wrapper macros of headers that
/// it includes.
pub fn read(path: &str, text: &[u8], semantics: &Semantics, imported: &[MacroDefinition]) -> Facts {
    if path.ends_with(".rs") {
        return super::rust::read(text);
    }
    let text = &*with_whole_words(text);
    LEXED.with_borrow_mut(|lexed| {
        lex_into(text, true, lexed);
        let mut reader = Reader::new(text, &lexed.tokens, semantics);
        reader.is_header = path.ends_with(".h");
        for one in imported {
            reader.import(one);
        }
        reader.walk();
        reader.finish()
    })
}

/// How many functions are taken for probes of each tracepoint that a file finds by name
/// or by pointer.
const MOST_PROBES: usize = 32;

/// If more tokens than this were looked at for ends of calls that are not there, those of
/// further calls are looked for nearby only.
const MOST_UNCLOSED: usize = 1 << 24;

/// How many tokens away these may be if even that takes long. Few events have as many.
const NEARBY: usize = 1 << 10;

thread_local! {
    /// Tokens of the file that is being read. A large file has megabytes of them.
    static LEXED: RefCell<Lexed> = RefCell::default();
}

/// Where a run of tokens came from: every one of an expansion stands where the
/// macro is called.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) at: At,
    pub(super) condition: Condition,
    pub(super) function: Option<Arc<str>>,
}

pub(super) struct Reader<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    lines: Lines<'a>,
    semantics: &'a Semantics,
    outline: Outline<'a>,
    conditions: ConditionStack,
    macros: Macros<'a>,
    system: Option<Arc<str>>,
    is_header: bool,
    /// Under which conditions `CREATE_TRACE_POINTS` is defined.
    creates: Option<Condition>,
    facts: Facts,
    /// Probes that are attached to tracepoints found by name or by pointer.
    probes_of_some: Vec<Box<str>>,
    /// The attachments to which those may belong: of pointers to tracepoints.
    pointers: Vec<usize>,
    /// The addresses of tracepoints that are taken for something else than a probe:
    /// events, if the file makes any by hand.
    addresses: Vec<CustomEvent>,
    /// Whether tracepoints are looked up by name.
    looks_up: bool,
    /// String literals that may be names of tracepoints, by token.
    strings: Vec<usize>,
    /// How many tokens were looked at for ends of calls that have none.
    unclosed: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], tokens: &'a [Token], semantics: &'a Semantics) -> Self {
        Self {
            text,
            tokens,
            lines: Lines::of(text),
            semantics,
            outline: Outline::new(text, tokens),
            conditions: ConditionStack::default(),
            macros: Macros::default(),
            system: None,
            is_header: false,
            creates: None,
            facts: Facts::default(),
            probes_of_some: Vec::new(),
            pointers: Vec::new(),
            addresses: Vec::new(),
            looks_up: false,
            strings: Vec::new(),
            unclosed: 0,
        }
    }

    fn walk(&mut self) {
        let text = self.text;
        let is_of_interest = |token: &Token| match token.kind {
            Kind::Identifier => {
                let word = token.span.of(text);
                may_be_sign(word) || calls::may_make(word)
            }
            kind => kind == Kind::String,
        };
        let mut index = 0;
        loop {
            // Most of a file is the bodies of functions, and most of those says nothing.
            if !self.conditions.is_dead() {
                index = self.outline.through_body(index, is_of_interest);
            }
            let Some(token) = self.tokens.get(index) else {
                return;
            };
            index = match token.kind {
                Kind::Directive => {
                    self.directive(index);
                    index + 1
                }
                _ if self.conditions.is_dead() => index + 1,
                Kind::Identifier => self.identifier(index),
                Kind::String => {
                    self.strings.push(index);
                    index + 1
                }
                Kind::Punctuator(_) => {
                    self.outline.token(index);
                    index + 1
                }
                _ => index + 1,
            };
        }
    }

    fn at(&self, offset: u32) -> At {
        At {
            line: self.lines.line(offset),
            column: self.lines.column(offset),
            offset,
        }
    }

    fn origin(&self, index: usize) -> Origin {
        Origin {
            at: self.at(self.tokens[index].span.start),
            condition: self.conditions.condition(),
            function: self.outline.function().cloned(),
        }
    }

    /// Index of the parenthesis that ends the call at `name`, however long that is: an
    /// event may come with pages of `TP_fast_assign()`.
    fn end_of_call(&mut self, tokens: Tokens<'_>, name: usize) -> Option<usize> {
        let left = tokens.all.len().saturating_sub(name);
        let reach = self.reach().min(left);
        let close = tokens.end_of_call_within(name, reach);
        if close.is_none() {
            self.unclosed += reach;
        }
        close
    }

    /// How many tokens away the end of a call may be.
    fn reach(&self) -> usize {
        match self.unclosed / MOST_UNCLOSED {
            0 => usize::MAX,
            1..4 => DISTANCE,
            _ => NEARBY,
        }
    }

    fn tokens(&self) -> Tokens<'a> {
        Tokens {
            text: self.text,
            all: self.tokens,
        }
    }
}
