// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Names of tracepoints in what is handed to other programs: bpftrace's probes, lines
//! for `dynamic_events`, and events as perf and trace-cmd name them.

use super::Way;
use super::bpf::is_name;
use super::names::Names;
use crate::globs::Globs;

/// How many tracepoints one wildcard may stand for.
const MOST_MATCHES: usize = 256;

/// The most bytes that a module or system and a tracepoint of bpftrace have together.
const LONGEST_TARGET: usize = 512;

/// A name that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub way: Way,
    pub name: String,
    /// Where it stands in the text.
    pub offset: usize,
}

/// All of them in a string of a program: the string is a command line, a path or a line
/// by itself.
pub(super) fn in_string(text: &str, names: &Names, dynamic: bool) -> Vec<Named> {
    let mut found = Vec::new();
    if dynamic {
        found.extend(tprobes(text, names));
    }
    if ["perf", "trace-cmd", "events/", "set_event"]
        .iter()
        .any(|word| text.contains(word))
    {
        found.extend(events(text, names, Way::Perf));
    }
    if text.contains("bpftrace") {
        found.extend(bpftrace(text, names));
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The start of the word that ends at `end`.
fn word_start(text: &str, end: usize) -> usize {
    let before = &text.as_bytes()[..end];
    before
        .iter()
        .rposition(|&byte| !is_word(byte))
        .map_or(0, |other| other + 1)
}

/// The word that starts at `start`.
fn word_at(text: &str, start: usize) -> &str {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let length = rest.iter().position(|&byte| !is_word(byte));
    text.get(start..start + length.unwrap_or(rest.len()))
        .unwrap_or_default()
}

/// The probes of a bpftrace program: `rawtracepoint:X`, `rt:module:X`, with wildcards,
/// and `tracepoint:system:X` of a known tracepoint.
pub(super) fn bpftrace(text: &str, names: &Names) -> Vec<Named> {
    let mut found = Vec::new();
    for (colon, _) in text.match_indices(':') {
        let start = word_start(text, colon);
        let raw = match &text[start..colon] {
            "rawtracepoint" | "rt" => true,
            "tracepoint" | "t" => false,
            _ => continue,
        };
        if start
            .checked_sub(1)
            .is_some_and(|before| matches!(text.as_bytes()[before], b':' | b'/' | b'.' | b'$'))
        {
            continue;
        }
        let rest = &text[colon + 1..];
        let of_target = |byte: &u8| is_word(*byte) || matches!(byte, b':' | b'*' | b'?');
        let length = rest.bytes().take(LONGEST_TARGET + 1).take_while(of_target);
        let length = length.count();
        if length > LONGEST_TARGET {
            continue;
        }
        let target = &rest[..length];
        let name = target.rsplit(':').next().unwrap_or_default();
        let offset = colon + 1 + target.len() - name.len();
        let mut add = |way, name: &str| {
            found.push(Named {
                way,
                name: name.to_owned(),
                offset,
            });
        };
        if raw && is_name(name) {
            add(Way::Bpftrace, name);
        } else if raw && name.contains(['*', '?']) && name != "*" {
            for name in matching(name, names) {
                add(Way::Bpftrace, &name);
            }
        } else if target.contains(':') && names.real(name).is_some() {
            add(Way::Perf, name);
        }
    }
    found
}

/// The probes of a SystemTap script: `kernel.trace("X")`, with the system before it or
/// with wildcards. It looks the name up (tapsets.cxx there).
pub(super) fn systemtap(text: &str, names: &Names) -> Vec<Named> {
    const POINT: &str = "kernel.trace";
    let mut found = Vec::new();
    for (at, _) in text.match_indices(POINT) {
        let start = at + POINT.len();
        let rest = text[start..].trim_start().strip_prefix('(');
        let rest = rest.and_then(|rest| rest.trim_start().strip_prefix('"'));
        let Some((target, _)) = rest.and_then(|rest| rest.split_once('"')) else {
            continue;
        };
        let name = target.rsplit(':').next().unwrap_or_default();
        let offset = text.len() - rest.map_or(0, str::len) + target.len() - name.len();
        let mut add = |name: &str| {
            found.push(Named {
                way: Way::Lookup,
                name: name.to_owned(),
                offset,
            });
        };
        if is_name(name) {
            add(name);
        } else if name != "*" {
            matching(name, names).iter().for_each(|name| add(name));
        }
    }
    found
}

/// The tracepoints that a wildcard stands for; by their real names.
fn matching(pattern: &str, names: &Names) -> Vec<String> {
    let Ok(glob) = Globs::of_name(pattern) else {
        return Vec::new();
    };
    let real = names
        .written()
        .filter(|name| names.real(name) == Some(name));
    real.filter(|name| glob.is_match(name))
        .take(MOST_MATCHES)
        .map(str::to_owned)
        .collect()
}

/// Lines for `dynamic_events` (Documentation/trace/fprobetrace.rst):
/// `t[:[group/][event]] X [arguments]`.
pub(super) fn tprobes(text: &str, names: &Names) -> Vec<Named> {
    let mut found = Vec::new();
    // In a string of a program, a newline is still written as one.
    for (start, line) in lines(text) {
        let trimmed = line.trim_start();
        let mut at = start + line.len() - trimmed.len();
        let mut rest = trimmed;
        for command in ["echo ", "printf ", "-e ", "-n "] {
            if let Some(tail) = rest.strip_prefix(command) {
                let tail = tail.trim_start();
                at += rest.len() - tail.len();
                rest = tail;
            }
        }
        let tail = rest.trim_start_matches(['"', '\'']);
        at += rest.len() - tail.len();
        if let Some((name, offset)) = tprobe(tail, names) {
            found.push(Named {
                way: Way::Tprobe,
                name: name.to_owned(),
                offset: at + offset,
            });
        }
    }
    found
}

/// The lines of a text; also those that `\n` makes in a string.
fn lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut start = 0;
    let ends = text
        .match_indices('\n')
        .map(|(at, _)| (at, 1))
        .chain(text.match_indices("\\n").map(|(at, _)| (at, 2)));
    let mut ends: Vec<(usize, usize)> = ends.collect();
    ends.sort_unstable();
    for (at, length) in ends {
        lines.push((start, &text[start..at]));
        start = at + length;
    }
    lines.push((start, &text[start..]));
    lines
}

/// The tracepoint of a tprobe, and its place in the line.
fn tprobe<'a>(line: &'a str, names: &Names) -> Option<(&'a str, usize)> {
    let rest = line.strip_prefix('t')?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let (event, tail) = rest.split_once([' ', '\t'])?;
    let tail = tail.trim_start();
    let name = word_at(tail, 0);
    let ended = matches!(
        tail.as_bytes().get(name.len()),
        None | Some(b' ' | b'\t' | b'"' | b'\'' | b'\r' | b'\\' | b';' | b'>' | b'|')
    );
    let certain = event.len() > 1 && event.starts_with(':');
    let known = names.real(name).is_some();
    let fits = is_name(name) && ended && (certain || event.is_empty() && known);
    fits.then(|| (name, line.len() - tail.len()))
}

/// Trace events of known tracepoints: `system:X`, `events/system/X` and, for trace-cmd,
/// `-e X`. `usual` is the way where the line does not say that it is trace-cmd's.
pub(super) fn events(text: &str, names: &Names, usual: Way) -> Vec<Named> {
    let mut found = Vec::new();
    let mut add = |name: &str, offset: usize, way| {
        if names.real(name).is_some() {
            found.push(Named {
                way,
                name: name.to_owned(),
                offset,
            });
        }
    };
    for (colon, _) in text.match_indices(':') {
        let start = word_start(text, colon);
        let system = &text[start..colon];
        let before = start.checked_sub(1).map(|at| text.as_bytes()[at]);
        let opens = before.is_none_or(|byte| {
            matches!(
                byte,
                b' ' | b'\t' | b'\n' | b'"' | b'\'' | b',' | b'{' | b'=' | b'(' | b'['
            )
        });
        let other = matches!(system, "rt" | "rawtracepoint" | "t" | "tracepoint" | "");
        if opens && !other && is_name(system) {
            let name = word_at(text, colon + 1);
            let after = text.as_bytes().get(colon + 1 + name.len());
            if !matches!(after, Some(b'(' | b':')) {
                add(name, colon + 1, way_at(text, colon, usual));
            }
        }
    }
    for (at, folder) in text.match_indices("events/") {
        let start = at + folder.len();
        let system = word_at(text, start);
        let name = start + system.len();
        if !system.is_empty() && text.as_bytes().get(name) == Some(&b'/') {
            add(word_at(text, name + 1), name + 1, Way::Perf);
        }
    }
    for (at, option) in text.match_indices("-e ") {
        let start = at + option.len();
        let name = text[start..].trim_start();
        let start = text.len() - name.len();
        let name = word_at(text, start);
        let way = way_at(text, at, usual);
        if way == Way::TraceCommand && text.as_bytes().get(start + name.len()) != Some(&b':') {
            add(name, start, way);
        }
    }
    found
}

/// How far before an event the name of the command may stand.
const COMMAND_DISTANCE: usize = 4096;

/// trace-cmd or perf, whichever the logical line names last before `at`.
fn way_at(text: &str, at: usize, usual: Way) -> Way {
    let before = &text.as_bytes()[at.saturating_sub(COMMAND_DISTANCE)..at];
    let line = &before[logical_line_start(before)..];
    let last = |word: &str| memchr::memmem::rfind(line, word.as_bytes());
    match (last("trace-cmd").max(last("trace_cmd")), last("perf ")) {
        (Some(command), Some(perf)) if perf > command => Way::Perf,
        (Some(_), _) => Way::TraceCommand,
        (None, Some(_)) => Way::Perf,
        (None, None) => usual,
    }
}

/// Where the line at the end of `text` starts, with those that a backslash continues.
fn logical_line_start(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(newline) = memchr::memrchr(b'\n', &text[..end]) {
        let line = &text[..newline];
        if !line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"\\") {
            return newline + 1;
        }
        end = newline;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::exactly(["sched_a_tp", "sched_b_tp", "foo"])
    }

    fn shown(found: Vec<Named>, text: &str) -> Vec<(Way, String)> {
        for one in &found {
            assert!(
                text[one.offset..].starts_with(&one.name) || text.contains('*'),
                "{one:?}"
            );
        }
        found.into_iter().map(|one| (one.way, one.name)).collect()
    }

    #[test]
    fn probes_of_bpftrace() {
        let of = |text| shown(bpftrace(text, &names()), text);
        let raw = |name: &str| (Way::Bpftrace, name.to_owned());
        assert_eq!(of("rawtracepoint:x,rt:m:y {}"), [raw("x"), raw("y")]);
        assert_eq!(
            of("rt:sched_*_tp { }"),
            [raw("sched_a_tp"), raw("sched_b_tp")]
        );
        assert_eq!(
            of("tracepoint:sched:foo, t:sched:none {}"),
            [(Way::Perf, "foo".to_owned())]
        );
        assert_eq!(of("start:x hort:x a.rt:x rt: rt:*"), []);
    }

    #[test]
    fn probes_of_systemtap() {
        let of = |text| shown(systemtap(text, &names()), text);
        let one = |name: &str| (Way::Lookup, name.to_owned());
        assert_eq!(
            of("probe x = kernel.trace(\"sched:foo\") !, kernel.trace ( \"y\" ) {}"),
            [one("foo"), one("y")]
        );
        assert_eq!(
            of("kernel.trace(\"sched_*\")"),
            [one("sched_a_tp"), one("sched_b_tp")]
        );
        assert_eq!(
            of("kernel.trace(\"*\") kernel.trace(x) kernel.trace(\"y"),
            []
        );
    }

    #[test]
    fn lines_for_dynamic_events() {
        let of = |text| shown(tprobes(text, &names()), text);
        let one = |name: &str| (Way::Tprobe, name.to_owned());
        assert_eq!(of("t:my/ev any_tp arg1=x"), [one("any_tp")]);
        assert_eq!(of("p:x y\nt sched_a_tp"), [one("sched_a_tp")]);
        assert_eq!(of("p:x y\\nt:z foo\\n"), [one("foo")]);
        assert_eq!(of("echo 't:my foo' >> dynamic_events"), [one("foo")]);
        assert_eq!(of("t unknown\nthe foo\n-:my foo\ntt:x foo\nt: foo"), []);
    }

    #[test]
    fn events_by_name() {
        let of = |text| shown(events(text, &names(), Way::Perf), text);
        let perf = |name: &str| (Way::Perf, name.to_owned());
        let command = |name: &str| (Way::TraceCommand, name.to_owned());
        assert_eq!(
            of("perf record -e sched:foo,'sched:sched_a_tp' -e x:none"),
            [perf("foo"), perf("sched_a_tp")]
        );
        assert_eq!(
            of("trace-cmd record -e sched:foo \\\n  -e sched_a_tp"),
            [command("foo"), command("sched_a_tp")]
        );
        assert_eq!(of("trace-cmd start\nperf stat -e a:foo"), [perf("foo")]);
        assert_eq!(of("echo 1 > events/sched/foo/enable"), [perf("foo")]);
        assert_eq!(of("a::foo x:foo( http://foo"), []);
    }
}
