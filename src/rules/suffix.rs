// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The `_tp` at the end of a bare tracepoint's name.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use crate::inventory::resolve::Tracepoint;

/// What bare tracepoints end with. Since 6.16 `DECLARE_TRACE()` puts it there
/// itself (include/linux/tracepoint.h).
const SUFFIX: &str = "_tp";

/// Looks at the bare tracepoints that the tracing core's own macros make; a
/// wrapper has its own customs, such as Android's `android_vh_`.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight.state.inventory.tracepoints.iter();
    bare.filter(|one| one.is_bare() && one.declaration.via.is_empty())
        .filter_map(|one| Some(finding(one, wrong(one, sight)?)))
        .collect()
}

/// What is wrong with the name.
fn wrong(tracepoint: &Tracepoint, sight: &Sight<'_>) -> Option<String> {
    let framework = &tracepoint.declaration.framework;
    let effect = sight.state.semantics.effect(framework)?;
    let appends = effect.tracepoint.as_ref()?.suffix == SUFFIX;
    let name = tracepoint.name();
    let short = name.strip_suffix(SUFFIX);
    match short {
        None => Some(format!(
            "bare tracepoint {name} has no {SUFFIX} at its end, and {framework}() appends none"
        )),
        Some(short) if short.ends_with(SUFFIX) => Some(if appends {
            format!("bare tracepoint {name} has {SUFFIX} twice: {framework}() appends it")
        } else {
            format!("bare tracepoint {name} has {SUFFIX} twice")
        }),
        Some(_) => None,
    }
}

fn finding(tracepoint: &Tracepoint, message: String) -> Finding {
    Finding {
        rule: "suffix",
        level: Level::Warning,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: declared_at(tracepoint),
        message,
        related: Vec::new(),
        patch: None,
    }
}
