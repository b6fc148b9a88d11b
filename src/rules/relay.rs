// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A probe on a bare tracepoint that hands it on to user space.

use super::finding::{Finding, Level, Place, Related};
use super::review::{Sight, declared_at, related};
use super::trace_printk;
use crate::inventory::resolve::{Inventory, Probe, Tracepoint};
use crate::inventory::scan::is_source;
use crate::syntax::functions::{functions, living, names_used};
use crate::syntax::lines::Lines;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Functions, or with a `*` families of them, through which a kernel speaks to
/// user space beside trace events.
const OUTPUTS: [&str; 26] = [
    "perf_event_output*",
    "perf_event_overflow",
    "perf_tp_event",
    "perf_trace_buf_*",
    "perf_trace_run_bpf_submit",
    "trace_event_buffer_*",
    "trace_buffer_*",
    "ring_buffer_write",
    "ring_buffer_lock_reserve",
    "ring_buffer_unlock_commit",
    "relay_write",
    "__relay_write",
    "relay_reserve",
    "seq_printf",
    "seq_puts",
    "seq_putc",
    "seq_write",
    "seq_vprintf",
    "seq_put_decimal_*",
    "debugfs_create_*",
    "tracefs_create_*",
    "kobject_uevent*",
    "genlmsg_multicast*",
    "genlmsg_unicast",
    "nlmsg_multicast*",
    "synth_event_trace*",
];

/// Follows every probe of a bare tracepoint through the functions of its folder.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let inventory = &sight.state.inventory;
    let bare = inventory.bare_names();
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    let mut found = Vec::new();
    for hook in inventory
        .tracepoints
        .iter()
        .filter(|one| bare.contains(one.name()))
    {
        for probe in hook
            .probes
            .iter()
            .filter(|probe| sight.zones.relay_of(&probe.site.file).is_none())
            .filter(|probe| sight.examines_folder_of(&probe.site.file))
        {
            let path = probe
                .site
                .file
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            let folder = folders
                .entry(path.to_owned())
                .or_insert_with(|| Folder::read(sight, path));
            if let Some(route) = folder.route(probe, inventory) {
                found.push(finding(hook, probe, &route));
            }
        }
    }
    found
}

/// How a probe comes to an output.
struct Route {
    /// The functions on the way, the probe first.
    functions: Vec<String>,
    /// What the last of them calls.
    output: String,
    /// Where the last of them is.
    place: Option<Place>,
}

fn finding(hook: &Tracepoint, probe: &Probe, route: &Route) -> Finding {
    let way = route.functions.join("() → ");
    let mut places: Vec<Related> = vec![related(
        declared_at(hook),
        "the bare tracepoint is declared here",
    )];
    if let Some(place) = &route.place {
        places.push(related(place.clone(), "this function hands it on"));
    }
    Finding {
        rule: "relay",
        level: Level::Error,
        tracepoint: Some(hook.name().to_owned()),
        place: (&probe.site).into(),
        message: format!(
            "the probe on the bare tracepoint {} hands it on to user space: {way}() calls {}",
            hook.name(),
            route.output
        ),
        related: places,
        patch: None,
        fix: None,
    }
}

/// A function of a folder.
struct Function {
    place: Place,
    uses: BTreeSet<String>,
}

/// The functions of one folder.
#[derive(Default)]
struct Folder {
    functions: BTreeMap<String, Vec<Function>>,
}

impl Folder {
    fn read(sight: &Sight<'_>, folder: &str) -> Self {
        let all: Mutex<Vec<(String, Function)>> = Mutex::default();
        let directly = |path: &str| {
            is_source(path) && path.rsplit_once('/').map_or("", |(parent, _)| parent) == folder
        };
        let read = |path: &str, text: &[u8]| {
            let found = in_file(path, text);
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(found);
        };
        // What cannot be read was reported by the scan of the tree.
        let _ = sight
            .tree
            .visit_below(&[folder.to_owned()], &directly, &read);
        let mut functions: BTreeMap<String, Vec<Function>> = BTreeMap::new();
        for (name, function) in all.into_inner().unwrap_or_else(PoisonError::into_inner) {
            functions.entry(name).or_default().push(function);
        }
        for same in functions.values_mut() {
            same.sort_by(|a, b| a.place.cmp(&b.place));
        }
        Self { functions }
    }

    /// The functions that `name` can mean in `file`: its own before others.
    fn meant(&self, name: &str, file: &str) -> Vec<&Function> {
        let same = self.functions.get(name).map_or(&[][..], Vec::as_slice);
        let own: Vec<&Function> = same.iter().filter(|one| one.place.file == file).collect();
        if own.is_empty() {
            same.iter().collect()
        } else {
            own
        }
    }

    /// The shortest way from a probe to an output.
    fn route(&self, probe: &Probe, inventory: &Inventory) -> Option<Route> {
        let start = |name: &str| (vec![name.to_owned()], probe.site.file.to_string());
        let functions = probe.functions.iter().map(AsRef::as_ref);
        let mut queue: VecDeque<(Vec<String>, String)> = functions.map(start).collect();
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        while let Some((way, file)) = queue.pop_front() {
            let name = way.last().cloned().unwrap_or_default();
            if !seen.insert((name.clone(), file.clone())) {
                continue;
            }
            let meant = self.meant(&name, &file);
            for function in &meant {
                if let Some(output) = output_of(function, &name, inventory) {
                    return Some(Route {
                        functions: way,
                        output,
                        place: Some(function.place.clone()),
                    });
                }
                for next in function
                    .uses
                    .iter()
                    .filter(|next| self.functions.contains_key(*next))
                {
                    let mut longer = way.clone();
                    longer.push(next.clone());
                    queue.push_back((longer, function.place.file.clone()));
                }
            }
            // A probe may stand in another folder, and a macro may paste the call.
            if let Some(event) = event_called_by(&name, &meant, inventory) {
                return Some(Route {
                    functions: way,
                    output: format!("the trace event {event}"),
                    place: meant.first().map(|function| function.place.clone()),
                });
            }
        }
        None
    }
}

fn in_file(path: &str, text: &[u8]) -> Vec<(String, Function)> {
    let lines = Lines::of(text);
    let text = &*living(text);
    functions(text)
        .into_iter()
        .map(|function| {
            let offset = function.span.start;
            let place = Place {
                file: path.to_owned(),
                line: lines.line(offset + leading_space(function.span.of(text))),
                column: 1,
            };
            let uses = names_used(function.span.of(text));
            (function.name, Function { place, uses })
        })
        .collect()
}

fn leading_space(text: &[u8]) -> u32 {
    text.iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count() as u32
}

fn output_of(function: &Function, own: &str, inventory: &Inventory) -> Option<String> {
    function
        .uses
        .iter()
        .filter(|name| *name != own)
        .find_map(|name| {
            if let Some(event) = event_of(name, inventory) {
                return Some(format!("the trace event {event}"));
            }
            let speaks = trace_printk::FAMILY.contains(&name.as_str())
                || OUTPUTS.iter().any(|output| matches(output, name));
            speaks.then(|| format!("{name}()"))
        })
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => pattern == name,
    }
}

/// The trace event that `trace_X` or `trace_call__X` calls.
fn event_of(name: &str, inventory: &Inventory) -> Option<String> {
    let rest = name.strip_prefix("trace_")?;
    [
        rest.strip_prefix("call__").unwrap_or(rest),
        rest.strip_suffix("_rcuidle").unwrap_or(rest),
    ]
    .into_iter()
    .find(|name| inventory.named(name).any(|one| !one.is_bare()))
    .map(str::to_owned)
}

/// The trace event that a function called `name` calls, by the inventory's own
/// account: in the files of `meant`, or anywhere if there are none.
fn event_called_by(name: &str, meant: &[&Function], inventory: &Inventory) -> Option<String> {
    let events = inventory.tracepoints.iter().filter(|one| !one.is_bare());
    events
        .flat_map(|event| event.call_sites.iter().map(move |call| (event, call)))
        .find(|(_, call)| {
            call.function.as_deref() == Some(name)
                && (meant.is_empty()
                    || meant
                        .iter()
                        .any(|function| *function.place.file == *call.site.file))
        })
        .map(|(event, _)| event.name().to_owned())
}
