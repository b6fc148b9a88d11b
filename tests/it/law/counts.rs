// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How many cases differ, by what differs, which way, and what the case is about. The
//! counts of the cases of an ordinary run are kept, and may only go down.

use super::edits::Case;
use super::oracle::{Kind, Oracle};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where it is counted how many cases change the list.
const CASES: &str = "cases";

/// By oracle, and then by kind, giver, place and sight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, BTreeMap<String, i64>>);

impl Counts {
    pub fn add(&mut self, oracle: Oracle, kind: Kind, case: &Case) {
        let world = &case.world;
        let of = self.0.entry(kebab(&format!("{oracle:?}"))).or_default();
        for key in [
            kebab(&format!("{kind:?}")),
            kebab(&format!("giver{:?}", world.giver)),
            kebab(&format!("place{:?}", world.place)),
            kebab(&format!("sight{:?}", world.sight)),
        ] {
            *of.entry(key).or_default() += 1;
        }
    }

    /// Counts a case that has to be there in proportion.
    pub fn see(&mut self, what: &str) {
        let of = self.0.entry(CASES.to_owned()).or_default();
        *of.entry(what.to_owned()).or_default() += 1;
    }

    /// Reads what [`Counts::text`] wrote.
    pub fn parse(text: &str) -> Self {
        Self(toml::from_str(text).expect("counts"))
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (oracle, counts) in &self.0 {
            writeln!(text, "\n[{oracle}]").expect("a string");
            for (key, count) in counts {
                writeln!(text, "{key} = {count}").expect("a string");
            }
        }
        text
    }

    /// What is more than in `kept`, and what is less or only another.
    pub fn against(&self, kept: &Self) -> (Vec<String>, Vec<String>) {
        let count = |of: &Self, oracle: &str, key: &str| {
            let count = of.0.get(oracle).and_then(|counts| counts.get(key));
            count.copied().unwrap_or_default()
        };
        let (mut more, mut less) = (Vec::new(), Vec::new());
        let mut keys: Vec<(&String, &String)> = [self, kept]
            .into_iter()
            .flat_map(|of| &of.0)
            .flat_map(|(oracle, counts)| counts.keys().map(move |key| (oracle, key)))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        for (oracle, key) in keys {
            let (now, then) = (count(self, oracle, key), count(kept, oracle, key));
            let line = format!("{oracle}.{key}: {then} -> {now}");
            match now.cmp(&then) {
                // Of the cases themselves, more is not worse.
                std::cmp::Ordering::Greater if oracle != CASES => more.push(line),
                std::cmp::Ordering::Greater | std::cmp::Ordering::Less => less.push(line),
                std::cmp::Ordering::Equal => {}
            }
        }
        (more, less)
    }
}

/// `TooMuch` as `too-much`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for one in name.chars() {
        if one.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(one.to_lowercase());
    }
    text
}
