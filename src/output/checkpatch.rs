// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings in the exact shape of the kernel's scripts/checkpatch.pl, for
//! everything that already reads that: b4, editors, bots.

use super::printable;
use super::report::{Entry, Report, Subject};
use super::status::Counts;
use crate::rules::finding::Level;
use anstyle::{AnsiColor, Style};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// checkpatch's options that shape its output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// One line a finding.
    pub terse: bool,
    /// Start with `input:line: `.
    pub emacs: bool,
    /// Start with `file:line: ` of the kernel's file.
    pub showfile: bool,
    /// Name the rule behind the level.
    pub show_types: bool,
    /// How often `-q` was given.
    pub quiet: u8,
    /// Leave out the line that counts.
    pub no_summary: bool,
    /// Print nothing for an input without findings.
    pub mailback: bool,
    /// Show notes, as checks.
    pub strict: bool,
    /// Whether the input is a tree and not a patch.
    pub files: bool,
}

const BLUE: Style = AnsiColor::Blue.on_default();

/// Writes one report for each subject.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report, options: Options) -> io::Result<()> {
    let options = Options {
        // As there, --terse is --emacs and one -q more.
        emacs: options.emacs || options.terse,
        quiet: options.quiet.saturating_add(u8::from(options.terse)),
        ..options
    };
    let mut clean = true;
    for subject in &report.subjects {
        clean &= one(out, subject, report, options)?;
    }
    if options.quiet == 0 && !clean {
        note(
            out,
            "If any of the errors are false positives, please report",
            "them to the maintainers of barepoint.",
        )?;
    }
    Ok(())
}

/// Writes the report of one subject; whether it is clean.
fn one(
    out: &mut dyn Write,
    subject: &Subject,
    report: &Report,
    options: Options,
) -> io::Result<bool> {
    let shown: Vec<&Entry> = subject
        .findings
        .iter()
        .filter(|entry| options.strict || entry.finding.level != Level::Note)
        .collect();
    let clean = shown.is_empty();
    // There, one clean input silences all that follow; that is not copied.
    if options.mailback && clean {
        return Ok(true);
    }
    if options.quiet == 0 && report.subjects.len() > 1 {
        let called = printable(&subject.called);
        let line = "-".repeat(called.len());
        writeln!(out, "{line}\n{called}\n{line}")?;
    }
    for entry in &shown {
        finding(out, subject, entry, options)?;
    }
    let no_summary = options.no_summary || (clean && options.quiet == 1);
    if !no_summary {
        summary(out, subject, &shown, options)?;
    }
    if options.quiet == 0 && !(clean && report.is_incomplete()) {
        trailer(out, subject, &shown)?;
    }
    Ok(clean)
}

fn finding(
    out: &mut dyn Write,
    subject: &Subject,
    entry: &Entry,
    options: Options,
) -> io::Result<()> {
    let found = &entry.finding;
    let (level, style) = match found.level {
        Level::Error => ("ERROR", AnsiColor::Red.on_default()),
        Level::Warning => ("WARNING", AnsiColor::Yellow.on_default()),
        Level::Note => ("CHECK", AnsiColor::Green.on_default()),
    };
    let line = entry
        .shown
        .as_ref()
        .map_or(found.place.line, |shown| shown.input_line);
    let file = printable(&found.place.file);
    let prefix = if options.showfile {
        format!("{file}:{}: ", found.place.line)
    } else if options.emacs {
        format!(
            "{}:{line}: ",
            printable(emacs_name(subject, entry, options))
        )
    } else {
        String::new()
    };
    write!(out, "{style}{prefix}{level}:")?;
    if options.show_types {
        write!(out, "{BLUE}{}:", type_of(found.rule))?;
    }
    writeln!(out, "{style:#} {}", printable(&found.message))?;
    if options.terse {
        return Ok(());
    }
    if !options.showfile {
        writeln!(out, "#{line}: FILE: {file}:{}:", found.place.line)?;
    }
    if let Some(shown) = &entry.shown {
        let sign = if options.files { "+" } else { "" };
        writeln!(out, "{sign}{}", printable(&shown.text))?;
    }
    writeln!(out)
}

/// With `-f` an editor needs the file's own name.
fn emacs_name<'a>(subject: &'a Subject, entry: &'a Entry, options: Options) -> &'a str {
    if options.files {
        &entry.finding.place.file
    } else {
        &subject.name
    }
}

/// A rule's id as checkpatch spells its types.
pub fn type_of(rule: &str) -> String {
    rule.to_uppercase().replace('-', "_")
}

fn summary(
    out: &mut dyn Write,
    subject: &Subject,
    shown: &[&Entry],
    options: Options,
) -> io::Result<()> {
    let counts = Counts::of(shown.iter().map(|entry| &entry.finding));
    let checks = if options.strict {
        format!("{} checks, ", counts.notes)
    } else {
        String::new()
    };
    writeln!(
        out,
        "total: {} errors, {} warnings, {checks}{} lines checked",
        counts.errors, counts.warnings, subject.lines
    )
}

fn trailer(out: &mut dyn Write, subject: &Subject, shown: &[&Entry]) -> io::Result<()> {
    let rules: BTreeSet<&str> = shown.iter().map(|entry| entry.finding.rule).collect();
    let verdict = match rules.first() {
        Some(rule) => {
            note(
                out,
                "For what a finding means and how to mend it, see",
                &format!("barepoint explain {rule}"),
            )?;
            "has style problems, please review."
        }
        None => "has no obvious style problems and is ready for submission.",
    };
    writeln!(out, "\n{} {verdict}", printable(&subject.called))
}

/// A note of two lines, as all of checkpatch's are.
fn note(out: &mut dyn Write, first: &str, second: &str) -> io::Result<()> {
    writeln!(out, "\nNOTE: {first}\n      {second}")
}
