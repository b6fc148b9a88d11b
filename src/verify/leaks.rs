// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Bare tracepoints that have an event, in an image or in a running kernel.

use super::declared::{Declared, Name};
use super::evidence::{Evidence, Image, Tracefs};
use super::{LEAK, PROBE, finding};
use crate::elf::Event;
use crate::rules::finding::{Finding, Level, Related};

/// Finds the leaks, and as notes what root put on bare tracepoints.
pub(super) fn find(declared: &Declared<'_>, evidence: &Evidence) -> Vec<Finding> {
    let mut found = Vec::new();
    for image in &evidence.images {
        for event in image.events() {
            found.extend(of_event(declared, image, event));
        }
    }
    if let Some(tracefs) = &evidence.tracefs {
        found.extend(running(declared, tracefs));
        found.extend(probes(declared, tracefs));
    }
    found
}

fn of_event(declared: &Declared<'_>, image: &Image, event: &Event) -> Option<Finding> {
    let handed_on = event.tracepoint.as_deref();
    let attached = handed_on.and_then(|name| declared.bare(name));
    let (name, said) = attached.or_else(|| declared.bare_behind(&event.name))?;
    let called = called(event);
    let how = if handed_on == Some(name) {
        format!("trace event {called} hands it on")
    } else {
        format!("there is a trace event {called}")
    };
    let message = format!("{name} is bare in the source, but in {} {how}", image.name);
    let mut finding = leak(name, said, message);
    finding.related.push(Related {
        place: image.place(),
        message: format!("its _ftrace_events has {called}"),
    });
    Some(finding)
}

/// `system:event`, as far as it is known.
fn called(event: &Event) -> String {
    match &event.system {
        Some(system) => format!("{system}:{}", event.name),
        None => event.name.clone(),
    }
}

fn running(declared: &Declared<'_>, tracefs: &Tracefs) -> Vec<Finding> {
    let events = tracefs.running.events.iter();
    let leaks = events.filter_map(|event| {
        let (name, said) = declared.bare_behind(&event.event)?;
        let message = format!(
            "{name} is bare in the source, but {} has a trace event {}:{}",
            tracefs.name, event.system, event.event
        );
        Some(leak(name, said, message))
    });
    leaks.collect()
}

fn leak(name: &str, said: &Name, message: String) -> Finding {
    finding(LEAK, Level::Error, name, said.place.clone(), message)
}

fn probes(declared: &Declared<'_>, tracefs: &Tracefs) -> Vec<Finding> {
    let probes = tracefs.running.probes.iter();
    let notes = probes.filter_map(|(event, tracepoint)| {
        let (_, said) = declared.bare(tracepoint)?;
        let message = format!(
            "root put an event of root's own, {}:{}, on bare tracepoint {tracepoint}",
            event.system, event.event
        );
        let place = said.place.clone();
        Some(finding(PROBE, Level::Note, tracepoint, place, message))
    });
    notes.collect()
}
