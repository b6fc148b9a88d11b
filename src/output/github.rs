// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings as workflow commands of GitHub Actions, which become annotations.

use super::printable;
use super::problems::{MOST_LISTED, Told};
use super::report::{Entry, Report};
use crate::rules::finding::Level;
use std::io::{self, Write};

/// Writes a command for each finding, and one for each input that could not be
/// used; nothing at all if there is neither.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for entry in report.entries() {
        finding(out, entry)?;
    }
    for problem in Told::of(&report.problems, MOST_LISTED).lines() {
        writeln!(
            out,
            "::error title={}::{}",
            property("barepoint: could not check all"),
            data(&problem)
        )?;
    }
    Ok(())
}

fn finding(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let found = &entry.finding;
    let command = match found.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut message = data(&found.message);
    for related in &found.related {
        let place = &related.place;
        message += NEWLINE;
        message += &data(&format!(
            "{}:{}: {}",
            place.file, place.line, related.message
        ));
    }
    writeln!(
        out,
        "::{command} title={},file={},line={},col={}::{}",
        property(&format!("barepoint: {}", found.rule)),
        property(&found.place.file),
        found.place.line,
        found.place.column,
        message
    )
}

/// What the runner makes a newline of.
const NEWLINE: &str = "%0A";

/// A line of what stands behind the second `::`.
fn data(text: &str) -> String {
    printable(text).replace('%', "%25")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_reads_is_escaped() {
        assert_eq!(data("50%: a,\r\nb"), r"50%25: a,\r\nb");
        assert_eq!(property("50%: a,\r\nb"), r"50%25%3A a%2C\r\nb");
        assert_eq!(data("x::error::\x1b[31m"), r"x::error::\u{1b}[31m");
    }
}
