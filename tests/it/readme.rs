// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! README.md, the pages, the list in the code and the design's catalogue name the
//! same rules.

use crate::workplace::{Workplace, finished, text};
use barepoint::rules::RULES;
use barepoint::rules::page::Page;

#[test]
fn the_table_of_rules_is_that_of_the_pages() {
    let readme = include_str!("../../README.md");
    let rows: Vec<String> = RULES
        .iter()
        .map(|rule| {
            let page = Page::parse(rule.id, rule.page).expect("a page");
            format!("| `{}` | {} | {} |", rule.id, page.level, page.summary)
        })
        .collect();
    let expected = rows.join("\n");
    assert!(
        readme.contains(&expected),
        "README.md should have\n{expected}"
    );
}

/// What README.md shows of a command is what it prints.
#[test]
fn the_list_of_things_to_do_is_what_is_printed() {
    let readme = include_str!("../../README.md");
    let command = "diff 6.1 6.12 --consumers tests/fixtures/consumers/porting";
    let arguments: Vec<&str> = command.split(' ').collect();
    let place = Workplace::empty();
    let mut run = place.barepoint(&arguments);
    let output = finished(run.current_dir(env!("CARGO_MANIFEST_DIR")));
    let shown: String = text(&output.stdout)
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("    {line}\n"),
        })
        .collect();
    let expected = format!("    $ barepoint {command}\n{shown}");
    assert!(
        readme.contains(&expected),
        "README.md should have\n{expected}"
    );
}

/// The ids of the design's catalogue, which are stable: rules may be added to it, and
/// none may go or be renamed.
const CATALOGUE: [&str; 26] = [
    "gate-change",
    "promotion",
    "event-in-zone",
    "event-call-in-zone",
    "name-clash",
    "custom-event",
    "macro-override",
    "relay",
    "trace-printk",
    "userspace-reference",
    "bpf-visible",
    "suffix",
    "undeclared-call",
    "missing-definition",
    "multiple-definition",
    "missing-export",
    "non-gpl-export",
    "dangling-export",
    "never-called",
    "argument-mismatch",
    "too-many-arguments",
    "unguarded-work",
    "call-in-header",
    "uninstrumentable-call",
    "undocumented",
    "comment-lies",
];

#[test]
fn the_list_begins_as_the_catalogue() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids[..CATALOGUE.len()], CATALOGUE);
}

#[test]
fn every_page_is_of_a_rule() {
    let folder = format!("{}/rules", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).expect("rules/") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        if let Some(id) = name.strip_suffix(".md") {
            assert!(
                RULES.iter().any(|rule| rule.id == id),
                "rules/{name} is no rule's page"
            );
        }
    }
}
