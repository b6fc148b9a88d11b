// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a comment allows: which of them the input brings, and what becomes of a finding.
//!
//! A comment for a placement rule is the word of whoever writes the patch: it lowers the
//! finding to a note, and leaves one always. One for a leak rule is an approval, so one
//! that the input brings counts only with a maintainer's. It is new where it is written,
//! and where it comes to stand over something else. May not know what the rules look for.

use super::approval::Authority;
use super::event_in_zone::zone_of;
use super::finding::{Finding, Level};
use super::review::{Review, allowances, claimed, place};
use super::{About, Rule, rule};
use crate::inventory::facts::{Allowance, At};
use crate::inventory::state::State;
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::source::patch::ChangeKind;
use crate::source::series::Series;
use std::collections::{BTreeMap, BTreeSet};

use super::engine::Subject;

/// So many lines of a statement tell it from others.
const MOST_LINES: usize = 20;

/// A leak rule in a comment that the input brings.
pub(super) struct Brought<'a> {
    /// The comment's file.
    pub file: &'a str,
    /// Where it stands.
    pub at: At,
    /// The rule.
    pub rule: &'static Rule,
    /// The patch after which it is there for good.
    pub patch: usize,
    /// Who has to approve.
    pub authorities: Vec<Authority<'a>>,
}

/// What a comment allows: the file as it is called at the end, the rule, and what the
/// comment stands over.
type Grant = (String, &'static str, String);

/// The leak rules in the comments that are there after the input and were not before. Of
/// what was `found`, tracepoints are taken that the comments are about.
pub(super) fn brought<'a>(
    review: &'a Review<'_>,
    subject: &Subject<'_>,
    found: &[&Finding],
) -> Vec<Brought<'a>> {
    let last = review.states.len() - 1;
    let after = grants(review, subject, last);
    if after.is_empty() {
        return Vec::new();
    }
    // Each state once, from the last to the first.
    let between: Vec<BTreeMap<Grant, usize>> = (0..last)
        .map(|count| counted(grants(review, subject, count)))
        .collect();
    let mut seen: BTreeMap<Grant, usize> = BTreeMap::new();
    let mut brought = Vec::new();
    for (grant, file, one) in after {
        let number = seen.entry(grant.clone()).or_default();
        *number += 1;
        let has = |state: &BTreeMap<Grant, usize>| {
            state.get(&grant).copied().unwrap_or_default() >= *number
        };
        if between.first().is_none_or(has) {
            continue;
        }
        let Some(patch) = between.iter().rposition(|state| !has(state)) else {
            continue;
        };
        if let Some(rule) = rule(grant.1) {
            brought.push(Brought {
                file,
                at: one.at,
                rule,
                patch,
                authorities: authorities(review, file, one.line, rule.id, found),
            });
        }
    }
    brought
}

fn counted(grants: Vec<(Grant, &str, &Allowance)>) -> BTreeMap<Grant, usize> {
    let mut counts = BTreeMap::new();
    for (grant, _, _) in grants {
        *counts.entry(grant).or_default() += 1;
    }
    counts
}

/// What comments allow of leaks after `count` patches.
fn grants<'a>(
    review: &'a Review<'_>,
    subject: &Subject<'_>,
    count: usize,
) -> Vec<(Grant, &'a str, &'a Allowance)> {
    let mut grants = Vec::new();
    let Some(state) = review.states.get(count) else {
        return grants;
    };
    let mut tree = None;
    for (file, facts) in state.facts.iter() {
        for one in facts.allowances.iter().filter(|one| !one.reason.is_empty()) {
            let rules: BTreeSet<&'static str> = leaks(one).map(|rule| rule.id).collect();
            if rules.is_empty() {
                continue;
            }
            let target = declared(review, count, file, one.line).unwrap_or_else(|| {
                let tree = tree
                    .get_or_insert_with(|| OverlayTree::after(subject.tree, subject.series, count));
                statement(tree, file, one.line)
            });
            let path = at_the_end(subject.series, file, count);
            let of = |rule| ((path.clone(), rule, target.clone()), &**file, one);
            grants.extend(rules.into_iter().map(of));
        }
    }
    grants
}

/// The leak rules that a comment names.
fn leaks(one: &Allowance) -> impl Iterator<Item = &'static Rule> {
    let rules = one.rules.iter().filter_map(|id| rule(id));
    rules.filter(|rule| rule.about == About::Leak)
}

/// The tracepoints that a line declares, as they are called whatever becomes of them.
fn declared(review: &Review<'_>, count: usize, file: &str, line: u32) -> Option<String> {
    let all = review.states.get(count)?.inventory.tracepoints.iter();
    let here = all.filter(|one| *one.file == *file && one.declaration.at.line == line);
    let names: BTreeSet<&str> = here
        .map(|one| {
            one.name()
                .strip_suffix(super::suffix::SUFFIX)
                .unwrap_or(one.name())
        })
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    (!names.is_empty()).then(|| format!("{}()", names.join("(), ")))
}

/// The statement that begins in a line, with single spaces.
fn statement(tree: &dyn Tree, file: &str, line: u32) -> String {
    // What cannot be read has been complained of by who had to read it.
    let text = tree.read(file).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let first = (line as usize).saturating_sub(1);
    let mut words = Vec::new();
    for line in text.lines().skip(first).take(MOST_LINES) {
        words.extend(line.split_whitespace().map(str::to_owned));
        if line.contains([';', '{']) || line.trim().is_empty() {
            break;
        }
    }
    words.join(" ")
}

/// What the file that is called `path` after `count` patches is called after all.
fn at_the_end(series: &Series, path: &str, count: usize) -> String {
    let mut path = path.to_owned();
    for (index, step) in series.steps.iter().enumerate() {
        let is_moved = step.patch >= count
            && step.old_path.as_deref() == Some(&path)
            && series
                .change(index)
                .is_none_or(|change| change.kind != ChangeKind::Copy);
        if let (true, Some(new)) = (is_moved, &step.path) {
            path.clone_from(new);
        }
    }
    path
}

/// Who has to approve of a comment in `file` that is about `line`: the maintainers of the
/// zone that it is in or, outside of zones, those of the hooks that it is about. Of which
/// that will be is not known of a comment for what is not there yet: then those of all.
fn authorities<'a>(
    review: &'a Review<'_>,
    file: &'a str,
    line: u32,
    rule: &str,
    found: &[&Finding],
) -> Vec<Authority<'a>> {
    if let Some(zone) = review.zones.of(file) {
        return vec![Authority::Zone(zone)];
    }
    let here = found
        .iter()
        .filter(|one| one.rule == rule && one.place.file == file && one.place.line == line);
    let named: BTreeSet<&str> = here.filter_map(|one| one.tracepoint.as_deref()).collect();
    let all = review.states.iter().flat_map(|state| {
        let all = state.inventory.tracepoints.iter();
        all.filter(|one| {
            let is_here = *one.file == *file && one.declaration.at.line == line;
            is_here || named.contains(one.name())
        })
    });
    let mut zones: BTreeMap<&str, Authority<'a>> = BTreeMap::new();
    let mut files: BTreeMap<&str, Authority<'a>> = BTreeMap::new();
    for one in all {
        match zone_of(review.zones, review.before(), one) {
            Some(zone) => drop(zones.insert(&zone.name, Authority::Zone(zone))),
            None => drop(files.insert(&one.file, Authority::File(&one.file))),
        }
    }
    let of_hooks: Vec<Authority<'a>> = zones.into_values().chain(files.into_values()).collect();
    if of_hooks.is_empty() {
        review.zones.iter().map(Authority::Zone).collect()
    } else {
        of_hooks
    }
}

/// What a comment leaves of a finding: a note, or nothing if it allows what is no leak and
/// stood there before. What no comment allows is left as it is.
pub(super) fn permitted(
    finding: Finding,
    review: &Review<'_>,
    brought: &[Brought<'_>],
) -> Option<Finding> {
    let about = rule(finding.rule).map(|rule| rule.about);
    if about == Some(About::Leak) {
        return Some(of_leak(finding, review, brought));
    }
    let is_new = |file: &str, line: u32| (review.introduced)(file, line).is_some();
    permitted_in(finding, review.after(), &is_new)
}

/// The same of a placement rule's finding in one state. `is_new` tells of the lines that
/// the input brings.
pub(super) fn permitted_in(
    finding: Finding,
    state: &State,
    is_new: &dyn Fn(&str, u32) -> bool,
) -> Option<Finding> {
    let Some(allowed) = allowances(state, &finding).next() else {
        return Some(finding);
    };
    is_new(&finding.place.file, allowed.at.line).then(|| noted(finding, allowed))
}

fn of_leak(finding: Finding, review: &Review<'_>, brought: &[Brought<'_>]) -> Finding {
    let all: Vec<&Allowance> = allowances(review.after(), &finding).collect();
    for allowed in all {
        let is_it = |one: &&Brought<'_>| {
            one.rule.id == finding.rule && one.file == finding.place.file && one.at == allowed.at
        };
        let Some(new) = brought.iter().find(is_it) else {
            return noted(finding, allowed);
        };
        if let Some(approval) = review.approved(Some(new.patch), &new.authorities) {
            let mut finding = noted(finding, allowed);
            finding.message = format!("{} ({})", finding.message, claimed(&approval));
            finding.approval = Some(approval);
            return finding;
        }
    }
    finding
}

fn noted(mut finding: Finding, allowed: &Allowance) -> Finding {
    finding.level = Level::Note;
    finding.message = format!("{} (allowed: {})", finding.message, allowed.reason);
    finding
}

/// Notes of the comments for placement rules that the input brings, where what is `left`
/// of the findings does not tell of them: be it that there is nothing to allow yet, or that
/// it was there before.
pub(super) fn notes(review: &Review<'_>, left: &[Finding]) -> Vec<Finding> {
    let mut notes = Vec::new();
    for (file, facts) in review.after().facts.iter() {
        for one in facts.allowances.iter().filter(|one| !one.reason.is_empty()) {
            let Some(patch) = (review.introduced)(file, one.at.line) else {
                continue;
            };
            let rules = one.rules.iter().filter_map(|id| rule(id));
            let rules: BTreeSet<&str> = rules
                .filter(|rule| rule.about == About::Placement)
                .map(|rule| rule.id)
                .collect();
            let is_told = |rule: &str| {
                left.iter().any(|finding| {
                    finding.rule == rule
                        && finding.level == Level::Note
                        && finding.patch == Some(patch)
                        && finding.place.file == **file
                        && finding.place.line == one.line
                })
            };
            let untold = rules.into_iter().filter(|rule| !is_told(rule));
            notes.extend(untold.map(|rule| Finding {
                rule,
                level: Level::Note,
                tracepoint: None,
                place: place(file, one.at),
                message: format!("{rule} is allowed in line {}: {}", one.line, one.reason),
                related: Vec::new(),
                patch: Some(patch),
                fix: None,
                approval: None,
                passing: false,
            }));
        }
    }
    notes
}
