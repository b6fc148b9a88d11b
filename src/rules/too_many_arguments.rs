// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint with more arguments than its BPF probe can be built for.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use super::sites::text_of;
use memchr::memmem;

/// What makes the probes of BPF.
const BPF_PROBE_H: &str = "include/trace/bpf_probe.h";

/// What its macros, one for each number of arguments, have had as their last
/// since it is there.
const USUAL: usize = 12;

/// Only what has an entry in the map of BPF raw tracepoints is read by
/// include/trace/bpf_probe.h.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut limit = None;
    let mut found = Vec::new();
    for tracepoint in sight
        .state
        .inventory
        .tracepoints
        .iter()
        .filter(|one| one.bpf)
    {
        let count = tracepoint.declaration.prototype.len();
        if count <= USUAL {
            continue;
        }
        let limit = *limit.get_or_insert_with(|| limit_of(sight));
        if count <= limit {
            continue;
        }
        found.push(Finding {
            rule: "too-many-arguments",
            level: Level::Error,
            tracepoint: Some(tracepoint.name().to_owned()),
            place: declared_at(tracepoint),
            message: format!(
                "{} has {count} arguments, and {BPF_PROBE_H} can be built for {limit} at most",
                tracepoint.name()
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        });
    }
    found
}

/// The last of `__CAST1()`, `__CAST2()`, …, if the tree has them.
fn limit_of(sight: &Sight<'_>) -> usize {
    let text = text_of(sight, BPF_PROBE_H);
    text.and_then(|text| last_cast(&text)).unwrap_or(USUAL)
}

fn last_cast(text: &[u8]) -> Option<usize> {
    const DEFINES: &[u8] = b"#define __CAST";
    let numbers = memmem::find_iter(text, DEFINES).filter_map(|at| {
        let rest = &text[at + DEFINES.len()..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
    });
    numbers.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_read_off_the_macros() {
        let text = b"#define __CAST_TO_U64(x) x\n#define __CAST1(a) a\n#define __CAST14(a) a\n";
        assert_eq!(last_cast(text), Some(14));
        assert_eq!(last_cast(b"#define __CAST_TO_U64(x) x\n"), None);
    }
}
