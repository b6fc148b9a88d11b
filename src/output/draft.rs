// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A drafted patch as a mail that `git am` takes.
//!
//! It is never signed off: only whoever sends it can do that.

use super::human::wrapped;
use super::{printable, unified};
use crate::kernel::maintainers::Contacts;
use crate::promotion::Promotion;
use std::io::Write;

/// How wide the lines of a commit message are.
const WIDTH: usize = 72;
/// What git writes into the first line of every mail of its own.
const MAGIC_DATE: &str = "Mon Sep 17 00:00:00 2001";

/// What goes around the changes.
#[derive(Debug)]
pub struct Letter<'a> {
    /// Who drafts it, as `Name <address>`.
    pub from: &'a str,
    /// Whom it goes to.
    pub contacts: &'a Contacts,
    /// What speaks for it and what it means, a paragraph each.
    pub message: &'a [String],
}

/// Writes the mail.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(
    out: &mut dyn Write,
    promotion: &Promotion,
    letter: &Letter<'_>,
) -> anyhow::Result<()> {
    let mut diff = Vec::new();
    let mut stats = Vec::new();
    for (path, change) in &promotion.files {
        let counts = unified::write(&mut diff, path, &change.before, &change.after)?;
        stats.push((path.as_str(), counts));
    }
    headers(out, promotion, letter)?;
    for paragraph in letter.message {
        for line in wrapped(&printable(paragraph), WIDTH, 0) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "---")?;
    decisions(out, promotion)?;
    unified::stat(out, &stats)?;
    writeln!(out)?;
    out.write_all(&diff)?;
    // What git ends its mails with, so that a signature is not taken for a line.
    Ok(writeln!(
        out,
        "-- \nbarepoint {}",
        env!("CARGO_PKG_VERSION")
    )?)
}

fn headers(out: &mut dyn Write, promotion: &Promotion, letter: &Letter<'_>) -> anyhow::Result<()> {
    writeln!(out, "From {} {MAGIC_DATE}", "0".repeat(40))?;
    writeln!(out, "From: {}", printable(letter.from))?;
    writeln!(out, "Subject: [PATCH RFC] {}", subject(promotion))?;
    people(out, "To", &letter.contacts.to)?;
    people(out, "Cc", &letter.contacts.cc)?;
    writeln!(out, "MIME-Version: 1.0")?;
    writeln!(out, "Content-Type: text/plain; charset=UTF-8")?;
    Ok(writeln!(out, "Content-Transfer-Encoding: 8bit\n")?)
}

/// `sched: Promote pelt_se_tp to a trace event`.
fn subject(promotion: &Promotion) -> String {
    let hook = &promotion.hook;
    let system = hook.declaration.system.as_deref().unwrap_or("tracing");
    format!(
        "{}: Promote {} to a trace event",
        printable(system),
        printable(hook.name())
    )
}

fn people(out: &mut dyn Write, header: &str, people: &[String]) -> anyhow::Result<()> {
    for (index, one) in people.iter().enumerate() {
        let lead = if index == 0 {
            format!("{header}:")
        } else {
            "   ".to_owned()
        };
        let comma = if index + 1 < people.len() { "," } else { "" };
        writeln!(out, "{lead} {}{comma}", printable(one))?;
    }
    Ok(())
}

/// What is left to the maintainer, below the line that ends the message.
fn decisions(out: &mut dyn Write, promotion: &Promotion) -> anyhow::Result<()> {
    writeln!(out, "This is a draft, neither built nor run.")?;
    if promotion.decisions.is_empty() {
        return Ok(writeln!(out)?);
    }
    writeln!(out, "What its maintainer has to decide:\n")?;
    for decision in &promotion.decisions {
        for (index, line) in wrapped(&printable(decision), WIDTH - 3, 0)
            .iter()
            .enumerate()
        {
            writeln!(out, " {} {line}", if index == 0 { "*" } else { " " })?;
        }
    }
    Ok(writeln!(out)?)
}
