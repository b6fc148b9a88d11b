// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a running kernel shows in tracefs: the names of its events.
//!
//! Of a tracefs only names below `events/` and the files `available_events` and
//! `dynamic_events` are read, never one that blocks or that reading changes, such as
//! `trace_pipe`. A copied folder or the file `available_events` alone will do.

use anyhow::{Context, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// The most bytes of a list of events.
const MOST: u64 = 16 << 20;
/// More events than any kernel has, by far.
const MOST_EVENTS: usize = 100_000;

/// Where events of root's own making are if root names no other system
/// (`*_EVENT_SYSTEM` in kernel/trace/).
const SYSTEMS_OF_ROOT: [&str; 7] = [
    "eprobes",
    "fprobes",
    "kprobes",
    "synthetic",
    "tracepoints",
    "uprobes",
    "user_events",
];

/// An event as tracefs names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Its folder below `events/`.
    pub system: String,
    /// Its own.
    pub event: String,
}

/// What a tracefs shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// The events that the kernel and its modules brought.
    pub events: BTreeSet<Name>,
    /// Those that root made.
    pub made_by_root: BTreeSet<Name>,
    /// Those of them that are on a tracepoint (`t:`), with its name.
    pub probes: BTreeMap<Name, String>,
}

/// Reads a tracefs, a copy of one, or a file `available_events`.
///
/// # Errors
/// There is no event in it, or it cannot be read.
pub fn read(path: &Path) -> anyhow::Result<Running> {
    let of = || path.display().to_string();
    let mut all = BTreeSet::new();
    let mut dynamic = None;
    if path.metadata().with_context(of)?.is_dir() {
        dynamic = text(&path.join("dynamic_events"))?;
        let events = path.join("events");
        if events.is_dir() {
            add_folders(&events, &mut all)?;
        } else if path.file_name().is_some_and(|name| name == "events") {
            add_folders(path, &mut all)?;
        }
        if let Some(listed) = text(&path.join("available_events"))? {
            add_names(&listed, path, &mut all)?;
        }
    } else if let Some(listed) = text(path)? {
        add_names(&listed, path, &mut all)?;
    }
    if all.is_empty() {
        bail!(
            "{}: no events in it: give a tracefs (mount -t tracefs nodev \
             /sys/kernel/tracing), a copy of one, or its available_events",
            of()
        );
    }
    let dynamic = dynamic.unwrap_or_default();
    if dynamic.lines().count() > MOST_EVENTS {
        bail!("{}: more than {MOST_EVENTS} lines of dynamic_events", of());
    }
    Ok(sorted(all, &dynamic))
}

/// The events that a list names.
fn add_names(listed: &str, path: &Path, all: &mut BTreeSet<Name>) -> anyhow::Result<()> {
    for name in names(listed) {
        all.insert(name);
        check_count(path, all)?;
    }
    Ok(())
}

fn check_count(path: &Path, all: &BTreeSet<Name>) -> anyhow::Result<()> {
    if all.len() > MOST_EVENTS {
        bail!("{}: more than {MOST_EVENTS} events", path.display());
    }
    Ok(())
}

/// The text of a file; `None` if there is none.
fn text(path: &Path) -> anyhow::Result<Option<String>> {
    let of = || path.display().to_string();
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(of),
        // A pipe would never end.
        Ok(metadata) if !metadata.is_file() => bail!("{} is no ordinary file", of()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(of)?;
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .with_context(of)?;
    if bytes.len() as u64 > MOST {
        bail!("{}: more than {} MB", of(), MOST >> 20);
    }
    let text = String::from_utf8(bytes);
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(text.unwrap_or_else(|error| lossy(error.as_bytes()))))
}

/// The lines `system:event` of `available_events`.
pub fn names(listed: &str) -> impl Iterator<Item = Name> {
    listed.lines().filter_map(|line| {
        let (system, event) = line.trim().split_once(':')?;
        let is_name = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        (is_name(system) && is_name(event)).then(|| Name {
            system: system.to_owned(),
            event: event.to_owned(),
        })
    })
}

/// The folders `SYSTEM/EVENT` below `events`.
fn add_folders(events: &Path, all: &mut BTreeSet<Name>) -> anyhow::Result<()> {
    for system in folders(events)? {
        for event in folders(&events.join(&system))? {
            all.insert(Name {
                system: system.clone(),
                event,
            });
            check_count(events, all)?;
        }
    }
    Ok(())
}

/// The names of the folders in `folder`, which links are not.
fn folders(folder: &Path) -> anyhow::Result<Vec<String>> {
    let of = || folder.display().to_string();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(of)? {
        let entry = entry.with_context(of)?;
        if entry.file_type().with_context(of)?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Tells the kernel's events from root's, which `dynamic_events` names.
fn sorted(all: BTreeSet<Name>, dynamic: &str) -> Running {
    let mut running = Running::default();
    for line in dynamic.lines() {
        if let Some((name, tracepoint)) = probe(line) {
            if let Some(tracepoint) = tracepoint {
                running.probes.insert(name.clone(), tracepoint);
            }
            running.made_by_root.insert(name);
        }
    }
    for name in all {
        let is_of_root = SYSTEMS_OF_ROOT.contains(&name.system.as_str());
        if is_of_root || running.made_by_root.contains(&name) {
            running.made_by_root.insert(name);
        } else {
            running.events.insert(name);
        }
    }
    running
}

/// A line of `dynamic_events`, `TYPE:SYSTEM/EVENT TARGET…`, and the tracepoint if the
/// type is `t` (kernel/trace/trace_fprobe.c).
fn probe(line: &str) -> Option<(Name, Option<String>)> {
    let (kind, rest) = line.split_once(':')?;
    let mut words = rest.split_whitespace();
    let first = words.next()?;
    let (system, event) = match (first.split_once('/'), kind) {
        (Some(pair), _) => pair,
        (None, "s") => ("synthetic", first),
        (None, "u") => ("user_events", first),
        (None, _) => return None,
    };
    let tracepoint = match kind.chars().next()? {
        't' => words.next().map(str::to_owned),
        _ => None,
    };
    let name = Name {
        system: system.to_owned(),
        event: event.to_owned(),
    };
    Some((name, tracepoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(system: &str, event: &str) -> Name {
        Name {
            system: system.to_owned(),
            event: event.to_owned(),
        }
    }

    #[test]
    fn lines_of_available_events() {
        let all: Vec<Name> = names("sched:sched_switch\n\nrubbish\n:x\na:b c\n").collect();
        assert_eq!(all, [name("sched", "sched_switch")]);
    }

    #[test]
    fn lines_of_dynamic_events() {
        let of = |line| probe(line).expect("a probe");
        assert_eq!(
            of("t:tracepoints/mine pelt_cfs_tp cfs=cfs_rq"),
            (name("tracepoints", "mine"), Some("pelt_cfs_tp".to_owned()))
        );
        assert_eq!(of("p16:sched/x vfs_read+0"), (name("sched", "x"), None));
        assert_eq!(
            of("s:synthetic/lat u64 x"),
            (name("synthetic", "lat"), None)
        );
        assert_eq!(of("u:mine u32 x"), (name("user_events", "mine"), None));
        assert_eq!(probe("rubbish"), None);
        assert_eq!(probe("t:"), None);
    }

    #[test]
    fn roots_events_are_told_apart() {
        let all = BTreeSet::from([
            name("sched", "sched_switch"),
            name("sched", "mine"),
            name("kprobes", "p_vfs_read_0"),
        ]);
        let running = sorted(all, "t:sched/mine pelt_cfs_tp\n");
        assert_eq!(running.events, [name("sched", "sched_switch")].into());
        assert_eq!(running.made_by_root.len(), 2);
        assert_eq!(running.probes[&name("sched", "mine")], "pelt_cfs_tp");
    }
}
