// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The macros of one file, each with the `#if` variants that it has.
//!
//! A wrapper macro of the same name differs from file to file and from
//! configuration to configuration, so every variant that can be meant at a
//! place is tried. It may not know what the macros of the tracing core do, only
//! which names those are.

use super::facts::MacroDefinition;
use super::pasted_names::{framework_names, pastes};
use super::uses::text_of;
use crate::kernel::expand::{MacroTable, expand};
use crate::kernel::semantics::Semantics;
use crate::syntax::conditions::Condition;
use crate::syntax::directives::Define;
use crate::syntax::lexer::{Kind, is_word_byte, lex};
use memchr::memmem;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// How many combinations of variants are tried for one call.
const MOST_COMBINATIONS: usize = 16;

/// How deep wrappers may call wrappers.
const DEEPEST: usize = 32;

/// How many variants of one macro are kept.
const MOST_VARIANTS: usize = 64;

/// One definition of a macro.
#[derive(Clone, Debug)]
struct Variant<'a> {
    /// The whole directive; `None` for an `#undef`.
    text: Option<&'a [u8]>,
    /// The identifiers of its body, and those that it may paste.
    body: Arc<[Box<str>]>,
    /// The `#if`s around it.
    condition: Condition,
}

/// A `#define` or an `#undef`, as it was met.
#[derive(Clone, Debug)]
struct Met<'a> {
    name: &'a [u8],
    /// The directive and its body; `None` for an `#undef`.
    text: Option<(&'a [u8], &'a [u8])>,
    /// The macros of the tracing core whose names its body may paste.
    pasted: Vec<Box<str>>,
    condition: Condition,
}

/// The macros that are defined at a place in a file.
///
/// Most files define many and need none, so they are only put in order once one
/// of them turns out to matter.
#[derive(Clone, Debug, Default)]
pub struct Macros<'a> {
    met: Vec<Met<'a>>,
    by_name: HashMap<Box<str>, Vec<Variant<'a>>>,
    /// Whether one of them can come to a macro of the tracing core, or to the
    /// name of a generated function.
    matters: bool,
}

/// What a call comes to under one choice of variants.
#[derive(Debug)]
pub struct Expansion {
    /// The text, with the macros of the tracing core left as they are.
    pub text: Vec<u8>,
    /// When these variants are the ones that count.
    pub condition: Condition,
}

impl<'a> Macros<'a> {
    /// Records the `#define` directive `text`.
    pub fn define(
        &mut self,
        define: &Define<'a>,
        text: &'a [u8],
        condition: &Condition,
        semantics: &Semantics,
    ) {
        let body = define.body.of(text);
        let pasted = framework_names(define, text, semantics);
        let matters = self.matters || !pasted.is_empty() || concerns(define.name, body, semantics);
        self.met(
            Met {
                name: define.name,
                text: Some((text, body)),
                pasted,
                condition: condition.clone(),
            },
            matters,
        );
    }

    /// Records an `#undef`.
    pub fn undefine(&mut self, name: &'a [u8], condition: &Condition) {
        let undefined = Met {
            name,
            text: None,
            pasted: Vec::new(),
            condition: condition.clone(),
        };
        self.met(undefined, self.matters);
    }

    /// Whether any macro of the file matters.
    pub fn matter(&self) -> bool {
        self.matters
    }

    /// Whether a macro of this name was met, whether it matters or not.
    pub fn knows(&self, name: &str) -> bool {
        if self.matters {
            self.by_name.contains_key(name)
        } else {
            self.met.iter().any(|one| one.name == name.as_bytes())
        }
    }

    /// The identifiers that the macros `names` come to, through others of the file, and
    /// that the file does not define itself.
    pub fn behind(&self, names: BTreeSet<Box<str>>) -> BTreeSet<Box<str>> {
        let mut met: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
        for one in &self.met {
            let bodies = met.entry(one.name).or_default();
            bodies.extend(one.text.map(|(_, body)| body));
        }
        let mut seen: BTreeSet<Box<str>> = BTreeSet::new();
        let mut next: Vec<Box<str>> = names.into_iter().collect();
        while let Some(name) = next.pop() {
            if seen.insert(name.clone()) {
                for body in met.get(name.as_bytes()).into_iter().flatten() {
                    next.extend(identifiers(body, Vec::new()).iter().cloned());
                }
                let variants = self.by_name.get(&name).into_iter().flatten();
                next.extend(variants.flat_map(|one| one.body.iter().cloned()));
            }
        }
        seen.retain(|name| !self.knows(name));
        seen
    }

    /// Takes note that the macros met so far matter.
    pub fn set_matter(&mut self) {
        self.matters = true;
        for one in std::mem::take(&mut self.met) {
            self.add(one);
        }
    }

    fn met(&mut self, one: Met<'a>, matters: bool) {
        self.met.push(one);
        if matters {
            self.set_matter();
        }
    }

    fn add(&mut self, met: Met<'a>) {
        let variant = Variant {
            text: met.text.map(|(text, _)| text),
            body: met
                .text
                .map(|(_, body)| identifiers(body, met.pasted))
                .unwrap_or_default(),
            condition: met.condition,
        };
        let variants = self.by_name.entry(text_of(met.name)).or_default();
        variants.retain(|earlier| !earlier.condition.implies(&variant.condition));
        if variants.len() < MOST_VARIANTS {
            variants.push(variant);
        }
    }

    /// Whether the file defines `name`.
    pub fn defines(&self, name: &str) -> bool {
        self.by_name
            .get(name)
            .is_some_and(|variants| variants.iter().any(|variant| variant.text.is_some()))
    }

    /// The directives of all macros.
    pub fn directives(&self) -> impl Iterator<Item = &'a [u8]> {
        let variants = self.by_name.values().flatten();
        variants.filter_map(|variant| variant.text)
    }

    /// Whether a call of `name` can come to a macro of the tracing core.
    pub fn is_wrapper(&self, name: &str, semantics: &Semantics) -> bool {
        self.by_name.contains_key(name) && !self.wrappers(name, semantics).is_empty()
    }

    /// The macros of this file through which `name` reaches the tracing core.
    fn wrappers(&self, name: &str, semantics: &Semantics) -> BTreeSet<Box<str>> {
        self.callers(self.reached(name), |one| self.names_core(one, semantics))
    }

    /// All macros of which a call can come to one of the tracing core.
    pub fn all_wrappers(&self, semantics: &Semantics) -> BTreeSet<Box<str>> {
        self.callers(self.names(), |one| self.names_core(one, semantics))
    }

    /// The macros that paste names of generated functions, and those that call them.
    pub fn pasting(&self) -> BTreeSet<Box<str>> {
        let pastes_itself = |name: &str| {
            let variants = self.by_name.get(name).into_iter().flatten();
            variants.filter_map(|one| one.text).any(pastes)
        };
        self.callers(self.names(), pastes_itself)
    }

    /// The macros of the tracing core that a call of `name` can come to, `name`
    /// itself not among them.
    pub fn core_macros_of(&self, name: &str, semantics: &Semantics) -> BTreeSet<&str> {
        let reached = self.reached(name).into_iter();
        let words = reached.flat_map(|one| self.bodies(one));
        words
            .filter(|&word| word != name && semantics.is_framework_macro(word))
            .collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(AsRef::as_ref)
    }

    /// Whether `name` is a macro of the tracing core, or one stands in its body.
    fn names_core(&self, name: &str, semantics: &Semantics) -> bool {
        let mut words = std::iter::once(name).chain(self.bodies(name));
        words.any(|word| semantics.is_framework_macro(word))
    }

    /// The identifiers in the bodies of `name`, of all its variants.
    fn bodies(&self, name: &str) -> impl Iterator<Item = &str> {
        let variants = self.by_name.get(name).into_iter().flatten();
        variants.flat_map(|variant| variant.body.iter().map(AsRef::as_ref))
    }

    /// The macros of this file that a call of `name` can come to, with `name`.
    fn reached<'s>(&'s self, name: &'s str) -> Vec<&'s str> {
        let mut seen = HashSet::from([name]);
        let mut reached = vec![name];
        let mut next = 0;
        while let Some(&one) = reached.get(next) {
            next += 1;
            let called = self.bodies(one);
            let known = called.filter(|&called| self.by_name.contains_key(called));
            reached.extend(known.filter(|&called| seen.insert(called)));
        }
        reached
    }

    /// Those of the macros `among` that `is_wanted`, and those that call one of them,
    /// themselves or through others.
    fn callers<'s>(
        &'s self,
        among: impl IntoIterator<Item = &'s str>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> BTreeSet<Box<str>> {
        let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut next = Vec::new();
        for user in among {
            next.extend(is_wanted(user).then_some(user));
            for called in self.bodies(user) {
                if self.by_name.contains_key(called) {
                    users.entry(called).or_default().push(user);
                }
            }
        }
        let mut callers = BTreeSet::new();
        while let Some(one) = next.pop() {
            if callers.insert(one.into()) {
                next.extend(users.get(one).into_iter().flatten());
            }
        }
        callers
    }

    /// The definitions of the macros `names`, for other files.
    pub fn definitions(&self, names: &BTreeSet<Box<str>>) -> Vec<MacroDefinition> {
        let mut definitions = Vec::new();
        for name in names {
            for variant in self.by_name.get(name).into_iter().flatten() {
                if let Some(text) = variant.text {
                    definitions.push(MacroDefinition {
                        name: name.clone(),
                        text: text.into(),
                        condition: variant.condition.clone(),
                    });
                }
            }
        }
        definitions.sort_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
        definitions
    }

    /// The wrappers from the macro that `call` calls to the macro `framework` of the
    /// tracing core, outermost first. It may be handed the next as an argument.
    pub fn chain_of_call(&self, call: &[u8], framework: &str) -> Vec<Box<str>> {
        let length = call.iter().position(|&byte| !is_word_byte(byte));
        let (name, given) = call.split_at(length.unwrap_or(call.len()));
        let name = text_of(name);
        let mut chain = Vec::new();
        // A stub of the file's own may give way to the macro of that name.
        if name.as_ref() == framework
            || self.find_chain(&name, framework, &mut chain, &mut HashSet::new())
        {
            return chain;
        }
        chain.push(name);
        let words = lex(given, false).tokens;
        let words = words.iter().filter(|one| one.kind == Kind::Identifier);
        let words: Vec<Box<str>> = words.map(|one| text_of(one.span.of(given))).collect();
        let mut seen = HashSet::new();
        for word in &words {
            if self.find_chain(word, framework, &mut chain, &mut seen) {
                break;
            }
        }
        chain
    }

    /// Appends the rest of a chain; `seen` are the macros from which none was found.
    fn find_chain<'s>(
        &'s self,
        name: &'s str,
        framework: &str,
        chain: &mut Vec<Box<str>>,
        seen: &mut HashSet<&'s str>,
    ) -> bool {
        if name == framework && !chain.is_empty() {
            return true;
        }
        if chain.len() >= DEEPEST || !self.by_name.contains_key(name) || !seen.insert(name) {
            return false;
        }
        chain.push(name.into());
        for identifier in self.bodies(name) {
            if self.find_chain(identifier, framework, chain, seen) {
                return true;
            }
        }
        chain.pop();
        false
    }

    /// The macros on the ways from `name` to the tracing core, `name` with them.
    pub fn on_the_way(&self, name: &str, semantics: &Semantics) -> BTreeSet<Box<str>> {
        let mut names = self.wrappers(name, semantics);
        names.insert(name.into());
        names
    }

    /// Every macro that the call `text` can come to: one may be handed another as an
    /// argument, as `LIST(HOOK)` is.
    pub fn all_of_call(&self, text: &[u8]) -> BTreeSet<Box<str>> {
        let mut names: BTreeSet<Box<str>> = BTreeSet::new();
        let mut next: Vec<Box<str>> = identifiers(text, Vec::new()).to_vec();
        while let Some(name) = next.pop() {
            let Some(variants) = self.by_name.get(&name) else {
                continue;
            };
            if names.insert(name) {
                next.extend(variants.iter().flat_map(|one| one.body.iter().cloned()));
            }
        }
        names
    }

    /// What the call `text`, standing under `condition`, comes to by the macros `names`:
    /// one expansion for each choice of variants that can be meant.
    pub fn expansions_by(
        &self,
        names: &BTreeSet<Box<str>>,
        text: &[u8],
        condition: &Condition,
    ) -> Vec<Expansion> {
        let mut choices = vec![(Vec::new(), condition.clone())];
        for name in names {
            choices = self.choose(name, choices);
        }
        choices
            .into_iter()
            .map(|(variants, condition)| Expansion {
                text: expand_with(text, &variants),
                condition,
            })
            .collect()
    }

    fn choose<'s>(&'s self, name: &str, choices: Vec<Choice<'s, 'a>>) -> Vec<Choice<'s, 'a>> {
        let Some(variants) = self.by_name.get(name) else {
            return choices;
        };
        let mut next = Vec::new();
        for (chosen, condition) in choices {
            let mut otherwise = condition.clone();
            for variant in variants {
                if condition.is_exclusive_with(&variant.condition) {
                    continue;
                }
                let mut more: Vec<&Variant<'a>> = chosen.clone();
                more.push(variant);
                next.push((more, condition.and(&variant.condition)));
                otherwise = otherwise.and_not(&variant.condition);
            }
            // Outside of all variants the name is what it was before the file.
            if !otherwise.is_contradictory() {
                next.push((chosen, otherwise));
            }
        }
        next.truncate(MOST_COMBINATIONS);
        next
    }
}

/// A choice of variants, and when they are the ones that count.
type Choice<'s, 'a> = (Vec<&'s Variant<'a>>, Condition);

/// Whether a macro with this name and body can matter to tracepoints.
fn concerns(name: &[u8], body: &[u8], semantics: &Semantics) -> bool {
    let is_framework = |word: &[u8]| {
        std::str::from_utf8(word).is_ok_and(|word| semantics.is_framework_macro(word))
    };
    // Lists of parameters have macros of their own, as TP_PROTO_pwm().
    let lists = [&b"TP_PROTO"[..], b"TP_ARGS"];
    if is_framework(name)
        || pastes(body)
        || lists.iter().any(|list| memmem::find(body, list).is_some())
    {
        return true;
    }
    semantics.may_name_framework(body)
        && lex(body, false)
            .tokens
            .iter()
            .any(|token| token.kind == Kind::Identifier && is_framework(token.span.of(body)))
}

fn expand_with(text: &[u8], variants: &[&Variant<'_>]) -> Vec<u8> {
    let mut table = MacroTable::default();
    for directive in variants.iter().filter_map(|variant| variant.text) {
        table.define(directive);
    }
    expand(text, &table)
}

/// The identifiers of a macro's body and those it pastes, once each.
pub fn identifiers(body: &[u8], pasted: Vec<Box<str>>) -> Arc<[Box<str>]> {
    let names: BTreeSet<Box<str>> = lex(body, false)
        .tokens
        .iter()
        .filter(|token| token.kind == Kind::Identifier)
        .map(|token| text_of(token.span.of(body)))
        .chain(pasted)
        .collect();
    names.into_iter().collect()
}
