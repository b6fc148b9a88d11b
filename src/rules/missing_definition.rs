// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint that no translation unit makes.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use crate::inventory::definitions::is_trace_header;

/// Looks at every tracepoint. Where texts are not known, only at those of headers
/// that the series brings: who makes those of others is not to be seen.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let all = sight.state.inventory.tracepoints.iter();
    all.filter(|one| one.definitions.is_empty() && sight.knows_all_of(&one.file))
        .map(|one| Finding {
            rule: "missing-definition",
            level: Level::Error,
            tracepoint: Some(one.name().to_owned()),
            place: declared_at(one),
            message: format!(
                "nothing makes tracepoint {}: {}, and there is no DEFINE_TRACE()",
                one.name(),
                why(sight, &one.file)
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        })
        .collect()
}

/// Why no include of a header makes what it declares.
fn why(sight: &Sight<'_>, header: &str) -> String {
    let facts = sight.state.facts.get(header);
    let reads_again = facts.is_none_or(|facts| is_trace_header(facts));
    if reads_again {
        format!("no file includes {header} with CREATE_TRACE_POINTS")
    } else {
        format!("{header} does not include trace/define_trace.h")
    }
}
