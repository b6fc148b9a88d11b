// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint that no translation unit makes.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};

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
                "nothing makes tracepoint {}: no file includes {} with CREATE_TRACE_POINTS, and there is no DEFINE_TRACE()",
                one.name(), one.file
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
        })
        .collect()
}
