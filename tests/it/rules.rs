// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The cases of all rule pages, run by all rules.
//!
//! Each case's patches are written as mails, read back and resolved over a small
//! kernel, so that a case goes the way that a real patch goes.

use crate::series::{findings, mail};
use barepoint::inventory::state::State;
use barepoint::kernel::maintainers::Maintainers;
use barepoint::review::series::{Ground, on_tree};
use barepoint::rules::engine::check_state;
use barepoint::rules::finding::{Finding, Level};
use barepoint::rules::page::{Case, Expected, Page};
use barepoint::rules::review::Sight;
use barepoint::rules::zones::Zones;
use barepoint::rules::{Counts, RULES};
use barepoint::source::Tree;
use barepoint::source::disk::DiskTree;
use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::Series;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The files that a case changes, before and after each patch.
struct Texts {
    steps: Vec<BTreeMap<String, String>>,
}

fn small_kernel(name: &str) -> DiskTree {
    let folder = format!(
        "{}/tests/fixtures/kernel-{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    DiskTree::open(Path::new(&folder)).expect("a small kernel")
}

fn before<'t>(tree: &'t DiskTree, case: &Case) -> OverlayTree<'t> {
    let files = case
        .files
        .iter()
        .map(|(path, text)| (path.clone(), Some(Arc::from(text.as_bytes()))));
    OverlayTree::of(Some(tree), files.collect())
}

fn text_of(tree: &dyn Tree, path: &str) -> String {
    let text = tree
        .read(path)
        .expect("a readable file")
        .unwrap_or_default();
    String::from_utf8(text.to_vec()).expect("UTF-8")
}

/// Replaces the lines of an edit that are not new by those that are not gone.
fn edited(text: &str, lines: &[String], what: &str) -> String {
    let side = |without: char| -> Vec<&str> {
        let kept = lines.iter().filter(|line| !line.starts_with(without));
        kept.map(|line| line.get(1..).unwrap_or_default()).collect()
    };
    let (old, new) = (side('+'), side('-'));
    let all: Vec<&str> = text.lines().collect();
    let at: Vec<usize> = if old.is_empty() && text.is_empty() {
        vec![0]
    } else {
        (0..=all.len().saturating_sub(old.len()))
            .filter(|&at| !old.is_empty() && all.get(at..at + old.len()) == Some(&old[..]))
            .collect()
    };
    assert_eq!(
        at.len(),
        1,
        "{what}: the change fits at {} places",
        at.len()
    );
    let mut result: Vec<&str> = all[..at[0]].to_vec();
    result.extend(&new);
    result.extend(all.get(at[0] + old.len()..).unwrap_or_default());
    result.iter().map(|line| format!("{line}\n")).collect()
}

fn texts(tree: &dyn Tree, case: &Case) -> Texts {
    let mut now: BTreeMap<String, String> = BTreeMap::new();
    for edit in case.patches.values().flat_map(|patch| &patch.edits) {
        now.insert(edit.path.clone(), text_of(tree, &edit.path));
    }
    let mut steps = vec![now.clone()];
    for patch in case.patches.values() {
        for edit in &patch.edits {
            let what = format!("{}: {}", case.title, edit.path);
            let new = edited(&now[&edit.path], &edit.lines, &what);
            now.insert(edit.path.clone(), new);
        }
        steps.push(now.clone());
    }
    Texts { steps }
}

fn zones(case: &Case) -> Zones {
    let zones = Zones::built_in().expect("zones");
    match &case.zones {
        Some(text) => zones.with(text, &case.title).expect("the case's zones"),
        None => zones,
    }
}

fn found(case: &Case) -> Vec<Finding> {
    let kernel = small_kernel(&case.kernel);
    let tree = before(&kernel, case);
    let zones = zones(case);
    if case.whole_tree {
        let state = State::of(&tree).expect("a state");
        return check_state(&Sight::of_tree(&state, &tree, &zones));
    }
    let texts = texts(&tree, case);
    let mails: Vec<String> = case
        .patches
        .values()
        .enumerate()
        .map(|(index, patch)| {
            mail(
                &case.title,
                &patch.message,
                &texts.steps[index],
                &texts.steps[index + 1],
            )
        })
        .collect();
    let first = State::of(&tree).expect("a state");
    let forth = findings(&tree, &first, &mails, &zones, &case.title);
    has_one_answer(case, (&tree, &first), &texts, &mails, &zones, &forth);

    // A series that undoes itself does nothing, but for what did not build on its way.
    let mut and_back = mails;
    let last = texts.steps.len() - 1;
    and_back.push(mail("Revert", "", &texts.steps[last], &texts.steps[0]));
    let undone = findings(&tree, &first, &and_back, &zones, &case.title);
    assert!(
        undone.iter().all(breaks),
        "{}: before == after: {undone:#?}",
        case.title
    );
    // What was broken before and is mended, the revert breaks.
    let on_the_way = undone.iter().filter(|one| one.patch != Some(last));
    let what = |one: &Finding| (one.rule, one.tracepoint.clone(), one.patch);
    let on_the_way: BTreeSet<_> = on_the_way.map(what).collect();
    let broken: BTreeSet<_> = forth.iter().filter(|one| breaks(one)).map(what).collect();
    assert_eq!(on_the_way, broken, "{}: on the way", case.title);
    forth
}

/// Holds what `mails` bring to `tree` against what is found if they are asked about
/// otherwise.
fn has_one_answer(
    case: &Case,
    (tree, first): (&dyn Tree, &State),
    texts: &Texts,
    mails: &[String],
    zones: &Zones,
    found: &[Finding],
) {
    let text = text_of(tree, "MAINTAINERS");
    let ground = Ground {
        zones: zones.clone(),
        maintainers: Maintainers::parse(&text),
    };
    let ends = texts.steps.first().into_iter().chain(texts.steps.last());
    let [before, after] = &ends.collect::<Vec<_>>()[..] else {
        return;
    };
    let files = after.iter().map(|(path, text)| {
        let bytes = (!text.is_empty()).then(|| Arc::from(text.as_bytes()));
        (path.clone(), bytes)
    });
    let applied = OverlayTree::of(Some(tree), files.collect());
    let is_new = |one: &Finding| {
        let name = one.tracepoint.as_deref().unwrap_or_default();
        first.inventory.named(name).next().is_none()
    };
    let ask = |mails: &[String], tree: &dyn Tree, whole: bool| {
        let patches = mails
            .iter()
            .flat_map(|mail| load_bytes("case.patch", mail.as_bytes()).patches);
        let series = Series::resolve(patches.collect(), Some(tree), None);
        on_tree(&series, tree, &ground, whole).expect("findings")
    };
    assert_eq!(
        ask(mails, tree, false),
        found,
        "{}: a part of the tree",
        case.title
    );
    assert_eq!(
        ask(mails, tree, true),
        found,
        "{}: the whole tree",
        case.title
    );
    assert_eq!(
        ask(mails, &applied, false),
        found,
        "{}: applied already",
        case.title
    );
    let mut messages = case.patches.values().map(|patch| &patch.message);
    let message = messages.next().expect("a patch");
    if messages.all(|other| other == message) {
        let one = [mail(&case.title, message, before, after)];
        let squashed = ask(&one, tree, false);
        // That a new event was bare for a while is of the series alone, as is what did not
        // build for a while.
        let was_bare: BTreeSet<_> = found
            .iter()
            .filter(|one| one.rule == "promotion" && is_new(one))
            .map(|one| &one.place)
            .collect();
        let shown = |all: &[Finding]| -> Vec<String> {
            let is_of_both = |one: &&Finding| {
                let is_leak = ["promotion", "event-in-zone"].contains(&one.rule);
                !(one.passing || is_leak && was_bare.contains(&one.place))
            };
            all.iter().filter(is_of_both).map(shown).collect()
        };
        assert_eq!(shown(&squashed), shown(found), "{}: squashed", case.title);
    }
}

/// Whether a finding is of a rule about what does not build.
fn breaks(finding: &Finding) -> bool {
    let rule = RULES.iter().find(|rule| rule.id == finding.rule);
    rule.is_some_and(|rule| matches!(rule.counts, Counts::InEachState(_)))
}

fn matches(expected: &Expected, found: &Finding) -> bool {
    expected.rule == found.rule
        && expected.level == found.level.to_string()
        && expected.file == found.place.file
        && expected.line.is_none_or(|line| line == found.place.line)
        && expected.tracepoint == found.tracepoint
}

fn shown(finding: &Finding) -> String {
    format!(
        "{} {} {}:{} {} # {}",
        finding.level,
        finding.rule,
        finding.place.file,
        finding.place.line,
        finding.tracepoint.as_deref().unwrap_or("-"),
        finding.message
    )
}

fn position(id: &str) -> Option<usize> {
    RULES.iter().position(|rule| rule.id == id)
}

/// Whether a case of the rule `of` has to expect what another rule finds: a leak
/// always, and an error if its rule stands above in the catalogue. That a new hook of
/// some case has no comment is beside the point, and so is that the callers of one that
/// was promoted have to follow.
fn concerns(of: &str, found: &Finding) -> bool {
    let is_leak = position(found.rule) < position("suffix");
    found.rule == of
        || is_leak
        || found.level == Level::Error && position(found.rule) < position(of)
}

/// What is wrong with the findings of a case of the rule `of`: missing ones and noisy
/// ones.
fn wrong(of: &str, case: &Case) -> Vec<String> {
    let found = found(case);
    let mut left: Vec<&Finding> = found.iter().collect();
    let mut wrong = Vec::new();
    for expected in &case.expected {
        match left.iter().position(|finding| matches(expected, finding)) {
            Some(at) => drop(left.remove(at)),
            None => wrong.push(format!("missing: {expected:?}")),
        }
    }
    wrong.extend(
        left.iter()
            .filter(|finding| concerns(of, finding))
            .map(|finding| format!("noisy: {}", shown(finding))),
    );
    wrong
}

#[test]
fn every_rule_over_every_case() {
    let only = std::env::var("BAREPOINT_RULE").ok();
    let mut failures = Vec::new();
    let mut cases = 0;
    for rule in RULES
        .iter()
        .filter(|rule| only.as_deref().is_none_or(|only| only == rule.id))
    {
        let page = match Page::parse(rule.id, rule.page) {
            Ok(page) => page,
            Err(error) => {
                failures.push(format!("{error:#}"));
                continue;
            }
        };
        assert_eq!(
            page.level, rule.level,
            "{}: level of page and list",
            rule.id
        );
        for case in page.bad.iter().chain(&page.good) {
            cases += 1;
            for wrong in wrong(rule.id, case) {
                failures.push(format!("{}: {}: {wrong}", rule.id, case.title));
            }
        }
    }
    assert!(cases > 0, "BAREPOINT_RULE: there is no rule {only:?}");
    assert!(
        failures.is_empty(),
        "{cases} cases\n{}",
        failures.join("\n")
    );
}
