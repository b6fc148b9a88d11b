// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The facts of all files joined: one entry for each declaration, with its
//! definitions, exports, call sites and probes.
//!
//! It may not read files.

use super::definitions::Definitions;
use super::facts::{At, Declaration, FactsByPath, Makes, Mention, Target, Use};
use crate::kernel::semantics::Semantics;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A place in a file of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Path from the root of the tree.
    pub file: Arc<str>,
    /// Where in it.
    pub at: At,
}

/// How visible a tracepoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// No trace event of its own.
    Bare,
    /// A trace event: an entry in tracefs, an id that perf opens.
    Event,
}

/// A call of a tracepoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// Where.
    pub site: Site,
    /// The function or macro around it.
    pub function: Option<Arc<str>>,
    /// How it is used there; never [`Use::Definition`].
    pub usage: Use,
    /// Whether a macro pasted the name.
    pub pasted: bool,
}

/// A probe that in-kernel code attaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// Where it is attached.
    pub site: Site,
    /// The functions that may be it.
    pub functions: Vec<Box<str>>,
    /// The function that attaches it.
    pub attached_by: Option<Arc<str>>,
    /// How it finds its tracepoint.
    pub target: Target,
}

/// One declaration of a tracepoint, and all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracepoint {
    /// The file that declares it.
    pub file: Arc<str>,
    /// The declaration.
    pub declaration: Declaration,
    /// Whether it has an entry in the BPF raw tracepoint map.
    pub bpf: bool,
    /// The translation units that make it.
    pub definitions: Vec<Site>,
    /// Where it is exported, and whether only to GPL modules.
    pub exports: Vec<(Site, bool)>,
    /// Where it is called.
    pub call_sites: Vec<CallSite>,
    /// Where it is guarded.
    pub guards: Vec<CallSite>,
    /// Probes attached by in-kernel code.
    pub probes: Vec<Probe>,
}

impl Tracepoint {
    /// Its real name.
    pub fn name(&self) -> &str {
        &self.declaration.name
    }

    /// Whether it has an event.
    pub fn visibility(&self) -> Visibility {
        if self.declaration.makes.event {
            Visibility::Event
        } else {
            Visibility::Bare
        }
    }

    /// Whether it is a tracepoint without an event.
    pub fn is_bare(&self) -> bool {
        self.visibility() == Visibility::Bare
    }
}

/// A tracepoint that inventories share, as those that a series leads through do: most
/// of its patches change few.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared(Arc<Tracepoint>);

impl Deref for Shared {
    type Target = Tracepoint;

    fn deref(&self) -> &Tracepoint {
        &self.0
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut Tracepoint {
        Arc::make_mut(&mut self.0)
    }
}

/// Every tracepoint of a tree.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By name, then path, then line.
    pub tracepoints: Vec<Shared>,
    by_name: HashMap<Box<str>, Vec<usize>>,
}

impl Inventory {
    /// Joins the facts of a tree's files.
    pub fn of(facts: &FactsByPath, semantics: &Semantics) -> Self {
        let mut inventory = Self::declared(facts);
        inventory.add_exports(facts);
        inventory.add_uses(facts, semantics);
        inventory.add_open_uses(facts, semantics);
        inventory.add_probes(facts, semantics);
        inventory.add_definitions(&Definitions::of(facts));
        inventory.sort();
        inventory
    }

    /// The names of which the two have other declarations or other guards.
    pub fn names_that_differ(&self, other: &Self) -> BTreeSet<Box<str>> {
        let mut names = BTreeSet::new();
        let (mut ours, mut theirs) = (self.groups().peekable(), other.groups().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return names,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => name_of(one).cmp(name_of(other)),
            };
            let one = order.is_le().then(|| ours.next()).flatten();
            let other = order.is_ge().then(|| theirs.next()).flatten();
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            let alike = one.len() == other.len()
                && std::iter::zip(one, other)
                    .all(|(a, b)| Arc::ptr_eq(&a.0, &b.0) || is_used_alike(a, b));
            if !alike {
                names.insert(name_of(if one.is_empty() { other } else { one }).into());
            }
        }
    }

    /// The declarations of each name, in order.
    fn groups(&self) -> impl Iterator<Item = &[Shared]> {
        self.tracepoints.chunk_by(|a, b| a.name() == b.name())
    }

    /// The declarations of the real tracepoint `name`.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Tracepoint> {
        let indices = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|&index| &*self.tracepoints[index])
    }

    /// Whether there is a tracepoint `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn declared(facts: &FactsByPath) -> Self {
        let mut inventory = Self::default();
        for (file, facts) in facts {
            for declaration in facts.declarations.iter().filter(|one| one.makes.tracepoint) {
                inventory.push(file, declaration);
            }
        }
        inventory.tracepoints.sort_by(|a, b| {
            (a.name(), &a.file, a.declaration.at).cmp(&(b.name(), &b.file, b.declaration.at))
        });
        inventory.index();
        inventory
    }

    fn push(&mut self, file: &Arc<str>, declaration: &Declaration) {
        let tracepoint = Tracepoint {
            file: file.clone(),
            declaration: declaration.clone(),
            bpf: declaration.makes.bpf,
            definitions: Vec::new(),
            exports: Vec::new(),
            call_sites: Vec::new(),
            guards: Vec::new(),
            probes: Vec::new(),
        };
        self.tracepoints.push(Shared(Arc::new(tracepoint)));
    }

    /// Shares with `other` what is the same in both.
    pub fn share(&mut self, other: &Self) {
        for one in &mut self.tracepoints {
            let theirs = other.by_name.get(one.name()).into_iter().flatten();
            let mut theirs = theirs.map(|&index| &other.tracepoints[index]);
            if let Some(same) = theirs.find(|theirs| *theirs == one) {
                *one = same.clone();
            }
        }
    }

    fn index(&mut self) {
        self.by_name.clear();
        for (index, tracepoint) in self.tracepoints.iter().enumerate() {
            self.by_name
                .entry(tracepoint.declaration.name.clone())
                .or_default()
                .push(index);
        }
    }

    /// Runs `change` on every declaration of `name` that code in `file` can mean.
    fn each(&mut self, name: &str, file: &str, mut change: impl FnMut(&mut Tracepoint)) {
        let Some(indices) = self.by_name.get(name) else {
            return;
        };
        for &index in indices {
            let tracepoint = &mut self.tracepoints[index];
            if can_be_built_together(&tracepoint.file, file) {
                change(tracepoint);
            }
        }
    }

    fn add_exports(&mut self, facts: &FactsByPath) {
        for (file, facts) in facts {
            for export in &facts.exports {
                let site = Site {
                    file: file.clone(),
                    at: export.at,
                };
                self.each(&export.name, file, |tracepoint| {
                    tracepoint.exports.push((site.clone(), export.gpl));
                });
            }
        }
    }

    fn add_uses(&mut self, facts: &FactsByPath, semantics: &Semantics) {
        for (file, facts) in facts {
            for mention in &facts.mentions {
                if mention.usage == Use::Definition {
                    continue;
                }
                self.add_use(file, mention, semantics);
            }
        }
    }

    fn add_use(&mut self, file: &Arc<str>, mention: &Mention, semantics: &Semantics) {
        let Some((name, usage)) = self.used(mention, semantics) else {
            return;
        };
        let call = CallSite {
            site: Site {
                file: file.clone(),
                at: mention.at,
            },
            function: mention.function.clone(),
            usage,
            pasted: mention.pasted,
        };
        self.each(&name, file, |tracepoint| {
            if usage == Use::Guard {
                tracepoint.guards.push(call.clone());
            } else {
                tracepoint.call_sites.push(call.clone());
            }
        });
    }

    /// Calls of which only the start of the name is known: include/rv/da_monitor.h
    /// has `CONCATENATE(trace_event_, MONITOR_NAME)(…)`, and what that is depends on
    /// who includes it. They are taken for calls of the tracepoints that would fit
    /// and that nothing else calls.
    fn add_open_uses(&mut self, facts: &FactsByPath, semantics: &Semantics) {
        const SHORTEST_STEM: usize = 4;
        let is_uncalled = |index: &usize| self.tracepoints[*index].call_sites.is_empty();
        let uncalled: Vec<usize> = (0..self.tracepoints.len()).filter(is_uncalled).collect();
        for (file, facts) in facts {
            let open = |one: &&Mention| one.usage == Use::Pointer && one.identifier.ends_with('_');
            for mention in facts.mentions.iter().filter(open) {
                let stem = semantics.calls_of(&mention.identifier).next();
                let Some((stem, false)) = stem.filter(|(stem, _)| stem.len() >= SHORTEST_STEM)
                else {
                    continue;
                };
                let call = CallSite {
                    site: Site {
                        file: file.clone(),
                        at: mention.at,
                    },
                    function: mention.function.clone(),
                    usage: Use::Call,
                    pasted: true,
                };
                for &index in &uncalled {
                    let tracepoint = &mut self.tracepoints[index];
                    if tracepoint.name().starts_with(stem) {
                        tracepoint.call_sites.push(call.clone());
                    }
                }
            }
        }
    }

    /// The tracepoint that a mention uses, and how.
    pub fn used(&self, mention: &Mention, semantics: &Semantics) -> Option<(Box<str>, Use)> {
        semantics
            .calls_of(&mention.identifier)
            .find(|(name, _)| self.contains(name))
            .map(|(name, guard)| (name.into(), if guard { Use::Guard } else { mention.usage }))
    }

    fn add_probes(&mut self, facts: &FactsByPath, semantics: &Semantics) {
        for (file, facts) in facts {
            for attachment in &facts.attachments {
                let Some(name) = self.target(&attachment.target, semantics) else {
                    continue;
                };
                let probe = Probe {
                    site: Site {
                        file: file.clone(),
                        at: attachment.at,
                    },
                    functions: attachment.probes.clone(),
                    attached_by: attachment.function.clone(),
                    target: attachment.target.clone(),
                };
                self.each(&name, file, |tracepoint| {
                    tracepoint.probes.push(probe.clone())
                });
            }
        }
    }

    /// The tracepoint that a probe is attached to.
    pub fn target(&self, target: &Target, semantics: &Semantics) -> Option<Box<str>> {
        match target {
            Target::Symbol(name) | Target::Name(name) => self.contains(name).then(|| name.clone()),
            Target::Function(identifier) => semantics
                .registrations_of(identifier)
                .find(|name| self.contains(name))
                .map(Into::into),
        }
    }

    /// Adds the places that make each tracepoint, and takes away the BPF entry of those
    /// whose header is never read through include/trace/define_trace.h.
    fn add_definitions(&mut self, definitions: &Definitions<'_>) {
        for tracepoint in &mut self.tracepoints {
            let made = definitions.places(&tracepoint.file, tracepoint.name());
            let sites: Vec<Site> = made
                .map(|(file, at)| Site {
                    file: file.clone(),
                    at: *at,
                })
                .collect();
            let bpf = tracepoint.bpf && definitions.is_read_again(&tracepoint.file);
            tracepoint.definitions = sites;
            tracepoint.bpf = bpf;
        }
    }

    fn sort(&mut self) {
        for tracepoint in &mut self.tracepoints {
            tracepoint.definitions.sort();
            tracepoint.definitions.dedup();
            tracepoint.exports.sort();
            tracepoint.call_sites.sort();
            tracepoint.call_sites.dedup();
            tracepoint.guards.sort();
            tracepoint.guards.dedup();
            tracepoint.probes.sort();
            tracepoint.probes.dedup();
        }
    }

    /// Names with at least one bare and no event declaration.
    pub fn bare_names(&self) -> HashSet<&str> {
        let mut bare: HashSet<&str> = HashSet::new();
        for (name, indices) in &self.by_name {
            if indices
                .iter()
                .all(|&index| self.tracepoints[index].is_bare())
            {
                bare.insert(name);
            }
        }
        bare
    }
}

/// Whether no architecture stands between two files: `kvm_exit` of arch/x86 is
/// not that of arch/s390.
pub fn can_be_built_together(a: &str, b: &str) -> bool {
    match (architecture(a), architecture(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn architecture(path: &str) -> Option<&str> {
    path.strip_prefix("arch/")?.split('/').next()
}

/// The name that a group of declarations has.
fn name_of(group: &[Shared]) -> &str {
    group.first().map_or("", |one| one.name())
}

/// Whether two states of a tracepoint say the same to whoever looks at its calls.
fn is_used_alike(a: &Tracepoint, b: &Tracepoint) -> bool {
    let (ours, theirs) = (&a.declaration, &b.declaration);
    let guards = |one: &'_ CallSite| (one.site.file.clone(), one.function.clone());
    a.file == b.file
        && ours.makes == theirs.makes
        && ours.prototype == theirs.prototype
        && ours.arguments == theirs.arguments
        && ours.condition == theirs.condition
        && a.guards.iter().map(guards).eq(b.guards.iter().map(guards))
}

/// What a set of declarations of one name makes together.
pub fn makes<'a>(tracepoints: impl Iterator<Item = &'a Tracepoint>) -> Makes {
    tracepoints.fold(Makes::default(), |makes, one| {
        makes.or(one.declaration.makes)
    })
}
