// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings as SARIF 2.1.0, with the rules' pages as their help.

use super::exact;
use super::fingerprint::Fingerprints;
use super::problems::{MOST_LISTED, Told};
use super::report::{Entry, Report, Subject};
use crate::rules::finding::{Level, Place, Related};
use crate::rules::page::Page;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The standard's own, at the place that it gives.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What paths are relative to. It has no place of its own: a report that names the
/// folder of one machine is of no use on another.
const ROOT: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    column_kind: &'static str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    short_description: Text<'static>,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Text<'a>,
    full_description: Text<'a>,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: Level,
    message: OwnText,
}

#[derive(Serialize)]
struct OwnText {
    text: String,
}

#[derive(Serialize)]
struct Base {
    description: Text<'static>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: Level,
    message: OwnText,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<OwnText>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact,
    region: Region<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: u32,
    start_column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Properties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tracepoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
}

/// Writes one log of one run, which ends with `status`.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report, pages: &[Page], status: u8) -> io::Result<()> {
    let mut prints = Fingerprints::default();
    let mut results = Vec::new();
    for subject in &report.subjects {
        for entry in &subject.findings {
            results.push(outcome(subject, entry, pages, prints.of(entry)));
        }
    }
    let base = Base {
        description: Text {
            text: "The root of the kernel tree",
        },
    };
    let run = Run {
        tool: tool(pages),
        invocations: [invocation(report, status)],
        original_uri_base_ids: BTreeMap::from([(ROOT, base)]),
        column_kind: "unicodeCodePoints",
        results,
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    };
    exact::pretty(out, &log)?;
    writeln!(out)
}

fn tool(pages: &[Page]) -> Tool<'_> {
    Tool {
        driver: Driver {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            semantic_version: env!("CARGO_PKG_VERSION"),
            short_description: Text {
                text: env!("CARGO_PKG_DESCRIPTION"),
            },
            rules: pages.iter().map(rule).collect(),
        },
    }
}

fn rule(page: &Page) -> Rule<'_> {
    let why = page.why.trim();
    let fix = page.fix.trim();
    Rule {
        id: page.id,
        short_description: Text {
            text: &page.summary,
        },
        full_description: Text {
            text: why.split("\n\n").next().unwrap_or(why),
        },
        help: Help {
            text: format!("Why\n\n{why}\n\nHow to fix\n\n{fix}\n"),
            markdown: format!("## Why\n\n{why}\n\n## How to fix\n\n{fix}\n"),
        },
        default_configuration: Configuration { level: page.level },
    }
}

fn invocation(report: &Report, status: u8) -> Invocation {
    let told = Told::of(&report.problems, MOST_LISTED);
    let notifications = told.lines().map(|problem| Notification {
        level: Level::Error,
        message: OwnText {
            text: plain(&problem),
        },
    });
    Invocation {
        execution_successful: !report.is_incomplete(),
        exit_code: status,
        tool_execution_notifications: notifications.collect(),
    }
}

fn outcome<'a>(
    subject: &'a Subject,
    entry: &'a Entry,
    pages: &[Page],
    fingerprint: String,
) -> Outcome<'a> {
    let finding = &entry.finding;
    let related = finding.related.iter().enumerate();
    Outcome {
        rule_id: finding.rule,
        rule_index: pages.iter().position(|page| page.id == finding.rule),
        level: finding.level,
        message: OwnText {
            text: plain(&finding.message),
        },
        locations: [Location {
            id: None,
            physical_location: physical(&finding.place, entry.source.as_deref()),
            message: None,
        }],
        related_locations: related
            .map(|(index, other)| elsewhere(index, other))
            .collect(),
        partial_fingerprints: BTreeMap::from([("barepointFinding/v1", fingerprint)]),
        properties: Properties {
            tracepoint: finding.tracepoint.as_deref(),
            patch: finding.patch.map(|_| subject.name.as_str()),
        },
    }
}

fn elsewhere(index: usize, related: &Related) -> Location<'_> {
    Location {
        id: Some(index + 1),
        physical_location: physical(&related.place, None),
        message: Some(OwnText {
            text: plain(&related.message),
        }),
    }
}

fn physical<'a>(place: &Place, source: Option<&'a str>) -> Physical<'a> {
    Physical {
        artifact_location: Artifact {
            uri: uri(&place.file),
            uri_base_id: ROOT,
        },
        region: Region {
            start_line: place.line.max(1),
            start_column: column(place, source),
            snippet: source.map(|text| Text { text }),
        },
    }
}

/// A message in which nothing is a link: `[text](target)` is one even in plain text
/// (SARIF 2.1.0, 3.11.6), unless its brackets are escaped.
fn plain(message: &str) -> String {
    if message.contains("](") {
        message
            .replace('\\', "\\\\")
            .replace('[', "\\[")
            .replace(']', "\\]")
    } else {
        message.to_owned()
    }
}

/// The column in characters; without the line, its bytes have to do.
fn column(place: &Place, source: Option<&str>) -> u32 {
    let bytes = place.column.saturating_sub(1);
    let lead = source.and_then(|source| source.get(..bytes as usize));
    let before = lead.and_then(|lead| u32::try_from(lead.chars().count()).ok());
    before.unwrap_or(bytes).saturating_add(1)
}

/// A path as a relative reference of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped() {
        assert_eq!(
            uri("include/trace/events/sched.h"),
            "include/trace/events/sched.h"
        );
        assert_eq!(uri("a b#c:é%"), "a%20b%23c%3A%C3%A9%25");
    }

    #[test]
    fn columns_are_characters() {
        let place = Place {
            file: String::new(),
            line: 1,
            column: 7,
        };
        assert_eq!(column(&place, Some("/*é*/ x")), 6);
        assert_eq!(column(&place, Some("short")), 7);
        assert_eq!(column(&place, None), 7);
    }
}
