// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that is exported to modules of any licence.

use super::finding::{Finding, Fix, Level, Place};
use super::review::{Sight, declared_at, related};
use std::collections::BTreeMap;

/// Looks at every export of a bare tracepoint, once.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<Place, Finding> = BTreeMap::new();
    for one in sight
        .state
        .inventory
        .tracepoints
        .iter()
        .filter(|one| one.is_bare())
    {
        for (site, _) in one.exports.iter().filter(|(_, gpl)| !gpl) {
            let finding = Finding {
                rule: "non-gpl-export",
                level: Level::Error,
                tracepoint: Some(one.name().to_owned()),
                place: site.into(),
                message: format!("bare tracepoint {} is exported without _GPL", one.name()),
                related: vec![related(declared_at(one), "it is declared here")],
                patch: None,
                fix: Some(Fix {
                    old: "_SYMBOL(".to_owned(),
                    new: "_SYMBOL_GPL(".to_owned(),
                }),
                approval: None,
                passing: false,
            };
            found.entry(site.into()).or_insert(finding);
        }
    }
    found.into_values().collect()
}
