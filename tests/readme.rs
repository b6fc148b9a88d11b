// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! README.md, the pages and the catalogue name the same rules.

use barepoint::rules::RULES;
use barepoint::rules::page::Page;

#[test]
fn the_table_of_rules_is_that_of_the_pages() {
    let readme = include_str!("../README.md");
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
