// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A bare tracepoint that documentation, samples or tools name as something
//! that user space opens.

use super::finding::{Finding, Level, Place};
use super::review::{Sight, declared_at, related};
use crate::syntax::lexer::is_word_byte;
use crate::syntax::lines::Lines;
use memchr::memmem;
use std::sync::{Mutex, PoisonError};

/// Where user space is spoken to.
const FOLDERS: [&str; 4] = ["tools/", "samples/", "scripts/", "Documentation/"];

/// Sections of BPF programs that attach to a tracepoint by its bare name.
const BPF_SECTIONS: [&[u8]; 7] = [
    b"raw_tp",
    b"raw_tp.w",
    b"raw_tracepoint",
    b"raw_tracepoint.w",
    b"tp_btf",
    b"tp",
    b"tracepoint",
];

/// Functions of libbpf and bcc that are given the name of a tracepoint as a string.
const LOADERS: [&[u8]; 5] = [
    b"bpf_raw_tracepoint_open",
    b"bpf_program__attach_raw_tracepoint",
    b"bpf_program__attach_raw_tracepoint_opts",
    b"bpf_program__attach_tracepoint",
    b"attach_raw_tracepoint",
];

/// How far before a name, in bytes, what opens it may begin.
const REACH: usize = 256;

/// Looks at the files that the series touches, or at all of those folders.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut names: Vec<&str> = sight.state.inventory.bare_names().into_iter().collect();
    names.sort_unstable();
    let found: Mutex<Vec<Finding>> = Mutex::default();
    let look = |path: &str, text: &[u8]| {
        let more = in_file(sight, path, text, &names);
        found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(more);
    };
    let speaks = |path: &str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    match sight.touched {
        Some(touched) => {
            for path in touched.iter().filter(|path| speaks(path)) {
                if let Ok(Some(text)) = sight.tree.read(path) {
                    look(path, &text);
                }
            }
        }
        None => {
            let folders: Vec<String> = FOLDERS
                .iter()
                .map(|folder| folder.trim_end_matches('/').to_owned())
                .collect();
            // What cannot be read was reported by the scan of the tree.
            let _ = sight.tree.visit_below(&folders, &speaks, &look);
        }
    }
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn in_file(sight: &Sight<'_>, path: &str, text: &[u8], names: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines = Lines::of(text);
    for name in names {
        for at in memmem::find_iter(text, name.as_bytes()) {
            let Some(form) = opened(text, at, name.len()) else {
                continue;
            };
            found.push(Finding {
                rule: "userspace-reference",
                level: Level::Warning,
                tracepoint: Some((*name).to_owned()),
                place: Place {
                    file: path.to_owned(),
                    line: lines.line(at as u32),
                    column: lines.column(at as u32),
                },
                message: format!(
                    "{form} names the bare tracepoint {name} as something that user space opens"
                ),
                related: sight
                    .state
                    .inventory
                    .named(name)
                    .next()
                    .map(|hook| related(declared_at(hook), "the bare tracepoint is declared here"))
                    .into_iter()
                    .collect(),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            });
        }
    }
    found
}

/// How the word at `at` is opened, as it is written there: `sched:X`, `raw_tp/X`,
/// `events/sched/X`, `t:probe X`; `None` if it is only spoken of.
fn opened(text: &[u8], at: usize, length: usize) -> Option<String> {
    let near = &text[at.saturating_sub(REACH)..at];
    let line_start = memchr::memrchr(b'\n', near).map_or(0, |newline| newline + 1);
    let before = &near[line_start..];
    if text
        .get(at + length)
        .is_some_and(|&byte| is_word_byte(byte))
    {
        return None;
    }
    let is_reference = match before.last()? {
        b':' => after_colon(before),
        b'/' => after_slash(before),
        b' ' | b'\t' => is_tprobe(before),
        b'"' | b'\'' => is_given_to_loader(before),
        _ => false,
    };
    let start = before
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'(' | b'`'))
        .map_or(0, |space| space + 1);
    let shown = if is_tprobe(before) { 0 } else { start };
    let form = [&before[shown..], &text[at..at + length]].concat();
    is_reference.then(|| format!("\"{}\"", String::from_utf8_lossy(form.trim_ascii_start())))
}

/// The word that `before` ends with, but for its last byte.
fn word_before(before: &[u8]) -> (&[u8], Option<u8>) {
    let body = &before[..before.len() - 1];
    let start = body
        .iter()
        .rposition(|&byte| !is_word_byte(byte) && byte != b'.')
        .map_or(0, |other| other + 1);
    let outside = start.checked_sub(1).map(|at| body[at]);
    (&body[start..], outside)
}

/// `sched:X`, `rawtracepoint:X`, `tracepoint:sched:X`; but neither `file.c:X` nor
/// `:c:func:X`.
fn after_colon(before: &[u8]) -> bool {
    let (word, _) = word_before(before);
    !word.is_empty()
        && !word.contains(&b'.')
        && !matches!(word, b"func" | b"macro" | b"struct" | b"http" | b"https")
}

/// `raw_tp/X`, `tp/sched/X`, `events/sched/X`.
fn after_slash(before: &[u8]) -> bool {
    let (word, outside) = word_before(before);
    if BPF_SECTIONS.contains(&word) {
        return true;
    }
    let folder = &before[..before.len() - 1 - word.len()];
    outside == Some(b'/')
        && (folder.ends_with(b"events/")
            || BPF_SECTIONS
                .iter()
                .any(|section| ends_with_word(folder, section)))
}

fn ends_with_word(folder: &[u8], word: &[u8]) -> bool {
    folder
        .strip_suffix(b"/")
        .and_then(|rest| rest.strip_suffix(word))
        .is_some_and(|rest| !rest.last().is_some_and(|&byte| is_word_byte(byte)))
}

/// `bpf_raw_tracepoint_open("X", …)`, with the name on the line of the call.
fn is_given_to_loader(before: &[u8]) -> bool {
    before
        .iter()
        .rposition(|&byte| byte == b'(')
        .is_some_and(|open| LOADERS.contains(&word_before(&before[..=open]).0))
}

/// `t X`, `t:event X`, `t:group/event X` of dynamic_events (Documentation/trace/fprobetrace.rst).
fn is_tprobe(before: &[u8]) -> bool {
    let words = before.trim_ascii_end();
    let start = words
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`'))
        .map_or(0, |space| space + 1);
    let word = &words[start..];
    let numbered = word.strip_prefix(b"t").map(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        &rest[digits..]
    });
    match numbered {
        // A lone t is a word like any other unless a quote opens it.
        Some(b"") => start
            .checked_sub(1)
            .is_some_and(|at| matches!(words[at], b'"' | b'\'') && !ends_in_word(&words[..at])),
        Some(rest) => rest.starts_with(b":") && rest.len() > 1,
        None => false,
    }
}

fn ends_in_word(text: &[u8]) -> bool {
    text.last().is_some_and(|&byte| is_word_byte(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Option<String> {
        let at = text.find("x_tp")?;
        opened(text.as_bytes(), at, "x_tp".len())
    }

    #[test]
    fn what_opens_and_what_only_speaks() {
        for text in [
            "perf record -e sched:x_tp",
            "cat /sys/kernel/tracing/events/sched/x_tp/format",
            "SEC(\"raw_tp/x_tp\")",
            "SEC(\"tp_btf/x_tp\")",
            "SEC(\"tp/sched/x_tp\")",
            "bpftrace -e 'rawtracepoint:x_tp { }'",
            "tracepoint:sched:x_tp",
            "echo 't:my/ev x_tp' >> dynamic_events",
            "echo 't x_tp' >> dynamic_events",
            "bpf_program__attach_raw_tracepoint(prog, \"x_tp\")",
        ] {
            assert!(form(text).is_some(), "{text}");
        }
        for text in [
            "the hook x_tp is bare",
            "core.c:x_tp",
            "see :c:func:`x_tp`",
            "trace_x_tp(rq)",
            "it isn't x_tp",
            "pr_info(\"x_tp\")",
            "sched:x_tp_other",
            "kernel/sched/x_tp",
        ] {
            assert_eq!(form(text), None, "{text}");
        }
    }
}
