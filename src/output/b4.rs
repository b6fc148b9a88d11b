// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings as the JSON list that `b4 review` reads from its check commands.
//!
//! b4 looks at neither the exit status nor standard error once there is JSON, so
//! that what could not be checked has to be said in it.

use super::exact;
use super::human::counted;
use super::printable;
use super::problems::{MOST_LISTED, Told};
use super::report::{Entry, Report};
use super::status::Counts;
use crate::rules::finding::Level;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Check {
    tool: &'static str,
    status: &'static str,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
}

/// One line of the details, which are JSON in a string.
#[derive(Serialize)]
struct Detail {
    status: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    srcline: Option<String>,
}

/// Writes one check, or an empty list if nothing was there to be checked.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report, strict: bool) -> io::Result<()> {
    let checks: Vec<Check> = check(report, strict)?.into_iter().collect();
    exact::pretty(out, &checks)?;
    writeln!(out)
}

fn check(report: &Report, strict: bool) -> io::Result<Option<Check>> {
    let findings = report.entries().map(|entry| detail(entry, strict));
    let told = Told::of(&report.problems, MOST_LISTED);
    let problems = told.lines().map(|problem| Detail {
        status: "fail",
        description: format!("could not check: {}", printable(&problem)),
        srcline: None,
    });
    let details: Vec<Detail> = findings.chain(problems).collect();
    if details.is_empty() && report.subjects.is_empty() {
        return Ok(None);
    }
    let worst = ["fail", "warn"]
        .into_iter()
        .find(|status| details.iter().any(|detail| detail.status == *status));
    Ok(Some(Check {
        tool: env!("CARGO_PKG_NAME"),
        status: worst.unwrap_or("pass"),
        summary: summary(report),
        details: match details.as_slice() {
            [] => None,
            some => Some(exact::string(some)?),
        },
    }))
}

fn detail(entry: &Entry, strict: bool) -> Detail {
    let found = &entry.finding;
    Detail {
        status: match found.level {
            Level::Error => "fail",
            Level::Warning if strict => "fail",
            Level::Warning => "warn",
            Level::Note => "pass",
        },
        description: format!(
            "{}:{}: {}[{}]: {}",
            printable(&found.place.file),
            found.place.line,
            found.level,
            found.rule,
            printable(&found.message)
        ),
        srcline: entry
            .shown
            .as_ref()
            .map(|shown| printable(&shown.text).into_owned()),
    }
}

fn summary(report: &Report) -> String {
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    let mut parts = Vec::new();
    if report.is_incomplete() {
        parts.push("could not check all".to_owned());
    }
    if counts.is_clean() {
        if !report.is_incomplete() {
            parts.push("no bare tracepoint leaks".to_owned());
        }
    } else {
        parts.push(format!(
            "{}, {}",
            counted(counts.errors, "error"),
            counted(counts.warnings, "warning")
        ));
    }
    parts.join("; ")
}
