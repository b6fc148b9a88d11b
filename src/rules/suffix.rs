// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The `_tp` at the end of a bare tracepoint's name.

use super::finding::{Finding, Fix, Level};
use super::review::{Sight, declared_at};
use crate::inventory::resolve::Tracepoint;

/// What bare tracepoints end with. Since 6.16 `DECLARE_TRACE()` puts it there
/// itself (include/linux/tracepoint.h).
pub(super) const SUFFIX: &str = "_tp";

/// What `name` is called with the suffix, and without it if it has it.
pub(super) fn with_and_without(name: &str) -> impl Iterator<Item = Box<str>> {
    let without = name.strip_suffix(SUFFIX).map(Box::from);
    [format!("{name}{SUFFIX}").into_boxed_str()]
        .into_iter()
        .chain(without)
}

/// Looks at the bare tracepoints that the tracing core's own macros make; a
/// wrapper has its own customs, such as Android's `android_vh_`.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight.state.inventory.tracepoints.iter();
    bare.filter(|one| one.is_bare() && one.declaration.via.is_empty())
        .filter_map(|one| Some(finding(one, wrong(one, sight)?)))
        .collect()
}

/// What is wrong with the name, and how it is mended in the source.
fn wrong(tracepoint: &Tracepoint, sight: &Sight<'_>) -> Option<(String, Fix)> {
    let framework = &tracepoint.declaration.framework;
    let effect = sight.state.semantics.effect(framework)?;
    let appends = effect.tracepoint.as_ref()?.suffix == SUFFIX;
    let name = tracepoint.name();
    let written = if appends {
        name.strip_suffix(SUFFIX)?
    } else {
        name
    };
    let fix = |new: String| Fix {
        old: written.to_owned(),
        new,
    };
    match name.strip_suffix(SUFFIX) {
        None => Some((
            format!(
                "bare tracepoint {name} has no {SUFFIX} at its end, and {framework}() appends none"
            ),
            fix(format!("{name}{SUFFIX}")),
        )),
        Some(short) if short.ends_with(SUFFIX) => {
            let by = if appends {
                format!(": {framework}() appends it")
            } else {
                String::new()
            };
            let message = format!("bare tracepoint {name} has {SUFFIX} twice{by}");
            Some((message, fix(written.strip_suffix(SUFFIX)?.to_owned())))
        }
        Some(_) => None,
    }
}

fn finding(tracepoint: &Tracepoint, (message, fix): (String, Fix)) -> Finding {
    Finding {
        rule: "suffix",
        level: Level::Warning,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: declared_at(tracepoint),
        message,
        related: Vec::new(),
        patch: None,
        fix: Some(fix),
        approval: None,
        passing: false,
    }
}
