// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Macros that a trace header calls and that no file known so far gives it.
//!
//! The facts know only files that have to do with tracepoints. A list of names, as
//! `HOOKS(HOOK)` goes through, stands in a header that has not, and another such header
//! may lie on the way to one that has. So the includes are followed through the texts.

use super::facts::FactsByPath;
use super::facts::{Facts, MacroDefinition};
use super::includes;
use super::macros::identifiers;
use super::uses::text_of;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use crate::syntax::branches::ConditionStack;
use crate::syntax::directives::{Define, Directive};
use crate::syntax::lexer::{Kind, is_in_capitals, lex, with_whole_words};
use memchr::memmem;
use std::collections::BTreeSet;

/// How many headers are read in search of the macros of one file.
const MOST_HEADERS: usize = 512;

/// The macros that a file calls and that have to be looked for: lists, and wrappers that
/// a header out of its sight gives.
pub fn sought(says: &Facts, is_given: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let lists = says.lists.iter();
    let wrappers = says.unresolved.iter().filter(|name| is_given(name));
    lists.chain(wrappers).map(AsRef::as_ref).collect()
}

/// The definitions of the macros `names`, and of those in their bodies, in the headers
/// that `path` includes.
///
/// # Errors
/// One of them cannot be read; the message names it.
pub fn definitions(
    tree: &dyn Tree,
    path: &str,
    facts: &FactsByPath,
    names: &BTreeSet<&str>,
    semantics: &Semantics,
) -> anyhow::Result<Found> {
    let mut search = Search {
        wanted: names.iter().map(|&name| name.into()).collect(),
        ..Search::default()
    };
    let includes = facts.get(path).into_iter().flat_map(|says| &says.includes);
    for include in includes {
        search.include(path, &include.target, include.quoted);
    }
    while let Some(places) = search.next() {
        for place in places {
            if semantics.is_core(&place) {
                break;
            }
            search.asked.insert(place.as_str().into());
            if let Some(text) = tree.read(&place)? {
                search.read(&place, &text);
                break;
            }
        }
    }
    Ok(Found {
        macros: search.found,
        asked: search.asked,
    })
}

/// What a search brings.
#[derive(Default)]
pub struct Found {
    /// The definitions.
    pub macros: Vec<MacroDefinition>,
    /// The paths at which it looked: a file that comes, goes or changes there may bring
    /// something else.
    pub asked: BTreeSet<Box<str>>,
}

#[derive(Default)]
struct Search {
    wanted: BTreeSet<Box<str>>,
    found: Vec<MacroDefinition>,
    asked: BTreeSet<Box<str>>,
    /// Where each include may lie, in the order in which they were met.
    queue: Vec<Vec<String>>,
    met: BTreeSet<Vec<String>>,
    at: usize,
}

impl Search {
    fn next(&mut self) -> Option<Vec<String>> {
        let next = self.queue.get(self.at).filter(|_| self.at < MOST_HEADERS)?;
        self.at += 1;
        Some(next.clone())
    }

    fn include(&mut self, from: &str, target: &str, quoted: bool) {
        let places: Vec<String> = includes::places(from, target, quoted).collect();
        if self.met.insert(places.clone()) {
            self.queue.push(places);
        }
    }

    fn read(&mut self, path: &str, text: &[u8]) {
        let text = &*with_whole_words(text);
        let mut conditions = ConditionStack::default();
        for token in lex(text, true).tokens {
            if token.kind != Kind::Directive {
                continue;
            }
            let line = token.span.of(text);
            let directive = Directive::parse(line);
            conditions.directive(&directive);
            if conditions.is_dead() {
                continue;
            }
            match directive {
                Directive::Include(target) => {
                    for (target, quoted) in includes::targets(text, &target) {
                        self.include(path, &String::from_utf8_lossy(target), quoted);
                    }
                }
                Directive::Define(define) => {
                    let name = text_of(define.name);
                    if self.wanted.contains(&name) {
                        self.want_body(&define, line, text);
                        self.found.push(MacroDefinition {
                            name,
                            text: line.into(),
                            condition: conditions.condition(),
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// Looks for the macros in the body of `define` as well: those of the same header, and
    /// lists in further ones.
    fn want_body(&mut self, define: &Define<'_>, line: &[u8], text: &[u8]) {
        let parameters = define.parameters.as_deref().unwrap_or_default();
        for name in identifiers(define.body.of(line), Vec::new()).iter() {
            let is_parameter = parameters.contains(&name.as_bytes());
            let is_defined = || memmem::find(text, name.as_bytes()).is_some();
            if !is_parameter && (is_in_capitals(name.as_bytes()) || is_defined()) {
                self.wanted.insert(name.clone());
            }
        }
    }
}
