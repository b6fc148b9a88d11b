// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macro calls at file scope: declarations, exports and wrappers that come to them.

use super::{Origin, Reader};
use crate::inventory::declarations::{Declared, declared, makes, merge_variants};
use crate::inventory::facts::{CustomEvent, Definition, Export, Facts, Makes, Unread, Unreadable};
use crate::inventory::pasting;
use crate::inventory::uses::{Tokens, sign, text_of};
use crate::syntax::lexer::{Kind, Token, is_in_capitals, is_word_byte, lex};
use std::collections::BTreeSet;
use std::ops::Range;

/// Whether a word may be a macro that makes tracepoints: it starts as those of the
/// tracing core do. Of all others in a body, most would be looked up in vain.
pub(super) fn may_make(word: &[u8]) -> bool {
    matches!(word, [b'T' | b'D', second, ..] if !second.is_ascii_lowercase())
}

/// What an expansion came to.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    /// Calls of macros of the tracing core.
    to_core: bool,
    /// Other macros of the file are left in it, outside of those calls.
    left_over: bool,
}

impl<'a> Reader<'a> {
    /// Looks at the identifier at `index`; gives the index to go on at.
    pub(super) fn identifier(&mut self, index: usize) -> usize {
        if self.outline.at_file_scope()
            && !self.outline.in_initialiser()
            && let Some(next) = self.tokens.get(index + 1)
        {
            let end = match next.kind {
                Kind::Punctuator(b'(') => self.file_scope_call(index),
                Kind::Directive => self.alternatives(index),
                _ => None,
            };
            if let Some(end) = end {
                self.outline.skip_call(end);
                return end + 1;
            }
        }
        if self.outline.at_file_scope()
            && !self.outline.in_initialiser()
            && self.file_scope_word(index)
        {
            self.outline.skip_call(index);
            return index + 1;
        }
        self.nested_call(index);
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
        let is_core = self.semantics.effect(name).is_some();
        let local =
            self.macros.is_wrapper(name, self.semantics) || !is_core && self.is_list(index, name);
        if !local && !is_core {
            self.maybe_unresolved(index, name);
            return self.exported_by_symbol(index, name);
        }
        if let Some(end) = self.alternatives(index) {
            return Some(end);
        }
        let mut close = self.end_of_call(self.tokens(), index);
        if local
            && let Some(end) = close
            && self.tokens().is(end + 1, b'(')
        {
            // The call may come to the name of the macro that is called.
            close = self.end_of_call(self.tokens(), end);
        }
        let Some(close) = close else {
            self.cannot_read(index, name, Unreadable::Open);
            return None;
        };
        if !local {
            let origin = self.origin(index);
            self.declare(self.tokens(), index..close, &origin, &[]);
        } else if !self.expand_call_at(index, close, name) {
            return self.exported_by_symbol(index, name);
        }
        Some(close)
    }

    /// Takes note of the call of a macro that makes tracepoints, inside of braces.
    fn nested_call(&mut self, index: usize) {
        let word = self.tokens().word(index);
        let is_outside = self.outline.at_file_scope() && !self.outline.in_initialiser();
        if is_outside || !may_make(word) || !self.tokens().is(index + 1, b'(') {
            return;
        }
        let Ok(name) = std::str::from_utf8(word) else {
            return;
        };
        let makes = self.semantics.effect(name).map(makes);
        if makes.is_some_and(|makes| makes != Makes::default()) {
            self.cannot_read(index, name, Unreadable::Nested);
        }
    }

    /// The first one is enough to refuse the file.
    fn cannot_read(&mut self, index: usize, name: &str, why: Unreadable) {
        if self.facts.unread.is_none() {
            self.facts.unread = Some(Unread {
                name: name.into(),
                at: self.at(self.tokens[index].span.start),
                why,
            });
        }
    }

    /// Whether the call at `index` hands a macro of the file, `name`, another one that
    /// declares tracepoints: `LIST(TRACE_EVENT)`. Takes note of the lists of other files.
    fn is_list(&mut self, index: usize, name: &str) -> bool {
        if !self.starts_declaration(index) || self.semantics.is_core_macro(name) {
            return false;
        }
        let Some(close) = self.end_of_call(self.tokens(), index) else {
            return false;
        };
        let (text, arguments) = (self.text, &self.tokens[index + 2..close]);
        let mut words = arguments
            .iter()
            .map(|token| std::str::from_utf8(token.span.of(text)).unwrap_or_default());
        let handed = words.any(|word| {
            self.semantics.is_framework_macro(word) || self.macros.is_wrapper(word, self.semantics)
        });
        if !handed && !self.is_trace_header() {
            return false;
        }
        if self.macros.knows(name) {
            if handed {
                self.macros.set_matter();
            }
            return handed;
        }
        let is_name = |token: &Token| token.kind == Kind::Identifier;
        if handed {
            self.calls_list(name);
            self.facts.declares_by_lists = true;
        } else if arguments.iter().all(|one| is_name(one) || one.is(b',')) {
            // What it is handed may be another file's, too.
            self.calls_list(name);
            let names = arguments.iter().filter(|one| is_name(one));
            let names = names.map(|one| text_of(one.span.of(text)));
            self.facts.unresolved.extend(names);
        }
        false
    }

    fn calls_list(&mut self, name: &str) {
        self.facts.lists.insert(name.into());
        self.facts.declares_by_lists |=
            self.macros.matter() && !self.macros.all_wrappers(self.semantics).is_empty();
    }

    fn is_trace_header(&self) -> bool {
        self.is_header && self.system.is_some()
    }

    /// Whether nothing of a declaration stands before the token at `index`.
    fn starts_declaration(&self, index: usize) -> bool {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        before.is_none_or(|one| {
            matches!(
                one.kind,
                Kind::Directive | Kind::Punctuator(b';' | b'}' | b')')
            )
        }) || self.outline.starts_declaration(index)
    }

    /// A macro at file scope that stands for a whole declaration, without parentheses.
    fn file_scope_word(&mut self, index: usize) -> bool {
        let may_be_list = self.macros.matter() || self.system.is_some();
        if !may_be_list || !self.starts_declaration(index) {
            return false;
        }
        let name = std::str::from_utf8(self.tokens().word(index)).unwrap_or_default();
        if self.macros.is_wrapper(name, self.semantics) && self.expand_call_at(index, index, name) {
            return true;
        }
        let is_list = self.stands_alone(index, name)
            && !self.macros.knows(name)
            && !self.semantics.is_core_macro(name);
        if is_list {
            self.calls_list(name);
            self.facts.unresolved.insert(name.into());
            self.outline.skip_call(index);
        }
        false
    }

    /// Whether the word at `index`, with which something starts, is all of it. What is
    /// written in small letters is a list if no declaration can come of it.
    fn stands_alone(&self, index: usize, name: &str) -> bool {
        let is_loud = is_in_capitals(name.as_bytes());
        match self.tokens.get(index + 1) {
            None => is_loud || self.is_trace_header(),
            Some(next) => match next.kind {
                Kind::Directive => is_loud || self.is_trace_header(),
                Kind::Punctuator(b';') => is_loud,
                Kind::Identifier => is_loud && self.is_on_a_line_before(index, next),
                _ => false,
            },
        }
    }

    fn is_on_a_line_before(&self, index: usize, next: &Token) -> bool {
        let between = self.tokens[index].span.end as usize..next.span.start as usize;
        self.text[between].contains(&b'\n')
    }

    /// A call of a macro that another file may define. Elsewhere than in a trace header
    /// a small letter says that it is a function.
    fn maybe_unresolved(&mut self, index: usize, name: &str) {
        let is_macro = is_in_capitals(name.as_bytes())
            || self.system.is_some() && self.starts_declaration(index);
        if is_macro && !self.facts.unresolved.contains(name) {
            self.facts.unresolved.insert(name.into());
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
            // To modules that are named, only under the GPL (include/linux/export.h).
            gpl: name.contains("_GPL") || name.contains("_FOR_MODULES"),
            at: origin.at,
            condition: origin.condition,
        });
        self.tokens().end_of_call(index)
    }

    /// As [`Self::expand_call`], of the call that starts at `index` and ends with `close`.
    fn expand_call_at(&mut self, index: usize, close: usize, name: &str) -> bool {
        let call = &self.text
            [self.tokens[index].span.start as usize..self.tokens[close].span.end as usize];
        self.expand_call(call, name, &self.origin(index))
    }

    /// Reads `call` of the wrapper `name`. Whether it came to a macro of the tracing
    /// core at all: a definition of a function may look like it.
    pub(super) fn expand_call(&mut self, call: &[u8], name: &str, origin: &Origin) -> bool {
        let names = self.macros.on_the_way(name, self.semantics);
        let (mut variants, mut came) = self.read_expansions(&names, call, origin);
        if came.left_over {
            let names = self.macros.all_of_call(call);
            (variants, came) = self.read_expansions(&names, call, origin);
        }
        merge_variants(&mut self.facts, variants);
        came.to_core
    }

    /// What each expansion of `call` by the macros `names` says.
    fn read_expansions(
        &mut self,
        names: &BTreeSet<Box<str>>,
        call: &[u8],
        origin: &Origin,
    ) -> (Vec<Facts>, Came) {
        let mut all = Came::default();
        let mut variants = Vec::new();
        for expansion in self.macros.expansions_by(names, call, &origin.condition) {
            let before = std::mem::take(&mut self.facts);
            let origin = Origin {
                condition: expansion.condition,
                ..origin.clone()
            };
            let came = self.declare_expanded(&expansion.text, names, call, &origin);
            all.to_core |= came.to_core;
            all.left_over |= came.left_over;
            variants.push(std::mem::replace(&mut self.facts, before));
        }
        (variants, all)
    }

    /// Reads what a wrapper came to, and says whether that is anything.
    fn declare_expanded(
        &mut self,
        text: &[u8],
        names: &BTreeSet<Box<str>>,
        call: &[u8],
        origin: &Origin,
    ) -> Came {
        let lexed = lex(text, false);
        let tokens = Tokens {
            text,
            all: &lexed.tokens,
        };
        let mut index = 0;
        let mut came = Came::default();
        while index < lexed.tokens.len() {
            let word = std::str::from_utf8(tokens.word(index)).unwrap_or_default();
            if self.semantics.effect(word).is_some() && tokens.is(index + 1, b'(') {
                let via = self.macros.chain_of_call(call, word);
                came.to_core = true;
                // Of a large call, the expansion may be cut off.
                let close = self.end_of_call(tokens, index);
                let end = close.unwrap_or(lexed.tokens.len());
                self.declare(tokens, index..end, origin, &via);
                index = close.unwrap_or(index);
            } else {
                came.left_over |= !names.contains(word) && self.macros.defines(word);
            }
            index += 1;
        }
        came
    }

    /// Records what the call of a macro of the tracing core makes, whose name is the first
    /// of `call` and whose parenthesis closes behind it.
    pub(super) fn declare(
        &mut self,
        tokens: Tokens<'_>,
        call: Range<usize>,
        origin: &Origin,
        via: &[Box<str>],
    ) {
        let Some(call) = declared(tokens, call, self.semantics, |words| {
            let is_plain = words.iter().all(|&byte| is_word_byte(byte));
            let name = std::str::from_utf8(words).unwrap_or_default();
            if is_plain && !self.macros.knows(name) {
                return words.to_vec();
            }
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
                self.facts.declarations.push(declaration.into());
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
