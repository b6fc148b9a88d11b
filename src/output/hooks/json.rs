// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The report as JSON (schema 1).

use super::{Hooks, words};
use crate::consumers::Use;
use crate::history::{Since, Step, Turn};
use crate::inventory::snapshot::Export;
use crate::output::exact;
use crate::report::{Evidence, Judgement, Kind};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes it.
///
/// # Errors
/// `out` fails.
pub fn write(out: &mut dyn Write, report: &Hooks<'_>) -> io::Result<()> {
    let thresholds = report.thresholds;
    let hooks: Vec<Value> = report
        .hooks
        .iter()
        .map(|(one, judged)| hook(one, judged))
        .collect();
    let document = json!({
        "schema": 1,
        "tree": { "path": report.tree.path, "version": report.tree.version },
        "consumers": report.consumers,
        "history": { "source": report.history.source, "releases": report.history.releases },
        "thresholds": {
            "promote_consumers": thresholds.promote_consumers,
            "promote_releases": thresholds.promote_releases,
            "retire_releases": thresholds.retire_releases,
        },
        "formula": thresholds.formula(),
        "hooks": hooks,
    });
    exact::compact(out, &document)?;
    writeln!(out)
}

fn hook(evidence: &Evidence, judgement: &Judgement) -> Value {
    let consumers = |uses: &[Use]| Evidence::consumers(uses).len();
    json!({
        "name": evidence.name,
        "verdict": judgement.verdict.name(),
        "reasons": judgement.reasons,
        "missing": judgement.missing,
        "evidence": {
            "file": evidence.file,
            "line": evidence.line,
            "export": evidence.export.map(Export::name),
            "calls": evidence.calls.iter().map(|call| json!({
                "file": call.file, "line": call.line, "function": call.function,
            })).collect::<Vec<_>>(),
            "context": evidence.context,
            "arguments": evidence.arguments.iter().map(|one| json!({
                "declared": one.declared,
                "kind": kind(&one.kind).0,
                "defined": kind(&one.kind).1,
            })).collect::<Vec<_>>(),
            "overlaps": evidence.overlaps,
            "in_kernel": evidence.in_kernel.iter().map(used).collect::<Vec<_>>(),
            "outside": evidence.outside.as_ref().map(|all| all.iter().map(used).collect::<Vec<_>>()),
            "gated": evidence.gated.iter().map(used).collect::<Vec<_>>(),
            "consumers_in_kernel": consumers(&evidence.in_kernel),
            "consumers_outside": evidence.outside.as_deref().map(consumers),
            "since": evidence.life.as_ref().map(|life| since(&life.since)),
            "releases": evidence.releases,
            "stable_releases": evidence.stable_releases,
            "changes": evidence.life.as_ref().map(|life| {
                life.steps.iter().map(step).collect::<Vec<_>>()
            }),
        },
    })
}

fn kind(kind: &Kind) -> (&'static str, Option<&str>) {
    match kind {
        Kind::Scalar => ("scalar", None),
        Kind::Text => ("text", None),
        Kind::Public(file) => ("public", Some(file)),
        Kind::Private(file) => ("private", Some(file)),
        Kind::Unknown => ("unknown", None),
    }
}

fn used(one: &Use) -> Value {
    let version = |version: crate::kernel::version::KernelVersion| {
        format!("{}.{}.{}", version.major, version.minor, version.patch)
    };
    json!({
        "consumer": one.consumer,
        "file": one.file,
        "line": one.line,
        "way": one.way.words(),
        "since": one.gate.and_then(|gate| gate.since).map(version),
        "before": one.gate.and_then(|gate| gate.before).map(version),
    })
}

fn since(since: &Since) -> Value {
    match since {
        Since::Release(release) => json!({ "release": release, "exact": true }),
        Since::AtLeast(release) => json!({ "release": release, "exact": false }),
        Since::Unknown => Value::Null,
    }
}

fn step(step: &Step) -> Value {
    let (kind, old, new) = match &step.turn {
        Turn::Name { old, new } => ("name", json!(old), json!(new)),
        Turn::Prototype { old, new } => ("prototype", json!(old), json!(new)),
        Turn::Calls { gone, come } => ("calls", json!(gone), json!(come)),
        Turn::LostEvent => ("visibility", json!("event"), json!("bare")),
    };
    json!({
        "release": step.release,
        "commit": step.commit.as_ref().map(|commit| &commit.id),
        "subject": step.commit.as_ref().map(|commit| &commit.subject),
        "kind": kind,
        "old": old,
        "new": new,
        "text": words::turn(&step.turn),
    })
}
