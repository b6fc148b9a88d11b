// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What does not build on the way through a series.
//!
//! Of rules whose findings count in each state, every finding is followed from the patch
//! that brings it to the one that mends it. What is still there after the series is a
//! finding as all others are; here it is told which patch brought it. May not know what
//! the rules look for.

use super::allowed;
use super::engine::{Sights, StateCheck};
use super::finding::Finding;
use super::review::Sight;
use super::{About, Check, Counts, RULES, Rule};
use crate::source::series::Series;
use std::collections::{BTreeMap, HashMap};

/// How the findings of one rule come and go.
pub(super) struct Trail {
    rule: &'static Rule,
    check: StateCheck,
    /// What does not build in the state that was looked at last.
    open: Vec<Open>,
    /// What else was found there.
    rest: Vec<Finding>,
    /// What was there once and is no more, by tracepoint and patch: a patch that changes a
    /// prototype makes one mistake, however many calls of it there are.
    passed: BTreeMap<(Option<String>, usize), Passed>,
}

struct Open {
    finding: Finding,
    brought: Option<Brought>,
}

/// What a patch of the series brings.
struct Brought {
    patch: usize,
    /// As it is after that patch; `None` if a comment allows it.
    finding: Option<Finding>,
}

struct Passed {
    finding: Finding,
    /// In how many more places it was.
    more: usize,
}

/// The rules whose findings count in each state, through all states.
pub(super) fn trails(sights: &Sights<'_>) -> Vec<Trail> {
    let of_rule = |rule: &'static Rule| match (rule.counts, rule.check) {
        (Counts::InEachState(_), Check::State(check) | Check::Absence(check)) => Some(Trail {
            rule,
            check,
            open: Vec::new(),
            rest: Vec::new(),
            passed: BTreeMap::new(),
        }),
        _ => None,
    };
    let mut trails: Vec<Trail> = RULES.iter().filter_map(of_rule).collect();
    let series = sights.subject.series;
    for count in 0..=sights.last() {
        let moves = moves(series, count);
        sights.look(count, |sight| {
            for trail in &mut trails {
                trail.go_on(sight, series, count, &moves);
            }
        });
    }
    trails
}

/// Where the last of the first `count` patches moves files.
fn moves(series: &Series, count: usize) -> HashMap<&str, &str> {
    let steps = count.checked_sub(1).map(|patch| series.steps_of(patch));
    let moving = steps
        .into_iter()
        .flatten()
        .filter(|(index, _)| !series.is_copy(*index));
    moving
        .filter_map(|(_, step)| Some((step.old_path.as_deref()?, step.path.as_deref()?)))
        .filter(|(old, new)| old != new)
        .collect()
}

impl Trail {
    pub(super) fn rule(&self) -> &'static Rule {
        self.rule
    }

    fn go_on(
        &mut self,
        sight: &Sight<'_>,
        series: &Series,
        count: usize,
        moves: &HashMap<&str, &str>,
    ) {
        let breaks = |finding: &Finding| self.rule.breaks(sight.state, finding);
        let found = (self.check)(sight).into_iter();
        let (found, rest): (Vec<Finding>, Vec<Finding>) = found.partition(breaks);
        self.rest = rest;
        let mut before: Vec<Option<Open>> = self.open.drain(..).map(Some).collect();
        let same = matched(&before, &found, moves);
        for (finding, same) in found.into_iter().zip(same) {
            let known = same.and_then(|index| before[index].take());
            let brought = match known {
                Some(known) => known.brought,
                None => count.checked_sub(1).map(|patch| Brought {
                    patch,
                    finding: weighed(self.rule, sight, series, count, &finding),
                }),
            };
            self.open.push(Open { finding, brought });
        }
        let gone = before.into_iter().flatten();
        for brought in gone.filter_map(|open| open.brought) {
            if let Some(finding) = brought.finding {
                self.pass(finding, brought.patch);
            }
        }
    }

    fn pass(&mut self, mut finding: Finding, patch: usize) {
        finding.patch = Some(patch);
        finding.passing = true;
        finding.fix = None;
        let key = (finding.tracepoint.clone(), patch);
        match self.passed.get_mut(&key) {
            Some(passed) => {
                passed.more += 1;
                // The first place, but none that a comment allows if there are others.
                let rank = |one: &Finding| (std::cmp::Reverse(one.level), one.place.clone());
                if rank(&finding) < rank(&passed.finding) {
                    passed.finding = finding;
                }
            }
            None => drop(self.passed.insert(key, Passed { finding, more: 0 })),
        }
    }

    /// What is there after the series, first what was there before it; each with the patch
    /// that brought it, if that is known.
    pub(super) fn last(&self) -> Vec<(Finding, Option<usize>)> {
        let patch = |open: &Open| open.brought.as_ref().map(|brought| brought.patch);
        let open = self.open.iter();
        let open = open.map(|open| (open.finding.clone(), patch(open)));
        let rest = self.rest.iter().map(|finding| (finding.clone(), None));
        let mut all: Vec<_> = open.chain(rest).collect();
        all.sort_by_key(|(_, patch)| patch.is_some());
        all
    }

    /// What there was on the way.
    pub(super) fn passed(self) -> impl Iterator<Item = Finding> {
        self.passed
            .into_values()
            .map(|Passed { mut finding, more }| {
                let places = match more {
                    0 => String::new(),
                    1 => ", as in another place,".to_owned(),
                    more => format!(", as in {more} other places,"),
                };
                finding.message =
                    format!("{}{places} until a later patch mends it", finding.message);
                finding
            })
    }
}

/// The finding, new after `count` patches, as comments have it then.
fn weighed(
    rule: &Rule,
    sight: &Sight<'_>,
    series: &Series,
    count: usize,
    finding: &Finding,
) -> Option<Finding> {
    // One for a leak rule needs an approval, and only those have it that stay.
    if rule.about == About::Leak {
        return Some(finding.clone());
    }
    let is_new = |file: &str, line: u32| series.introduced_by(file, line, count).is_some();
    allowed::permitted_in(finding.clone(), sight.state, &is_new)
}

/// Which of the findings `before` each that was `found` after the next patch is.
fn matched(
    before: &[Option<Open>],
    found: &[Finding],
    moves: &HashMap<&str, &str>,
) -> Vec<Option<usize>> {
    let mut same = vec![None; found.len()];
    let mut taken = vec![false; before.len()];
    // What it says may change with each patch, but what does not change tells most.
    for with_message in [true, false] {
        let key = |finding: &Finding, is_old: bool| {
            let file = finding.place.file.as_str();
            let moved = moves.get(file).filter(|_| is_old).copied();
            let message = with_message.then(|| finding.message.clone());
            (
                finding.tracepoint.clone(),
                moved.unwrap_or(file).to_owned(),
                message,
            )
        };
        let mut known: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, open) in before.iter().enumerate().rev() {
            if let Some(open) = open.as_ref().filter(|_| !taken[index]) {
                known
                    .entry(key(&open.finding, true))
                    .or_default()
                    .push(index);
            }
        }
        for (finding, same) in found.iter().zip(&mut same) {
            if same.is_none()
                && let Some(index) = known.get_mut(&key(finding, false)).and_then(Vec::pop)
            {
                taken[index] = true;
                *same = Some(index);
            }
        }
    }
    same
}
