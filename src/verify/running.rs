// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Events of a running kernel against those of its images and of the source.

use super::declared::Declared;
use super::evidence::{Evidence, Image, Tracefs, whole_file};
use super::{DIFFERS, UNKNOWN, finding};
use crate::elf::Event;
use crate::rules::finding::{Finding, Level};
use crate::tracefs::Name;
use std::collections::BTreeSet;

/// Systems whose events come from no tracepoint: ftrace's own entries
/// (kernel/trace/trace_export.c) and one for each system call (trace_syscalls.c). Of
/// the former not all are listed, of the latter not all are set up.
const OTHER_SYSTEMS: [&str; 2] = ["ftrace", "syscalls"];

/// Names the events that are in one and not in the other.
pub(super) fn find(declared: &Declared<'_>, evidence: &Evidence) -> Vec<Finding> {
    let Some(tracefs) = &evidence.tracefs else {
        return Vec::new();
    };
    let built: BTreeSet<&str> = evidence
        .images
        .iter()
        .flat_map(Image::events)
        .map(|event| event.name.as_str())
        .collect();
    let is_all_built = evidence.vmlinux().is_some() && evidence.modules.is_some();
    let mut found = Vec::new();
    for event in tracefs.running.events.iter().filter(|one| is_plain(one)) {
        let name = event.event.as_str();
        if built.contains(name) || declared.bare_behind(name).is_some() {
            continue;
        }
        match declared.get(name) {
            None => found.push(unknown(tracefs, event)),
            Some(said) if is_all_built => {
                let place = said.place.clone();
                let message = format!(
                    "{} has a trace event {}:{name}, but neither the vmlinux nor a module has it",
                    tracefs.name, event.system
                );
                found.push(finding(DIFFERS, Level::Warning, name, place, message));
            }
            Some(_) => {}
        }
    }
    if let Some(vmlinux) = evidence.vmlinux() {
        found.extend(not_running(declared, tracefs, vmlinux));
    }
    found
}

fn is_plain(event: &Name) -> bool {
    !OTHER_SYSTEMS.contains(&event.system.as_str())
}

fn unknown(tracefs: &Tracefs, event: &Name) -> Finding {
    let message = format!(
        "{} has a trace event {}:{}, which neither the source nor an image has",
        tracefs.name, event.system, event.event
    );
    let place = whole_file(&tracefs.name);
    finding(UNKNOWN, Level::Warning, &event.event, place, message)
}

/// The events of the vmlinux that do not run: tracefs is of another kernel.
fn not_running(declared: &Declared<'_>, tracefs: &Tracefs, vmlinux: &Image) -> Vec<Finding> {
    let running: BTreeSet<&str> = tracefs
        .running
        .events
        .iter()
        .map(|event| event.event.as_str())
        .collect();
    let is_missing = |event: &&Event| {
        let is_other = event
            .system
            .as_deref()
            .is_some_and(|system| OTHER_SYSTEMS.contains(&system));
        !is_other && !running.contains(event.name.as_str())
    };
    let missing = vmlinux.events().filter(is_missing);
    missing
        .map(|event| {
            let said = declared.get(&event.name).map(|said| said.place.clone());
            let message = format!(
                "{} has a trace event {}, which {} has not",
                vmlinux.name, event.name, tracefs.name
            );
            let place = said.unwrap_or_else(|| vmlinux.place());
            finding(DIFFERS, Level::Warning, &event.name, place, message)
        })
        .collect()
}
