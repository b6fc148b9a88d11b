// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The kernel versions at which a consumer's code changes.

use super::Gate;
use crate::kernel::version::KernelVersion;
use std::collections::BTreeSet;

/// How many of them a unit may name. With more, none of its conditionals is decided.
const MOST: usize = 256;

/// How far from a version, in bytes, its operator may stand.
const REACH: usize = 1024;

/// `KERNEL_VERSION(a, b, c)`; `None` if that fits into no `LINUX_VERSION_CODE`.
pub(super) fn code(major: u32, minor: u32, patch: u32) -> Option<u32> {
    (major < 256 && minor < 256).then(|| (major << 16) | (minor << 8) | patch.min(255))
}

/// The numbers of an argument list; `None` if it holds anything else.
pub(super) fn numbers(arguments: &str) -> Option<Vec<u32>> {
    let numbers = arguments.split(',').map(|one| one.trim().parse().ok());
    numbers.collect()
}

/// Adds the codes before which and from which on the conditions in `text` may say
/// something else.
pub(super) fn add(text: &[u8], codes: &mut BTreeSet<u32>) {
    for at in memchr::memmem::find_iter(text, b"KERNEL_") {
        let rest = &text[at..text.len().min(at + 128)];
        let Some(open) = memchr::memchr(b'(', rest) else {
            continue;
        };
        let Some(close) = memchr::memchr(b')', &rest[open..]) else {
            continue;
        };
        let name = rest[..open].trim_ascii_end();
        if !matches!(name, b"KERNEL_VERSION" | b"KERNEL_RANGE") {
            continue;
        }
        let arguments = String::from_utf8_lossy(&rest[open + 1..open + close]).replace("\\\n", " ");
        let line = line_around(text, at);
        for part in numbers(&arguments).unwrap_or_default().chunks_exact(3) {
            add_code(code(part[0], part[1], part[2]), line, codes);
        }
    }
    for at in memchr::memmem::find_iter(text, b"VERSION_CODE") {
        let line = String::from_utf8_lossy(&text[at..line_end(text, at)]);
        for word in line.split(|c: char| !c.is_ascii_alphanumeric()) {
            let number = match word.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            };
            add_code(
                number.filter(|number| *number >= 0x2_0000),
                line.as_bytes(),
                codes,
            );
        }
    }
}

/// The line at `at`, as far as it is near.
fn line_around(text: &[u8], at: usize) -> &[u8] {
    let near = at.saturating_sub(REACH);
    let before = &text[near..at];
    let start = memchr::memrchr(b'\n', before).map_or(near, |newline| near + newline + 1);
    &text[start..line_end(text, at)]
}

/// Where the line at `at` ends, or what of it is near.
fn line_end(text: &[u8], at: usize) -> usize {
    let near = &text[at..text.len().min(at + REACH)];
    at + memchr::memchr(b'\n', near).unwrap_or(near.len())
}

/// A version is the first that something counts for or, with some operators, the last.
fn add_code(code: Option<u32>, line: &[u8], codes: &mut BTreeSet<u32>) {
    let Some(code) = code else {
        return;
    };
    codes.insert(code);
    let plain = |pair: &[u8]| pair[0] == b'>' && pair[1] != b'=';
    let is_last = line
        .windows(2)
        .any(|pair| plain(pair) || matches!(pair, b"<=" | b"==" | b"!="));
    if is_last {
        codes.insert(code.saturating_add(1));
    }
}

/// The first version of each range in which nothing changes; `None` if the unit does
/// not depend on versions, or on too many.
pub(super) fn starts(codes: &BTreeSet<u32>) -> Option<Vec<u32>> {
    if codes.is_empty() || codes.len() > MOST {
        return None;
    }
    Some(std::iter::once(0).chain(codes.iter().copied()).collect())
}

/// The gates that let through exactly the ranges, given by their places in `starts`.
/// `None` is a gate that lets everything through.
pub(super) fn gates(ranges: &[bool], starts: &[u32]) -> Vec<Option<Gate>> {
    if ranges.iter().all(|covered| *covered) {
        return vec![None];
    }
    let mut gates = Vec::new();
    let mut at = 0;
    while at < ranges.len() {
        if !ranges[at] {
            at += 1;
            continue;
        }
        let first = at;
        while ranges.get(at) == Some(&true) {
            at += 1;
        }
        gates.push(Some(Gate {
            since: starts.get(first).filter(|_| first > 0).map(version),
            before: starts.get(at).map(version),
        }));
    }
    gates
}

fn version(code: &u32) -> KernelVersion {
    let part = |shift: u32| ((code >> shift) & 0xff) as u16;
    KernelVersion::new((code >> 16) as u16, part(8), part(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_they_are_written() {
        let mut codes = BTreeSet::new();
        add(
            b"#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)\n\
              #if LTTNG_KERNEL_RANGE(5,0,0, 6,1,300)\n#if LINUX_VERSION_CODE > 0x070000\n\
              KERNEL_VERSION(a, b, c) KERNEL_VERSION(1",
            &mut codes,
        );
        let written: Vec<String> = codes.iter().map(|code| version(code).to_string()).collect();
        assert_eq!(written, ["5.0", "6.1.255", "6.16", "7.0", "7.0.1"]);
    }

    #[test]
    fn ranges_that_touch_are_one_gate() {
        let starts = [0, 0x60000, 0x60100, 0x60200];
        let gate = |since: Option<u32>, before: Option<u32>| {
            Some(Gate {
                since: since.as_ref().map(version),
                before: before.as_ref().map(version),
            })
        };
        assert_eq!(gates(&[true; 4], &starts), [None]);
        assert_eq!(gates(&[false; 4], &starts), []);
        assert_eq!(
            gates(&[true, false, true, true], &starts),
            [gate(None, Some(0x60000)), gate(Some(0x60100), None)]
        );
    }
}
