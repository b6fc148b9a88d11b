// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which uses of a consumer a newer kernel breaks, and what to write instead.
//!
//! It may not know where the kernels come from, nor how this is shown.

use super::types::{same_types, starts_with_types};
use super::{Use, Way};
use crate::inventory::difference::{Change, What};
use crate::inventory::snapshot::{Export, Hook, Knows, Snapshot};
use crate::kernel::version::KernelVersion;
use std::collections::{BTreeSet, HashMap};

/// What happened to the tracepoint of a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is gone.
    Removed,
    /// It has another name.
    Renamed,
    /// It has other arguments than the probe, or than it had.
    Prototype {
        /// The probe's or, if they are not known, those that it had.
        old: Vec<String>,
        /// Those that it has.
        new: Vec<String>,
    },
    /// No module can attach to it by its symbol any more.
    NotExported,
    /// Only a GPL module can do so now.
    GplOnly,
    /// BPF programs do not reach it.
    NoBpf,
    /// It has no trace event.
    NoEvent,
    /// It is not called any more.
    NeverCalled,
    /// It is declared under another condition.
    Condition(String),
}

impl Reason {
    /// Its name in output that programs read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Prototype { .. } => "prototype",
            Self::NotExported => "not-exported",
            Self::GplOnly => "gpl-only",
            Self::NoBpf => "no-bpf",
            Self::NoEvent => "no-event",
            Self::NeverCalled => "never-called",
            Self::Condition(_) => "condition",
        }
    }

    /// Whether the use will not compile, load or fire. The others depend on what is not
    /// known here: the licence of a module, the configuration of a kernel.
    pub fn breaks(&self) -> bool {
        !matches!(self, Self::GplOnly | Self::Condition(_))
    }
}

/// A use that has to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port<'a> {
    /// The use.
    pub usage: &'a Use,
    /// Why, at least one.
    pub reasons: Vec<Reason>,
    /// Its tracepoint in the newer kernel, if there is one.
    pub new: Option<&'a Hook>,
}

impl Port<'_> {
    /// Whether the use will not compile, load or fire.
    pub fn breaks(&self) -> bool {
        self.reasons.iter().any(Reason::breaks)
    }

    /// What to write instead, one change a line.
    pub fn forms(&self) -> Vec<String> {
        let mut forms = Vec::new();
        let Some(new) = self.new else {
            return forms;
        };
        for reason in &self.reasons {
            match reason {
                Reason::Renamed => forms.push(named(self.usage.way, new)),
                Reason::Prototype { new, .. } => forms.push(probe(self.usage.way, new)),
                Reason::NotExported => {
                    forms.push(format!(
                        "for_each_kernel_tracepoint() to find \"{}\" by its name",
                        new.name
                    ));
                }
                Reason::NoEvent => forms.push(format!(
                    "a BPF program on raw_tp/{0}, or a tprobe: t:GROUP/EVENT {0}",
                    new.name
                )),
                Reason::GplOnly => forms.push("MODULE_LICENSE(\"GPL\")".to_owned()),
                _ => {}
            }
        }
        forms
    }
}

/// How a use of `way` names a tracepoint.
fn named(way: Way, hook: &Hook) -> String {
    let name = &hook.name;
    match way {
        Way::Register => format!("register_trace_{name}()"),
        Way::Symbol => format!("__tracepoint_{name}"),
        Way::Lookup => format!("\"{name}\""),
        Way::BpfRawTracepoint => format!("raw_tp/{name}"),
        Way::BpfBtf => format!("tp_btf/{name}"),
        Way::Bpftrace => format!("rawtracepoint:{name}"),
        Way::Tprobe => format!("t:GROUP/EVENT {name}"),
        Way::Perf | Way::TraceCommand => {
            format!("{}:{name}", hook.system.as_deref().unwrap_or("SYSTEM"))
        }
        Way::Rust => name.clone(),
    }
}

/// How a use of `way` is given the arguments.
fn probe(way: Way, parameters: &[String]) -> String {
    let list = |first: &str| {
        let all = std::iter::once(first).chain(parameters.iter().map(String::as_str));
        all.collect::<Vec<_>>().join(", ")
    };
    match way {
        Way::BpfRawTracepoint | Way::BpfBtf => format!("BPF_PROG({})", list("NAME")),
        Way::Bpftrace | Way::Tprobe => {
            let all = parameters.iter().enumerate();
            let all = all.map(|(number, one)| format!("arg{number}: {one}"));
            all.collect::<Vec<_>>().join(", ")
        }
        _ => format!("void probe({})", list("void *data")),
    }
}

/// What all uses of a consumer come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Porting<'a> {
    /// Those that have to be looked at, by place.
    pub ports: Vec<Port<'a>>,
    /// Those that are not compiled for the newer kernel.
    pub not_compiled: Vec<&'a Use>,
    /// Those of tracepoints that neither kernel has: a module's own, perhaps.
    pub unknown: Vec<&'a Use>,
}

/// The two kernels.
pub struct Kernels<'a> {
    old: HashMap<&'a str, Vec<&'a Hook>>,
    new: HashMap<&'a str, Vec<&'a Hook>>,
    renamed: HashMap<&'a str, &'a str>,
    knows: Knows,
    version: Option<KernelVersion>,
}

impl<'a> Kernels<'a> {
    /// `changes` are those between the two, `version` is the newer's. Without one, what
    /// is compiled for certain versions only is taken to be compiled.
    pub fn new(
        old: &'a Snapshot,
        new: &'a Snapshot,
        changes: &[Change<'a>],
        version: Option<KernelVersion>,
    ) -> Self {
        let renamed = changes.iter().filter(|one| one.what == What::Renamed);
        let knows = |known: fn(&Knows) -> bool| known(&old.knows) && known(&new.knows);
        Self {
            old: by_name(old),
            new: by_name(new),
            renamed: renamed
                .filter_map(|one| Some((one.old?.name.as_str(), one.new?.name.as_str())))
                .collect(),
            knows: Knows {
                conditions: knows(|knows| knows.conditions),
                call_sites: knows(|knows| knows.call_sites),
                events: knows(|knows| knows.events),
            },
            version,
        }
    }

    /// Looks at the uses of a consumer.
    pub fn porting(&self, uses: &[&'a Use]) -> Porting<'a> {
        let mut porting = Porting::default();
        for &usage in uses {
            let compiled = match (usage.gate, self.version) {
                (Some(gate), Some(version)) => gate.covers(version),
                _ => true,
            };
            if !compiled {
                porting.not_compiled.push(usage);
            } else if !self.is_known(&usage.tracepoint) {
                porting.unknown.push(usage);
            } else if let Some(port) = self.port(usage) {
                porting.ports.push(port);
            }
        }
        porting.ports.sort_by_key(|one| {
            let usage = one.usage;
            (&usage.file, usage.line, &usage.tracepoint, usage.gate)
        });
        porting
    }

    fn is_known(&self, name: &str) -> bool {
        let (old, new) = (self.old.contains_key(name), self.new.contains_key(name));
        // A side without events may have it or not.
        if self.knows.events {
            old || new
        } else {
            new || self.was_bare(name)
        }
    }

    fn was_bare(&self, name: &str) -> bool {
        let old = self.old.get(name).map_or(&[][..], Vec::as_slice);
        old.iter().any(|hook| !hook.event)
    }

    fn port(&self, usage: &'a Use) -> Option<Port<'a>> {
        let name = usage.tracepoint.as_str();
        let none = Vec::new();
        let old = self.old.get(name).unwrap_or(&none);
        let mut reasons = Vec::new();
        let mut new = self.new.get(name);
        if new.is_none() {
            new = self.renamed.get(name).and_then(|name| self.new.get(name));
            reasons.push(match new {
                Some(_) => Reason::Renamed,
                None => Reason::Removed,
            });
        }
        if let Some(new) = new {
            reasons.extend(prototype(usage, old, new));
            reasons.extend(visibility(usage.way, old, new));
            reasons.extend(self.firing(old, new));
        }
        (!reasons.is_empty()).then(|| Port {
            usage,
            reasons,
            new: new.and_then(|new| new.first().copied()),
        })
    }

    /// Whether it is still there, and called, where the kernels can say.
    fn firing(&self, old: &[&Hook], new: &[&Hook]) -> Option<Reason> {
        let called = |all: &[&Hook]| all.iter().any(|hook| !hook.calls.is_empty());
        if self.knows.call_sites && called(old) && !called(new) {
            return Some(Reason::NeverCalled);
        }
        let conditions = |all: &[&Hook]| -> Option<BTreeSet<String>> {
            all.iter().map(|hook| hook.condition.clone()).collect()
        };
        let now = conditions(new).filter(|_| self.knows.conditions && !old.is_empty())?;
        let all: Vec<String> = now.iter().cloned().collect();
        (conditions(old).as_ref() != Some(&now)).then(|| Reason::Condition(all.join(" or ")))
    }
}

fn by_name(snapshot: &Snapshot) -> HashMap<&str, Vec<&Hook>> {
    let mut names: HashMap<&str, Vec<&Hook>> = HashMap::new();
    for hook in &snapshot.hooks {
        names.entry(&hook.name).or_default().push(hook);
    }
    names
}

fn prototypes<'a>(hooks: &[&'a Hook]) -> Vec<&'a Vec<String>> {
    hooks.iter().flat_map(|hook| &hook.prototypes).collect()
}

/// Whether the probe no longer fits.
fn prototype(usage: &Use, old: &[&Hook], new: &[&Hook]) -> Option<Reason> {
    if matches!(usage.way, Way::Perf | Way::TraceCommand) {
        return None;
    }
    let (was, is) = (prototypes(old), prototypes(new));
    let first = is.first()?;
    let kept = was
        .iter()
        .any(|one| is.iter().any(|other| same_types(one, other)));
    let (fits, old) = match &usage.prototype {
        Some(probe) => {
            // A BPF program may leave out the last arguments.
            let fits = |one: &&Vec<String>| match usage.way {
                Way::BpfBtf | Way::BpfRawTracepoint => starts_with_types(one, probe),
                _ => same_types(one, probe),
            };
            let counted = is.iter().any(|one| one.len() >= probe.len());
            // How types are spelled may differ where nothing has changed.
            (is.iter().any(fits) || kept && counted, probe)
        }
        None => (kept || was.is_empty(), *was.first().unwrap_or(first)),
    };
    (!fits).then(|| Reason::Prototype {
        old: old.clone(),
        new: (*first).clone(),
    })
}

/// Whether the way still leads there.
fn visibility(way: Way, old: &[&Hook], new: &[&Hook]) -> Option<Reason> {
    let export = |all: &[&Hook]| all.iter().find_map(|hook| hook.export);
    let any = |all: &[&Hook], has: fn(&Hook) -> bool| all.iter().any(|hook| has(hook));
    match way {
        Way::Register | Way::Symbol => match (export(old), export(new)) {
            (Some(_), None) => Some(Reason::NotExported),
            (None, None) if old.is_empty() => Some(Reason::NotExported),
            (Some(Export::Plain), Some(Export::Gpl)) => Some(Reason::GplOnly),
            _ => None,
        },
        Way::BpfRawTracepoint | Way::BpfBtf | Way::Bpftrace => {
            let had = old.is_empty() || any(old, |hook| hook.bpf);
            (had && !any(new, |hook| hook.bpf)).then_some(Reason::NoBpf)
        }
        Way::Perf | Way::TraceCommand => (!any(new, |hook| hook.event)).then_some(Reason::NoEvent),
        Way::Lookup | Way::Tprobe | Way::Rust => None,
    }
}
