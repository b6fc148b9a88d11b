// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What the compiler's preprocessor makes of the file that defines the tracepoints, under
//! the flags of its Makefile.

use super::oracle::Row;
use super::ways::write;
use super::world::{MAKEFILE, MAKER, is_ours};
use crate::series::Texts;
use crate::workplace::{Workplace, finished, text};
use std::collections::BTreeSet;

/// Headers that the small kernel does without.
const STUBS: [(&str, &str); 5] = [
    ("types", ""),
    ("static_call", ""),
    ("export", ""),
    ("trace_events", ""),
    (
        "stringify",
        "#define __stringify_1(x...) #x\n#define __stringify(x...) __stringify_1(x)\n",
    ),
];

/// As Kbuild has them, for x86.
const FOLDERS: [&str; 6] = [
    "arch/x86/include",
    "include",
    "arch/x86/include/uapi",
    "include/uapi",
    "include/asm-generic",
    "stubs",
];

/// A tracepoint, and whether it has an event.
pub type Made = (String, bool);

/// Those of a list that the small kernel has not by itself.
pub fn listed(list: &BTreeSet<Row>) -> BTreeSet<Made> {
    let ours = list.iter().filter(|row| is_ours(&row.file));
    ours.map(|row| (row.name.clone(), row.is_event)).collect()
}

/// What is made in any configuration; `None` if there is one that cannot be compiled.
pub fn made(texts: &Texts) -> Option<BTreeSet<Made>> {
    let place = Workplace::empty();
    write(&place, "", texts);
    for (name, text) in STUBS {
        place.write(format!("stubs/linux/{name}.h"), text);
    }
    let mut made = BTreeSet::new();
    for more in [&[][..], &["-DCONFIG_HOOKS"]] {
        made.extend(sections(&preprocessed(&place, texts, more)?));
    }
    Some(made)
}

fn preprocessed(place: &Workplace, texts: &Texts, more: &[&str]) -> Option<String> {
    let mut command = place.command("cc");
    command.args(["-E", "-P", "-nostdinc", "-Ulinux", "-D__KERNEL__"]);
    let options = ["TRACEPOINTS", "PERF_EVENTS", "BPF_EVENTS"];
    command.args(options.map(|name| format!("-DCONFIG_{name}")));
    command.args(FOLDERS.map(|folder| format!("-I{folder}")));
    let flags = texts[MAKEFILE]
        .lines()
        .filter_map(|line| line.strip_prefix("ccflags-y += "));
    for flag in flags.flat_map(|flags| flags.split(' ')) {
        command.arg(flag.replace("$(srctree)/", ""));
    }
    let output = finished(command.args(more).arg(MAKER));
    // An include of nothing ends it.
    output.status.success().then(|| text(&output.stdout))
}

/// The tracepoints of a preprocessed file.
fn sections(text: &str) -> BTreeSet<Made> {
    let word = |text: &str| -> String {
        let rest = text.chars();
        rest.take_while(|one| one.is_alphanumeric() || *one == '_')
            .collect()
    };
    let mut names = BTreeSet::new();
    let mut past = 0;
    for (at, section) in text.match_indices("__section(\"__tracepoints\")") {
        let before = &text[past..at];
        if let Some((_, rest)) = before.rsplit_once("struct tracepoint __tracepoint_") {
            names.insert(word(rest));
        }
        past = at + section.len();
    }
    let pieces = text.split("__section(\"_ftrace_events\")").skip(1);
    let events = pieces.filter_map(|piece| Some(word(piece.split_once("*__event_")?.1)));
    let events: BTreeSet<String> = events.collect();
    let all = names.union(&events);
    all.map(|name| (name.clone(), events.contains(name)))
        .collect()
}
