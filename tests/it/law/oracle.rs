// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What has to be the same, and whether it is.

use super::ways::{Way, findings, state, state_after};
use super::world::SUBJECT;
use super::world::is_ours;
use super::{binary, compiler};
use crate::series::Texts;
use barepoint::inventory::state::State;
use barepoint::rules::finding::Finding;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Two answers that have to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// The state after a change, and the state of the tree after it.
    After,
    /// The same after several changes.
    Steps,
    /// The leaks of a patch, and what differs between the lists before and after.
    Patch,
    /// The same of the patches of a series.
    Series,
    /// The same with the whole tree read.
    Whole,
    /// All findings, in all ways of asking.
    Ways,
    /// The list, and the sections that the compiler's preprocessor writes.
    Compiler,
    /// The leaks that the binary tells of, asked in all ways, and what differs between its
    /// lists before and after.
    Binary,
}

pub const ORACLES: [Oracle; 8] = [
    Oracle::After,
    Oracle::Steps,
    Oracle::Patch,
    Oracle::Series,
    Oracle::Whole,
    Oracle::Ways,
    Oracle::Compiler,
    Oracle::Binary,
];

/// How an answer differs from what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something is missing.
    Missed,
    /// Something is there that should not be.
    TooMuch,
    /// The lists are the same, and something else is not.
    Other,
}

#[derive(Debug)]
pub struct Difference {
    pub kind: Kind,
    pub text: String,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub name: String,
    pub is_event: bool,
    pub file: String,
    pub line: u32,
}

pub fn list(state: &State) -> BTreeSet<Row> {
    let all = state.inventory.tracepoints.iter();
    all.map(|one| Row {
        name: one.name().to_owned(),
        is_event: !one.is_bare(),
        file: one.file.to_string(),
        line: one.declaration.at.line,
    })
    .collect()
}

/// A change, and the answers that several oracles ask for.
pub struct Change<'s> {
    states: &'s [Texts],
    first: OnceCell<State>,
    last: OnceCell<State>,
    whole: OnceCell<Option<Vec<Finding>>>,
    patch: OnceCell<Option<Vec<Finding>>>,
}

impl<'s> Change<'s> {
    /// The one that leads through `states`, of which there are two or more.
    pub fn of(states: &'s [Texts]) -> Self {
        Self {
            states,
            first: OnceCell::new(),
            last: OnceCell::new(),
            whole: OnceCell::new(),
            patch: OnceCell::new(),
        }
    }

    fn before(&self) -> &State {
        self.first.get_or_init(|| state(&self.states[0]))
    }

    fn end(&self) -> &Texts {
        &self.states[self.states.len() - 1]
    }

    fn after(&self) -> &State {
        self.last.get_or_init(|| state(self.end()))
    }

    /// Whether the list is another one after it.
    pub fn changes_list(&self) -> bool {
        list(self.before()) != list(self.after())
    }

    /// How the two answers differ.
    pub fn difference(&self, oracle: Oracle) -> Option<Difference> {
        match oracle {
            Oracle::After => {
                let after = state_after(self.before(), &self.states[0], self.end());
                of_states(self.after(), &after)
            }
            Oracle::Steps => {
                let mut now = self.before().clone();
                for pair in self.states.windows(2) {
                    now = state_after(&now, &pair[0], &pair[1]);
                }
                of_states(self.after(), &now)
            }
            Oracle::Patch => self.of_leaks(self.patch()?),
            Oracle::Series => self.of_leaks(&findings(self.states, Way::Series)?),
            Oracle::Whole => self.of_leaks(self.whole()?),
            Oracle::Ways => self.of_ways(),
            Oracle::Compiler => {
                let listed = compiler::listed(&list(self.after()));
                of_sets(&compiler::made(self.end())?, &listed)
            }
            Oracle::Binary => binary::difference(self.states),
        }
    }

    fn whole(&self) -> Option<&[Finding]> {
        let found = self.whole.get_or_init(|| findings(self.states, Way::Whole));
        found.as_deref()
    }

    fn patch(&self) -> Option<&[Finding]> {
        let found = self
            .patch
            .get_or_init(|| findings(self.states, Way::Patch(3)));
        found.as_deref()
    }

    fn of_leaks(&self, found: &[Finding]) -> Option<Difference> {
        let wanted = leaks(&list(self.before()), &list(self.after()));
        of_sets(&wanted, &found.iter().filter_map(leak).collect())
    }

    fn of_ways(&self) -> Option<Difference> {
        let shown = |found: &[Finding]| -> BTreeSet<String> { found.iter().map(shown).collect() };
        let wanted = shown(self.whole()?);
        let patch = ("as a patch", shown(self.patch()?));
        // One of the others, which the size of the change decides.
        let (name, way) = OTHERS[self.end()[SUBJECT].len() % OTHERS.len()];
        let other = findings(self.states, way).map(|found| (name, shown(&found)));
        [Some(patch), other]
            .into_iter()
            .flatten()
            .find_map(|(name, found)| {
                let mut difference = of_sets(&wanted, &found)?;
                difference.text = format!("{name}: {}", difference.text);
                Some(difference)
            })
    }
}

const OTHERS: [(&str, Way); 4] = [
    ("with little context", Way::Patch(1)),
    ("with much context", Way::Patch(10)),
    ("applied already", Way::Applied),
    ("a patch for each file", Way::Files),
];

pub fn of_sets<T: Ord + Debug>(wanted: &BTreeSet<T>, found: &BTreeSet<T>) -> Option<Difference> {
    let missed: Vec<&T> = wanted.difference(found).collect();
    let more: Vec<&T> = found.difference(wanted).collect();
    let kind = match (missed.is_empty(), more.is_empty()) {
        (true, true) => return None,
        (false, _) => Kind::Missed,
        (true, false) => Kind::TooMuch,
    };
    let text = format!("missed {missed:?}, too much {more:?}");
    Some(Difference { kind, text })
}

fn of_states(wanted: &State, found: &State) -> Option<Difference> {
    of_sets(&list(wanted), &list(found)).or_else(|| {
        let facts = || {
            let paths = wanted.facts.keys().chain(found.facts.keys());
            paths.into_iter().find_map(|path| {
                let (wanted, found) = (wanted.facts.get(path), found.facts.get(path));
                (wanted != found).then(|| format!("{path}: {}", apart(&wanted, &found)))
            })
        };
        let uses = || {
            let differ = wanted.inventory != found.inventory;
            differ.then(|| apart(&wanted.inventory, &found.inventory))
        };
        let text = facts().or_else(uses)?;
        Some(Difference {
            kind: Kind::Other,
            text,
        })
    })
}

/// Where two values begin to differ.
fn apart(wanted: &impl Debug, found: &impl Debug) -> String {
    let (wanted, found) = (format!("{wanted:?}"), format!("{found:?}"));
    let pairs = std::iter::zip(wanted.chars(), found.chars());
    let same = pairs.take_while(|(a, b)| a == b).count();
    let part = |text: &str| -> String {
        let part = text.chars().skip(same.saturating_sub(80));
        part.take(200).collect()
    };
    format!("wanted …{}…, found …{}…", part(&wanted), part(&found))
}

/// The events that are new in a zone, or in place of a hook. All that the trace header of
/// a world makes is the scheduler's, whichever file says so.
pub fn leaks(before: &BTreeSet<Row>, after: &BTreeSet<Row>) -> BTreeSet<String> {
    let of = |rows: &BTreeSet<Row>, is_event: bool| -> BTreeSet<String> {
        let rows = rows.iter().filter(|one| one.is_event == is_event);
        rows.map(|one| one.name.clone()).collect()
    };
    let (events, hooks) = (of(before, true), of(before, false));
    let new = after
        .iter()
        .filter(|one| one.is_event && !events.contains(&one.name));
    let leaks = new.filter(|one| {
        let bare = match one.name.strip_suffix("_tp") {
            Some(stem) => stem.to_owned(),
            None => format!("{}_tp", one.name),
        };
        is_ours(&one.file) || hooks.contains(&one.name) || hooks.contains(&bare)
    });
    leaks.map(|one| one.name.clone()).collect()
}

/// The event that a finding is about, if that is a leak.
fn leak(finding: &Finding) -> Option<String> {
    leak_of(
        finding.rule,
        finding.tracepoint.as_deref(),
        &finding.message,
    )
}

/// The same of what the binary prints.
pub fn leak_of(rule: &str, tracepoint: Option<&str>, message: &str) -> Option<String> {
    let name = match rule {
        "event-in-zone" => tracepoint?,
        "promotion" => match message.split_once("becomes the trace event ") {
            Some((_, rest)) => rest.split(' ').next()?,
            None => tracepoint?,
        },
        _ => return None,
    };
    Some(name.to_owned())
}

fn shown(finding: &Finding) -> String {
    format!(
        "{} {} {}:{} {}",
        finding.level, finding.rule, finding.place.file, finding.place.line, finding.message
    )
}
