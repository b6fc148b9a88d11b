// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What speaks for and against each bare hook.

use super::types::{Argument, Definitions, structure};
use crate::consumers::{Use, in_kernel};
use crate::history::{History, Life, Since};
use crate::inventory::headings::Headings;
use crate::inventory::resolve::{CallSite, Inventory, Tracepoint};
use crate::inventory::snapshot::{Export, parameters};
use crate::kernel::version::KernelVersion;
use crate::source::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Where the evidence comes from.
#[derive(Clone, Copy)]
pub struct Sources<'s> {
    /// The tree.
    pub tree: &'s dyn Tree,
    /// Its tracepoints.
    pub inventory: &'s Inventory,
    /// Its version.
    pub version: Option<KernelVersion>,
    /// The uses in the folders of consumers; `None` if none were given.
    pub consumers: Option<&'s [Use]>,
    /// The past.
    pub history: &'s History,
}

/// Where a hook is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The function or macro.
    pub function: Option<String>,
}

/// What is known of one bare hook.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Its real name.
    pub name: String,
    /// The file that declares it.
    pub file: String,
    /// The line.
    pub line: u32,
    /// Its arguments, and what each would freeze.
    pub arguments: Vec<Argument>,
    /// For whom it is exported.
    pub export: Option<Export>,
    /// Where it is called.
    pub calls: Vec<Call>,
    /// What its comment says of the context in which it is called.
    pub context: Option<String>,
    /// Uses in the kernel.
    pub in_kernel: Vec<Use>,
    /// Uses outside of it that are built for this kernel; `None` if no consumers were
    /// given.
    pub outside: Option<Vec<Use>>,
    /// Uses outside of it that are built for other kernels only.
    pub gated: Vec<Use>,
    /// Its past; `None` if nothing is known of it.
    pub life: Option<Life>,
    /// How many releases have had it; `None` if that is not known.
    pub releases: Option<usize>,
    /// How many have had it with this name and these arguments.
    pub stable_releases: Option<usize>,
    /// Events that are called in the same functions.
    pub overlaps: Vec<String>,
}

impl Evidence {
    /// The independent consumers among `uses`, in order.
    pub fn consumers(uses: &[Use]) -> BTreeSet<&str> {
        uses.iter().map(|one| one.consumer.as_str()).collect()
    }
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sources({})", self.tree.name())
    }
}

/// Gathers the evidence on every bare hook, by name.
///
/// # Errors
/// The tree cannot be read.
pub fn gather(sources: &Sources<'_>) -> anyhow::Result<Vec<Evidence>> {
    let hooks = by_name(sources.inventory);
    let all = || hooks.values().flatten();
    let structures: BTreeSet<String> = all()
        .flat_map(|hook| &hook.declaration.prototype)
        .filter_map(|one| structure(one))
        .collect();
    let folders: BTreeSet<String> = all()
        .flat_map(|hook| &hook.call_sites)
        .filter_map(|call| Some(call.site.file.rsplit_once('/')?.0.to_owned()))
        .collect();
    let definitions = Definitions::find(sources.tree, &structures, &folders)?;
    let used = in_kernel(sources.inventory);
    let events = Events::of(sources.inventory);
    hooks
        .into_iter()
        .map(|(name, hooks)| {
            let gathered = Gathered {
                definitions: &definitions,
                in_kernel: &used,
                events: &events,
            };
            gathered.evidence(name, &hooks, sources)
        })
        .collect()
}

/// The bare hooks, the declarations of a name together.
fn by_name(inventory: &Inventory) -> BTreeMap<&str, Vec<&Tracepoint>> {
    let mut hooks: BTreeMap<&str, Vec<&Tracepoint>> = BTreeMap::new();
    for hook in inventory.tracepoints.iter().filter(|one| one.is_bare()) {
        hooks.entry(hook.name()).or_default().push(hook);
    }
    hooks
}

struct Gathered<'g> {
    definitions: &'g Definitions,
    in_kernel: &'g [Use],
    events: &'g Events,
}

impl Gathered<'_> {
    fn evidence(
        &self,
        name: &str,
        hooks: &[&Tracepoint],
        sources: &Sources<'_>,
    ) -> anyhow::Result<Evidence> {
        let first = hooks[0];
        let prototype = parameters(first.declaration.prototype.iter().map(AsRef::as_ref));
        let of_this = |uses: &[Use]| -> Vec<Use> {
            uses.iter()
                .filter(|one| one.tracepoint == name)
                .cloned()
                .collect()
        };
        let (outside, gated) = match sources.consumers {
            Some(uses) => {
                let (built, gated) = split(of_this(uses), sources.version);
                (Some(built), gated)
            }
            None => (None, Vec::new()),
        };
        let calls: BTreeSet<Call> = hooks
            .iter()
            .flat_map(|hook| &hook.call_sites)
            .map(call)
            .collect();
        let life = sources.history.lives.get(name).cloned();
        let count = |since: Since| sources.history.releases_with(&since);
        Ok(Evidence {
            name: name.to_owned(),
            file: first.file.to_string(),
            line: first.declaration.at.line,
            arguments: prototype
                .iter()
                .map(|one| self.definitions.argument(one))
                .collect(),
            export: hooks.iter().filter_map(|hook| Export::of(hook)).max(),
            overlaps: self.events.beside(&calls),
            calls: calls.into_iter().collect(),
            context: context(sources.tree, first)?,
            in_kernel: of_this(self.in_kernel),
            outside,
            gated,
            releases: life.as_ref().and_then(|life| count(life.since.clone())),
            stable_releases: life.as_ref().and_then(|life| count(life.stable_since())),
            life,
        })
    }
}

/// Those that are built for `version`, and the others. With no version known, all are
/// taken for built.
fn split(uses: Vec<Use>, version: Option<KernelVersion>) -> (Vec<Use>, Vec<Use>) {
    uses.into_iter().partition(|one| match (one.gate, version) {
        (Some(gate), Some(version)) => gate.covers(version),
        _ => true,
    })
}

fn call(site: &CallSite) -> Call {
    Call {
        file: site.site.file.to_string(),
        line: site.site.at.line,
        function: site.function.as_deref().map(str::to_owned),
    }
}

/// The functions that call events.
struct Events(BTreeMap<(String, String), BTreeSet<String>>);

impl Events {
    fn of(inventory: &Inventory) -> Self {
        let mut events: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for event in inventory.tracepoints.iter().filter(|one| !one.is_bare()) {
            for one in event.call_sites.iter().filter(|one| !one.pasted) {
                if let Some(function) = &one.function {
                    let place = (one.site.file.to_string(), function.to_string());
                    events
                        .entry(place)
                        .or_default()
                        .insert(event.name().to_owned());
                }
            }
        }
        Self(events)
    }

    fn beside(&self, calls: &BTreeSet<Call>) -> Vec<String> {
        let places = calls
            .iter()
            .filter_map(|one| Some((one.file.clone(), one.function.clone()?)));
        let names: BTreeSet<&String> = places
            .filter_map(|place| self.0.get(&place))
            .flatten()
            .collect();
        names.into_iter().cloned().collect()
    }
}

/// The sentence of the hook's comment that begins with "Called".
fn context(tree: &dyn Tree, hook: &Tracepoint) -> anyhow::Result<Option<String>> {
    let at = hook.declaration.at;
    let Some(text) = tree.read(&hook.file)? else {
        return Ok(None);
    };
    let Some(comment) = Headings::of(&text, vec![at]).above(at) else {
        return Ok(None);
    };
    let Some(start) = comment.find("Called ") else {
        return Ok(None);
    };
    let rest = &comment[start..];
    let end = rest.find(". ").map_or(rest.len(), |end| end + 1);
    Ok(Some(rest[..end].trim().to_owned()))
}
