// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint that several translation units of one kernel make.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at, related};
use super::sites::text_of;
use crate::inventory::resolve::{Site, Tracepoint, can_be_built_together};
use crate::kernel::kbuild;
use crate::syntax::conditions::Condition;

/// Compares the definitions of each tracepoint in pairs.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let all = sight.state.inventory.tracepoints.iter();
    all.filter_map(|one| {
        let (first, second) = pair(sight, &one.definitions)?;
        let is_touched = |site: &Site| {
            let touched = sight.touched;
            touched.is_some_and(|touched| touched.contains(site.file.as_ref()))
        };
        // The series is charged at a line of its own.
        Some(if is_touched(first) && !is_touched(second) {
            finding(one, second, first)
        } else {
            finding(one, first, second)
        })
    })
    .collect()
}

/// Two definitions that end up in one kernel.
fn pair<'s>(sight: &Sight<'_>, sites: &'s [Site]) -> Option<(&'s Site, &'s Site)> {
    sites.iter().enumerate().find_map(|(index, second)| {
        let first = sites[..index]
            .iter()
            .find(|first| together(sight, first, second))?;
        Some((first, second))
    })
}

fn together(sight: &Sight<'_>, a: &Site, b: &Site) -> bool {
    let read = |path: &str| text_of(sight, path);
    can_be_built_together(&a.file, &b.file)
        && !is_generic_and_own(&a.file, &b.file)
        && !condition(sight, a).is_exclusive_with(&condition(sight, b))
        && (a.file == b.file || !kbuild::are_alternatives(&a.file, &b.file, &read))
}

/// An architecture that does not take the generic code, such as kernel/entry, has
/// its own in its place; which do is up to Kconfig's `select`.
fn is_generic_and_own(a: &str, b: &str) -> bool {
    a.starts_with("arch/") != b.starts_with("arch/")
}

/// Under which `#if`s a file makes its tracepoints at `site`.
fn condition(sight: &Sight<'_>, site: &Site) -> Condition {
    let Some(facts) = sight.state.facts.get(&site.file) else {
        return Condition::default();
    };
    let include = facts.includes.iter().find(|one| one.at == site.at);
    let definition = facts.definitions.iter().find(|one| one.at == site.at);
    include
        .map(|one| one.condition.clone())
        .or_else(|| definition.map(|one| one.condition.clone()))
        .unwrap_or_default()
}

fn finding(tracepoint: &Tracepoint, first: &Site, second: &Site) -> Finding {
    Finding {
        rule: "multiple-definition",
        level: Level::Error,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: second.into(),
        message: format!("tracepoint {} is made a second time", tracepoint.name()),
        related: vec![
            related(first.into(), "it is made here, too"),
            related(declared_at(tracepoint), "it is declared here"),
        ],
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}
