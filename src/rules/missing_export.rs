// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that no module can attach to by its symbol.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use std::collections::BTreeSet;

/// Looks at every bare tracepoint; of one that is declared twice, the exports count
/// for both.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let inventory = &sight.state.inventory;
    let bare = inventory.tracepoints.iter().filter(|one| one.is_bare());
    let exported = inventory
        .tracepoints
        .iter()
        .filter(|one| !one.exports.is_empty());
    let exported: BTreeSet<&str> = exported.map(|one| one.name()).collect();
    bare.filter(|one| !exported.contains(one.name()))
        .map(|one| Finding {
            rule: "missing-export",
            level: Level::Warning,
            tracepoint: Some(one.name().to_owned()),
            place: declared_at(one),
            message: format!(
                "bare tracepoint {} is not exported, and a module can attach to it only by looking its name up",
                one.name()
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        })
        .collect()
}
