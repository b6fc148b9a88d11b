// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! An export of a tracepoint that does not exist.

use super::finding::{Finding, Fix, Level};
use super::review::{Sight, place};
use crate::inventory::facts::Export;

/// Looks at every export. `EXPORT_TRACEPOINT_SYMBOL()` exports two symbols of which
/// the linker would find neither.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, facts) in sight.state.facts.iter() {
        for export in &facts.exports {
            if sight.state.inventory.contains(&export.name) {
                continue;
            }
            let nearly = super::undeclared_call::nearly(&sight.state.inventory, &export.name);
            found.push(finding(file, export, nearly));
        }
    }
    found
}

/// `nearly` is the name that was meant, if only the `_tp` is wrong.
fn finding(file: &str, export: &Export, nearly: Option<String>) -> Finding {
    let meant = nearly.iter().map(|name| format!("; {name} is"));
    Finding {
        rule: "dangling-export",
        level: Level::Error,
        tracepoint: Some(export.name.to_string()),
        place: place(file, export.at),
        message: format!(
            "{} is exported, but is no tracepoint{}",
            export.name,
            meant.collect::<String>()
        ),
        related: Vec::new(),
        patch: None,
        fix: nearly.map(|new| Fix {
            old: export.name.to_string(),
            new,
        }),
        approval: None,
        passing: false,
    }
}
