// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What the source says of each name, whichever of its declarations a build takes.

use crate::inventory::resolve::{Inventory, Tracepoint};
use crate::inventory::snapshot::Export;
use crate::rules::finding::Place;
use crate::rules::review::declared_at;
use std::collections::BTreeMap;

/// What the source says.
#[derive(Debug)]
pub struct Declared<'i> {
    /// The version of its Makefile.
    pub version: Option<String>,
    names: BTreeMap<&'i str, Name>,
}

/// What the declarations of one name say. Several, such as those of two architectures
/// or of two `#if` branches, may say different things: then a build may have either.
#[derive(Clone, Debug)]
pub struct Name {
    /// Some declaration makes an event.
    pub may_be_event: bool,
    /// Some declaration makes none.
    pub may_be_bare: bool,
    /// Some declaration makes a BPF entry.
    pub may_have_bpf: bool,
    /// Some declaration makes none.
    pub may_lack_bpf: bool,
    /// The narrowest export of a declaration.
    pub narrowest: Option<Export>,
    /// The widest.
    pub widest: Option<Export>,
    /// Its first declaration.
    pub place: Place,
}

impl Name {
    /// Whether no build can have an event of it.
    pub fn is_bare(&self) -> bool {
        !self.may_be_event
    }

    fn of(tracepoint: &Tracepoint) -> Self {
        let export = Export::of(tracepoint);
        Self {
            may_be_event: !tracepoint.is_bare(),
            may_be_bare: tracepoint.is_bare(),
            may_have_bpf: tracepoint.bpf,
            may_lack_bpf: !tracepoint.bpf,
            narrowest: export,
            widest: export,
            place: declared_at(tracepoint),
        }
    }

    fn add(&mut self, other: Self) {
        self.may_be_event |= other.may_be_event;
        self.may_be_bare |= other.may_be_bare;
        self.may_have_bpf |= other.may_have_bpf;
        self.may_lack_bpf |= other.may_lack_bpf;
        self.narrowest = self.narrowest.min(other.narrowest);
        self.widest = self.widest.max(other.widest);
    }
}

impl<'i> Declared<'i> {
    /// What an inventory has.
    pub fn of(inventory: &'i Inventory, version: Option<String>) -> Self {
        let mut names: BTreeMap<&str, Name> = BTreeMap::new();
        for tracepoint in &inventory.tracepoints {
            let new = Name::of(tracepoint);
            match names.get_mut(tracepoint.name()) {
                Some(name) => name.add(new),
                None => drop(names.insert(tracepoint.name(), new)),
            }
        }
        Self { version, names }
    }

    /// What is said of `name`.
    pub fn get(&self, name: &str) -> Option<&Name> {
        self.names.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = (&'i str, &Name)> {
        self.names.iter().map(|(name, said)| (*name, said))
    }

    /// The bare tracepoint that an event called `event` would show: the one of that
    /// name, or the one with `_tp` behind it, where the source has no such event.
    pub fn bare_behind(&self, event: &str) -> Option<(&'i str, &Name)> {
        match self.get(event) {
            Some(_) => self.bare(event),
            None => self.bare(&format!("{event}_tp")),
        }
    }

    /// The bare tracepoint `name`.
    pub fn bare(&self, name: &str) -> Option<(&'i str, &Name)> {
        let (name, said) = self.names.get_key_value(name)?;
        said.is_bare().then_some((*name, said))
    }
}
