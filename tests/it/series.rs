// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails of changed files, and a series of them checked within this process, in all the
//! ways that have to say the same.

use barepoint::inventory::resolve::Inventory;
use barepoint::inventory::state::State;
use barepoint::kernel::maintainers::Maintainers;
use barepoint::rules::changes;
use barepoint::rules::engine::{self, Look, check_series};
use barepoint::rules::finding::Finding;
use barepoint::rules::review::{Knowledge, Review};
use barepoint::rules::zones::Zones;
use barepoint::source::Tree;
use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::Series;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Files by path, with their texts; an empty one is not there.
pub type Texts = BTreeMap<String, String>;

/// A mail with the differences between the texts of the same files.
pub fn mail(subject: &str, message: &str, from: &Texts, to: &Texts) -> String {
    mail_with(3, subject, message, from, to)
}

/// The same with so many lines of context.
pub fn mail_with(context: usize, subject: &str, message: &str, from: &Texts, to: &Texts) -> String {
    let mut mail =
        format!("From: A Contributor <contributor@example.org>\nSubject: [PATCH] {subject}\n\n");
    writeln!(mail, "{message}---\n").expect("a string");
    for (path, old) in from {
        let new = &to[path];
        if old == new {
            continue;
        }
        let (a, b) = (format!("a/{path}"), format!("b/{path}"));
        let (a, b) = (
            if old.is_empty() { "/dev/null" } else { &a },
            if new.is_empty() { "/dev/null" } else { &b },
        );
        writeln!(mail, "diff --git a/{path} b/{path}").expect("a string");
        if old.is_empty() {
            mail.push_str("new file mode 100644\n");
        }
        if new.is_empty() {
            mail.push_str("deleted file mode 100644\n");
        }
        let diff = TextDiff::from_lines(old, new);
        let mut hunks = diff.unified_diff();
        write!(mail, "{}", hunks.context_radius(context).header(a, b)).expect("a string");
    }
    mail.push_str("-- \n2.47.0\n\n");
    mail
}

/// What all rules say of `mails` as one series for `tree`, whose state is `first`. A look
/// at everything finds no more than one at what the series affects.
pub fn findings(
    tree: &dyn Tree,
    first: &State,
    mails: &[String],
    zones: &Zones,
    title: &str,
) -> Vec<Finding> {
    let found = at_a_look(tree, first, mails, zones, title, Look::Affected);
    let everything = at_a_look(tree, first, mails, zones, title, Look::Everything);
    assert_eq!(found, everything, "{title}: a look at everything");
    found
}

/// The same, of one look. Each state that the mails lead to has the inventory that its
/// facts make.
pub fn at_a_look(
    tree: &dyn Tree,
    first: &State,
    mails: &[String],
    zones: &Zones,
    title: &str,
    look: Look,
) -> Vec<Finding> {
    let mut patches = Vec::new();
    for mail in mails {
        let loaded = load_bytes("case.patch", mail.as_bytes());
        assert!(
            loaded.problems.is_empty(),
            "{title}: {:?}\n{mail}",
            loaded.problems
        );
        patches.extend(loaded.patches);
    }
    let series = Series::resolve(patches, Some(tree), None);
    assert!(series.problems.is_empty(), "{title}: {:?}", series.problems);
    let subject = engine::Subject {
        series: &series,
        tree: Some(tree),
    };
    let before = OverlayTree::after(Some(tree), &series, 0);
    let first = first.after(&changes::before(&series), Some(&before));
    let states = engine::states(first.expect("a state"), &subject).expect("states");
    for (count, state) in states.iter().enumerate() {
        let joined = Inventory::of(&state.facts, &state.semantics);
        assert!(
            *state.inventory == joined,
            "{title}: after {count} patches the inventory is not that of the facts"
        );
    }
    let text = before.read("MAINTAINERS").expect("readable");
    let maintainers = Maintainers::parse(&String::from_utf8_lossy(&text.unwrap_or_default()));
    let introduced = |path: &str, line: u32| {
        let (step, _) = series.introduced(path, line)?;
        series.steps.get(step).map(|step| step.patch)
    };
    let review = Review {
        states: &states,
        patches: &series.patches,
        zones,
        maintainers: &maintainers,
        knowledge: Knowledge::Whole,
        introduced: &introduced,
    };
    check_series(&review, &subject, look)
}
