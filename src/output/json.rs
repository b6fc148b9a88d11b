// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings as JSON, schema 1.

use super::exact;
use super::list::TreeName;
use super::report::{Entry, Report, Subject};
use super::status::Counts;
use crate::rules::finding::{Approval, Level, Related};
use crate::verify::summary::Verified;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: Tool,
    tree: Option<&'a TreeName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    complete: bool,
    findings: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    vanished: &'a [String],
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<&'a Verified>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Item<'a> {
    rule: &'a str,
    level: Level,
    tracepoint: Option<&'a str>,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    patch: Option<&'a str>,
    related: Vec<Other<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Claim<'a>>,
}

/// An approval, as a trailer claims it.
#[derive(Serialize)]
struct Claim<'a> {
    trailer: &'a str,
    address: &'a str,
    /// Whether anybody has asked the owner of the address. A trailer cannot tell.
    verified: bool,
}

#[derive(Serialize)]
struct Other<'a> {
    file: &'a str,
    line: u32,
    message: &'a str,
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

fn item<'a>(subject: &'a Subject, entry: &'a Entry) -> Item<'a> {
    let finding = &entry.finding;
    Item {
        rule: finding.rule,
        level: finding.level,
        tracepoint: finding.tracepoint.as_deref(),
        file: &finding.place.file,
        line: finding.place.line,
        column: finding.place.column,
        message: &finding.message,
        patch: finding.patch.map(|_| subject.name.as_str()),
        related: finding.related.iter().map(other).collect(),
        fix: entry.mended(),
        approval: finding.approval.as_ref().map(claim),
    }
}

fn claim(approval: &Approval) -> Claim<'_> {
    Claim {
        trailer: &approval.trailer,
        address: &approval.address,
        verified: false,
    }
}

fn other(related: &Related) -> Other<'_> {
    Other {
        file: &related.place.file,
        line: related.place.line,
        message: &related.message,
    }
}

/// Writes one JSON document and a newline.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    let mut findings: Vec<(&Subject, &Entry)> = report
        .subjects
        .iter()
        .flat_map(|subject| subject.findings.iter().map(move |entry| (subject, entry)))
        .collect();
    findings.sort_by(|(_, a), (_, b)| a.finding.order().cmp(&b.finding.order()));
    let document = Document {
        schema: 1,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        tree: report.tree.as_ref(),
        profile: report.profile.as_deref(),
        complete: !report.is_incomplete(),
        findings: findings
            .into_iter()
            .map(|(subject, entry)| item(subject, entry))
            .collect(),
        vanished: &report.vanished,
        summary: Summary {
            errors: counts.errors,
            warnings: counts.warnings,
            notes: counts.notes,
        },
        verified: report.verified.as_ref(),
    };
    exact::pretty(out, &document)?;
    writeln!(out)
}
