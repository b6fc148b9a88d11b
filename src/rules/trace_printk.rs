// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Debugging output of the trace_printk family in a zone's code.

use super::finding::{Finding, Level};
use super::review::{Sight, place};
use crate::inventory::facts::Use;

/// The family (include/linux/trace_printk.h, include/linux/trace.h).
pub(super) const FAMILY: [&str; 14] = [
    "trace_printk",
    "__trace_printk",
    "__trace_bprintk",
    "trace_puts",
    "__trace_puts",
    "__trace_bputs",
    "ftrace_vprintk",
    "__ftrace_vprintk",
    "__ftrace_vbprintk",
    "trace_dump_stack",
    "trace_array_printk",
    "trace_array_vprintk",
    "__trace_array_puts",
    "trace_array_puts",
];

/// Every call and every pointer counts, also inside macros.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, facts) in sight.files() {
        let Some(zone) = sight.zones.of(file) else {
            continue;
        };
        for mention in &facts.mentions {
            if mention.usage == Use::Definition || !FAMILY.contains(&mention.identifier.as_ref()) {
                continue;
            }
            let function = mention
                .function
                .as_deref()
                .map_or_else(String::new, |name| format!(" in {name}()"));
            found.push(Finding {
                rule: "trace-printk",
                level: Level::Error,
                tracepoint: None,
                place: place(file, mention.at),
                message: format!("{}(){function} in zone {}", mention.identifier, zone.name),
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
