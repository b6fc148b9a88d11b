// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint that no code calls.

use super::finding::{Finding, Level};
use super::review::{Knowledge, Sight, declared_at};

/// Looks at every tracepoint. A profile knows no call sites: there, only what the
/// series itself declares can be judged.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let named = sight.state.inventory.by_name();
    named
        .filter(|named| named.iter().all(|one| one.call_sites.is_empty()))
        .flatten()
        .filter(|one| sight.knowledge != Knowledge::Profile || sight.is_new(one.name()))
        .map(|one| Finding {
            rule: "never-called",
            level: Level::Warning,
            tracepoint: Some(one.name().to_owned()),
            place: declared_at(one),
            message: format!("tracepoint {} is declared, but never called", one.name()),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        })
        .collect()
}
