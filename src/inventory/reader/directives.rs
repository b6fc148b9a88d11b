// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What directives say: macros, includes, and where `CREATE_TRACE_POINTS` is defined.

use super::{Origin, Reader};
use crate::inventory::definitions::DEFINE_TRACE_HEADER;
use crate::inventory::facts::{Include, MacroDefinition, Makes, Override};
use crate::inventory::includes;
use crate::inventory::uses::{Tokens, sign, text_of};
use crate::syntax::conditions::Condition;
use crate::syntax::directives::{Define, Directive, IncludeTarget};
use crate::syntax::lexer::{Kind, Token, lex};
use memchr::memmem;
use std::sync::Arc;

impl<'a> Reader<'a> {
    pub(super) fn directive(&mut self, index: usize) {
        let span = self.tokens[index].span;
        let text = span.of(self.text);
        let directive = Directive::parse(text);
        self.outline.directive(index, self.conditions.is_dead());
        self.conditions.directive(&directive);
        if self.conditions.is_dead() {
            return;
        }
        // Of a file with thousands of branches, each has a long condition.
        let condition = || self.conditions.condition();
        match directive {
            Directive::Define(define) => self.defined(index, text, &define, &condition()),
            Directive::Undef(name) => {
                let condition = condition();
                if name == b"CREATE_TRACE_POINTS" {
                    self.creates = None;
                }
                self.macros.undefine(name, &condition);
            }
            Directive::Include(target) => self.include(index, &target, condition()),
            _ => {}
        }
    }

    pub(super) fn import(&mut self, one: &'a MacroDefinition) {
        if let Directive::Define(define) = Directive::parse(&one.text) {
            self.macros
                .define(&define, &one.text, &one.condition, self.semantics);
        }
    }

    fn defined(
        &mut self,
        index: usize,
        text: &'a [u8],
        define: &Define<'a>,
        condition: &Condition,
    ) {
        let body = define.body.of(text);
        match define.name {
            b"CREATE_TRACE_POINTS" => self.creates = Some(condition.clone()),
            b"TRACE_SYSTEM" => {
                self.system = Some(String::from_utf8_lossy(body).trim().into());
            }
            name => self.overridden(index, name, condition),
        }
        self.macros.define(define, text, condition, self.semantics);
        self.section(define, text, condition);
        self.macro_body(index, define);
    }

    /// A macro of the tracing core being given another body.
    fn overridden(&mut self, index: usize, name: &[u8], condition: &Condition) {
        let Ok(name) = std::str::from_utf8(name) else {
            return;
        };
        if self.semantics.effect(name).is_none() {
            return;
        }
        self.facts.overrides.push(Override {
            name: name.into(),
            makes: Makes::default(),
            at: self.at(self.tokens[index].span.start),
            condition: condition.clone(),
        });
    }

    /// A macro that makes tracepoints or events without the tracing core's.
    fn section(&mut self, define: &Define<'_>, text: &[u8], condition: &Condition) {
        const SECTIONS: [&[u8]; 2] = [b"\"__tracepoints\"", b"\"_ftrace_events\""];
        let names_one = SECTIONS
            .iter()
            .any(|section| memmem::find(text, section).is_some());
        if names_one || define.parameters.is_some() && self.calls_section(define.body.of(text)) {
            self.facts.sections.push(MacroDefinition {
                name: text_of(define.name),
                text: text.into(),
                condition: condition.clone(),
            });
        }
    }

    fn calls_section(&self, body: &[u8]) -> bool {
        self.facts
            .sections
            .iter()
            .any(|one| memmem::find(body, one.name.as_bytes()).is_some())
    }

    /// Uses inside the body of a macro count where they stand.
    fn macro_body(&mut self, index: usize, define: &Define<'_>) {
        let base = self.tokens[index].span.start;
        let span = define.body.shifted(base);
        let body = span.of(self.text);
        // Every sign holds this word.
        if memmem::find(body, b"trace").is_none() {
            return;
        }
        let lexed = lex(body, false);
        let function: Arc<str> = String::from_utf8_lossy(define.name).into();
        let tokens = Tokens {
            text: body,
            all: &lexed.tokens,
        };
        for (at, token) in lexed.tokens.iter().enumerate() {
            let pasted = |near: Option<&Token>| near.is_some_and(|near| near.kind == Kind::Paste);
            if token.kind != Kind::Identifier
                || pasted(lexed.tokens.get(at + 1))
                || pasted(
                    at.checked_sub(1)
                        .and_then(|before| lexed.tokens.get(before)),
                )
            {
                continue;
            }
            if let Some(sign) = sign(tokens, at) {
                let origin = Origin {
                    at: self.at(span.start + token.span.start),
                    condition: self.conditions.condition(),
                    function: Some(function.clone()),
                };
                self.used(tokens, at, sign, &origin, false);
            }
        }
    }

    fn include(&mut self, index: usize, target: &IncludeTarget<'a>, condition: Condition) {
        let text = self.text;
        for (target, quoted) in includes::targets(text, target) {
            self.included(index, target, quoted, condition.clone());
        }
    }

    fn included(&mut self, index: usize, target: &[u8], quoted: bool, condition: Condition) {
        let creates = self
            .creates
            .as_ref()
            .is_some_and(|creates| !creates.is_exclusive_with(&condition));
        let given = if target == DEFINE_TRACE_HEADER.as_bytes() {
            Vec::new()
        } else {
            self.wrappers()
        };
        self.facts.includes.push(Include {
            target: text_of(target),
            quoted,
            creates,
            given,
            at: self.at(self.tokens[index].span.start),
            condition,
        });
    }
}
