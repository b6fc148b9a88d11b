// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Runs the rules over a state or a series.
//!
//! It knows no rule by name. The order of its findings is total.

use super::examined::examined;
use super::finding::Finding;
use super::passing::{self, Trail};
use super::review::{Input, Knowledge, Rest, Review, Sight, allowances};
use super::{Check, RULES, allowed};
use crate::inventory::state::State;
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
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

/// What the rules say of a series: what it brings that is there at its end, and what on
/// the way there does not build.
pub fn check_series(review: &Review<'_>, subject: &Subject<'_>, look: Look) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut all = Vec::new();
    let examined = match look {
        Look::Affected => Some(examined(review, subject.series)),
        Look::Everything => None,
    };
    let sights = Sights::of(review, subject, examined.as_ref());
    let inventory = &review.before().inventory;
    let mut states = review.states.iter();
    let is_changed = states.any(|state| !Arc::ptr_eq(&state.inventory, inventory));
    let trails = passing::trails(&sights);
    for rule in RULES {
        match rule.check {
            Check::Change(check) if is_changed => findings.extend(check(review)),
            Check::Change(_) => {}
            Check::State(check) | Check::Absence(check) => {
                let trail = trails.iter().find(|trail| trail.rule().id == rule.id);
                let after = match trail {
                    Some(trail) => trail.last(),
                    None => {
                        let found = sights.found(check, sights.last()).into_iter();
                        found.map(|finding| (finding, None)).collect()
                    }
                };
                findings.extend(brought(check, &sights, after, &mut all));
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
    left.extend(trails.into_iter().flat_map(Trail::passed));
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
    // On the way it counts, too: a call elsewhere may not build there.
    let changes = || {
        let mut pairs = review.states.iter().zip(review.states.iter().skip(1));
        pairs.any(|(before, after)| {
            let (before, after) = (&before.inventory, &after.inventory);
            !Arc::ptr_eq(before, after)
                && before
                    .names_that_differ(after)
                    .iter()
                    .any(|name| before.contains(name))
        })
    };
    review.knowledge == Knowledge::Part && (findings.iter().any(suspects) || changes())
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings.dedup();
    findings
}

/// How a rule looks at one state.
pub(super) type StateCheck = fn(&Sight<'_>) -> Vec<Finding>;

/// What rules see of the states of a series.
pub(super) struct Sights<'a> {
    review: &'a Review<'a>,
    /// The series.
    pub subject: &'a Subject<'a>,
    examined: Option<&'a BTreeSet<Arc<str>>>,
    /// The first and the last, which most rules look at.
    ends: [Seen<'a>; 2],
}

/// The tree in a state, and the files of it that the series touches.
struct Seen<'a> {
    tree: OverlayTree<'a>,
    touched: BTreeSet<String>,
}

impl<'a> Seen<'a> {
    fn after(subject: &'a Subject<'a>, count: usize) -> Self {
        let tree = OverlayTree::after(subject.tree, subject.series, count);
        let touched = tree.files().keys().cloned().collect();
        Self { tree, touched }
    }
}

impl<'a> Sights<'a> {
    fn of(
        review: &'a Review<'a>,
        subject: &'a Subject<'a>,
        examined: Option<&'a BTreeSet<Arc<str>>>,
    ) -> Self {
        let last = review.states.len() - 1;
        Self {
            review,
            subject,
            examined,
            ends: [Seen::after(subject, 0), Seen::after(subject, last)],
        }
    }

    /// The number of the last state.
    pub(super) fn last(&self) -> usize {
        self.review.states.len() - 1
    }

    /// Shows the state after `count` patches.
    pub(super) fn look<T>(&self, count: usize, with: impl FnOnce(&Sight<'_>) -> T) -> T {
        let between;
        let seen = if count == 0 {
            &self.ends[0]
        } else if count == self.last() {
            &self.ends[1]
        } else {
            between = Seen::after(self.subject, count);
            &between
        };
        with(&Sight {
            state: &self.review.states[count],
            tree: &seen.tree,
            zones: self.review.zones,
            touched: Some(&seen.touched),
            examined: self.examined,
            before: Some(self.review.before()),
            knowledge: self.review.knowledge,
        })
    }

    fn found(&self, check: StateCheck, count: usize) -> Vec<Finding> {
        self.look(count, check)
    }
}

/// The findings of the last state that the first has not, or that have the patch by them
/// that brought them: what was mended and broke again. Those without come first, so that
/// they are taken for what was there. All are added to `all`.
fn brought(
    check: StateCheck,
    sights: &Sights<'_>,
    after: Vec<(Finding, Option<usize>)>,
    all: &mut Vec<Finding>,
) -> Vec<Finding> {
    if after.is_empty() {
        return Vec::new();
    }
    let (review, last) = (sights.review, sights.last());
    all.extend(after.iter().map(|(finding, _)| finding.clone()));
    let none = BTreeMap::new();
    let mut known = counted(&sights.found(check, 0), &renames(sights.subject.series));
    // A state is asked once, however many findings come of what it says.
    let between: Vec<OnceCell<BTreeMap<Key, usize>>> = vec![OnceCell::new(); last];
    let mut brought = Vec::new();
    for (mut finding, patch) in after {
        let wanted = key(&finding, &none);
        let count = known.entry(wanted).or_default();
        let is_known = *count > 0;
        *count -= usize::from(is_known);
        if is_known && patch.is_none() {
            continue;
        }
        let place = &finding.place;
        finding.patch = patch
            .or_else(|| (review.introduced)(&place.file, place.line))
            .or_else(|| {
                let wanted = key(&finding, &none);
                let has = |count: &usize| {
                    let found = between[*count]
                        .get_or_init(|| counted(&sights.found(check, *count), &none));
                    found.contains_key(&wanted)
                };
                (1..last).find(has).or(Some(last)).map(|count| count - 1)
            });
        brought.push(finding);
    }
    brought
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
    // The files that stand at each place by now, by their first names.
    let mut arrived: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in &series.steps {
        if let (Some(old), Some(new)) = (step.old_path.as_deref(), step.path.as_deref())
            && old != new
        {
            let mut moving = arrived.remove(old).unwrap_or_default();
            moving.push(old);
            for &first in &moving {
                renames.insert(first, new);
            }
            arrived.entry(new).or_default().extend(moving);
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
