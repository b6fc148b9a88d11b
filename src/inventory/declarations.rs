// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One call of a macro of the tracing core into what it makes.

use super::facts::{At, Declaration, Facts, Makes};
use super::uses::{Tokens, text_of};
use crate::kernel::semantics::{MacroEffect, NamePattern, Semantics};
use crate::syntax::conditions::Condition;
use crate::syntax::groups::{arguments, closing, items, joined, parameter};
use crate::syntax::lexer::{Kind, Token, lex};
use std::ops::Range;
use std::sync::Arc;

/// What a call turned out to be.
#[derive(Debug)]
pub enum Declared {
    /// A tracepoint, an event or a BPF entry; place and condition are not set.
    Tracepoint(Box<Declaration>),
    /// A `DEFINE_TRACE()` of this name.
    Definition(Box<str>),
    /// An export.
    Export {
        /// Real name.
        name: Box<str>,
        /// Whether only GPL modules may use it.
        gpl: bool,
    },
    /// An event attached to the existing tracepoint of this name.
    CustomEvent(Box<str>),
}

/// What declarations by a macro make.
pub fn makes(effect: &MacroEffect) -> Makes {
    Makes {
        tracepoint: effect.tracepoint.is_some(),
        event: effect.event.is_some(),
        bpf: effect.bpf.is_some(),
    }
}

/// Reads the tokens `call`: a macro's name, the parenthesis, and the arguments. `expand`
/// is asked for a name that is not a single word, and for a list that stands in a macro
/// of its own.
pub fn declared(
    tokens: Tokens<'_>,
    call: Range<usize>,
    semantics: &Semantics,
    expand: impl Fn(&[u8]) -> Vec<u8>,
) -> Option<Declared> {
    let framework = std::str::from_utf8(tokens.word(call.start)).ok()?;
    let effect = semantics.effect(framework)?;
    let call = Call {
        tokens,
        arguments: arguments(tokens.text, tokens.all, call.start + 1, call.end),
    };
    let name = |pattern: &NamePattern| call.name(pattern, &expand);
    if let Some(export) = &effect.export {
        return Some(Declared::Export {
            name: name(&export.name)?,
            gpl: export.gpl,
        });
    }
    if let Some(pattern) = &effect.custom_event {
        return Some(Declared::CustomEvent(name(pattern)?));
    }
    if let Some(pattern) = &effect.defines {
        return Some(Declared::Definition(name(pattern)?));
    }
    let pattern = effect
        .tracepoint
        .as_ref()
        .or(effect.event.as_ref())
        .or(effect.bpf.as_ref())?;
    Some(Declared::Tracepoint(Box::new(Declaration {
        name: name(pattern)?,
        framework: framework.into(),
        via: Vec::new(),
        makes: makes(effect),
        at: At::default(),
        condition: Condition::default(),
        prototype: call.list(effect.prototype, b"TP_PROTO", parameter, &expand),
        arguments: call.list(effect.arguments, b"TP_ARGS", joined, &expand),
        class: effect
            .class
            .filter(|&class| class != pattern.argument)
            .and_then(|class| call.arguments.get(class).cloned())
            .map(|range| joined(tokens.text, &tokens.all[range]).into()),
        system: None,
    })))
}

/// How an item of a list becomes text.
type Spelling = fn(&[u8], &[Token]) -> String;

struct Call<'a> {
    tokens: Tokens<'a>,
    arguments: Vec<Range<usize>>,
}

impl Call<'_> {
    fn name(&self, pattern: &NamePattern, expand: &impl Fn(&[u8]) -> Vec<u8>) -> Option<Box<str>> {
        let words: Vec<&Token> = self
            .tokens
            .all
            .get(self.arguments.get(pattern.argument)?.clone())?
            .iter()
            .filter(|token| token.kind != Kind::Directive)
            .collect();
        let argument = match words.as_slice() {
            [] => return None,
            // A name that is pasted is taken as it stands.
            [word]
                if word.is_word() && !(pattern.prefix.is_empty() && pattern.suffix.is_empty()) =>
            {
                text_of(word.span.of(self.tokens.text))
            }
            [word] if word.is_word() => {
                let expanded = expand(word.span.of(self.tokens.text));
                match lex(&expanded, false).tokens.as_slice() {
                    [name] if name.is_word() => text_of(name.span.of(&expanded)),
                    _ => text_of(word.span.of(self.tokens.text)),
                }
            }
            [first, .., last] => {
                let text = &self.tokens.text[first.span.start as usize..last.span.end as usize];
                let expanded = expand(text);
                match lex(&expanded, false).tokens.as_slice() {
                    [word] if word.is_word() => text_of(word.span.of(&expanded)),
                    _ => return None,
                }
            }
            [_] => return None,
        };
        Some(pattern.apply(&argument).into())
    }

    /// The items of `TP_PROTO(…)` or `TP_ARGS(…)`, by place or else by name.
    fn list(
        &self,
        place: Option<usize>,
        wrapper: &[u8],
        spelling: Spelling,
        expand: &impl Fn(&[u8]) -> Vec<u8>,
    ) -> Vec<Box<str>> {
        let by_place = place.and_then(|place| self.arguments.get(place));
        let by_name = self
            .arguments
            .iter()
            .find(|range| self.tokens.word(range.start) == wrapper);
        let Some(range) = by_name.or(by_place) else {
            return Vec::new();
        };
        let Tokens { text, all } = self.tokens;
        let range = unwrapped(self.tokens, range.clone());
        let argument = all.get(range.clone()).unwrap_or_default();
        // As TP_PROTO_pwm() of include/trace/events/pwm.h.
        let [name, open, .., last] = argument else {
            return texts(self.tokens, range, spelling);
        };
        if !(name.kind == Kind::Identifier && open.is(b'(') && last.is(b')')) {
            return texts(self.tokens, range, spelling);
        }
        let expanded = expand(&text[name.span.start as usize..last.span.end as usize]);
        let lexed = lex(&expanded, false);
        let tokens = Tokens {
            text: &expanded,
            all: &lexed.tokens,
        };
        texts(tokens, unwrapped(tokens, 0..tokens.all.len()), spelling)
    }
}

/// What stands in the parentheses of `TP_PROTO()` and its like, which wrappers nest.
fn unwrapped(tokens: Tokens<'_>, mut range: Range<usize>) -> Range<usize> {
    while matches!(
        tokens.word(range.start),
        b"TP_PROTO" | b"TP_ARGS" | b"PARAMS"
    ) && tokens.is(range.start + 1, b'(')
    {
        let Some(close) = closing(tokens.text, tokens.all, range.start + 1) else {
            break;
        };
        range = range.start + 2..close;
    }
    range
}

/// The items of a list, each as text.
fn texts(tokens: Tokens<'_>, range: Range<usize>, spelling: Spelling) -> Vec<Box<str>> {
    let Tokens { text, all } = tokens;
    items(text, all, range)
        .into_iter()
        .filter_map(|range| all.get(range))
        .map(|tokens| spelling(text, tokens).into_boxed_str())
        .filter(|item| !item.is_empty())
        .collect()
}

/// Adds what one call makes under each choice of variants: declarations of the
/// same name become one.
pub fn merge_variants(facts: &mut Facts, variants: Vec<Facts>) {
    for variant in variants {
        for declaration in variant.declarations {
            merge(&mut facts.declarations, declaration);
        }
        facts.definitions.extend(variant.definitions);
        for export in variant.exports {
            let found = facts.exports.iter().rev();
            let mut here = found.take_while(|one| one.at == export.at);
            if !here.any(|one| *one == export) {
                facts.exports.push(export);
            }
        }
        facts.custom_events.extend(variant.custom_events);
    }
}

fn merge(declarations: &mut Vec<Arc<Declaration>>, new: Arc<Declaration>) {
    let same = declarations
        .iter_mut()
        .rev()
        .take_while(|one| one.at == new.at)
        .find(|one| one.name == new.name);
    let Some(same) = same else {
        declarations.push(new);
        return;
    };
    let condition = match (same.makes.tracepoint, new.makes.tracepoint) {
        (true, true) => same.condition.or(&new.condition),
        (true, false) => same.condition.clone(),
        (false, _) => new.condition.clone(),
    };
    let makes = same.makes.or(new.makes);
    if new.makes.event && !same.makes.event || new.makes.tracepoint && !same.makes.tracepoint {
        *same = new;
    }
    let same = Arc::make_mut(same);
    same.makes = makes;
    same.condition = condition;
}
