// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Every tracepoint of a kernel: one entry for each declaration, with its
//! definitions, exports, call sites and probes.
//!
//! How the facts of files make it is not known here.

use super::definitions::Definitions;
use super::facts::{At, Declaration, Makes, Mention, Target, Use};
use crate::kernel::semantics::Semantics;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
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
    pub declaration: Arc<Declaration>,
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

/// Every tracepoint of a tree.
#[derive(Debug, PartialEq)]
pub struct Inventory {
    /// By name, then path, then line. Inventories share them, as those that a series
    /// leads through do: most of its patches change few.
    pub tracepoints: Vec<Arc<Tracepoint>>,
    /// What makes them.
    pub(super) definitions: Arc<Definitions>,
}

impl Inventory {
    /// The names of which the two have other declarations or other guards.
    pub fn names_that_differ(&self, other: &Self) -> BTreeSet<Box<str>> {
        let mut names = BTreeSet::new();
        let (mut ours, mut theirs) = (self.by_name().peekable(), other.by_name().peekable());
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
                    .all(|(a, b)| Arc::ptr_eq(a, b) || is_used_alike(a, b));
            if !alike {
                names.insert(name_of(if one.is_empty() { other } else { one }).into());
            }
        }
    }

    /// The declarations of each name, in order.
    pub fn by_name(&self) -> impl Iterator<Item = &[Arc<Tracepoint>]> {
        self.tracepoints.chunk_by(|a, b| a.name() == b.name())
    }

    /// The declarations of the real tracepoint `name`.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Tracepoint> {
        let from = self.starting_at(name).iter();
        let named = from.take_while(move |one| one.name() == name);
        named.map(AsRef::as_ref)
    }

    /// The declarations of `name` and of all names after it.
    pub(super) fn starting_at(&self, name: &str) -> &[Arc<Tracepoint>] {
        let start = self.tracepoints.partition_point(|one| one.name() < name);
        &self.tracepoints[start..]
    }

    /// Whether there is a tracepoint `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// The tracepoint that a mention uses, and how.
    pub fn used(&self, mention: &Mention, semantics: &Semantics) -> Option<(Box<str>, Use)> {
        used(mention, semantics, |name| self.contains(name)).map(|(name, how)| (name.into(), how))
    }

    /// The tracepoint that a probe is attached to.
    pub fn target(&self, target: &Target, semantics: &Semantics) -> Option<Box<str>> {
        attached_to(target, semantics, |name| self.contains(name)).map(Into::into)
    }

    /// Names with at least one bare and no event declaration.
    pub fn bare_names(&self) -> HashSet<&str> {
        let bare = |group: &&[Arc<Tracepoint>]| group.iter().all(|one| one.is_bare());
        self.by_name().filter(bare).map(name_of).collect()
    }
}

/// The tracepoint that a mention uses, and how. `is_there` says which there are.
pub(super) fn used<'a>(
    mention: &'a Mention,
    semantics: &'a Semantics,
    is_there: impl Fn(&str) -> bool,
) -> Option<(&'a str, Use)> {
    semantics
        .calls_of(&mention.identifier)
        .find(|(name, _)| is_there(name))
        .map(|(name, guard)| (name, if guard { Use::Guard } else { mention.usage }))
}

/// The tracepoint that a probe is attached to. `is_there` says which there are.
pub(super) fn attached_to<'a>(
    target: &'a Target,
    semantics: &'a Semantics,
    is_there: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    match target {
        Target::Symbol(name) | Target::Name(name) => Some(&**name).filter(|name| is_there(name)),
        Target::Function(identifier) => semantics
            .registrations_of(identifier)
            .find(|name| is_there(name)),
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
fn name_of(group: &[Arc<Tracepoint>]) -> &str {
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
