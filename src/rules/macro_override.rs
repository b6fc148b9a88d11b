// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A macro of the tracing core that is made to make events.

use super::finding::{Finding, Level};
use super::review::{Sight, place};

/// Stubs, which make less than the original, are fine: drivers have them for
/// kernels without their tracepoints.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, facts) in sight.state.facts.iter() {
        for one in &facts.overrides {
            let original = sight.state.semantics.effect(&one.name);
            if !one.makes.event || original.is_none_or(|effect| effect.event.is_some()) {
                continue;
            }
            found.push(Finding {
                rule: "macro-override",
                level: Level::Error,
                tracepoint: None,
                place: place(file, one.at),
                message: format!("{}() is redefined to make trace events", one.name),
                related: Vec::new(),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            });
        }
    }
    found
}
