// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The inventory as a table, as JSON (schema 1) and as CSV.

use super::{exact, printable, widest};
use crate::inventory::facts::Use;
use crate::inventory::resolve::{Probe, Site, Tracepoint};
use crate::inventory::snapshot::Export;
use crate::parallel;
use serde::Serialize;
use std::io::{self, Write};

/// Which tree an answer is about.
#[derive(Clone, Debug, Serialize)]
pub struct TreeName {
    /// How it was given.
    pub path: String,
    /// Its version, such as `7.3.4`.
    pub version: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    kind: &'static str,
    #[serde(rename = "macro")]
    framework: &'a str,
    via: &'a [Box<str>],
    system: Option<&'a str>,
    file: &'a str,
    line: u32,
    condition: Option<String>,
    prototype: &'a [Box<str>],
    tracefs: bool,
    perf: bool,
    bpf: bool,
    export: Option<&'static str>,
    definitions: Vec<Location<'a>>,
    call_sites: Vec<Call<'a>>,
    probes: Vec<Attached<'a>>,
}

#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct Call<'a> {
    file: &'a str,
    line: u32,
    function: Option<&'a str>,
    form: &'static str,
    pasted: bool,
}

#[derive(Serialize)]
struct Attached<'a> {
    file: &'a str,
    line: u32,
    probe: Option<&'a str>,
    attached_by: Option<&'a str>,
}

impl<'a> From<&'a Site> for Location<'a> {
    fn from(site: &'a Site) -> Self {
        Self {
            file: &site.file,
            line: site.at.line,
        }
    }
}

/// What `list` calls the two kinds.
pub fn kind(tracepoint: &Tracepoint) -> &'static str {
    if tracepoint.is_bare() {
        "bare"
    } else {
        "event"
    }
}

/// `gpl`, `plain`, or nothing; a plain export is the wider one.
pub fn export(tracepoint: &Tracepoint) -> Option<&'static str> {
    Export::of(tracepoint).map(Export::name)
}

fn form(usage: Use) -> &'static str {
    match usage {
        Use::Call | Use::Definition => "call",
        Use::Pointer => "pointer",
        Use::Guard => "guard",
    }
}

fn attached(probe: &Probe) -> impl Iterator<Item = Attached<'_>> {
    let names = probe.functions.iter().map(|name| Some(name.as_ref()));
    let unknown = probe.functions.is_empty().then_some(None);
    names.chain(unknown).map(|name| Attached {
        file: &probe.site.file,
        line: probe.site.at.line,
        probe: name,
        attached_by: probe.attached_by.as_deref(),
    })
}

impl<'a> From<&'a Tracepoint> for Entry<'a> {
    fn from(tracepoint: &'a Tracepoint) -> Self {
        let declaration = &tracepoint.declaration;
        Self {
            name: &declaration.name,
            kind: kind(tracepoint),
            framework: &declaration.framework,
            via: &declaration.via,
            system: declaration.system.as_deref(),
            file: &tracepoint.file,
            line: declaration.at.line,
            condition: declaration.condition.render(),
            prototype: &declaration.prototype,
            tracefs: !tracepoint.is_bare(),
            perf: !tracepoint.is_bare(),
            bpf: tracepoint.bpf,
            export: export(tracepoint),
            definitions: tracepoint.definitions.iter().map(Into::into).collect(),
            call_sites: tracepoint
                .call_sites
                .iter()
                .chain(&tracepoint.guards)
                .map(|call| Call {
                    file: &call.site.file,
                    line: call.site.at.line,
                    function: call.function.as_deref(),
                    form: form(call.usage),
                    pasted: call.pasted,
                })
                .collect(),
            probes: tracepoint.probes.iter().flat_map(attached).collect(),
        }
    }
}

/// Writes one JSON document and a newline.
///
/// # Errors
/// `out` cannot be written to.
pub fn json(
    out: &mut dyn Write,
    tree: Option<&TreeName>,
    tracepoints: &[&Tracepoint],
) -> io::Result<()> {
    let tree = exact::string(&tree)?;
    write!(out, "{{\"schema\":1,\"tree\":{tree},\"tracepoints\":[")?;
    let parts: Vec<_> = tracepoints.chunks(AT_ONCE).collect();
    let written = parallel::map(parts.len(), |number| entries(parts[number]));
    for (number, entries) in written.into_iter().enumerate() {
        if number > 0 {
            write!(out, ",")?;
        }
        out.write_all(&entries?)?;
    }
    writeln!(out, "]}}")
}

/// How many entries one thread writes at once.
const AT_ONCE: usize = 512;

/// The entries of an array, with commas between them.
fn entries(tracepoints: &[&Tracepoint]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for (number, &one) in tracepoints.iter().enumerate() {
        if number > 0 {
            text.push(b',');
        }
        exact::compact(&mut text, &Entry::from(one))?;
    }
    Ok(text)
}

const COLUMNS: [&str; 16] = [
    "name",
    "kind",
    "macro",
    "via",
    "system",
    "file",
    "line",
    "condition",
    "prototype",
    "tracefs",
    "perf",
    "bpf",
    "export",
    "definitions",
    "call_sites",
    "probes",
];

/// Writes a header line and a line for each tracepoint (RFC 4180). Definitions,
/// call sites and probes are counted.
///
/// # Errors
/// `out` cannot be written to.
pub fn csv(out: &mut dyn Write, tracepoints: &[&Tracepoint]) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for &tracepoint in tracepoints {
        let entry = Entry::from(tracepoint);
        let cells = [
            entry.name.to_owned(),
            entry.kind.to_owned(),
            entry.framework.to_owned(),
            entry.via.join(" "),
            entry.system.unwrap_or_default().to_owned(),
            entry.file.to_owned(),
            entry.line.to_string(),
            entry.condition.unwrap_or_default(),
            entry.prototype.join("; "),
            entry.tracefs.to_string(),
            entry.perf.to_string(),
            entry.bpf.to_string(),
            entry.export.unwrap_or_default().to_owned(),
            entry.definitions.len().to_string(),
            entry.call_sites.len().to_string(),
            entry.probes.len().to_string(),
        ];
        let line: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
        writeln!(out, "{}", line.join(","))?;
    }
    Ok(())
}

/// A cell that no spreadsheet takes for a formula: what may begin one is put behind an
/// apostrophe, which says there that text follows.
fn quoted(cell: &str) -> String {
    const FORMULA: [char; 10] = [
        '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    let mut cell = printable(cell).into_owned();
    if cell.trim_start_matches([' ', '"']).starts_with(FORMULA) {
        cell.insert(0, '\'');
    }
    if cell.contains(['"', ',', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// Writes a table for people.
///
/// # Errors
/// `out` cannot be written to.
pub fn table(out: &mut dyn Write, tracepoints: &[&Tracepoint]) -> io::Result<()> {
    const NAME: &str = "TRACEPOINT";
    let names = tracepoints.iter().map(|one| one.name().chars().count());
    let name = widest(names.chain([NAME.len()]));
    writeln!(
        out,
        "{NAME:name$}  {:5}  {:3}  {:6}  {:>5}  {:>6}  DECLARED",
        "KIND", "BPF", "EXPORT", "CALLS", "PROBES"
    )?;
    for &one in tracepoints {
        writeln!(
            out,
            "{:name$}  {:5}  {:3}  {:6}  {:>5}  {:>6}  {}:{}",
            printable(one.name()),
            kind(one),
            if one.bpf { "yes" } else { "no" },
            export(one).unwrap_or("-"),
            one.call_sites.len(),
            one.probes.len(),
            printable(&one.file),
            one.declaration.at.line
        )?;
    }
    Ok(())
}
