// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Uses whose name is pasted together by a macro: `trace_##type`.
//!
//! The macros that paste are kept with their file's facts. Their calls, in the
//! same file or in others, are expanded, and what they come to is looked at as
//! if it stood in the source.

use super::facts::{At, Attachment, Facts, MacroDefinition, Mention, Target, Use};
use super::macros::Macros;
use super::uses::{Sign, Tokens, sign, text_of};
use crate::kernel::expand::{MacroTable, expand};
use crate::kernel::semantics::Semantics;
use crate::syntax::branches::ConditionStack;
use crate::syntax::conditions::Condition;
use crate::syntax::directives::Directive;
use crate::syntax::lexer::{Kind, Lexed, Token, lex};
use crate::syntax::lines::Lines;
use crate::syntax::outline::Outline;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The pasting macros of include/linux/args.h, compiler_types.h and others.
const PASTERS: [&[u8]; 3] = [
    b"#define CONCATENATE(a, b) a##b",
    b"#define __CONCAT(a, b) a##b",
    b"#define __PASTE(a, b) a##b",
];

/// Expands an argument by all macros of its file.
pub fn expand_argument(words: &[u8], macros: &Macros<'_>) -> Vec<u8> {
    let mut table = MacroTable::default();
    for paster in PASTERS {
        table.define(paster);
    }
    for directive in macros.directives() {
        table.define(directive);
    }
    expand(words, &table)
}

/// Resolves the pasted uses of one file by its own macros, and keeps these for
/// the files that include it.
pub fn resolve_in_file(
    text: &[u8],
    tokens: &[Token],
    lines: &Lines<'_>,
    macros: &Macros<'_>,
    facts: &mut Facts,
) {
    let names = macros.pasting();
    if names.is_empty() {
        return;
    }
    facts.pasting = macros.definitions(&names);
    Resolver::new(text, tokens, lines, &names, macros).walk(facts);
}

/// The pasted uses of a file by macros of the headers that it includes.
pub fn resolve_by(text: &[u8], pasting: &[MacroDefinition], semantics: &Semantics) -> Facts {
    let mut macros = Macros::default();
    for one in pasting {
        if let Directive::Define(define) = Directive::parse(&one.text) {
            macros.define(&define, &one.text, &one.condition, semantics);
        }
    }
    let names = macros.pasting();
    let Lexed { tokens, .. } = lex(text, true);
    let mut facts = Facts::default();
    Resolver::new(text, &tokens, &Lines::of(text), &names, &macros).walk(&mut facts);
    facts
}

struct Resolver<'a> {
    tokens: Tokens<'a>,
    lines: &'a Lines<'a>,
    names: &'a BTreeSet<Box<str>>,
    macros: &'a Macros<'a>,
}

impl<'a> Resolver<'a> {
    fn new(
        text: &'a [u8],
        tokens: &'a [Token],
        lines: &'a Lines<'a>,
        names: &'a BTreeSet<Box<str>>,
        macros: &'a Macros<'a>,
    ) -> Self {
        Self {
            tokens: Tokens { text, all: tokens },
            lines,
            names,
            macros,
        }
    }

    fn walk(&self, facts: &mut Facts) {
        let mut outline = Outline::new(self.tokens.text, self.tokens.all);
        let mut conditions = ConditionStack::default();
        for (index, token) in self.tokens.all.iter().enumerate() {
            if token.kind == Kind::Directive {
                outline.directive(index, conditions.is_dead());
                conditions.directive(&Directive::parse(self.tokens.word(index)));
                continue;
            }
            if conditions.is_dead() {
                continue;
            }
            if token.kind == Kind::Identifier
                && let Ok(name) = std::str::from_utf8(self.tokens.word(index))
                && self.names.contains(name)
            {
                self.resolve(index, &conditions.condition(), outline.function(), facts);
            }
            outline.token(index);
        }
    }

    fn resolve(
        &self,
        index: usize,
        condition: &Condition,
        function: Option<&Arc<str>>,
        facts: &mut Facts,
    ) {
        let Tokens { text, all } = self.tokens;
        let last = self.tokens.end_of_call(index).unwrap_or(index);
        let start = all[index].span.start;
        let call = &text[start as usize..all[last].span.end as usize];
        let at = At {
            line: self.lines.line(start),
            column: self.lines.column(start),
            offset: start,
        };
        let place = Place {
            at,
            function,
            called_after: self.tokens.is(last + 1, b'('),
        };
        for expansion in self.macros.expansions_by(self.names, call, condition) {
            place.uses_of(&expansion.text, &expansion.condition, facts);
        }
    }
}

/// Where an expansion counts.
struct Place<'a> {
    at: At,
    function: Option<&'a Arc<str>>,
    /// Whether what the macro comes to is called: `trace(irq_enable)(a, b)`.
    called_after: bool,
}

impl Place<'_> {
    fn uses_of(&self, text: &[u8], condition: &Condition, facts: &mut Facts) {
        let lexed = lex(text, false);
        let tokens = Tokens {
            text,
            all: &lexed.tokens,
        };
        for (index, token) in lexed.tokens.iter().enumerate() {
            if token.kind != Kind::Identifier {
                continue;
            }
            match sign(tokens, index) {
                Some(Sign::Function { called }) => {
                    let called = called || (self.called_after && index + 1 == lexed.tokens.len());
                    let usage = if called { Use::Call } else { Use::Pointer };
                    self.mention(text_of(tokens.word(index)), usage, condition, facts);
                }
                Some(Sign::Registers(probe)) => {
                    let target = Target::Function(text_of(tokens.word(index)));
                    self.attach(target, probe.into_iter().collect(), condition, facts);
                }
                Some(Sign::Symbol { name, probes, .. }) => {
                    self.attach(Target::Symbol(name), probes, condition, facts);
                }
                Some(Sign::Guard(name)) => {
                    let identifier = format!("trace_{name}_enabled").into();
                    self.mention(identifier, Use::Guard, condition, facts);
                }
                Some(Sign::RegistersSome(_) | Sign::LooksUp) | None => {}
            }
        }
    }

    fn mention(&self, identifier: Box<str>, usage: Use, condition: &Condition, facts: &mut Facts) {
        let mention = Mention {
            identifier,
            usage,
            function: self.function.cloned(),
            at: self.at,
            condition: condition.clone(),
            pasted: true,
        };
        let found = facts.mentions.iter().rev();
        let mut here = found.take_while(|one| one.at == self.at);
        if !here.any(|one| *one == mention) {
            facts.mentions.push(mention);
        }
    }

    fn attach(
        &self,
        target: Target,
        probes: Vec<Box<str>>,
        condition: &Condition,
        facts: &mut Facts,
    ) {
        let attachment = Attachment {
            target,
            probes,
            function: self.function.cloned(),
            at: self.at,
            condition: condition.clone(),
        };
        let found = facts.attachments.iter().rev();
        let mut here = found.take_while(|one| one.at == self.at);
        if !here.any(|one| *one == attachment) {
            facts.attachments.push(attachment);
        }
    }
}
