// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which translation unit makes each tracepoint.
//!
//! `CREATE_TRACE_POINTS` and an include of the header, itself or through others
//! (include/trace/define_trace.h), or a `DEFINE_TRACE()`. What else is known of the
//! tracepoints is of no interest here.

use super::facts::{At, Facts, FactsByPath};
use super::includes::{Includes, is_followed};
use crate::syntax::conditions::Condition;
use crate::syntax::expressions::Expression;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The header through which a file is read again and again to make its events.
pub const DEFINE_TRACE_HEADER: &str = "trace/define_trace.h";

/// A place that makes a tracepoint: the file, and where in it.
type Place = (Arc<str>, At);

/// The definitions of a kernel.
#[derive(Debug, PartialEq)]
pub struct Definitions {
    /// Of all tracepoints of a header.
    created: HashMap<Arc<str>, Vec<Place>>,
    /// Of one tracepoint, by its name.
    explicit: HashMap<Box<str>, Vec<Place>>,
    /// The headers that `define_trace.h` reads.
    multiply_read: HashSet<Arc<str>>,
}

impl Definitions {
    /// Those that the facts of all files make.
    pub fn of(facts: &FactsByPath) -> Self {
        let includes = Includes::of(facts);
        Self {
            created: created(facts, &includes),
            explicit: explicit(facts),
            multiply_read: multiply_read(facts, &includes),
        }
    }

    /// What makes the tracepoint `name` that `file` declares. It is `define_trace.h` that
    /// heeds `CREATE_TRACE_POINTS`.
    pub fn places(&self, file: &Arc<str>, name: &str) -> impl Iterator<Item = &Place> {
        let created = self.created.get(file).filter(|_| self.is_read_again(file));
        let created = created.into_iter().flatten();
        created.chain(self.explicit.get(name).into_iter().flatten())
    }

    /// Whether the header `file` is read through `define_trace.h`.
    pub fn is_read_again(&self, file: &Arc<str>) -> bool {
        self.multiply_read.contains(file)
    }
}

/// Whether a file that said `old` and says `new` leaves the [`Definitions`] of a kernel
/// as they are.
pub fn are_alike(old: &Facts, new: &Facts) -> bool {
    let creating = |says: &'_ Facts| {
        let all = says.includes.iter().filter(|one| one.creates);
        all.map(|one| one.at).collect::<Vec<_>>()
    };
    let is_there = |says: &Facts| *says != Facts::default();
    old.includes_alike(new)
        && creating(old) == creating(new)
        && old.definitions == new.definitions
        && old.declarations.is_empty() == new.declarations.is_empty()
        && is_there(old) == is_there(new)
}

/// For every header, the includes of it that define its tracepoints.
fn created(facts: &FactsByPath, includes: &Includes<'_>) -> HashMap<Arc<str>, Vec<Place>> {
    let mut created: HashMap<Arc<str>, Vec<Place>> = HashMap::new();
    let making = |(_, says): &(&Arc<str>, &Arc<Facts>)| says.includes.iter().any(|one| one.creates);
    for (file, _) in facts.iter().filter(making) {
        let mut before = HashSet::new();
        for &(include, header) in includes.found_in(file) {
            if include.creates {
                for reached in made_through(header, &before, facts, includes) {
                    let place = (file.clone(), include.at);
                    created.entry(reached.clone()).or_default().push(place);
                }
            }
            before.extend(includes.reachable(header));
        }
    }
    created
}

/// The headers whose tracepoints an include of `header` makes where
/// `CREATE_TRACE_POINTS` is defined and those of `before` were included. Of a
/// guarded header nothing is read twice, but for what define_trace.h reads.
fn made_through<'a>(
    header: &'a Arc<str>,
    before: &HashSet<&'a Arc<str>>,
    facts: &FactsByPath,
    includes: &Includes<'a>,
) -> Vec<&'a Arc<str>> {
    let creating = Expression::Defined("CREATE_TRACE_POINTS".to_owned());
    let creating = Condition::holds(&creating);
    includes.reached(header, |include, found| {
        let is_guarded =
            before.contains(found) && !facts.get(found).is_some_and(|says| is_trace_header(says));
        let is_followed = is_followed(include) || is_part(found, facts);
        is_followed && !include.condition.is_exclusive_with(&creating) && !is_guarded
    })
}

/// Whether a file has itself read again through `define_trace.h`.
pub fn is_trace_header(says: &Facts) -> bool {
    says.includes
        .iter()
        .any(|include| include.target.as_ref() == DEFINE_TRACE_HEADER)
}

/// Whether a file declares tracepoints for those that include it.
fn is_part(file: &Arc<str>, facts: &FactsByPath) -> bool {
    facts
        .get(file)
        .is_some_and(|says| !says.declarations.is_empty() && !is_trace_header(says))
}

/// The headers that `define_trace.h` reads: those that include it and those
/// that these include.
fn multiply_read<'a>(facts: &'a FactsByPath, includes: &Includes<'a>) -> HashSet<Arc<str>> {
    let mut reached = HashSet::new();
    for (file, says) in facts {
        if is_trace_header(says) {
            let read = includes.reached(file, |include, found| {
                is_followed(include) || is_part(found, facts)
            });
            reached.extend(read.into_iter().cloned());
        }
    }
    reached
}

fn explicit(facts: &FactsByPath) -> HashMap<Box<str>, Vec<Place>> {
    let mut explicit: HashMap<Box<str>, Vec<Place>> = HashMap::new();
    for (file, says) in facts {
        for definition in &says.definitions {
            let place = (file.clone(), definition.at);
            explicit
                .entry(definition.name.clone())
                .or_default()
                .push(place);
        }
    }
    explicit
}
