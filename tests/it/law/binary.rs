// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The real binary, asked about a change in all ways.

use super::oracle::{Difference, Row, leak_of, leaks, of_sets};
use super::ways::{change, write};
use crate::series::Texts;
use crate::workplace::{Workplace, told};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

struct Asked {
    place: Workplace,
}

/// The first way whose leaks are not what differs between the lists.
pub fn difference(states: &[Texts]) -> Option<Difference> {
    let (first, last) = (states.first()?, states.last()?);
    if first == last {
        // A patch of nothing is none.
        return None;
    }
    let asked = Asked {
        place: Workplace::empty(),
    };
    let place = &asked.place;
    place.write("one.patch", change(3, first, last));
    place.write("more.patch", change(10, first, last));
    for (number, pair) in states.windows(2).enumerate() {
        let name = format!("series/{number:04}.patch");
        place.write(name, change(3, &pair[0], &pair[1]));
    }
    write(place, "plain", first);
    write(place, "git", first);
    write(place, "done", last);
    place.repository("git");
    let wanted = leaks(&asked.list("plain"), &asked.list("done"));
    let plain: [(&str, &[&str]); 5] = [
        ("a plain tree", &["--tree", "plain", "one.patch"]),
        ("much context", &["--tree", "plain", "more.patch"]),
        ("a series", &["--tree", "plain", "series"]),
        ("applied", &["--tree", "done", "one.patch"]),
        (
            "the whole tree",
            &["--whole-tree", "--tree", "plain", "one.patch"],
        ),
    ];
    let mut found: Vec<_> = plain
        .into_iter()
        .map(|(way, arguments)| (way, asked.leaks(arguments)))
        .collect();
    found.push(("a git tree", asked.leaks(&["--tree", "git", "one.patch"])));
    for files in &states[1..] {
        asked.commit(files);
    }
    let range = format!("HEAD-{}", states.len() - 1);
    let tip = asked.leaks(&["--tree", "git", "one.patch"]);
    found.push(("a git tree that has it", tip));
    found.push(("a range", asked.leaks(&["--tree", "git", "--git", &range])));
    found.into_iter().find_map(|(way, found)| {
        let mut difference = of_sets(&wanted, &found)?;
        difference.text = format!("{way}: {}", difference.text);
        Some(difference)
    })
}

impl Asked {
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.place.run(arguments);
        let status = output.status.code();
        assert!(
            matches!(status, Some(0 | 1)),
            "{arguments:?}: {}",
            told(&output)
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn list(&self, tree: &str) -> BTreeSet<Row> {
        let list = self.json(&["list", "--format", "json", "--tree", tree]);
        let all = list["tracepoints"].as_array().expect("tracepoints");
        let row = |one: &Value| Row {
            name: one["name"].as_str().expect("a name").to_owned(),
            is_event: one["kind"] == "event",
            file: one["file"].as_str().expect("a file").to_owned(),
            line: 0,
        };
        all.iter().map(row).collect()
    }

    fn leaks(&self, arguments: &[&str]) -> BTreeSet<String> {
        let all = [&["check", "--format", "json"], arguments].concat();
        let found = self.json(&all);
        let found = found["findings"].as_array().expect("findings");
        let leak = |one: &Value| {
            let message = one["message"].as_str().unwrap_or_default();
            leak_of(one["rule"].as_str()?, one["tracepoint"].as_str(), message)
        };
        found.iter().filter_map(leak).collect()
    }

    fn commit(&self, files: &Texts) {
        for (path, text) in files {
            let path = self.place.path("git").join(path);
            if !text.is_empty() {
                self.place.write(path, text);
            } else if path.exists() {
                fs::remove_file(path).expect("removed");
            }
        }
        self.place.commit("git", "Change");
    }
}
