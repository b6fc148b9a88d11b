// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is known of the tracepoints of one kernel, from wherever: what one side of a
//! comparison is.
//!
//! It may not know where a side comes from, nor how two are compared.

use super::facts::Use;
use super::resolve::{Inventory, Tracepoint};
use std::collections::{BTreeMap, BTreeSet};

/// One side of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By name, then file.
    pub hooks: Vec<Hook>,
    /// What it can say anything about.
    pub knows: Knows,
}

/// What a side can say anything about. Of what it cannot, there are no differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knows {
    /// Under which condition a tracepoint is declared.
    pub conditions: bool,
    /// Who calls it.
    pub call_sites: bool,
    /// Tracepoints with an event, too.
    pub events: bool,
}

impl Default for Knows {
    fn default() -> Self {
        Self {
            conditions: true,
            call_sites: true,
            events: true,
        }
    }
}

/// A tracepoint as one file declares it, in however many `#if` branches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hook {
    /// Real name.
    pub name: String,
    /// Whether any branch makes an event.
    pub event: bool,
    /// Whether any branch makes a BPF entry.
    pub bpf: bool,
    /// `TRACE_SYSTEM`.
    pub system: Option<String>,
    /// The file that declares it.
    pub file: String,
    /// Where it is declared first in it.
    pub line: u32,
    /// When it is declared; `None` if always.
    pub condition: Option<String>,
    /// The prototypes of the branches, none twice.
    pub prototypes: Vec<Vec<String>>,
    /// For whom it is exported.
    pub export: Option<Export>,
    /// Who calls it.
    pub calls: BTreeSet<Caller>,
}

/// For whom a tracepoint is exported, the narrower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Export {
    /// For GPL modules.
    Gpl,
    /// For every module.
    Plain,
}

impl Export {
    /// How a tracepoint is exported; a plain export is the wider one.
    pub fn of(tracepoint: &Tracepoint) -> Option<Self> {
        let plain = tracepoint.exports.iter().any(|(_, gpl)| !gpl);
        match (tracepoint.exports.is_empty(), plain) {
            (true, _) => None,
            (false, true) => Some(Self::Plain),
            (false, false) => Some(Self::Gpl),
        }
    }

    /// As it is written in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpl => "gpl",
            Self::Plain => "plain",
        }
    }
}

/// The code around a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller {
    /// The function or macro.
    pub function: Option<String>,
    /// The file that it is in.
    pub file: String,
}

impl Caller {
    /// What stays the same when code moves to another file.
    pub fn identity(&self) -> &str {
        self.function.as_deref().unwrap_or(&self.file)
    }
}

impl Snapshot {
    /// Takes declarations in any order.
    pub fn new(declarations: Vec<Hook>, knows: Knows) -> Self {
        let mut files: BTreeMap<(String, String), Vec<Hook>> = BTreeMap::new();
        for one in declarations {
            let key = (one.name.clone(), one.file.clone());
            files.entry(key).or_default().push(one);
        }
        let hooks = files.into_values().filter_map(joined).collect();
        Self { hooks, knows }
    }

    /// What an inventory has.
    pub fn of(inventory: &Inventory, knows: Knows) -> Self {
        Self::new(
            inventory.tracepoints.iter().map(|one| hook(one)).collect(),
            knows,
        )
    }
}

fn hook(tracepoint: &Tracepoint) -> Hook {
    let declaration = &tracepoint.declaration;
    let calls = tracepoint.call_sites.iter();
    Hook {
        name: declaration.name.to_string(),
        event: !tracepoint.is_bare(),
        bpf: tracepoint.bpf,
        system: declaration.system.as_deref().map(str::to_owned),
        file: tracepoint.file.to_string(),
        line: declaration.at.line,
        condition: declaration.condition.render(),
        prototypes: vec![parameters(declaration.prototype.iter().map(AsRef::as_ref))],
        export: Export::of(tracepoint),
        calls: calls
            .filter(|call| call.usage != Use::Guard)
            .map(|call| Caller {
                function: call.function.as_deref().map(str::to_owned),
                file: call.site.file.to_string(),
            })
            .collect(),
    }
}

/// A prototype in one spelling. `void` is what C says for no parameters.
pub fn parameters<'a>(prototype: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = prototype.map(parameter).collect();
    if all == ["void"] {
        all.clear();
    }
    all
}

/// `int  * x` and `int *x` are the same.
fn parameter(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("* ", "*")
}

/// The branches of one file as one.
fn joined(mut branches: Vec<Hook>) -> Option<Hook> {
    branches.sort_by_key(|one| one.line);
    let mut branches = branches.into_iter();
    let mut hook = branches.next()?;
    let mut conditions = vec![hook.condition.take()];
    for mut branch in branches {
        hook.event |= branch.event;
        hook.bpf |= branch.bpf;
        hook.export = hook.export.or(branch.export);
        hook.calls.append(&mut branch.calls);
        conditions.push(branch.condition);
        for prototype in branch.prototypes {
            if !hook.prototypes.contains(&prototype) {
                hook.prototypes.push(prototype);
            }
        }
    }
    hook.condition = any(conditions);
    Some(hook)
}

/// A branch without a condition leaves none for the whole.
fn any(conditions: Vec<Option<String>>) -> Option<String> {
    let mut all = conditions.into_iter().collect::<Option<Vec<_>>>()?;
    all.sort();
    all.dedup();
    match all.as_slice() {
        [one] => Some(one.clone()),
        several => Some(
            several
                .iter()
                .map(|one| format!("({one})"))
                .collect::<Vec<_>>()
                .join(" || "),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let of = |text: &[&str]| parameters(text.iter().copied());
        assert_eq!(of(&["struct  rq * rq"]), of(&["struct rq *rq"]));
        assert_eq!(of(&["void"]), of(&[]));
        assert_ne!(of(&["void *p"]), of(&["int *p"]));
    }

    #[test]
    fn branches_of_a_file_are_one() {
        let branch = |line, condition: &str, prototype: &str| Hook {
            name: "a".to_owned(),
            file: "a.h".to_owned(),
            line,
            event: line == 2,
            condition: (!condition.is_empty()).then(|| condition.to_owned()),
            prototypes: vec![vec![prototype.to_owned()]],
            ..Hook::default()
        };
        let all = vec![branch(2, "X", "int x"), branch(1, "!X", "int y")];
        let snapshot = Snapshot::new(all, Knows::default());
        let [one] = snapshot.hooks.as_slice() else {
            panic!("{snapshot:?}");
        };
        assert_eq!((one.line, one.event, one.prototypes.len()), (1, true, 2));
        assert_eq!(one.condition.as_deref(), Some("(!X) || (X)"));
        let all = vec![branch(1, "", "int x"), branch(2, "X", "int x")];
        assert_eq!(
            Snapshot::new(all, Knows::default()).hooks[0].condition,
            None
        );
    }
}
