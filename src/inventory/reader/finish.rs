// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is only known at the end of a file.

use super::{Origin, Reader};
use crate::inventory::allowances;
use crate::inventory::facts::{Facts, MacroDefinition, Makes, Target};
use crate::inventory::pasting;
use crate::inventory::uses::text_of;
use crate::syntax::conditions::Condition;
use crate::syntax::directives::Directive;
use crate::syntax::lexer::{Kind, lex};
use std::collections::BTreeSet;

impl<'a> Reader<'a> {
    pub(super) fn finish(mut self) -> Facts {
        self.weigh_overrides();
        self.attach_looked_up();
        self.take_events_made_by_hand();
        self.facts.allowances = allowances::of(self.text, self.tokens);
        pasting::resolve_in_file(
            self.text,
            self.tokens,
            &self.lines,
            &self.macros,
            &mut self.facts,
        );
        self.keep_macros();
        self.look_behind_macros();
        self.facts.prune(self.system.is_some());
        self.facts
    }

    /// What the redefined macros come to, now that all of the file's are known.
    fn weigh_overrides(&mut self) {
        for one in &mut self.facts.overrides {
            let cores = self.macros.core_macros_of(&one.name, self.semantics);
            one.makes = cores
                .iter()
                .filter_map(|core| self.semantics.effect(core))
                .map(crate::inventory::declarations::makes)
                .fold(Makes::default(), Makes::or);
        }
    }

    /// Strings in a file that looks tracepoints up by name may be their names.
    fn attach_looked_up(&mut self) {
        for &index in &self.pointers {
            if let Some(attachment) = self.facts.attachments.get_mut(index) {
                attachment
                    .probes
                    .extend(self.probes_of_some.iter().cloned());
            }
        }
        if self.probes_of_some.is_empty() {
            return;
        }
        if self.looks_up {
            self.attach_looked_up_by_macros();
        }
        for index in std::mem::take(&mut self.strings) {
            let Some(target) = self.looked_up(self.tokens().word(index)) else {
                continue;
            };
            let mut probes = self.tokens().companions(index);
            probes.extend(self.probes_of_some.iter().cloned());
            let origin = Origin {
                at: self.at(self.tokens[index].span.start),
                condition: Condition::default(),
                function: None,
            };
            self.attach(target, probes, &origin);
        }
    }

    /// The tracepoint that a string literal may be there to find: its symbol, by
    /// `kallsyms_lookup_name()`, or its name.
    fn looked_up(&self, literal: &[u8]) -> Option<Target> {
        let [b'"', name @ .., b'"'] = literal else {
            return None;
        };
        match name.strip_prefix(b"__tracepoint_") {
            Some(symbol) => Some(Target::Symbol(text_of(symbol))),
            None => self.looks_up.then(|| Target::Name(text_of(name))),
        }
    }

    /// The name that is looked up may stand in a macro: `#define HOOK "X"`.
    fn attach_looked_up_by_macros(&mut self) {
        let text = self.text;
        for token in self.tokens.iter().filter(|one| one.kind == Kind::Directive) {
            let directive = token.span.of(text);
            let Directive::Define(define) = Directive::parse(directive) else {
                continue;
            };
            let body = define.body.shifted(token.span.start);
            for literal in lex(body.of(text), false).tokens {
                let span = literal.span.shifted(body.start);
                if let [b'"', name @ .., b'"'] = span.of(text) {
                    let origin = Origin {
                        at: self.at(span.start),
                        condition: Condition::default(),
                        function: None,
                    };
                    let probes = self.probes_of_some.clone();
                    self.attach(Target::Name(text_of(name)), probes, &origin);
                }
            }
        }
    }

    /// A file that has to do with `struct trace_event_call` (include/linux/trace_events.h)
    /// and takes the address of a tracepoint without registering a probe there makes an
    /// event of it without any macro: `.tp = &__tracepoint_X`.
    fn take_events_made_by_hand(&mut self) {
        let makes_events = self
            .facts
            .mentions
            .iter()
            .any(|one| one.identifier.as_ref() == "trace_event_call");
        if makes_events {
            self.facts.custom_events.append(&mut self.addresses);
        }
    }

    /// Of a macro of the file's own, what it comes to may be another file's.
    fn look_behind_macros(&mut self) {
        let (own, mut others): (BTreeSet<Box<str>>, BTreeSet<Box<str>>) =
            std::mem::take(&mut self.facts.unresolved)
                .into_iter()
                .partition(|name| self.macros.knows(name));
        if self.system.is_some() {
            others.extend(self.macros.behind(own));
        }
        self.facts.unresolved = others;
    }

    /// Keeps the macros that other files may need.
    fn keep_macros(&mut self) {
        self.facts.wrappers = self.wrappers();
    }

    /// The macros that declare tracepoints, as they are at this place.
    pub(super) fn wrappers(&self) -> Vec<MacroDefinition> {
        if !self.macros.matter() {
            return Vec::new();
        }
        let wrappers = self.macros.all_wrappers(self.semantics);
        self.macros.definitions(&wrappers)
    }
}
