// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that BPF reaches, where only modules may.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use super::zones::Visibility;

/// Headers read through include/trace/define_trace.h get an entry in the map of
/// BPF raw tracepoints (include/trace/bpf_probe.h), bare or not.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight
        .state
        .inventory
        .tracepoints
        .iter()
        .filter(|one| one.is_bare() && one.bpf);
    bare.filter_map(|hook| {
        let zone = sight.zones.of(&hook.file)?;
        (zone.visibility == Visibility::Module).then(|| Finding {
            rule: "bpf-visible",
            level: Level::Warning,
            tracepoint: Some(hook.name().to_owned()),
            place: declared_at(hook),
            message: format!(
                "BPF programs can attach to {}, but hooks of zone {} are for modules only",
                hook.name(),
                zone.name
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        })
    })
    .collect()
}
