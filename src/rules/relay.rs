// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A probe on a bare tracepoint that hands it on to user space.

use super::finding::{Finding, Level, Place, Related};
use super::review::{Sight, declared_at, folder_of, related};
use super::trace_printk;
use crate::inventory::includes::Includes;
use crate::inventory::resolve::{Inventory, Probe, Tracepoint};
use crate::inventory::scan::is_source;
use crate::syntax::functions::{functions, living, names_used};
use crate::syntax::lines::Lines;
use crate::syntax::objects::{Objects, named, objects};
use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Functions, or with a `*` families of them, through which a kernel speaks to
/// user space beside trace events.
const OUTPUTS: [&str; 34] = [
    "perf_event_output*",
    "perf_event_overflow",
    "perf_sw_event*",
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
    "netlink_broadcast*",
    "netlink_unicast",
    "synth_event_trace*",
    "bpf_trace_run*",
    "event_triggers_call",
    "eventfd_signal*",
    "sysfs_notify*",
    "kernfs_notify",
];

/// How the functions start that the kernel makes for each tracepoint and that call its
/// probes (include/linux/tracepoint.h, `__DECLARE_TRACE`).
const CALLS: [&str; 4] = ["trace_", "trace_call__", "__do_trace_", "__traceiter_"];

/// Follows every probe of a bare tracepoint through the functions of its folder.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let inventory = &sight.state.inventory;
    let bare = inventory.bare_names();
    let events = LazyCell::new(|| Events::of(inventory));
    let helpers = LazyCell::new(|| Helpers::of(sight));
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
            .filter(|probe| !sight.zones.is_relay(&probe.site.file))
            .filter(|probe| sight.examines_folder_of(&probe.site.file))
        {
            let path = folder_of(&probe.site.file);
            let folder = folders
                .entry(path.to_owned())
                .or_insert_with(|| Folder::read(sight, path));
            if let Some(route) = folder.route(probe, &events, &helpers) {
                found.push(finding(hook, probe, &route));
            }
        }
    }
    found
}

/// The most functions of a way that a finding names.
const MOST_NAMED: usize = 8;

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
    let way = match route.functions.as_slice() {
        [first @ .., last] if first.len() >= MOST_NAMED => {
            format!("{}() → … → {last}", first[..MOST_NAMED - 1].join("() → "))
        }
        all => all.join("() → "),
    };
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
        approval: None,
        passing: false,
    }
}

/// A function of a folder. Few are on a way from a probe, so no more is made of the
/// others.
struct Function {
    place: Place,
    text: Box<[u8]>,
    uses: OnceCell<BTreeSet<String>>,
    names: OnceCell<BTreeSet<String>>,
    /// What it speaks through, once that was asked for.
    output: OnceCell<Option<String>>,
}

/// The functions of one folder.
struct Folder {
    functions: BTreeMap<String, Vec<Function>>,
    /// The objects of each file, and what was put into them.
    objects: BTreeMap<String, Objects>,
    /// What a probe was found not to come to an output by.
    silent: HashSet<Meant>,
}

/// A name and the file that uses it.
type Meant = (String, String);

/// One function on the way from a probe.
struct Step {
    meant: Meant,
    /// Which step led to it.
    from: Option<usize>,
}

/// Functions and macros of headers that emit, by name, each with its header and what
/// it calls.
struct Helpers<'a> {
    emitting: BTreeMap<&'a str, Vec<(&'a str, String)>>,
    includes: Includes<'a>,
    sight: &'a Sight<'a>,
}

impl<'a> Helpers<'a> {
    fn of(sight: &'a Sight<'a>) -> Self {
        let mut emitting: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
        let mut add = |function: Option<&'a str>, file: &'a str, output: String| {
            if let Some(function) = function.filter(|_| file.ends_with(".h")) {
                emitting.entry(function).or_default().push((file, output));
            }
        };
        let tracepoints = sight.state.inventory.tracepoints.iter();
        for event in tracepoints.filter(|one| !one.is_bare()) {
            for call in &event.call_sites {
                let output = format!("the trace event {}", event.name());
                add(call.function.as_deref(), &call.site.file, output);
            }
        }
        for (file, facts) in sight.state.facts.iter() {
            for one in &facts.mentions {
                if trace_printk::FAMILY.contains(&one.identifier.as_ref()) {
                    let output = format!("{}()", one.identifier);
                    add(one.function.as_deref(), file, output);
                }
            }
        }
        Self {
            emitting,
            includes: Includes::of(&sight.state.facts),
            sight,
        }
    }

    /// What the helper `name` emits, if `file` includes the header that it stands in.
    fn output(&self, name: &str, file: &str) -> Option<&str> {
        let known = self.emitting.get(name)?;
        let (file, _) = self.sight.state.facts.get_key_value(file)?;
        let reached = self.includes.reachable(file);
        let is_reached = |header: &str| reached.iter().any(|one| ***one == *header);
        let mut known = known.iter().filter(|(header, _)| is_reached(header));
        known.next().map(|(_, output)| output.as_str())
    }
}

/// The functions and the objects of the files of a folder, in no order.
type InFolder = (Vec<(String, Function)>, BTreeMap<String, Objects>);

impl Folder {
    fn read(sight: &Sight<'_>, folder: &str) -> Self {
        let all: Mutex<InFolder> = Mutex::default();
        let directly = |path: &str| is_source(path) && folder_of(path) == folder;
        let read = |path: &str, text: &[u8]| {
            let (functions, objects) = in_file(path, text);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.0.extend(functions);
            all.1.insert(path.to_owned(), objects);
        };
        // What cannot be read was reported by the scan of the tree.
        let _ = sight
            .tree
            .visit_below(&[folder.to_owned()], &directly, &read);
        let mut functions: BTreeMap<String, Vec<Function>> = BTreeMap::new();
        let (all, objects) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (name, function) in all {
            functions.entry(name).or_default().push(function);
        }
        for same in functions.values_mut() {
            same.sort_by(|a, b| a.place.cmp(&b.place));
        }
        Self {
            functions,
            objects,
            silent: HashSet::new(),
        }
    }

    /// The functions that `name` can mean in `file`: its own before others.
    fn meant(&self, (name, file): &Meant) -> Vec<&Function> {
        let same = self.functions.get(name).map_or(&[][..], Vec::as_slice);
        let own: Vec<&Function> = same.iter().filter(|one| one.place.file == *file).collect();
        if own.is_empty() {
            same.iter().collect()
        } else {
            own
        }
    }

    /// The functions of the folder that `function` calls, or that may be called through
    /// an object that it names: a table of functions, a work, a timer.
    fn next_of<'a>(&'a self, function: &'a Function) -> BTreeSet<&'a str> {
        let file = function.place.file.as_str();
        let is_own = |name: &str| {
            let mut same = self.functions.get(name).into_iter().flatten();
            same.any(|one| one.place.file == file)
        };
        let named = function.names().iter().filter(|name| is_own(name));
        let objects = self.objects.get(file);
        let put = function.names().iter().filter_map(|name| {
            let object = objects?.get(name)?;
            (!object.by_macro || function.uses().contains(name)).then_some(&object.put)
        });
        let next = function.uses().iter().chain(named).chain(put.flatten());
        next.map(String::as_str)
            .filter(|next| self.functions.contains_key(*next))
            .collect()
    }

    /// The shortest way from a probe to an output.
    fn route(
        &mut self,
        probe: &Probe,
        events: &Events<'_>,
        helpers: &Helpers<'_>,
    ) -> Option<Route> {
        let mut seen = HashSet::new();
        let mut steps = Vec::new();
        for name in &probe.functions {
            let meant = (name.to_string(), probe.site.file.to_string());
            self.follow(meant, None, &mut seen, &mut steps);
        }
        let mut at = 0;
        while at < steps.len() {
            let meant = self.meant(&steps[at].meant);
            let name = &steps[at].meant.0;
            if let Some((output, place)) = output_of(name, &meant, events, helpers) {
                return Some(Route {
                    functions: way_to(&steps, at),
                    output,
                    place,
                });
            }
            let next: Vec<Meant> = meant
                .iter()
                .flat_map(|function| {
                    let file = &function.place.file;
                    let next = self.next_of(function).into_iter();
                    next.map(|name| (name.to_owned(), file.clone()))
                })
                .collect();
            for one in next {
                self.follow(one, Some(at), &mut seen, &mut steps);
            }
            at += 1;
        }
        // None of these has to be followed from another probe again.
        self.silent.extend(seen);
        None
    }

    fn follow(
        &self,
        meant: Meant,
        from: Option<usize>,
        seen: &mut HashSet<Meant>,
        steps: &mut Vec<Step>,
    ) {
        if !self.silent.contains(&meant) && seen.insert(meant.clone()) {
            steps.push(Step { meant, from });
        }
    }
}

/// The names of the functions that led to a step, and its own.
fn way_to(steps: &[Step], last: usize) -> Vec<String> {
    let mut way = Vec::new();
    let mut at = Some(last);
    while let Some(step) = at.and_then(|at| steps.get(at)) {
        way.push(step.meant.0.clone());
        at = step.from;
    }
    way.reverse();
    way
}

/// What a helper of a header says that `function` calls.
fn helped_by(function: &Function, helpers: &Helpers<'_>) -> Option<String> {
    let mut uses = function.uses().iter();
    uses.find_map(|name| {
        let output = helpers.output(name, &function.place.file)?;
        Some(format!("{name}(), which calls {output}"))
    })
}

fn in_file(path: &str, text: &[u8]) -> (Vec<(String, Function)>, Objects) {
    let lines = Lines::of(text);
    let text = &*living(text);
    let functions = functions(text);
    let objects = objects(text, &functions);
    let functions = functions
        .into_iter()
        .map(|function| {
            let offset = function.span.start;
            let place = Place {
                file: path.to_owned(),
                line: lines.line(offset + leading_space(function.span.of(text))),
                column: 1,
            };
            let found = Function {
                place,
                text: function.span.of(text).into(),
                uses: OnceCell::new(),
                names: OnceCell::new(),
                output: OnceCell::new(),
            };
            (function.name, found)
        })
        .collect();
    (functions, objects)
}

fn leading_space(text: &[u8]) -> u32 {
    text.iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count() as u32
}

/// What a function called `name`, which may be any of `meant`, speaks through, and where
/// that function is.
fn output_of(
    name: &str,
    meant: &[&Function],
    events: &Events<'_>,
    helpers: &Helpers<'_>,
) -> Option<(String, Option<Place>)> {
    let spoken = meant.iter().find_map(|function| {
        let output = function.output.get_or_init(|| {
            let speaks = function.speaks(name, events);
            speaks.or_else(|| helped_by(function, helpers))
        });
        Some((output.clone()?, Some(function.place.clone())))
    });
    // A probe may stand in another folder, and a macro may paste the call.
    spoken.or_else(|| {
        let event = events.called_by(name, meant)?;
        let place = meant.first().map(|function| function.place.clone());
        Some((format!("the trace event {event}"), place))
    })
}

impl Function {
    /// What it calls, or passes on.
    fn uses(&self) -> &BTreeSet<String> {
        self.uses.get_or_init(|| names_used(&self.text))
    }

    /// What it names at all.
    fn names(&self) -> &BTreeSet<String> {
        self.names.get_or_init(|| named(&self.text))
    }

    /// The first of what it uses, but for itself, that speaks to user space.
    fn speaks(&self, own: &str, events: &Events<'_>) -> Option<String> {
        let uses = self.uses().iter().filter(|name| *name != own);
        uses.map(String::as_str).find_map(|name| {
            if let Some(event) = events.of_call(name) {
                return Some(format!("the trace event {event}"));
            }
            let speaks = trace_printk::FAMILY.contains(&name)
                || OUTPUTS.iter().any(|output| matches(output, name));
            speaks.then(|| format!("{name}()"))
        })
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => pattern == name,
    }
}

/// The trace events of a kernel, and who calls them.
struct Events<'i> {
    inventory: &'i Inventory,
    /// By function: the event, and the file that calls it.
    called: HashMap<&'i str, Vec<(&'i str, &'i str)>>,
}

impl<'i> Events<'i> {
    fn of(inventory: &'i Inventory) -> Self {
        let mut called: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
        for event in inventory.tracepoints.iter().filter(|one| !one.is_bare()) {
            for call in &event.call_sites {
                if let Some(function) = &call.function {
                    let calls = called.entry(function).or_default();
                    calls.push((event.name(), &call.site.file));
                }
            }
        }
        Self { inventory, called }
    }

    /// The trace event that a generated function of this name calls.
    fn of_call<'n>(&self, name: &'n str) -> Option<&'n str> {
        let called = CALLS.iter().filter_map(|prefix| name.strip_prefix(prefix));
        called
            .flat_map(|name| [name, name.strip_suffix("_rcuidle").unwrap_or(name)])
            .find(|name| self.inventory.named(name).any(|one| !one.is_bare()))
    }

    /// The trace event that a function called `name` calls, by the inventory's own
    /// account: in the files of `meant`, or anywhere if there are none.
    fn called_by(&self, name: &str, meant: &[&Function]) -> Option<&'i str> {
        let is_meant = |file: &str| {
            meant.is_empty() || meant.iter().any(|function| function.place.file == file)
        };
        let mut calls = self.called.get(name)?.iter();
        calls
            .find(|(_, file)| is_meant(file))
            .map(|(event, _)| *event)
    }
}
