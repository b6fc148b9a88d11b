// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings for people: the source line with a caret, related places, and a
//! verdict in one sentence.

use super::excerpt::{Excerpt, MOST};
use super::printable;
use super::report::{Entry, Report, Subject};
use super::status::Counts;
use super::verified;
use crate::rules::finding::{Finding, Level};
use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};
use std::io::{self, Write};

/// How wide lines are made.
const WIDTH: usize = 80;

const NEW: Style = AnsiColor::Green.on_default().bold();
const BOLD: Style = Style::new().bold();
const FAINT: Style = AnsiColor::Blue.on_default().bold();

fn colour(level: Level) -> Style {
    match level {
        Level::Error => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default().bold(),
        Level::Note => AnsiColor::Green.on_default().bold(),
    }
}

/// Writes the whole report. Styles are written always; the caller's stream drops
/// them where they are not wanted.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report, strict: bool) -> io::Result<()> {
    if let Some(profile) = &report.profile {
        writeln!(
            out,
            "No kernel tree: checked against the embedded profile of Linux {profile}.\n\
             Give --tree DIR to check against a tree.\n"
        )?;
    }
    for subject in report
        .subjects
        .iter()
        .filter(|subject| !subject.findings.is_empty())
    {
        heading(out, subject)?;
        for (index, entry) in subject.findings.iter().enumerate() {
            let next = subject.findings.get(index + 1);
            let shown_below = next.is_some_and(|next| {
                entry.finding.related.is_empty() && next.finding.place == entry.finding.place
            });
            finding(out, entry, shown_below)?;
        }
    }
    for known in &report.vanished {
        writeln!(out, "gone since the baseline: {}", printable(known))?;
    }
    verdict(out, report, strict)?;
    match &report.verified {
        Some(verified) => verified::tables(out, verified),
        None => Ok(()),
    }
}

fn heading(out: &mut dyn Write, subject: &Subject) -> io::Result<()> {
    if subject.title.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}{}{BOLD:#}", printable(&subject.called))?;
    if !subject.called.contains(&subject.title) {
        writeln!(out, "    {}", printable(&subject.title))?;
    }
    writeln!(out)
}

/// Findings of one place that follow one another are shown with it once, at the last.
fn finding(out: &mut dyn Write, entry: &Entry, shown_below: bool) -> io::Result<()> {
    let found = &entry.finding;
    let style = colour(found.level);
    let head = format!("{}[{}]: ", found.level, found.rule);
    let message = wrapped(
        &printable(&found.message),
        WIDTH.saturating_sub(4),
        head.len(),
    );
    writeln!(
        out,
        "{style}{}{style:#}{BOLD}[{}]{BOLD:#}: {}",
        found.level,
        found.rule,
        message.join("\n    ")
    )?;
    let digits = digits(found);
    if !shown_below {
        where_it_is(out, entry, digits)?;
    }
    if let (Some(source), Some(mended)) = (&entry.source, entry.mended()) {
        suggestion(out, source, &mended, digits)?;
    }
    for related in &found.related {
        let place = &related.place;
        writeln!(
            out,
            "{:digits$} {FAINT}={FAINT:#} {}:{}: {}",
            "",
            printable(&place.file),
            place.line,
            printable(&related.message)
        )?;
    }
    if shown_below { Ok(()) } else { writeln!(out) }
}

fn where_it_is(out: &mut dyn Write, entry: &Entry, digits: usize) -> io::Result<()> {
    let place = &entry.finding.place;
    writeln!(
        out,
        "{:digits$}{FAINT}-->{FAINT:#} {}:{}:{}",
        "",
        printable(&place.file),
        place.line,
        place.column
    )?;
    match &entry.source {
        Some(source) => source_line(out, &entry.finding, source, digits),
        None => Ok(()),
    }
}

/// The line as it should be, with what is new in it marked.
fn suggestion(out: &mut dyn Write, source: &str, mended: &str, digits: usize) -> io::Result<()> {
    let (source, mended) = (printable(source.trim()), printable(mended.trim()));
    write!(out, "{:digits$} {FAINT}={FAINT:#} try: ", "")?;
    for change in TextDiff::from_chars(&*source, &*mended).iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => write!(out, "{}", change.value())?,
            ChangeTag::Insert => write!(out, "{NEW}{}{NEW:#}", change.value())?,
            ChangeTag::Delete => {}
        }
    }
    writeln!(out)
}

fn digits(found: &Finding) -> usize {
    found.place.line.to_string().len()
}

fn source_line(
    out: &mut dyn Write,
    found: &Finding,
    source: &str,
    digits: usize,
) -> io::Result<()> {
    let style = colour(found.level);
    let before = found.place.column.saturating_sub(1) as usize;
    let Excerpt { text, lead } = Excerpt::of(source, before);
    writeln!(out, "{:digits$} {FAINT}|{FAINT:#}", "")?;
    writeln!(out, "{FAINT}{} |{FAINT:#} {text}", found.place.line)?;
    // Of a line without end, only the beginning may be here.
    let Some(meant) = source.get(before..) else {
        return Ok(());
    };
    let length = word_length(meant).min(MOST);
    writeln!(
        out,
        "{:digits$} {FAINT}|{FAINT:#} {:lead$}{style}{}{style:#}",
        "",
        "",
        "^".repeat(length)
    )
}

/// Length of the word that `text` starts with.
fn word_length(text: &str) -> usize {
    text.chars()
        .take_while(|&c| c.is_alphanumeric() || c == '_')
        .count()
        .max(1)
}

/// `text` in lines of at most `width`, the first of which starts at `used`. A line that
/// comes to begin like a command is written as [`printable()`] writes it.
pub fn wrapped(text: &str, width: usize, used: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = used;
    for word in text.split_whitespace() {
        let size = word.chars().count();
        let Some(line) = lines.last_mut() else {
            break;
        };
        if !line.is_empty() && length + 1 + size > width {
            lines.push(word.to_owned());
            length = size;
        } else {
            if !line.is_empty() {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += size;
        }
    }
    for line in lines.iter_mut().filter(|line| line.starts_with("::")) {
        *line = printable(line).into_owned();
    }
    lines
}

/// `1 error`, `2 errors`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn verdict(out: &mut dyn Write, report: &Report, strict: bool) -> io::Result<()> {
    // Of nothing there is nothing to say, least of all that it is clean.
    if report.subjects.is_empty() {
        return Ok(());
    }
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    let what = match report.subjects.as_slice() {
        _ if report.verified.is_some() => "what was given".to_owned(),
        _ if report.is_whole => "the tree".to_owned(),
        [one] => one.called.clone(),
        several => counted(several.len(), "patch").replace("patchs", "patches"),
    };
    let level = match (counts.errors, counts.warnings) {
        (0, 0) => Level::Note,
        (0, _) if !strict => Level::Warning,
        _ => Level::Error,
    };
    let style = colour(level);
    let word = match level {
        Level::Error if report.verified.is_some() => "leaks or disagreement",
        Level::Warning if report.verified.is_some() => "agrees with warnings",
        Level::Note if report.verified.is_some() => "no leak, and all agrees",
        Level::Error => "leaks or misplaced hooks",
        Level::Warning => "passes with warnings",
        Level::Note if report.is_narrowed => "nothing found by the rules that were asked for",
        Level::Note if report.is_incomplete() => "no bare tracepoint leaks in what could be read",
        Level::Note => "no bare tracepoint leaks",
    };
    let mut parts = Vec::new();
    for (count, name) in [
        (counts.errors, "error"),
        (counts.warnings, "warning"),
        (counts.notes, "note"),
    ] {
        if count > 0 {
            parts.push(counted(count, name));
        }
    }
    let tail = if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    };
    let what = printable(&what);
    writeln!(out, "{style}{word}{style:#}: {what}{tail}")
}
