// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings as a code quality report of GitLab.

use super::exact;
use super::fingerprint::Fingerprints;
use super::printable;
use super::problems::{MOST_LISTED, Told};
use super::report::{Entry, Report};
use crate::rules::finding::Level;
use crate::source::patch::Problem;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Item<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes the list of findings. What could not be checked is in it, too: an empty
/// list says that all is well.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut prints = Fingerprints::default();
    let findings = report.entries().map(|entry| item(entry, prints.of(entry)));
    let mut items: Vec<Item<'_>> = findings.collect();
    let told = Told::of(&report.problems, MOST_LISTED);
    items.extend(told.problems.iter().copied().map(unchecked));
    items.extend(told.rest.zip(told.more()).map(|(first, more)| Item {
        description: more,
        ..unchecked(first)
    }));
    exact::pretty(out, &items)?;
    writeln!(out)
}

fn item(entry: &Entry, fingerprint: String) -> Item<'_> {
    let finding = &entry.finding;
    Item {
        description: printable(&finding.message).into_owned(),
        check_name: finding.rule,
        fingerprint,
        severity: match finding.level {
            Level::Error => "critical",
            Level::Warning => "minor",
            Level::Note => "info",
        },
        location: Location {
            path: &finding.place.file,
            lines: Lines {
                begin: finding.place.line,
            },
        },
    }
}

fn unchecked(problem: &Problem) -> Item<'_> {
    Item {
        description: printable(&problem.message).into_owned(),
        check_name: "not-checked",
        fingerprint: format!("not-checked {problem}"),
        severity: "blocker",
        location: Location {
            path: &problem.input,
            lines: Lines {
                begin: problem.line.unwrap_or(1),
            },
        },
    }
}
