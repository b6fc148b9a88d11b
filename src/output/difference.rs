// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What differs between two kernels, for people and as JSON (schema 1).

use super::{exact, printable};
use crate::inventory::difference::{Change, What};
use crate::inventory::snapshot::{Caller, Export, Hook, Knows};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use std::io::{self, Write};

const GONE: Style = AnsiColor::Red.on_default();
const COME: Style = AnsiColor::Green.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();

/// Where a side comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// How it was given.
    pub path: String,
    /// What that is: `tree`, `revision`, `profile` or `saved`.
    pub from: &'static str,
    /// The kernel's version, if it is known.
    pub version: Option<String>,
    /// What it knows.
    #[serde(rename = "lacks", serialize_with = "lacks")]
    pub knows: Knows,
}

fn lacking(knows: Knows) -> Vec<&'static str> {
    let all = [
        (knows.events, "event"),
        (knows.conditions, "condition"),
        (knows.call_sites, "call_sites"),
    ];
    let lacking = all.iter().filter(|(known, _)| !known);
    lacking.map(|(_, name)| *name).collect()
}

fn lacks<S: serde::Serializer>(knows: &Knows, serializer: S) -> Result<S::Ok, S::Error> {
    lacking(*knows).serialize(serializer)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    old: &'a Side,
    new: &'a Side,
    changes: Vec<Item<'a>>,
}

/// One change.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    kind: &'static str,
    name: &'a str,
    old: Option<Entry<'a>>,
    new: Option<Entry<'a>>,
}

/// As in a list, of what can be compared.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    kind: &'static str,
    system: Option<&'a str>,
    file: &'a str,
    line: u32,
    condition: Option<&'a str>,
    prototype: Option<&'a [String]>,
    bpf: bool,
    export: Option<&'static str>,
    /// Only where they are what changed, and only those that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    call_sites: Option<Vec<Call<'a>>>,
}

#[derive(Serialize)]
struct Call<'a> {
    file: &'a str,
    function: Option<&'a str>,
}

fn kind(hook: &Hook) -> &'static str {
    if hook.event { "event" } else { "bare" }
}

fn entry(hook: &Hook) -> Entry<'_> {
    Entry {
        name: &hook.name,
        kind: kind(hook),
        system: hook.system.as_deref(),
        file: &hook.file,
        line: hook.line,
        condition: hook.condition.as_deref(),
        prototype: hook.prototypes.first().map(Vec::as_slice),
        bpf: hook.bpf,
        export: hook.export.map(Export::name),
        call_sites: None,
    }
}

fn calls<'a>(callers: &[&'a Caller]) -> Option<Vec<Call<'a>>> {
    let calls = callers.iter().map(|caller| Call {
        file: &caller.file,
        function: caller.function.as_deref(),
    });
    Some(calls.collect())
}

pub(super) fn item<'a>(change: &'a Change<'a>) -> Item<'a> {
    let mut old = change.old.map(entry);
    let mut new = change.new.map(entry);
    if let (Some(old), Some(new)) = (&mut old, &mut new) {
        match &change.what {
            What::Prototype { old: was, new: is } => {
                old.prototype = *was;
                new.prototype = *is;
            }
            What::CallSites { gone, come } => {
                old.call_sites = calls(gone);
                new.call_sites = calls(come);
            }
            _ => {}
        }
    }
    Item {
        kind: change.what.name(),
        name: change.name(),
        old,
        new,
    }
}

/// Writes one JSON document and a newline.
///
/// # Errors
/// `out` cannot be written to.
pub fn json(out: &mut dyn Write, old: &Side, new: &Side, changes: &[Change<'_>]) -> io::Result<()> {
    let document = Document {
        schema: 1,
        old,
        new,
        changes: changes.iter().map(item).collect(),
    };
    exact::pretty(out, &document)?;
    writeln!(out)
}

/// Writes what differs: bare hooks first, then events, both by what happened.
/// Styles are written always; the caller's stream drops them where they are not
/// wanted.
///
/// # Errors
/// `out` cannot be written to.
pub fn human(
    out: &mut dyn Write,
    old: &Side,
    new: &Side,
    changes: &[Change<'_>],
) -> io::Result<()> {
    // As diff(1): where there is no difference, there is nothing to say.
    if changes.is_empty() {
        return Ok(());
    }
    sides(out, old, new)?;
    if let Some(note) = not_compared(old.knows, new.knows) {
        writeln!(out, "{note}")?;
    }
    let (bare, events): (Vec<_>, Vec<_>) = changes.iter().partition(|one| one.is_about_bare());
    for (title, part) in [("Bare hooks", bare), ("Events", events)] {
        if !part.is_empty() {
            writeln!(out, "\n{BOLD}{title}{BOLD:#}: {}", counts(&part))?;
            group(out, &part)?;
        }
    }
    Ok(())
}

/// The two heading lines.
pub(super) fn sides(out: &mut dyn Write, old: &Side, new: &Side) -> io::Result<()> {
    writeln!(out, "{GONE}--- {}{GONE:#}", side(old))?;
    writeln!(out, "{COME}+++ {}{COME:#}", side(new))
}

fn side(side: &Side) -> String {
    let version = side.version.as_deref().unwrap_or("of an unknown version");
    let from = match side.from {
        "profile" => "embedded profile",
        "saved" => "saved list",
        other => other,
    };
    printable(&format!("{} ({from}, Linux {version})", side.path)).into_owned()
}

pub(super) fn not_compared(old: Knows, new: Knows) -> Option<String> {
    let mut all: Vec<&str> = lacking(old);
    all.extend(lacking(new));
    let known = |name: &str| all.contains(&name);
    let names = [
        ("event", "events"),
        ("condition", "conditions"),
        ("call_sites", "call sites"),
    ];
    let names: Vec<&str> = names
        .iter()
        .filter(|(name, _)| known(name))
        .map(|(_, words)| *words)
        .collect();
    let (last, first) = names.split_last()?;
    let names = if first.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} and {last}", first.join(", "))
    };
    Some(format!(
        "Not compared, as only one side has them, or none: {names}."
    ))
}

fn words(what: &What<'_>) -> &'static str {
    match what {
        What::Visibility => "bare or event",
        What::Removed => "removed",
        What::Renamed => "renamed",
        What::Added => "added",
        What::Prototype { .. } => "with another prototype",
        What::Export => "exported in another way",
        What::Bpf => "reached by BPF or no longer",
        What::Condition => "under another condition",
        What::Moved => "in another file",
        What::CallSites { .. } => "called elsewhere",
    }
}

/// `3 removed, 1 renamed`, in the order of the changes.
fn counts(changes: &[&Change<'_>]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for change in changes {
        let words = words(&change.what);
        match counts.last_mut() {
            Some((last, count)) if *last == words => *count += 1,
            _ => counts.push((words, 1)),
        }
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(words, count)| format!("{count} {words}"))
        .collect();
    counts.join(", ")
}

fn group(out: &mut dyn Write, changes: &[&Change<'_>]) -> io::Result<()> {
    for change in changes {
        if let Some(hook) = change.hook() {
            line(out, change, hook)?;
        }
    }
    Ok(())
}

fn line(out: &mut dyn Write, change: &Change<'_>, hook: &Hook) -> io::Result<()> {
    let (mark, style) = match change.what {
        What::Removed => ('-', GONE),
        What::Added => ('+', COME),
        _ => ('~', CHANGED),
    };
    let name = printable(&hook.name);
    let place = format!("{}:{}", printable(&hook.file), hook.line);
    write!(out, "  {style}{mark} ")?;
    let Some(old) = change.old.filter(|_| change.new.is_some()) else {
        return writeln!(out, "{name}{style:#}  {place}");
    };
    match &change.what {
        What::Renamed => {
            let old = printable(&old.name);
            return writeln!(out, "{old} -> {name}{style:#}  {place}");
        }
        What::Prototype { old, new } => {
            writeln!(out, "{name}{style:#}  {place}")?;
            return prototypes(out, *old, *new);
        }
        What::CallSites { gone, come } => {
            writeln!(out, "{name}{style:#}  {place}")?;
            return callers(out, gone, come);
        }
        _ => {}
    }
    let (was, is) = values(&change.what, old, hook);
    writeln!(
        out,
        "{name}{style:#}  {} -> {}",
        printable(&was),
        printable(&is)
    )
}

/// A change of one value, in words.
fn values(what: &What<'_>, old: &Hook, new: &Hook) -> (String, String) {
    let of = |hook: &Hook| match what {
        What::Visibility => kind(hook).to_owned(),
        What::Export => match hook.export {
            None => "not exported",
            Some(Export::Gpl) => "exported to GPL modules",
            Some(Export::Plain) => "exported to all modules",
        }
        .to_owned(),
        What::Bpf if hook.bpf => "BPF entry".to_owned(),
        What::Bpf => "no BPF entry".to_owned(),
        What::Condition => hook.condition.as_deref().unwrap_or("always").to_owned(),
        _ => format!("{}:{}", hook.file, hook.line),
    };
    (of(old), of(new))
}

fn callers(out: &mut dyn Write, gone: &[&Caller], come: &[&Caller]) -> io::Result<()> {
    let sides = [("-", GONE, gone), ("+", COME, come)];
    for (mark, style, callers) in sides {
        for caller in callers {
            let function = caller.function.as_deref().unwrap_or("?");
            let (function, file) = (printable(function), printable(&caller.file));
            writeln!(out, "      {style}{mark} {function}{style:#} in {file}")?;
        }
    }
    Ok(())
}

/// Both prototypes, with what is only in one of them marked.
pub(super) fn prototypes(
    out: &mut dyn Write,
    old: Option<&[String]>,
    new: Option<&[String]>,
) -> io::Result<()> {
    let text = |side: Option<&[String]>| side.map(|one| printable(&one.join(", ")).into_owned());
    let (old, new) = (text(old), text(new));
    let words = TextDiff::from_words(
        old.as_deref().unwrap_or_default(),
        new.as_deref().unwrap_or_default(),
    );
    let sides = [
        ("-", GONE, ChangeTag::Insert, old.is_some()),
        ("+", COME, ChangeTag::Delete, new.is_some()),
    ];
    for (mark, style, other, _) in sides.into_iter().filter(|side| side.3) {
        write!(out, "      {style}{mark}{style:#} ")?;
        for change in words.iter_all_changes().filter(|one| one.tag() != other) {
            if change.tag() == ChangeTag::Equal {
                write!(out, "{}", change.value())?;
            } else {
                write!(out, "{style}{}{style:#}", change.value())?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
