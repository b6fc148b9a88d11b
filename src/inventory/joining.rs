// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The facts of all files joined into an inventory: every tracepoint, or those again
//! of which the files speak that changed.
//!
//! It may not read files.

use super::definitions::{self, Definitions};
use super::facts::{At, Declaration, Facts, FactsByPath, Mention, Target, Use};
use super::resolve::{
    CallSite, Inventory, Probe, Site, Tracepoint, attached_to, can_be_built_together, used,
};
use crate::kernel::semantics::Semantics;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What one file said, and says now.
pub type Change<'a> = (&'a Facts, &'a Facts);

impl Inventory {
    /// Joins the facts of a tree's files.
    pub fn of(facts: &FactsByPath, semantics: &Semantics) -> Self {
        let definitions = Arc::new(Definitions::of(facts));
        let joined = Joining::of(facts, semantics, &|_| true).joined(&definitions);
        Self {
            tracepoints: joined.into_iter().map(Arc::new).collect(),
            definitions,
        }
    }

    /// The inventory of `facts`, where this one is that of what they were before
    /// `changes`: the same as [`Inventory::of`] makes, but for the time that it takes.
    pub fn after(
        self: &Arc<Self>,
        changes: &[Change<'_>],
        facts: &FactsByPath,
        semantics: &Semantics,
    ) -> Arc<Self> {
        let is_defined_alike = changes
            .iter()
            .all(|(old, new)| definitions::are_alike(old, new));
        let again = self.to_join_again(changes, semantics);
        if is_defined_alike && again.is_empty() {
            return self.clone();
        }
        let definitions = if is_defined_alike {
            self.definitions.clone()
        } else {
            Arc::new(Definitions::of(facts))
        };
        let is_kept = |one: &&Arc<Tracepoint>| !again.contains(one.name());
        let mut tracepoints: Vec<_> = self.tracepoints.iter().filter(is_kept).cloned().collect();
        if !is_defined_alike {
            for one in &mut tracepoints {
                define_again(one, &definitions);
            }
        }
        let joined = Joining::of(facts, semantics, &|name| again.contains(name));
        let joined = joined.joined(&definitions).into_iter();
        tracepoints.extend(joined.map(|one| self.shared(one)));
        tracepoints.sort_by(|a, b| order(a).cmp(&order(b)));
        Arc::new(Self {
            tracepoints,
            definitions,
        })
    }

    /// `one`, or what is here already if that is the same.
    fn shared(&self, one: Tracepoint) -> Arc<Tracepoint> {
        let from = self.starting_at(one.name()).iter();
        let same = from
            .take_while(|alike| alike.name() == one.name())
            .find(|alike| ***alike == one)
            .cloned();
        same.unwrap_or_else(|| Arc::new(one))
    }

    /// The names of the tracepoints that `changes` may make others.
    fn to_join_again(&self, changes: &[Change<'_>], semantics: &Semantics) -> BTreeSet<Box<str>> {
        let mut names = BTreeSet::new();
        for says in changes.iter().flat_map(|(old, new)| [old, new]) {
            names.extend(spoken_of(says, semantics));
            for (_, stem) in open_uses(says, semantics) {
                names.extend(self.starting_with(stem).map(Box::from));
            }
        }
        names
    }

    fn starting_with(&self, stem: &str) -> impl Iterator<Item = &str> {
        let names = self.starting_at(stem).iter().map(|one| one.name());
        names.take_while(move |name| name.starts_with(stem))
    }
}

/// The names of the tracepoints that may be others if a file says this, or no longer
/// does: those that it names, in each way that a name can be read, and those that a
/// tracepoint which it declares hides. `trace_X_enabled()` guards X, unless there is an
/// X_enabled.
fn spoken_of(says: &Facts, semantics: &Semantics) -> BTreeSet<Box<str>> {
    let declared = says.declarations.iter().map(|one| &one.name);
    let defined = says.definitions.iter().map(|one| &one.name);
    let exported = says.exports.iter().map(|one| &one.name);
    let mut names: BTreeSet<_> = declared.chain(defined).chain(exported).cloned().collect();
    for declaration in &says.declarations {
        for form in semantics.forms() {
            let name = &declaration.name;
            let identifier = format!("{}{name}{}", form.prefix, form.suffix);
            names.extend(readings(&identifier, semantics).map(Box::from));
        }
    }
    for mention in &says.mentions {
        names.extend(readings(&mention.identifier, semantics).map(Box::from));
    }
    for attachment in &says.attachments {
        match &attachment.target {
            Target::Function(one) => names.extend(readings(one, semantics).map(Box::from)),
            Target::Symbol(name) | Target::Name(name) => drop(names.insert(name.clone())),
        }
    }
    names
}

/// The tracepoints of which an identifier may be a generated function.
fn readings<'a>(identifier: &'a str, semantics: &'a Semantics) -> impl Iterator<Item = &'a str> {
    let calls = semantics.calls_of(identifier).map(|(name, _)| name);
    calls.chain(semantics.registrations_of(identifier))
}

/// Calls of which only the start of the name is known, and that start:
/// include/rv/da_monitor.h has `CONCATENATE(trace_event_, MONITOR_NAME)(…)`, and what
/// that is depends on who includes it.
fn open_uses<'a>(
    says: &'a Facts,
    semantics: &'a Semantics,
) -> impl Iterator<Item = (&'a Mention, &'a str)> {
    const SHORTEST_STEM: usize = 4;
    let open = |one: &&Mention| one.usage == Use::Pointer && one.identifier.ends_with('_');
    says.mentions.iter().filter(open).filter_map(|mention| {
        let (stem, is_guard) = semantics.calls_of(&mention.identifier).next()?;
        (!is_guard && stem.len() >= SHORTEST_STEM).then_some((mention, stem))
    })
}

/// What tells entries of an inventory apart, and orders them.
fn order(one: &Tracepoint) -> (&str, &str, At) {
    (one.name(), &one.file, one.declaration.at)
}

/// Gives a tracepoint the places that make it now.
fn define_again(tracepoint: &mut Arc<Tracepoint>, definitions: &Definitions) {
    let (places, bpf) = defined(tracepoint, definitions);
    if tracepoint.definitions != places || tracepoint.bpf != bpf {
        let tracepoint = Arc::make_mut(tracepoint);
        (tracepoint.definitions, tracepoint.bpf) = (places, bpf);
    }
}

/// The places that make a tracepoint, and whether it has a BPF entry: not if its header
/// is never read through include/trace/define_trace.h.
fn defined(tracepoint: &Tracepoint, definitions: &Definitions) -> (Vec<Site>, bool) {
    let made = definitions.places(&tracepoint.file, tracepoint.name());
    let mut sites: Vec<Site> = made.map(|(file, at)| site(file, *at)).collect();
    sites.sort();
    sites.dedup();
    let is_read_again = definitions.is_read_again(&tracepoint.file);
    (sites, tracepoint.declaration.makes.bpf && is_read_again)
}

fn site(file: &Arc<str>, at: At) -> Site {
    Site {
        file: file.clone(),
        at,
    }
}

/// Some tracepoints, as far as they are joined.
struct Joining<'a> {
    facts: &'a FactsByPath,
    semantics: &'a Semantics,
    /// By name, then path, then line.
    tracepoints: Vec<Tracepoint>,
    /// Where they are, of every name that is declared: nowhere, if they are not wanted.
    by_name: HashMap<&'a str, Range<usize>>,
}

impl<'a> Joining<'a> {
    /// The declarations of the names that are `wanted`.
    fn of(facts: &'a FactsByPath, semantics: &'a Semantics, wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut by_name = HashMap::new();
        let mut tracepoints = Vec::new();
        for (file, says) in facts {
            for declaration in says.declarations.iter().filter(|one| one.makes.tracepoint) {
                by_name.insert(&*declaration.name, 0..0);
                if wanted(&declaration.name) {
                    tracepoints.push((file, declaration));
                }
            }
        }
        tracepoints.sort_by_key(|(file, one)| (&one.name, *file, one.at));
        let mut start = 0;
        for group in tracepoints.chunk_by(|(_, a), (_, b)| a.name == b.name) {
            let end = start + group.len();
            by_name.insert(&*group[0].1.name, start..end);
            start = end;
        }
        let tracepoints = tracepoints.into_iter();
        Self {
            facts,
            semantics,
            tracepoints: tracepoints.map(|(file, one)| declared(file, one)).collect(),
            by_name,
        }
    }

    fn joined(mut self, definitions: &Definitions) -> Vec<Tracepoint> {
        self.add_exports();
        self.add_uses();
        self.add_open_uses();
        self.add_probes();
        for tracepoint in &mut self.tracepoints {
            (tracepoint.definitions, tracepoint.bpf) = defined(tracepoint, definitions);
            sort(tracepoint);
        }
        self.tracepoints
    }

    /// Runs `change` on every declaration of `name` that code in `file` can mean.
    fn each(&mut self, name: &str, file: &str, change: impl FnMut(&mut Tracepoint)) {
        let range = self.by_name.get(name).cloned().unwrap_or_default();
        let all = self.tracepoints[range].iter_mut();
        all.filter(|one| can_be_built_together(&one.file, file))
            .for_each(change);
    }

    fn add_exports(&mut self) {
        for (file, says) in self.facts {
            for export in &says.exports {
                self.each(&export.name, file, |tracepoint| {
                    let site = site(file, export.at);
                    tracepoint.exports.push((site, export.gpl));
                });
            }
        }
    }

    fn add_uses(&mut self) {
        for (file, says) in self.facts {
            let mentions = says.mentions.iter();
            for mention in mentions.filter(|one| one.usage != Use::Definition) {
                self.add_use(file, mention);
            }
        }
    }

    fn add_use(&mut self, file: &Arc<str>, mention: &Mention) {
        let is_there = |name: &str| self.by_name.contains_key(name);
        let Some((name, usage)) = used(mention, self.semantics, is_there) else {
            return;
        };
        self.each(name, file, |tracepoint| {
            let call = call(file, mention, usage, mention.pasted);
            if usage == Use::Guard {
                tracepoint.guards.push(call);
            } else {
                tracepoint.call_sites.push(call);
            }
        });
    }

    /// Adds the calls of which only the start of the name is known. They are taken for
    /// calls of the tracepoints that would fit and that nothing else calls.
    fn add_open_uses(&mut self) {
        let is_uncalled = |one: &&mut Tracepoint| one.call_sites.is_empty();
        let mut uncalled: Vec<_> = self.tracepoints.iter_mut().filter(is_uncalled).collect();
        for (file, says) in self.facts {
            for (mention, stem) in open_uses(says, self.semantics) {
                let fitting = uncalled.iter_mut();
                for tracepoint in fitting.filter(|one| one.name().starts_with(stem)) {
                    let call = call(file, mention, Use::Call, true);
                    tracepoint.call_sites.push(call);
                }
            }
        }
    }

    fn add_probes(&mut self) {
        for (file, says) in self.facts {
            for attachment in &says.attachments {
                let is_there = |name: &str| self.by_name.contains_key(name);
                let target = &attachment.target;
                let Some(name) = attached_to(target, self.semantics, is_there) else {
                    continue;
                };
                self.each(name, file, |tracepoint| {
                    tracepoint.probes.push(Probe {
                        site: site(file, attachment.at),
                        functions: attachment.probes.clone(),
                        attached_by: attachment.function.clone(),
                        target: target.clone(),
                    });
                });
            }
        }
    }
}

fn declared(file: &Arc<str>, declaration: &Arc<Declaration>) -> Tracepoint {
    Tracepoint {
        file: file.clone(),
        declaration: declaration.clone(),
        bpf: declaration.makes.bpf,
        definitions: Vec::new(),
        exports: Vec::new(),
        call_sites: Vec::new(),
        guards: Vec::new(),
        probes: Vec::new(),
    }
}

fn call(file: &Arc<str>, mention: &Mention, usage: Use, pasted: bool) -> CallSite {
    CallSite {
        site: site(file, mention.at),
        function: mention.function.clone(),
        usage,
        pasted,
    }
}

fn sort(tracepoint: &mut Tracepoint) {
    tracepoint.exports.sort();
    tracepoint.call_sites.sort();
    tracepoint.call_sites.dedup();
    tracepoint.guards.sort();
    tracepoint.guards.dedup();
    tracepoint.probes.sort();
    tracepoint.probes.dedup();
}
