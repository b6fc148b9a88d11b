// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What differs between the tracepoints of two kernels.
//!
//! Real names are compared: whether a macro appended the `_tp` makes no difference. It
//! may not know where the two sides come from, nor read files.

use super::renames;
use super::resolve::can_be_built_together;
use super::snapshot::{Caller, Hook, Knows, Snapshot};
use std::collections::{BTreeMap, HashSet};

/// What happened to a tracepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// It was bare and has an event now, or the other way round.
    Visibility,
    /// It is gone.
    Removed,
    /// It has another name.
    Renamed,
    /// It is new.
    Added,
    /// It has other arguments, or one `#if` branch of it has come or gone.
    Prototype {
        /// As it was.
        old: Option<&'a [String]>,
        /// As it is.
        new: Option<&'a [String]>,
    },
    /// It is exported in another way.
    Export,
    /// BPF raw tracepoint programs reach it now, or no longer.
    Bpf,
    /// It is declared under another condition.
    Condition,
    /// It is declared in another file.
    Moved,
    /// Other functions call it.
    CallSites {
        /// Those that did and do not any more.
        gone: Vec<&'a Caller>,
        /// Those that do now.
        come: Vec<&'a Caller>,
    },
}

impl What<'_> {
    /// Its name in output.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Visibility => "visibility",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Added => "added",
            Self::Prototype { .. } => "prototype",
            Self::Export => "export",
            Self::Bpf => "bpf",
            Self::Condition => "condition",
            Self::Moved => "moved",
            Self::CallSites { .. } => "call-sites",
        }
    }

    /// Its place in output: what hurts most comes first.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Visibility => 0,
            Self::Removed => 1,
            Self::Renamed => 2,
            Self::Added => 3,
            Self::Prototype { .. } => 4,
            Self::Export => 5,
            Self::Bpf => 6,
            Self::Condition => 7,
            Self::Moved => 8,
            Self::CallSites { .. } => 9,
        }
    }
}

/// A tracepoint before and after; one of them is always there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// What happened to it.
    pub what: What<'a>,
    /// As it was.
    pub old: Option<&'a Hook>,
    /// As it is.
    pub new: Option<&'a Hook>,
}

impl<'a> Change<'a> {
    /// The side that tells most: as it is or, if it is gone, as it was.
    pub fn hook(&self) -> Option<&'a Hook> {
        self.new.or(self.old)
    }

    /// Its last known name.
    pub fn name(&self) -> &'a str {
        self.hook().map_or("", |hook| hook.name.as_str())
    }

    /// Whether it is or was a bare hook.
    pub fn is_about_bare(&self) -> bool {
        [self.old, self.new].iter().flatten().any(|one| !one.event)
    }

    fn file(&self) -> &'a str {
        self.hook().map_or("", |hook| hook.file.as_str())
    }
}

/// The changes from `old` to `new`: of bare hooks first, then by what happened, name
/// and file.
///
/// # Errors
/// More tracepoints went and came than can be told apart from renamed ones.
pub fn between<'a>(old: &'a Snapshot, new: &'a Snapshot) -> anyhow::Result<Vec<Change<'a>>> {
    let knows = shared(old.knows, new.knows);
    let mut sides = Sides::of(old, new);
    sides.add_renames(old, new)?;
    let mut changes: Vec<Change<'a>> = Vec::new();
    for &(old, new) in &sides.both {
        compare(old, new, knows, &mut changes);
    }
    changes.extend(sides.gone.iter().map(|&old| Change {
        what: What::Removed,
        old: Some(old),
        new: None,
    }));
    changes.extend(sides.come.iter().map(|&new| Change {
        what: What::Added,
        old: None,
        new: Some(new),
    }));
    if !knows.events {
        changes.retain(Change::is_about_bare);
    }
    changes.sort_by_key(|one| {
        let rank = one.what.rank();
        (!one.is_about_bare(), rank, one.name(), one.file())
    });
    Ok(changes)
}

fn shared(a: Knows, b: Knows) -> Knows {
    Knows {
        conditions: a.conditions && b.conditions,
        call_sites: a.call_sites && b.call_sites,
        events: a.events && b.events,
    }
}

/// Which hooks of the one side are which of the other.
#[derive(Default)]
struct Sides<'a> {
    both: Vec<(&'a Hook, &'a Hook)>,
    gone: Vec<&'a Hook>,
    come: Vec<&'a Hook>,
}

impl<'a> Sides<'a> {
    fn of(old: &'a Snapshot, new: &'a Snapshot) -> Self {
        let mut names: BTreeMap<&str, [Vec<&'a Hook>; 2]> = BTreeMap::new();
        for hook in &old.hooks {
            names.entry(&hook.name).or_default()[0].push(hook);
        }
        for hook in &new.hooks {
            names.entry(&hook.name).or_default()[1].push(hook);
        }
        let mut sides = Self::default();
        for [old, new] in names.into_values() {
            sides.add(old, new);
        }
        sides
    }

    /// Adds the declarations of one name: first those of the same file, then those
    /// that can have moved. `kvm_exit` of one architecture is not that of another.
    fn add(&mut self, mut old: Vec<&'a Hook>, mut new: Vec<&'a Hook>) {
        self.take(&mut old, &mut new, |a, b| a.file == b.file);
        self.take(&mut old, &mut new, |a, b| {
            can_be_built_together(&a.file, &b.file)
        });
        self.gone.extend(old);
        self.come.extend(new);
    }

    fn take(
        &mut self,
        old: &mut Vec<&'a Hook>,
        new: &mut Vec<&'a Hook>,
        fits: impl Fn(&Hook, &Hook) -> bool,
    ) {
        old.retain(|&one| {
            let found = new.iter().position(|other| fits(one, other));
            if let Some(index) = found {
                self.both.push((one, new.remove(index)));
            }
            found.is_none()
        });
    }

    fn add_renames(&mut self, old: &'a Snapshot, new: &'a Snapshot) -> anyhow::Result<()> {
        let pairs = renames::pairs(&self.gone, &self.come, &old.hooks, &new.hooks)?;
        let both = pairs.iter().flat_map(|&(old, new)| [old, new]);
        let renamed: HashSet<*const Hook> = both.map(std::ptr::from_ref).collect();
        let is_renamed = |hook: &Hook| renamed.contains(&std::ptr::from_ref(hook));
        self.gone.retain(|hook| !is_renamed(hook));
        self.come.retain(|hook| !is_renamed(hook));
        self.both.extend(pairs);
        Ok(())
    }
}

/// Adds all that differs between a hook and itself.
fn compare<'a>(old: &'a Hook, new: &'a Hook, knows: Knows, changes: &mut Vec<Change<'a>>) {
    let mut add = |what| {
        changes.push(Change {
            what,
            old: Some(old),
            new: Some(new),
        });
    };
    let differing = [
        (old.event != new.event, What::Visibility),
        (old.name != new.name, What::Renamed),
        (old.export != new.export, What::Export),
        (old.bpf != new.bpf, What::Bpf),
        (
            knows.conditions && old.condition != new.condition,
            What::Condition,
        ),
        (old.file != new.file, What::Moved),
    ];
    for (_, what) in differing.into_iter().filter(|(differs, _)| *differs) {
        add(what);
    }
    prototypes(old, new).for_each(&mut add);
    if knows.call_sites {
        callers(old, new).into_iter().for_each(&mut add);
    }
}

/// What is not the same in both, side by side. The order of branches means nothing.
fn prototypes<'a>(old: &'a Hook, new: &'a Hook) -> impl Iterator<Item = What<'a>> {
    let only = |of: &'a Hook, other: &'a Hook| {
        let all = of.prototypes.iter();
        let only = all.filter(|one| !other.prototypes.contains(one));
        only.map(Vec::as_slice).collect::<Vec<_>>()
    };
    let (gone, come) = (only(old, new), only(new, old));
    let most = gone.len().max(come.len());
    (0..most).map(move |index| What::Prototype {
        old: gone.get(index).copied(),
        new: come.get(index).copied(),
    })
}

fn callers<'a>(old: &'a Hook, new: &'a Hook) -> Option<What<'a>> {
    let only = |of: &'a Hook, other: &'a Hook| {
        let known: HashSet<&str> = other.calls.iter().map(Caller::identity).collect();
        let all = of.calls.iter();
        all.filter(|one| !known.contains(one.identity()))
            .collect::<Vec<_>>()
    };
    let (gone, come) = (only(old, new), only(new, old));
    (!gone.is_empty() || !come.is_empty()).then_some(What::CallSites { gone, come })
}
