// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which translation unit makes each tracepoint.
//!
//! `CREATE_TRACE_POINTS` and an include of the header, itself or through others
//! (include/trace/define_trace.h), or a `DEFINE_TRACE()`.

use super::includes::Includes;
use super::resolve::{FactsByPath, Inventory, Site};
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
    for (file, says) in facts {
        for include in says.includes.iter().filter(|include| include.creates) {
            let Some(header) = includes.find(file, include) else {
                continue;
            };
            for reached in includes.closure(header) {
                created.entry(reached.clone()).or_default().push(Site {
                    file: file.clone(),
                    at: include.at,
                });
            }
        }
    }
    created
}

/// The headers that `define_trace.h` reads: those that include it and those
/// that these include.
fn multiply_read(facts: &FactsByPath, includes: &Includes<'_>) -> HashSet<Arc<str>> {
    let mut reached = HashSet::new();
    for (file, says) in facts {
        let defines = says
            .includes
            .iter()
            .any(|include| include.target.as_ref() == DEFINE_TRACE_HEADER);
        if defines {
            reached.extend(includes.closure(file).into_iter().cloned());
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
