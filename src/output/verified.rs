// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What was held against what, as tables for people.

use super::{printable, widest};
use crate::verify::summary::{Bare, Source, Verified};
use std::io::{self, Write};

/// Writes a row for each source, then one for each bare tracepoint.
///
/// # Errors
/// `out` cannot be written to.
pub(super) fn tables(out: &mut dyn Write, verified: &Verified) -> io::Result<()> {
    writeln!(out)?;
    table(
        out,
        &[
            "",
            "tracepoints",
            "bare",
            "events",
            "BPF",
            "exported",
            "what",
        ],
        &verified.sources.iter().map(source).collect::<Vec<_>>(),
    )?;
    let has = |kind| verified.sources.iter().any(|source| source.kind == kind);
    if let Some(count) = verified.not_built {
        let whole = has("vmlinux") && has("modules");
        let what = if whole {
            "this build"
        } else {
            "what was given"
        };
        writeln!(out, "{count} of the tree's tracepoints are not in {what}.")?;
    }
    if verified.bare.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    table(
        out,
        &[
            "bare in the tree",
            "built",
            "event",
            "BPF",
            "export",
            "declared",
        ],
        &verified
            .bare
            .iter()
            .map(|one| bare(one, has("vmlinux")))
            .collect::<Vec<_>>(),
    )
}

fn source(source: &Source) -> Vec<String> {
    let number = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
    let more = match (&source.version, source.modules) {
        (Some(version), _) => format!(" (Linux {version})"),
        (None, Some(1)) => " (1 file)".to_owned(),
        (None, Some(count)) => format!(" ({count} files)"),
        (None, None) => String::new(),
    };
    vec![
        source.kind.to_owned(),
        number(source.tracepoints),
        number(source.bare),
        number(source.events),
        number(source.bpf),
        number(source.exported),
        format!("{}{more}", source.path),
    ]
}

/// What is in no module may still be in the kernel itself.
fn bare(one: &Bare, has_vmlinux: bool) -> Vec<String> {
    let is_built = !one.images.is_empty();
    let built = match (is_built, has_vmlinux) {
        (true, _) => "yes",
        (false, true) => "no",
        (false, false) => "-",
    };
    let event = match one.events.as_slice() {
        [] => "no".to_owned(),
        some => some.join(" "),
    };
    let bpf = match one.bpf {
        None => "-",
        Some(false) => "no",
        Some(true) => "yes",
    };
    let export = one.export.unwrap_or(if is_built { "no" } else { "-" });
    vec![
        one.name.clone(),
        built.to_owned(),
        event,
        bpf.to_owned(),
        export.to_owned(),
        format!("{}:{}", one.file, one.line),
    ]
}

/// Columns as wide as what is in them; the last is not filled up.
fn table(out: &mut dyn Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        widest(cells.map(|cell| printable(cell).chars().count()))
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in &all {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            line.push_str(&format!("{:width$}  ", printable(cell)));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
