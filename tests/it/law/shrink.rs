// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The least change that still differs in the same way, as a case of a rule page.

use super::oracle::{Change, Kind, Oracle};
use super::world::CORE;
use crate::series::Texts;
use similar::TextDiff;
use std::collections::BTreeSet;
use std::fmt::Write as _;

struct Shrinker {
    oracle: Oracle,
    kind: Kind,
    states: Vec<Texts>,
}

/// Leaves out states, edits, files and lines.
pub fn shrunk(oracle: Oracle, kind: Kind, states: Vec<Texts>) -> Vec<Texts> {
    let mut shrinker = Shrinker {
        oracle,
        kind,
        states,
    };
    let mut size = usize::MAX;
    while shrinker.size() < size {
        size = shrinker.size();
        shrinker.round();
    }
    shrinker.states
}

impl Shrinker {
    fn size(&self) -> usize {
        let texts = self.states.iter().flat_map(|files| files.values());
        self.states.len() + texts.map(String::len).sum::<usize>()
    }

    fn round(&mut self) {
        for number in (1..self.states.len().saturating_sub(1)).rev() {
            let mut fewer = self.states.clone();
            fewer.remove(number);
            self.take(fewer);
        }
        let paths: Vec<String> = self.states[0].keys().cloned().collect();
        for path in &paths {
            self.take_if_less(|files, first| files.insert(path.clone(), first[path].clone()));
            // Without the tracing core there is no state.
            if path == CORE {
                continue;
            }
            self.take_if_less(|files, _| files.insert(path.clone(), String::new()));
            let texts = self.states.iter().map(|files| files[path].clone());
            let lines: BTreeSet<String> = texts
                .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect();
            for line in lines {
                self.take_if_less(|files, _| {
                    let left = files[path].lines().filter(|one| *one != line);
                    let left: String = left.map(|one| format!("{one}\n")).collect();
                    files.insert(path.clone(), left)
                });
            }
        }
    }

    fn take_if_less<T>(&mut self, change: impl Fn(&mut Texts, &Texts) -> T) {
        let mut states = self.states.clone();
        for files in &mut states {
            change(files, &self.states[0]);
        }
        states.dedup();
        self.take(states);
    }

    /// Takes these states instead if the difference stays.
    fn take(&mut self, states: Vec<Texts>) {
        if states.len() < 2 || states == self.states {
            return;
        }
        let found = Change::of(&states).difference(self.oracle);
        if found.is_some_and(|found| found.kind == self.kind) {
            self.states = states;
        }
    }
}

/// The states as a case of a rule page has them.
pub fn page(title: &str, states: &[Texts]) -> String {
    let mut page = format!("### {title}\n\n");
    let first = &states[0];
    for (path, text) in first.iter().filter(|(_, text)| !text.is_empty()) {
        if path != CORE {
            writeln!(page, "```c {path}\n{text}```").expect("a string");
        }
    }
    for pair in states.windows(2) {
        for (path, old) in &pair[0] {
            let new = &pair[1][path];
            if old != new {
                let diff = TextDiff::from_lines(old, new);
                let hunks = diff.unified_diff().context_radius(1).to_string();
                let lines: Vec<&str> = hunks.lines().filter(|one| !one.starts_with("@@")).collect();
                writeln!(page, "```diff {path}\n{}\n```", lines.join("\n")).expect("a string");
            }
        }
    }
    page
}
