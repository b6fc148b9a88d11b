// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A custom trace event on a bare tracepoint.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at, place, related};

/// `TRACE_CUSTOM_EVENT()` and `DEFINE_CUSTOM_EVENT()` give an existing
/// tracepoint one more event (include/trace/trace_custom_events.h), and so does a
/// `struct trace_event_call` that is written by hand.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let inventory = &sight.state.inventory;
    let bare = inventory.bare_names();
    let mut found = Vec::new();
    for (file, facts) in sight.state.facts.iter() {
        for custom in facts
            .custom_events
            .iter()
            .filter(|one| bare.contains(one.tracepoint.as_ref()))
        {
            let hook = inventory.named(&custom.tracepoint).next();
            found.push(Finding {
                rule: "custom-event",
                level: Level::Error,
                tracepoint: Some(custom.tracepoint.to_string()),
                place: place(file, custom.at),
                message: format!(
                    "custom trace event on the bare tracepoint {}",
                    custom.tracepoint
                ),
                related: hook
                    .map(|hook| related(declared_at(hook), "the bare tracepoint is declared here"))
                    .into_iter()
                    .collect(),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            });
        }
    }
    found
}
