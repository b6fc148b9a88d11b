// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The report as Markdown that reads well in a mail.

use super::text::{line, text};
use super::{Hooks, words};
use crate::output::human::wrapped;
use crate::output::widest;
use crate::report::{Evidence, Judgement, Verdict};
use std::io::{self, Write};

const WIDTH: usize = 76;

/// Writes it.
///
/// # Errors
/// `out` fails.
pub fn write(out: &mut dyn Write, report: &Hooks<'_>) -> io::Result<()> {
    let version = report.tree.version.as_deref();
    let version = version.map(|version| format!(" (Linux {})", text(version)));
    writeln!(
        out,
        "# Bare hooks of {}{}\n",
        text(&report.tree.path),
        version.unwrap_or_default()
    )?;
    for verdict in Verdict::ALL {
        let count = report
            .hooks
            .iter()
            .filter(|(_, one)| one.verdict == verdict)
            .count();
        writeln!(out, "- {}: {count}", verdict.name())?;
    }
    let consumers = match report.consumers {
        [] => "none were given (--consumers DIR)".to_owned(),
        folders => folders.join(", "),
    };
    filled(
        out,
        "",
        &format!("\nConsumers outside of the kernel: {consumers}."),
    )?;
    filled(out, "", &format!("History: {}.", report.history.source))?;
    table(out, report)?;
    writeln!(out, "\n## How the verdicts come about\n")?;
    writeln!(
        out,
        "The first of these that is true (rules/report.toml):\n"
    )?;
    for (number, clause) in report.thresholds.formula().iter().enumerate() {
        filled(out, &format!("{}. ", number + 1), clause)?;
    }
    for (evidence, judgement) in &report.hooks {
        hook(out, evidence, judgement)?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, report: &Hooks<'_>) -> io::Result<()> {
    let header = ["hook", "verdict", "used by", "since", "same in", "changes"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(report.hooks.iter().map(|(evidence, judgement)| {
        let since = evidence.life.as_ref().map(|life| words::since(&life.since));
        [
            evidence.name.clone(),
            judgement.verdict.name().to_owned(),
            words::consumers(evidence),
            since.unwrap_or_else(|| "?".to_owned()),
            evidence
                .stable_releases
                .map_or_else(|| "?".to_owned(), |one| one.to_string()),
            words::changes(evidence),
        ]
        .map(|cell| text(&cell))
    }));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| widest(rows.iter().map(|row| row[column].chars().count())))
        .collect();
    writeln!(out)?;
    for (number, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"));
        writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
        if number == 0 {
            let lines = widths.iter().map(|&width| "-".repeat(width));
            writeln!(out, "| {} |", lines.collect::<Vec<_>>().join(" | "))?;
        }
    }
    filled(
        out,
        "",
        "\nused by: consumers in the kernel + outside of it. same in: releases with this name \
         and these arguments. changes: of the name/the arguments/the callers.",
    )
}

fn hook(out: &mut dyn Write, evidence: &Evidence, judgement: &Judgement) -> io::Result<()> {
    writeln!(
        out,
        "\n## {}: {}\n",
        text(&evidence.name),
        judgement.verdict.name()
    )?;
    let item = |out: &mut dyn Write, text: String| filled(out, "- ", &text);
    for reason in &judgement.reasons {
        item(out, format!("Verdict: {reason}"))?;
    }
    for missing in &judgement.missing {
        item(out, format!("No evidence: {missing}"))?;
    }
    item(
        out,
        format!("Declared: {}:{}", evidence.file, evidence.line),
    )?;
    item(out, called(evidence))?;
    if let Some(context) = &evidence.context {
        item(out, format!("Context: {context}"))?;
    }
    for argument in &evidence.arguments {
        item(out, format!("Would freeze: {}", words::frozen(argument)))?;
    }
    if !evidence.overlaps.is_empty() {
        let events = evidence.overlaps.join(", ");
        item(out, format!("Events in the same functions: {events}"))?;
    }
    for used in words::uses(&evidence.in_kernel) {
        item(out, format!("Used in the kernel: {used}"))?;
    }
    for used in words::uses(evidence.outside.as_deref().unwrap_or_default()) {
        item(out, format!("Used by {used}"))?;
    }
    for used in words::uses(&evidence.gated) {
        item(out, format!("Built for other kernels only: {used}"))?;
    }
    if let Some(life) = &evidence.life {
        item(out, format!("Since: {}", words::since(&life.since)))?;
        for step in &life.steps {
            item(out, format!("Changed in {}", words::step(step)))?;
        }
    }
    Ok(())
}

fn called(evidence: &Evidence) -> String {
    let calls = evidence.calls.iter().map(|call| {
        let function = call.function.as_deref().unwrap_or("?");
        format!("{function}() ({}:{})", call.file, call.line)
    });
    let calls: Vec<String> = calls.collect();
    if calls.is_empty() {
        "Called: nowhere that was found".to_owned()
    } else {
        format!("Called: {}", calls.join(", "))
    }
}

/// A paragraph or item, filled to the width of a mail.
fn filled(out: &mut dyn Write, mark: &str, words: &str) -> io::Result<()> {
    if let Some(words) = words.strip_prefix('\n') {
        writeln!(out)?;
        return filled(out, mark, words);
    }
    let lines = wrapped(&text(words), WIDTH - mark.len(), 0);
    for (number, one) in lines.iter().enumerate() {
        let lead = if number == 0 { mark } else { "" };
        writeln!(out, "{lead:indent$}{}", line(one), indent = mark.len())?;
    }
    Ok(())
}
