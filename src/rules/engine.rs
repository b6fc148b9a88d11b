// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Runs the rules over a state or a series.
//!
//! It knows no rule by name. The order of its findings is total.

use super::examined::examined;
use super::finding::Finding;
use super::review::{Input, Knowledge, Rest, Review, Sight, allowances};
use super::{Check, RULES, allowed};
use crate::inventory::state::State;
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::source::patch::LineKind;
use crate::source::series::Series;
use anyhow::ensure;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the rules say of a tree as it stands.
pub fn check_state(sight: &Sight<'_>) -> Vec<Finding> {
    let found = RULES.iter().flat_map(|rule| match rule.check {
        Check::State(check) | Check::Absence(check) => check(sight),
        Check::Change(_) | Check::Rest(_) | Check::Input(_) => Vec::new(),
    });
    let found: Vec<Finding> = found.collect();
    let more = of_the_rest(&Rest {
        state: sight.state,
        found: &found,
        is_judged: &|_, _| true,
    });
    let mut left = found;
    left.retain(|finding| allowances(sight.state, finding).next().is_none());
    left.extend(more);
    sorted(sight.zones.levelled(left))
}

/// What the rules say that look at the findings of others.
fn of_the_rest(rest: &Rest<'_>) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| match rule.check {
        Check::Rest(check) => Some(check(rest)),
        _ => None,
    });
    found.flatten().collect()
}

/// What the rules say that look at what else a series changes.
fn of_the_input(input: &Input<'_>) -> Vec<Finding> {
    let found = RULES.iter().filter_map(|rule| match rule.check {
        Check::Input(check) => Some(check(input)),
        _ => None,
    });
    found.flatten().collect()
}

/// A series with the tree that it is for, if there is one.
pub struct Subject<'a> {
    /// The series.
    pub series: &'a Series,
    /// The tree.
    pub tree: Option<&'a dyn Tree>,
}

/// How far the rules look for what a series brings. The answer is the same: a test
/// holds one against the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// At the files in which anything can be new.
    Affected,
    /// At all files of the kernel.
    Everything,
}

/// What the rules say of a series: what it brings that is there at its end.
pub fn check_series(review: &Review<'_>, subject: &Subject<'_>, look: Look) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut all = Vec::new();
    let examined = match look {
        Look::Affected => Some(examined(review, subject.series)),
        Look::Everything => None,
    };
    let inventory = &review.before().inventory;
    let mut states = review.states.iter();
    let is_changed = states.any(|state| !Arc::ptr_eq(&state.inventory, inventory));
    for rule in RULES {
        match rule.check {
            Check::Change(check) if is_changed => findings.extend(check(review)),
            Check::Change(_) => {}
            Check::State(check) | Check::Absence(check) => {
                findings.extend(brought(check, review, subject, examined.as_ref(), &mut all));
            }
            Check::Rest(_) | Check::Input(_) => {}
        }
    }
    let mut more = of_the_rest(&Rest {
        state: review.after(),
        found: &all,
        is_judged: &|file, line| (review.introduced)(file, line).is_some(),
    });
    for finding in &mut more {
        finding.patch = (review.introduced)(&finding.place.file, finding.place.line);
    }
    let known: Vec<&Finding> = all.iter().chain(&findings).collect();
    let brought = allowed::brought(review, subject, &known);
    let mut left: Vec<Finding> = findings
        .into_iter()
        .filter_map(|finding| allowed::permitted(finding, review, &brought))
        .collect();
    left.extend(allowed::notes(review, &left));
    left.extend(of_the_input(&Input {
        review,
        subject,
        brought: &brought,
    }));
    left.extend(more);
    sorted(review.zones.levelled(left))
}

/// Whether more of the kernel has to be read to be sure of `findings`, which were
/// made with only a part of it: what a rule misses may be elsewhere, and so may be
/// the uses of a tracepoint that changes or goes.
pub fn wants_more(review: &Review<'_>, findings: &[Finding]) -> bool {
    let suspects = |finding: &Finding| {
        RULES
            .iter()
            .any(|rule| rule.id == finding.rule && matches!(rule.check, Check::Absence(_)))
    };
    let changes = || {
        let before = &review.before().inventory;
        let changed = before.names_that_differ(&review.after().inventory);
        changed.iter().any(|name| before.contains(name))
    };
    review.knowledge == Knowledge::Part
        && (findings.iter().any(suspects) || changes() || moves_maintainers(review))
}

/// Whether who may approve of which file changes: hooks may be in any.
fn moves_maintainers(review: &Review<'_>) -> bool {
    let changes = review.patches.iter().flat_map(|patch| &patch.changes);
    let mut changes = changes.filter(|change| {
        let mut paths = change.old_path.iter().chain(&change.new_path);
        paths.any(|path| path == "MAINTAINERS")
    });
    changes.any(|change| {
        let mut lines = change.hunks.iter().flat_map(|hunk| &hunk.lines);
        // A section may get more by an entry that comes, or by one that keeps it out that
        // goes; and what is no hunk may be anything.
        change.hunks.is_empty()
            || lines.any(|line| match line.kind {
                LineKind::Added => line.text.starts_with(b"M:") || line.text.starts_with(b"F:"),
                LineKind::Removed => line.text.starts_with(b"X:") || line.text.is_empty(),
                LineKind::Context => false,
            })
    })
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings.dedup();
    findings
}

type StateCheck = fn(&Sight<'_>) -> Vec<Finding>;

/// The findings of the last state that the first has not.
/// All of them are added to `all`.
fn brought(
    check: StateCheck,
    review: &Review<'_>,
    subject: &Subject<'_>,
    examined: Option<&BTreeSet<Arc<str>>>,
    all: &mut Vec<Finding>,
) -> Vec<Finding> {
    let last = review.states.len() - 1;
    let at = |count: usize| found_at(check, review, subject, examined, count);
    let after = at(last);
    if after.is_empty() {
        return Vec::new();
    }
    all.extend(after.iter().cloned());
    let none = BTreeMap::new();
    let mut known = counted(&at(0), &renames(subject.series));
    let mut brought: Vec<Finding> = after
        .into_iter()
        .filter(|finding| {
            let count = known.entry(key(finding, &none)).or_default();
            let is_known = *count > 0;
            *count -= usize::from(is_known);
            !is_known
        })
        .collect();
    // A state is asked once, however many findings come of what it says.
    let between: Vec<OnceCell<BTreeMap<Key, usize>>> = vec![OnceCell::new(); last];
    for finding in &mut brought {
        let place = &finding.place;
        finding.patch = (review.introduced)(&place.file, place.line).or_else(|| {
            let wanted = key(finding, &none);
            let has = |count: &usize| {
                let found = between[*count].get_or_init(|| counted(&at(*count), &none));
                found.contains_key(&wanted)
            };
            (1..last).find(has).or(Some(last)).map(|count| count - 1)
        });
    }
    brought
}

fn found_at(
    check: StateCheck,
    review: &Review<'_>,
    subject: &Subject<'_>,
    examined: Option<&BTreeSet<Arc<str>>>,
    count: usize,
) -> Vec<Finding> {
    let tree = OverlayTree::after(subject.tree, subject.series, count);
    let touched: BTreeSet<String> = tree.files().keys().cloned().collect();
    check(&Sight {
        state: &review.states[count],
        tree: &tree,
        zones: review.zones,
        touched: Some(&touched),
        examined,
        before: Some(review.before()),
        knowledge: review.knowledge,
    })
}

type Key = (&'static str, Option<String>, String, String);

/// What makes two findings the same: neither line nor column.
fn key(finding: &Finding, renames: &BTreeMap<&str, &str>) -> Key {
    let file = finding.place.file.as_str();
    let file = renames.get(file).copied().unwrap_or(file);
    (
        finding.rule,
        finding.tracepoint.clone(),
        file.to_owned(),
        finding.message.clone(),
    )
}

fn counted(findings: &[Finding], renames: &BTreeMap<&str, &str>) -> BTreeMap<Key, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(key(finding, renames)).or_default() += 1;
    }
    counts
}

/// Where the series moves each file that it moves.
fn renames(series: &Series) -> BTreeMap<&str, &str> {
    let mut renames: BTreeMap<&str, &str> = BTreeMap::new();
    for step in &series.steps {
        if let (Some(old), Some(new)) = (step.old_path.as_deref(), step.path.as_deref())
            && old != new
        {
            for target in renames.values_mut().filter(|target| **target == old) {
                *target = new;
            }
            renames.insert(old, new);
        }
    }
    renames
}

/// How many patches can be one series: each makes a state of the whole kernel, and a
/// stranger's mbox may have any number.
const MOST_PATCHES: usize = 160;

/// Refuses a series that is too long.
///
/// # Errors
/// There are more patches than can be one series.
pub fn check_length(count: usize) -> anyhow::Result<()> {
    ensure!(
        count <= MOST_PATCHES,
        "{count} patches are too many for one series ({MOST_PATCHES} at most): check them in \
         parts, or commit them and use --git"
    );
    Ok(())
}

/// How many patches of a series can change what the macros of the tracing core mean:
/// all files of the kernel are read anew for each.
const MOST_MEANINGS: usize = 4;

/// The states that `series` leads through, from `first` on.
///
/// # Errors
/// The series changes the tracing core so that it can no longer be understood, or too
/// often.
pub fn states(first: State, subject: &Subject<'_>) -> anyhow::Result<Vec<State>> {
    let mut states = vec![first];
    let mut meanings = 0;
    for count in 1..=subject.series.patches.len() {
        let changes = super::changes::of_patch(subject.series, count - 1);
        let tree = OverlayTree::after(subject.tree, subject.series, count);
        let tree = subject.tree.is_some().then_some(&tree as &dyn Tree);
        let last = &states[count - 1];
        let next = last.after(&changes, tree)?;
        meanings += usize::from(!Arc::ptr_eq(&next.semantics, &last.semantics));
        ensure!(
            meanings <= MOST_MEANINGS,
            "more than {MOST_MEANINGS} patches of one series change what the macros of the \
             tracing core mean: check them in parts"
        );
        states.push(next);
    }
    Ok(states)
}
