// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One file's text into its [`Facts`].
//!
//! A single walk over the tokens: directives keep the conditions and the macro
//! table, calls at file scope declare, define and export, all other identifiers
//! are looked at for uses. It knows no other file but for the macros that it is
//! handed.

use super::allowances;
use super::declarations::{Declared, declared};
use super::facts::{
    At, Attachment, CustomEvent, Definition, Export, Facts, Include, MacroDefinition, Makes,
    Mention, Override, Target, Use,
};
use super::macros::Macros;
use super::pasting;
use super::uses::{Sign, Tokens, sign, starts_sign, text_of};
use crate::kernel::semantics::Semantics;
use crate::syntax::conditions::{Condition, ConditionStack};
use crate::syntax::directives::{Define, Directive, IncludeTarget};
use crate::syntax::groups::closing;
use crate::syntax::lexer::{Kind, Lexed, Token, lex, lex_into};
use crate::syntax::lines::Lines;
use crate::syntax::outline::Outline;
use memchr::memmem;
use std::cell::RefCell;
use std::sync::Arc;

/// Reads the file at `path`. `imported` are the wrapper macros of headers that
/// it includes.
pub fn read(path: &str, text: &[u8], semantics: &Semantics, imported: &[MacroDefinition]) -> Facts {
    if path.ends_with(".rs") {
        return super::rust::read(text);
    }
    LEXED.with_borrow_mut(|lexed| {
        lex_into(text, true, lexed);
        let mut reader = Reader::new(text, &lexed.tokens, semantics);
        for one in imported {
            reader.import(one);
        }
        reader.walk();
        reader.finish()
    })
}

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
            creates: None,
            facts: Facts::default(),
            probes_of_some: Vec::new(),
            pointers: Vec::new(),
            addresses: Vec::new(),
            looks_up: false,
            strings: Vec::new(),
        }
    }

    fn walk(&mut self) {
        let mut index = 0;
        while let Some(token) = self.tokens.get(index) {
            index = match token.kind {
                Kind::Directive => {
                    self.directive(index);
                    index + 1
                }
                _ if self.conditions.is_dead() => index + 1,
                // Most are of no interest, and their first byte says so.
                Kind::Identifier
                    if !self.outline.at_file_scope()
                        && !starts_sign(self.text[token.span.start as usize]) =>
                {
                    index + 1
                }
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

    fn tokens(&self) -> Tokens<'a> {
        Tokens {
            text: self.text,
            all: self.tokens,
        }
    }

    // Directives.

    fn directive(&mut self, index: usize) {
        let span = self.tokens[index].span;
        let text = span.of(self.text);
        let directive = Directive::parse(text);
        self.outline.directive(index, self.conditions.is_dead());
        self.conditions.directive(&directive);
        if self.conditions.is_dead() {
            return;
        }
        let condition = self.conditions.condition();
        match directive {
            Directive::Define(define) => self.defined(index, text, &define, &condition),
            Directive::Undef(name) => {
                if name == b"CREATE_TRACE_POINTS" {
                    self.creates = None;
                }
                self.macros.undefine(name, &condition);
            }
            Directive::Include(target) => self.include(index, &target, condition),
            _ => {}
        }
    }

    fn import(&mut self, one: &'a MacroDefinition) {
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

    fn include(&mut self, index: usize, target: &IncludeTarget<'_>, condition: Condition) {
        let (target, quoted) = match target {
            IncludeTarget::Quoted(target) => (target, true),
            IncludeTarget::Angled(target) => (target, false),
            IncludeTarget::Macro(_) => return,
        };
        let creates = self
            .creates
            .as_ref()
            .is_some_and(|creates| !creates.is_exclusive_with(&condition));
        self.facts.includes.push(Include {
            target: text_of(target),
            quoted,
            creates,
            at: self.at(self.tokens[index].span.start),
            condition,
        });
    }

    // Identifiers.

    /// Looks at the identifier at `index`; gives the index to go on at.
    fn identifier(&mut self, index: usize) -> usize {
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
        let mut close = closing(self.text, self.tokens, index + 1)?;
        if local && self.tokens().is(close + 1, b'(') {
            // The call may come to the name of the macro that is called.
            close = closing(self.text, self.tokens, close + 1)?;
        }
        if !local {
            let origin = self.origin(index);
            self.declare(self.tokens(), index, &origin, &[]);
        } else if !self.expand_call(index, close, name) {
            return self.exported_by_symbol(index, name);
        }
        Some(close)
    }

    /// A call of a macro that another file may define.
    fn maybe_unresolved(&mut self, name: &str) {
        let is_macro = !name.bytes().any(|byte| byte.is_ascii_lowercase());
        if is_macro
            && !self.macros.defines(name)
            && !self.facts.unresolved.iter().any(|one| one.as_ref() == name)
        {
            self.facts.unresolved.push(name.into());
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
        closing(self.text, self.tokens, index + 1)
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
        super::declarations::merge_variants(&mut self.facts, already);
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
                self.declare(tokens, index, origin, &via);
                index = closing(text, &lexed.tokens, index + 1).unwrap_or(index);
            }
            index += 1;
        }
        came
    }

    /// Records what the call of a macro of the tracing core at `index` makes.
    fn declare(&mut self, tokens: Tokens<'_>, index: usize, origin: &Origin, via: &[Box<str>]) {
        let Some(call) = declared(tokens, index, self.semantics, |words| {
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

    // Uses.

    fn used(
        &mut self,
        tokens: Tokens<'_>,
        index: usize,
        sign: Sign,
        origin: &Origin,
        defined: bool,
    ) {
        match sign {
            Sign::Function { called } => {
                let usage = match (called, defined) {
                    (true, true) => Use::Definition,
                    (true, false) => Use::Call,
                    (false, _) => Use::Pointer,
                };
                self.mention(text_of(tokens.word(index)), usage, origin);
            }
            Sign::Guard(name) => {
                let identifier = format!("trace_{name}_enabled").into();
                self.mention(identifier, Use::Guard, origin);
            }
            Sign::Registers(probe) => {
                let target = Target::Function(text_of(tokens.word(index)));
                self.attach(target, probe.into_iter().collect(), origin);
            }
            Sign::Symbol {
                name,
                probes,
                registered,
            } => {
                if !registered {
                    self.pointers.push(self.facts.attachments.len());
                    if index.checked_sub(1).is_some_and(|one| tokens.is(one, b'&')) {
                        self.addresses.push(CustomEvent {
                            tracepoint: name.clone(),
                            at: origin.at,
                            condition: origin.condition.clone(),
                        });
                    }
                }
                self.attach(Target::Symbol(name), probes, origin);
            }
            Sign::RegistersSome(probe) => self.probes_of_some.extend(probe),
            Sign::LooksUp => self.looks_up = true,
        }
    }

    fn mention(&mut self, identifier: Box<str>, usage: Use, origin: &Origin) {
        self.facts.mentions.push(Mention {
            identifier,
            usage,
            function: origin.function.clone(),
            at: origin.at,
            condition: origin.condition.clone(),
            pasted: false,
        });
    }

    fn attach(&mut self, target: Target, probes: Vec<Box<str>>, origin: &Origin) {
        self.facts.attachments.push(Attachment {
            target,
            probes,
            function: origin.function.clone(),
            at: origin.at,
            condition: origin.condition.clone(),
        });
    }

    // The end of the file.

    fn finish(mut self) -> Facts {
        self.weigh_overrides();
        self.attach_looked_up();
        self.take_events_made_by_hand();
        self.facts.allowances = allowances::of(self.text, self.tokens, &self.lines);
        pasting::resolve_in_file(
            self.text,
            self.tokens,
            &self.lines,
            &self.macros,
            &mut self.facts,
        );
        self.keep_macros();
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
                .map(super::declarations::makes)
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
        if !self.looks_up || self.probes_of_some.is_empty() {
            return;
        }
        for index in std::mem::take(&mut self.strings) {
            let literal = self.tokens().word(index);
            let Some(name) = literal
                .strip_prefix(b"\"")
                .and_then(|rest| rest.strip_suffix(b"\""))
            else {
                continue;
            };
            let mut probes = self.tokens().companions(index);
            probes.extend(self.probes_of_some.iter().cloned());
            let origin = Origin {
                at: self.at(self.tokens[index].span.start),
                condition: Condition::default(),
                function: None,
            };
            self.attach(Target::Name(text_of(name)), probes, &origin);
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

    /// Keeps the macros that other files may need.
    fn keep_macros(&mut self) {
        if !self.macros.matter() {
            return;
        }
        let mut wrappers: Vec<MacroDefinition> = Vec::new();
        for (name, variants) in self.macros.iter() {
            if !self.macros.is_wrapper(name, self.semantics) {
                continue;
            }
            for variant in variants {
                if let Some(text) = variant.text {
                    wrappers.push(MacroDefinition {
                        name: name.into(),
                        text: text.into(),
                        condition: variant.condition.clone(),
                    });
                }
            }
        }
        wrappers.sort_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
        self.facts.wrappers = wrappers;
    }
}
