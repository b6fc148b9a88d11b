// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Names for findings that stay when lines move, so that a service which keeps
//! findings knows an old one again.
//!
//! A finding is known by its rule, its file, its tracepoint, and the line's text
//! but for its white space; those that have all of these in common are numbered.

use super::report::Entry;
use std::collections::HashMap;

/// Makes the fingerprints of one report, whose entries come in order.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<u128, u32>,
}

impl Fingerprints {
    /// 32 hexadecimal digits that no other finding of the report has.
    pub fn of(&mut self, entry: &Entry) -> String {
        let finding = &entry.finding;
        // The message may tell of what changes, such as who has not approved.
        let text = entry.source.as_ref().unwrap_or(&finding.message);
        let text: Vec<&str> = text.split_whitespace().collect();
        let tracepoint = finding.tracepoint.as_deref().unwrap_or_default();
        let parts = [
            finding.rule,
            &finding.place.file,
            tracepoint,
            &text.join(" "),
        ];
        let mut hash = fnv(parts.join("\0").as_bytes());
        let seen = self.seen.entry(hash).or_default();
        *seen += 1;
        if *seen > 1 {
            hash = fnv(format!("{hash:032x}\0{seen}").as_bytes());
        }
        format!("{hash:032x}")
    }
}

/// FNV-1a with 128 bits, which may never change: old fingerprints are kept elsewhere.
fn fnv(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::finding::{Finding, Level, Place};

    fn entry(line: u32, source: &str) -> Entry {
        Entry {
            finding: Finding {
                rule: "relay",
                level: Level::Error,
                tracepoint: Some("x_tp".to_owned()),
                place: Place {
                    file: "a.c".to_owned(),
                    line,
                    column: 1,
                },
                message: "relayed".to_owned(),
                related: Vec::new(),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            },
            shown: None,
            source: Some(source.to_owned()),
        }
    }

    #[test]
    fn the_hash_is_fnv() {
        // Test vectors of the hash's authors.
        assert_eq!(fnv(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn a_line_that_moves_is_known_again() {
        let of = |line, source| Fingerprints::default().of(&entry(line, source));
        assert_eq!(of(3, "x(\ta);"), of(300, "    x( a);"));
        assert_ne!(of(3, "x(a);"), of(3, "x(b);"));
    }

    #[test]
    fn twins_differ() {
        let mut prints = Fingerprints::default();
        let all = [3, 4, 5].map(|line| prints.of(&entry(line, "x(a);")));
        assert_ne!(all[0], all[1]);
        assert_ne!(all[1], all[2]);
        assert_ne!(all[0], all[2]);
    }
}
