// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which translation unit makes each tracepoint.
//!
//! `CREATE_TRACE_POINTS` and an include of the header, itself or through others
//! (include/trace/define_trace.h), or a `DEFINE_TRACE()`.

use super::facts::{Facts, Include};
use super::includes::{Includes, is_followed};
use super::resolve::{FactsByPath, Inventory, Site};
use crate::syntax::conditions::Condition;
use crate::syntax::expressions::Expression;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The header through which a file is read again and again to make its events.
const DEFINE_TRACE_HEADER: &str = "trace/define_trace.h";

/// Adds the definitions of all tracepoints of `inventory`, and takes away the
/// BPF entry of those whose header is never read through `define_trace.h`.
pub fn add(inventory: &mut Inventory, facts: &FactsByPath) {
    let includes = Includes::of(facts);
    let created = created(facts, &includes);
    let multiply_read = multiply_read(facts, &includes);
    let explicit = explicit(facts);
    for tracepoint in &mut inventory.tracepoints {
        if let Some(sites) = created.get(&tracepoint.file) {
            tracepoint.definitions.extend(sites.iter().cloned());
        }
        if let Some(sites) = explicit.get(tracepoint.declaration.name.as_ref()) {
            tracepoint.definitions.extend(sites.iter().cloned());
        }
        tracepoint.bpf &= multiply_read.contains(&tracepoint.file);
    }
}

/// For every header, the includes of it that define its tracepoints.
fn created(facts: &FactsByPath, includes: &Includes<'_>) -> HashMap<Arc<str>, Vec<Site>> {
    let mut created: HashMap<Arc<str>, Vec<Site>> = HashMap::new();
    let making = |(_, says): &(&Arc<str>, &Arc<Facts>)| says.includes.iter().any(|one| one.creates);
    for (file, says) in facts.iter().filter(making) {
        let mut before = HashSet::new();
        for include in &says.includes {
            let Some(header) = includes.find(file, include) else {
                continue;
            };
            if include.creates {
                for reached in made_through(header, &before, facts, includes) {
                    created.entry(reached.clone()).or_default().push(Site {
                        file: file.clone(),
                        at: include.at,
                    });
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
        let is_guarded = before.contains(found)
            && !facts
                .get(found)
                .is_some_and(|says| reads_again(&says.includes));
        is_followed(include) && !include.condition.is_exclusive_with(&creating) && !is_guarded
    })
}

fn reads_again(includes: &[Include]) -> bool {
    includes
        .iter()
        .any(|include| include.target.as_ref() == DEFINE_TRACE_HEADER)
}

/// The headers that `define_trace.h` reads: those that include it and those
/// that these include.
fn multiply_read(facts: &FactsByPath, includes: &Includes<'_>) -> HashSet<Arc<str>> {
    let mut reached = HashSet::new();
    for (file, says) in facts {
        if reads_again(&says.includes) {
            let read = includes.reached(file, |include, _| is_followed(include));
            reached.extend(read.into_iter().cloned());
        }
    }
    reached
}

fn explicit(facts: &FactsByPath) -> HashMap<&str, Vec<Site>> {
    let mut explicit: HashMap<&str, Vec<Site>> = HashMap::new();
    for (file, says) in facts {
        for definition in &says.definitions {
            explicit.entry(&definition.name).or_default().push(Site {
                file: file.clone(),
                at: definition.at,
            });
        }
    }
    explicit
}
