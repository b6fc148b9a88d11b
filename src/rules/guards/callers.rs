// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Functions that are called only where a tracepoint was asked for, and functions that
//! ask for it themselves.

use super::super::review::Sight;
use super::super::sites::{Around, Source, text_of};
use super::truth::{Guards, every};
use super::walk::Walk;
use super::{Answer, Question, asked_instead, is_guarded};
use memchr::memmem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Functions of such names are called by those who have asked, also from files
/// that are not to be seen.
const OUT_OF_LINE: [&str; 4] = ["__trace_", "call_trace_", "do_trace_", "__do_trace_"];

/// How many callers one above the other are looked into.
const DEPTH: usize = 4;

/// Who asks for a tracepoint.
#[derive(Default)]
struct Askers {
    /// The files in which somebody does.
    files: BTreeSet<Arc<str>>,
    /// The functions that say yes only if it is on.
    predicates: BTreeSet<String>,
}

/// Who asks for which tracepoint.
#[derive(Default)]
pub(in crate::rules) struct Asking {
    by_name: BTreeMap<String, Askers>,
}

impl Asking {
    /// Whether the call in `around`, a function of a file, is made only where the
    /// tracepoint `name` is on.
    pub(in crate::rules) fn before(
        &mut self,
        sight: &Sight<'_>,
        (file, source): (&str, &Source<'_>),
        around: &Around<'_>,
        name: &str,
    ) -> bool {
        let is_tracepoint = |name: &str| sight.state.inventory.contains(name);
        let askers = self.askers(sight, name);
        let question = Question {
            name,
            is_tracepoint: &is_tracepoint,
            predicates: &askers.predicates,
        };
        is_guarded(around, &question)
            || is_local(around) && are_guarded(source, around.name, &question, DEPTH)
            || is_known_elsewhere(file, around) && askers.call(sight, around, &question)
    }

    /// The tracepoints one of which is on wherever the call in `around` is made, where
    /// the tracepoint `name` itself is not asked for.
    pub(in crate::rules) fn instead<'a>(
        &mut self,
        sight: &Sight<'_>,
        around: &Around<'a>,
        name: &str,
    ) -> BTreeSet<&'a [u8]> {
        let is_tracepoint = |name: &str| sight.state.inventory.contains(name);
        let question = Question {
            name,
            is_tracepoint: &is_tracepoint,
            predicates: &self.askers(sight, name).predicates,
        };
        asked_instead(around, &question)
    }

    fn askers(&mut self, sight: &Sight<'_>, name: &str) -> &Askers {
        self.by_name
            .entry(name.to_owned())
            .or_insert_with(|| Askers::of(sight, name))
    }
}

impl Askers {
    fn of(sight: &Sight<'_>, name: &str) -> Self {
        let named = sight.state.inventory.named(name);
        let mut places: BTreeMap<Arc<str>, BTreeSet<u32>> = BTreeMap::new();
        for guard in named.flat_map(|tracepoint| &tracepoint.guards) {
            let site = &guard.site;
            let offsets = places.entry(site.file.clone()).or_default();
            offsets.insert(site.at.offset);
        }
        let mut askers = Self::default();
        let question = Question {
            name,
            is_tracepoint: &|name| sight.state.inventory.contains(name),
            predicates: &BTreeSet::new(),
        };
        for (file, offsets) in places {
            if let Some(text) = text_of(sight, &file) {
                let source = Source::of(&text);
                let around = offsets.iter().filter_map(|&offset| source.around(offset));
                let asking = around.filter(|one| is_predicate(one, &question));
                askers
                    .predicates
                    .extend(asking.map(|one| one.name.to_owned()));
            }
            askers.files.insert(file);
        }
        askers
    }

    /// Whether the function around a call is one that others call only where they have
    /// asked.
    fn call(&self, sight: &Sight<'_>, around: &Around<'_>, question: &Question<'_>) -> bool {
        let is_out_of_line = OUT_OF_LINE
            .iter()
            .any(|start| around.name.starts_with(start));
        is_out_of_line
            || self.files.iter().any(|file| {
                let text = text_of(sight, file);
                text.is_some_and(|text| {
                    memmem::find(&text, around.name.as_bytes()).is_some()
                        && are_guarded(&Source::of(&text), around.name, question, DEPTH)
                })
            })
    }
}

/// Whether other files can call a function.
fn is_known_elsewhere(file: &str, around: &Around<'_>) -> bool {
    !is_local(around) || file.ends_with(".h")
}

fn is_local(around: &Around<'_>) -> bool {
    around.is_macro || around.attributes().contains(&&b"static"[..])
}

/// Whether `name` is used in `source`, and only where the answer is yes.
fn are_guarded(source: &Source<'_>, name: &str, question: &Question<'_>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let mut uses = source.uses(name).into_iter().peekable();
    uses.peek().is_some()
        && uses.all(|one| {
            is_guarded(&one, question)
                || is_local(&one) && are_guarded(source, one.name, question, depth)
        })
}

/// Whether a function, or a macro, comes to something true only if the answer is yes.
fn is_predicate(around: &Around<'_>, question: &Question<'_>) -> bool {
    let guards = Guards::of(around, question);
    if around.is_macro {
        return guards.implied(0..around.tokens.len(), true) == Answer::Own;
    }
    let returns = (0..around.tokens.len()).filter(|&at| around.word(at) == b"return");
    let answers = returns.map(|at| {
        let walk = Walk::to(around, at);
        guards
            .hold(&walk)
            .max(guards.implied(walk.expression.clone(), true))
    });
    every(answers.collect::<Vec<_>>()) == Answer::Own
}
