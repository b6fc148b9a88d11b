// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What the author of a module has to mend for a newer kernel, for people and as JSON
//! (schema 1).

use super::difference::{Item, Side, item, not_compared, prototypes, sides};
use super::human::counted;
use super::{exact, printable};
use crate::consumers::porting::{Port, Porting, Reason};
use crate::consumers::{Gate, Skipped, Use};
use crate::inventory::difference::Change;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

const BREAKS: Style = AnsiColor::Red.on_default();
const CHECK: Style = AnsiColor::Yellow.on_default();
const WRITE: Style = AnsiColor::Green.on_default();
const BOLD: Style = Style::new().bold();

/// One consumer.
#[derive(Clone, Debug)]
pub struct Consumer<'a> {
    /// Its name.
    pub name: String,
    /// How many uses it has.
    pub uses: usize,
    /// What they come to.
    pub porting: Porting<'a>,
    /// What of it was not looked at.
    pub skipped: Vec<&'a Skipped>,
}

impl Consumer<'_> {
    fn breaking(&self) -> usize {
        self.porting.ports.iter().filter(|one| one.breaks()).count()
    }
}

/// Whether a use of any of them breaks.
pub fn breaks(consumers: &[Consumer<'_>]) -> bool {
    consumers.iter().any(|one| one.breaking() > 0)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    old: &'a Side,
    new: &'a Side,
    changes: Vec<Item<'a>>,
    consumers: Vec<Summary<'a>>,
    uses: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    uses: usize,
    breaking: usize,
    not_compiled: Vec<Place<'a>>,
    unknown: Vec<Place<'a>>,
    skipped: Vec<Left<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    tracepoint: &'a str,
    file: &'a str,
    line: u32,
    way: &'static str,
    gate: Option<Versions>,
}

#[derive(Serialize)]
struct Left<'a> {
    file: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Versions {
    since: Option<String>,
    before: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    consumer: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    prototype: Option<&'a [String]>,
    breaks: bool,
    reasons: Vec<&'static str>,
    /// The real name in the newer kernel; `None` if it is gone.
    new: Option<&'a str>,
    /// Its arguments there.
    new_prototype: Option<&'a [String]>,
    write: Vec<String>,
}

fn versions(gate: Gate) -> Versions {
    Versions {
        since: gate.since.map(|version| version.to_string()),
        before: gate.before.map(|version| version.to_string()),
    }
}

fn place(usage: &Use) -> Place<'_> {
    Place {
        tracepoint: &usage.tracepoint,
        file: &usage.file,
        line: usage.line,
        way: usage.way.name(),
        gate: usage.gate.map(versions),
    }
}

fn entry<'a>(port: &'a Port<'a>) -> Entry<'a> {
    let usage = port.usage;
    Entry {
        consumer: &usage.consumer,
        place: place(usage),
        prototype: usage.prototype.as_deref(),
        breaks: port.breaks(),
        reasons: port.reasons.iter().map(Reason::name).collect(),
        new: port.new.map(|hook| hook.name.as_str()),
        new_prototype: port
            .new
            .and_then(|hook| hook.prototypes.first())
            .map(Vec::as_slice),
        write: port.forms(),
    }
}

fn summary<'a>(consumer: &'a Consumer<'a>) -> Summary<'a> {
    let places = |uses: &[&'a Use]| uses.iter().map(|&one| place(one)).collect();
    Summary {
        name: &consumer.name,
        uses: consumer.uses,
        breaking: consumer.breaking(),
        not_compiled: places(&consumer.porting.not_compiled),
        unknown: places(&consumer.porting.unknown),
        skipped: consumer
            .skipped
            .iter()
            .map(|one| Left {
                file: &one.file,
                why: one.why,
            })
            .collect(),
    }
}

/// Writes one JSON document and a newline: what differs, and `uses` with those that
/// have to be looked at.
///
/// # Errors
/// `out` cannot be written to.
pub fn json(
    out: &mut dyn Write,
    old: &Side,
    new: &Side,
    changes: &[Change<'_>],
    consumers: &[Consumer<'_>],
) -> io::Result<()> {
    let ports = consumers.iter().flat_map(|one| &one.porting.ports);
    let document = Document {
        schema: 1,
        old,
        new,
        changes: changes.iter().map(item).collect(),
        consumers: consumers.iter().map(summary).collect(),
        uses: ports.map(entry).collect(),
    };
    exact::pretty(out, &document)?;
    writeln!(out)
}

/// Writes a list of things to do for each consumer: what breaks, what to look at, and
/// what to write instead.
///
/// # Errors
/// `out` cannot be written to.
pub fn human(
    out: &mut dyn Write,
    old: &Side,
    new: &Side,
    consumers: &[Consumer<'_>],
) -> io::Result<()> {
    sides(out, old, new)?;
    if let Some(note) = not_compared(old.knows, new.knows) {
        writeln!(out, "{note}")?;
    }
    for consumer in consumers {
        heading(out, consumer)?;
        for port in &consumer.porting.ports {
            line(out, port)?;
        }
        notes(out, consumer, new)?;
    }
    Ok(())
}

fn heading(out: &mut dyn Write, consumer: &Consumer<'_>) -> io::Result<()> {
    let breaking = consumer.breaking();
    let check = consumer.porting.ports.len() - breaking;
    let mut words = match (consumer.uses, breaking) {
        (0, _) => "no use of a tracepoint found".to_owned(),
        (uses, 0) => format!("none of {} breaks", counted(uses, "use")),
        (uses, 1) => format!("1 of {} breaks", counted(uses, "use")),
        (uses, breaking) => format!("{breaking} of {} break", counted(uses, "use")),
    };
    if check > 0 {
        words += &format!(", {check} to check");
    }
    let name = printable(&consumer.name);
    writeln!(out, "\n{BOLD}{name}{BOLD:#}: {words}")
}

fn line(out: &mut dyn Write, port: &Port<'_>) -> io::Result<()> {
    let usage = port.usage;
    let (mark, style) = if port.breaks() {
        ('!', BREAKS)
    } else {
        ('?', CHECK)
    };
    let (file, tracepoint) = (printable(&usage.file), printable(&usage.tracepoint));
    writeln!(
        out,
        "  {style}{mark}{style:#} {file}:{}  {tracepoint}, {}",
        usage.line,
        usage.way.words()
    )?;
    for reason in &port.reasons {
        writeln!(out, "      {}", printable(&words(reason, port)))?;
        if let Reason::Prototype { old, new } = reason {
            prototypes(out, Some(old), Some(new))?;
        }
    }
    for form in port.forms() {
        writeln!(out, "      {WRITE}write{WRITE:#} {}", printable(&form))?;
    }
    Ok(())
}

fn words(reason: &Reason, port: &Port<'_>) -> String {
    let new = port.new.map_or("", |hook| hook.name.as_str());
    match reason {
        Reason::Removed => "is gone".to_owned(),
        Reason::Renamed => format!("is now {new}"),
        Reason::Prototype { .. } if port.usage.prototype.is_some() => {
            "hands over other arguments than the probe takes".to_owned()
        }
        Reason::Prototype { .. } => "hands over other arguments".to_owned(),
        Reason::NotExported => "is not exported to modules".to_owned(),
        Reason::GplOnly => "is exported to GPL modules only".to_owned(),
        Reason::NoBpf => "cannot be reached by BPF programs".to_owned(),
        Reason::NoEvent => "has no trace event of its own".to_owned(),
        Reason::NeverCalled => "is not called any more".to_owned(),
        Reason::Condition(condition) => format!("depends on {condition}"),
    }
}

/// What was left out, and why.
fn notes(out: &mut dyn Write, consumer: &Consumer<'_>, new: &Side) -> io::Result<()> {
    let porting = &consumer.porting;
    if !porting.not_compiled.is_empty() {
        let version = new.version.as_deref().unwrap_or_default();
        let uses = counted(porting.not_compiled.len(), "use");
        writeln!(
            out,
            "  not compiled for Linux {}: {uses}",
            printable(version)
        )?;
    }
    let mut names: Vec<&str> = porting
        .unknown
        .iter()
        .map(|one| one.tracepoint.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let more = names.len().saturating_sub(5);
        let mut list = names[..names.len().min(5)].join(", ");
        if more > 0 {
            list += &format!(" and {more} more");
        }
        writeln!(out, "  in neither kernel: {}", printable(&list))?;
    }
    for one in &consumer.skipped {
        writeln!(out, "  not read, {}: {}", one.why, printable(&one.file))?;
    }
    Ok(())
}
