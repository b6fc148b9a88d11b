// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macro calls at file scope: declarations, exports and wrappers that come to them.

use super::{Origin, Reader};
use crate::inventory::declarations::{Declared, declared, merge_variants};
use crate::inventory::facts::{CustomEvent, Definition, Export, Facts};
use crate::inventory::pasting;
use crate::inventory::uses::{Tokens, sign, text_of};
use crate::syntax::lexer::{Kind, lex};
use std::ops::Range;

impl<'a> Reader<'a> {
    /// Looks at the identifier at `index`; gives the index to go on at.
    pub(super) fn identifier(&mut self, index: usize) -> usize {
        if self.outline.at_file_scope()
            && self.tokens.get(index + 1).is_some_and(|next| next.is(b'('))
            && !self.outline.in_initialiser()
            && let Some(end) = self.file_scope_call(index)
        {
            self.outline.skip_call(end);
            return end + 1;
        }
        if let Some(sign) = sign(self.tokens(), index) {
            let origin = self.origin(index);
            self.used(
                self.tokens(),
                index,
                sign,
                &origin,
                self.is_definition(index),
            );
        }
        index + 1
    }

    /// Whether the name at `index` is being declared: it stands at file scope
    /// behind a type. The hunks of a patch may start inside a function.
    fn is_definition(&self, index: usize) -> bool {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        self.outline.at_file_scope()
            && !self.outline.in_initialiser()
            && before.is_some_and(|before| {
                before.is(b'*')
                    || before.kind == Kind::Identifier
                        && !matches!(before.span.of(self.text), b"return" | b"else" | b"do")
            })
    }

    /// Reads a macro call at file scope. Gives the index of its closing
    /// parenthesis if it is one that says something about tracepoints.
    fn file_scope_call(&mut self, index: usize) -> Option<usize> {
        let name = std::str::from_utf8(self.tokens().word(index)).ok()?;
        let local = self.macros.is_wrapper(name, self.semantics);
        if !local && self.semantics.effect(name).is_none() {
            self.maybe_unresolved(name);
            return self.exported_by_symbol(index, name);
        }
        let mut close = self.end_of_call(self.tokens(), index)?;
        if local && self.tokens().is(close + 1, b'(') {
            // The call may come to the name of the macro that is called.
            close = self.end_of_call(self.tokens(), close)?;
        }
        if !local {
            let origin = self.origin(index);
            self.declare(self.tokens(), index..close, &origin, &[]);
        } else if !self.expand_call(index, close, name) {
            return self.exported_by_symbol(index, name);
        }
        Some(close)
    }

    /// A call of a macro that another file may define.
    fn maybe_unresolved(&mut self, name: &str) {
        let is_macro = !name.bytes().any(|byte| byte.is_ascii_lowercase());
        let unresolved = &mut self.facts.unresolved;
        if is_macro && !self.macros.defines(name) && !unresolved.contains(name) {
            unresolved.insert(name.into());
        }
    }

    /// `EXPORT_SYMBOL(__tracepoint_X)`, as drivers/net/wireless/ath/ath10k has it.
    fn exported_by_symbol(&mut self, index: usize, name: &str) -> Option<usize> {
        if !name.starts_with("EXPORT_SYMBOL") {
            return None;
        }
        let symbol = self.tokens().arguments_of(index)?.into_iter().next()?;
        let tracepoint = self
            .tokens()
            .word(symbol.start)
            .strip_prefix(b"__tracepoint_")?;
        let origin = self.origin(index);
        self.facts.exports.push(Export {
            name: text_of(tracepoint),
            gpl: name.contains("_GPL"),
            at: origin.at,
            condition: origin.condition,
        });
        self.tokens().end_of_call(index)
    }

    /// Reads a call of the wrapper `name`. Whether it came to a macro of the tracing
    /// core at all: a definition of a function may look like it.
    fn expand_call(&mut self, index: usize, close: usize, name: &str) -> bool {
        let origin = self.origin(index);
        let call = &self.text
            [self.tokens[index].span.start as usize..self.tokens[close].span.end as usize];
        let expansions = self
            .macros
            .expansions(name, call, &origin.condition, self.semantics);
        let mut already: Vec<Facts> = Vec::new();
        let mut came = false;
        for expansion in expansions {
            let before = std::mem::take(&mut self.facts);
            let origin = Origin {
                condition: expansion.condition,
                ..origin.clone()
            };
            came |= self.declare_expanded(&expansion.text, name, &origin);
            already.push(std::mem::replace(&mut self.facts, before));
        }
        merge_variants(&mut self.facts, already);
        came
    }

    /// Reads what a wrapper came to, and says whether that is anything.
    fn declare_expanded(&mut self, text: &[u8], wrapper: &str, origin: &Origin) -> bool {
        let lexed = lex(text, false);
        let tokens = Tokens {
            text,
            all: &lexed.tokens,
        };
        let mut index = 0;
        let mut came = false;
        while index < lexed.tokens.len() {
            let word = std::str::from_utf8(tokens.word(index)).unwrap_or_default();
            if self.semantics.effect(word).is_some() && tokens.is(index + 1, b'(') {
                let via = self.macros.chain(wrapper, word);
                came = true;
                // Of a large call, the expansion may be cut off.
                let close = self.end_of_call(tokens, index);
                let end = close.unwrap_or(lexed.tokens.len());
                self.declare(tokens, index..end, origin, &via);
                index = close.unwrap_or(index);
            }
            index += 1;
        }
        came
    }

    /// Records what the call of a macro of the tracing core makes, whose name is the first
    /// of `call` and whose parenthesis closes behind it.
    fn declare(
        &mut self,
        tokens: Tokens<'_>,
        call: Range<usize>,
        origin: &Origin,
        via: &[Box<str>],
    ) {
        let Some(call) = declared(tokens, call, self.semantics, |words| {
            pasting::expand_argument(words, &self.macros)
        }) else {
            return;
        };
        match call {
            Declared::Tracepoint(mut declaration) => {
                declaration.at = origin.at;
                declaration.condition = origin.condition.clone();
                declaration.via = via.to_vec();
                declaration.system = self.system.clone();
                self.facts.declarations.push(*declaration);
            }
            Declared::Definition(name) => self.facts.definitions.push(Definition {
                name,
                at: origin.at,
                condition: origin.condition.clone(),
            }),
            Declared::Export { name, gpl } => self.facts.exports.push(Export {
                name,
                gpl,
                at: origin.at,
                condition: origin.condition.clone(),
            }),
            Declared::CustomEvent(tracepoint) => self.facts.custom_events.push(CustomEvent {
                tracepoint,
                at: origin.at,
                condition: origin.condition.clone(),
            }),
        }
    }
}
