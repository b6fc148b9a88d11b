// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Rule pages for a terminal or a pipe.

use super::human::wrapped;
use crate::rules::finding::Level;
use crate::rules::page::{Case, Page};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

const WIDTH: usize = 80;
const BOLD: Style = Style::new().bold();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// Writes a line for each rule.
///
/// # Errors
/// `out` cannot be written to.
pub fn list(out: &mut dyn Write, pages: &[Page]) -> io::Result<()> {
    let width = pages.iter().map(|page| page.id.len()).max().unwrap_or(0);
    for page in pages {
        let level = page.level.to_string();
        let indent = width + 11;
        let summary = wrapped(&page.summary, WIDTH - indent, 0);
        let summary = summary.join(&format!("\n{:indent$}", ""));
        writeln!(
            out,
            "{BOLD}{:width$}{BOLD:#}  {level:7}  {summary}",
            page.id
        )?;
    }
    Ok(())
}

/// Writes a page: what, why, how to fix, a bad and a good case.
///
/// # Errors
/// `out` cannot be written to.
pub fn page(out: &mut dyn Write, page: &Page) -> io::Result<()> {
    let article = if page.level == Level::Error {
        "an"
    } else {
        "a"
    };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}: {article} {} since {}\n",
        page.id, page.level, page.since
    )?;
    paragraphs(out, &page.summary)?;
    writeln!(out, "\n{BOLD}Why{BOLD:#}\n")?;
    paragraphs(out, &page.why)?;
    writeln!(out, "\n{BOLD}How to fix{BOLD:#}\n")?;
    paragraphs(out, &page.fix)?;
    if let Some(case) = page.bad.first() {
        example(out, "Bad", case)?;
    }
    if let Some(case) = page.good.first() {
        example(out, "Good", case)?;
    }
    Ok(())
}

/// Wraps the paragraphs of Markdown; what is indented stays as it is.
fn paragraphs(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut gap = "";
    for paragraph in text.trim().split("\n\n") {
        write!(out, "{gap}")?;
        gap = "\n";
        if paragraph.starts_with([' ', '\t', '-', '*']) {
            writeln!(out, "{paragraph}")?;
            continue;
        }
        for line in wrapped(paragraph, WIDTH, 0) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn example(out: &mut dyn Write, kind: &str, case: &Case) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{kind}{BOLD:#}: {}\n", case.title)?;
    for patch in case.patches.values() {
        for line in patch.message.lines() {
            writeln!(out, "    {line}")?;
        }
        for edit in &patch.edits {
            writeln!(out, "    {BOLD}{}{BOLD:#}", edit.path)?;
            for line in &edit.lines {
                coloured(out, line)?;
            }
        }
    }
    if case.whole_tree {
        for (path, text) in &case.files {
            writeln!(out, "    {BOLD}{path}{BOLD:#}")?;
            for line in text.lines() {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(())
}

fn coloured(out: &mut dyn Write, line: &str) -> io::Result<()> {
    let style = match line.chars().next() {
        Some('+') => ADDED,
        Some('-') => REMOVED,
        _ => Style::new(),
    };
    writeln!(out, "    {style}{line}{style:#}")
}
