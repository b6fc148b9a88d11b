// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! An export of a tracepoint that does not exist.

use super::finding::{Finding, Level};
use super::review::{Sight, place};

/// Looks at every export. `EXPORT_TRACEPOINT_SYMBOL()` exports two symbols of which
/// the linker would find neither.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, facts) in &sight.state.facts {
        for export in &facts.exports {
            if sight.state.inventory.contains(&export.name) {
                continue;
            }
            found.push(Finding {
                rule: "dangling-export",
                level: Level::Error,
                tracepoint: Some(export.name.to_string()),
                place: place(file, export.at),
                message: format!(
                    "{} is exported, but is no tracepoint{}",
                    export.name,
                    meant(sight, &export.name)
                ),
                related: Vec::new(),
                patch: None,
            });
        }
    }
    found
}

/// The name that was meant, if only the `_tp` is wrong.
fn meant(sight: &Sight<'_>, name: &str) -> String {
    match super::undeclared_call::nearly(&sight.state.inventory, name) {
        Some(nearly) => format!("; {nearly} is"),
        None => String::new(),
    }
}
