// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Evidence in words that all shapes of the report share.

use crate::consumers::{Gate, Use};
use crate::history::{Since, Step, Turn};
use crate::report::{Argument, Evidence, Kind};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;

/// Since when there is something.
pub(super) fn since(since: &Since) -> String {
    match since {
        Since::Release(Some(release)) => release.clone(),
        Since::Release(None) => "not released".to_owned(),
        Since::AtLeast(release) => format!("<= {release}"),
        Since::Unknown => "?".to_owned(),
    }
}

/// How many consumers: in the kernel + outside of it.
pub(super) fn consumers(evidence: &Evidence) -> String {
    let inside = Evidence::consumers(&evidence.in_kernel).len();
    let outside = evidence.outside.as_deref().map(Evidence::consumers);
    match outside {
        Some(outside) => format!("{inside} + {}", outside.len()),
        None => format!("{inside} + ?"),
    }
}

/// The uses by consumer, each with places and ways.
pub(super) fn uses(uses: &[Use]) -> Vec<String> {
    let mut by_consumer: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for one in uses {
        by_consumer.entry(&one.consumer).or_default().push(one);
    }
    by_consumer
        .into_iter()
        .map(|(consumer, uses)| {
            let places: Vec<String> = uses.into_iter().map(place).collect();
            format!("{consumer}: {}", places.join("; "))
        })
        .collect()
}

fn place(one: &Use) -> String {
    let gate = one.gate.map(gate).unwrap_or_default();
    format!("{}:{}, {}{gate}", one.file, one.line, one.way.words())
}

fn gate(gate: Gate) -> String {
    let version = |version: crate::kernel::version::KernelVersion| {
        format!("{}.{}", version.major, version.minor)
    };
    match (gate.since.map(version), gate.before.map(version)) {
        (Some(since), Some(before)) => format!(" (from {since}, before {before})"),
        (Some(since), None) => format!(" (from {since})"),
        (None, Some(before)) => format!(" (before {before})"),
        (None, None) => String::new(),
    }
}

/// What an event would freeze by one argument.
pub(super) fn frozen(argument: &Argument) -> String {
    let what = match &argument.kind {
        Kind::Scalar => "a number".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Public(file) => format!("a structure of {file}"),
        Kind::Private(file) => format!("private to {file}"),
        Kind::Unknown => "not known what it is".to_owned(),
    };
    format!("{}: {what}", argument.declared)
}

/// A step of a hook's past.
pub(super) fn step(step: &Step) -> String {
    let release = step.release.as_deref().unwrap_or("not released");
    let commit = match &step.commit {
        Some(commit) => format!(" ({} \"{}\")", commit.id, commit.subject),
        None => String::new(),
    };
    format!("{release}: {}{commit}", turn(&step.turn))
}

/// What changed.
pub(super) fn turn(turn: &Turn) -> String {
    match turn {
        Turn::Name { old, new } => format!("renamed, {old} -> {new}"),
        Turn::Prototype {
            old: Some(old),
            new: Some(new),
        } => format!("arguments, {}", changed(old, new)),
        Turn::Prototype { old, new } => {
            let of = old.as_ref().or(new.as_ref());
            let text = of.map(|all| all.join(", ")).unwrap_or_default();
            let what = if old.is_none() { "came" } else { "went" };
            format!("a variant {what}, ({text})")
        }
        Turn::Calls { gone, come } => {
            let named = |functions: &[String], sign: &str| {
                let named = functions.iter().map(|name| format!("{sign}{name}"));
                named.collect::<Vec<_>>().join(" ")
            };
            let both = [named(gone, "-"), named(come, "+")];
            let both: Vec<_> = both.into_iter().filter(|one| !one.is_empty()).collect();
            format!("called from {}", both.join(" "))
        }
        Turn::LostEvent => "was a trace event".to_owned(),
    }
}

/// Arguments with what went in `[-…-]` and what came in `{+…+}`, as git's word diff.
fn changed(old: &[String], new: &[String]) -> String {
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&old, &new);
    let words = diff.iter_all_changes().map(|change| match change.tag() {
        ChangeTag::Equal => change.value().to_owned(),
        ChangeTag::Delete => format!("[-{}-]", change.value()),
        ChangeTag::Insert => format!("{{+{}+}}", change.value()),
    });
    format!("({})", words.collect::<Vec<_>>().join(", "))
}

/// How often name, arguments and callers changed.
pub(super) fn changes(evidence: &Evidence) -> String {
    let Some(life) = &evidence.life else {
        return "?".to_owned();
    };
    let names = life.count(|turn| matches!(turn, Turn::Name { .. }));
    let prototypes = life.count(|turn| matches!(turn, Turn::Prototype { .. }));
    let calls = life.count(|turn| matches!(turn, Turn::Calls { .. }));
    format!("{names}/{prototypes}/{calls}")
}
