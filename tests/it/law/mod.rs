// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The law: a change has one answer, however it is asked about, and its leaks are what
//! differs between the lists of the tree before and after it.
//!
//! Cases are made from their numbers over a small kernel in memory. Not all of them are
//! right yet: tests/data/law.toml counts those that are not, by kind, and neither more nor
//! fewer may be. A change that mends some writes fewer there:
//!
//! ```text
//! BAREPOINT_LAW=10000 cargo test --test it law:: -- --nocapture   more cases, none may be of a new kind
//! BAREPOINT_CASE=17 cargo test --test it law:: -- --nocapture     one case, as small as it gets
//! SNAPSHOTS=overwrite cargo test --test it law::                  count anew
//! ```

#![expect(
    clippy::print_stdout,
    reason = "--nocapture shows how the cases differ"
)]

mod binary;
mod compiler;
mod counts;
mod edits;
mod oracle;
mod shrink;
mod ways;
mod world;

use counts::Counts;
use edits::case;
use oracle::{Change, Kind, ORACLES, Oracle};
use std::fs;

/// How many cases an ordinary run makes.
const CASES: u64 = 600;

/// The compiler is asked about one case in so many.
const COMPILED: u64 = 4;

/// And the binary about one in so many.
const RUN: u64 = 50;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/law.toml");

const HEAD: &str = "\
# How many of the cases of tests/it/law break the law, by what differs and which way, and
# by what the macro is, where it stands and how it is seen. To be made smaller.
";

/// One case that differs.
struct Broken {
    number: u64,
    oracle: Oracle,
    kind: Kind,
    text: String,
}

fn broken(numbers: impl Iterator<Item = u64>) -> (Counts, Vec<Broken>) {
    let (mut counts, mut all) = (Counts::default(), Vec::new());
    for number in numbers {
        let case = case(number);
        if case.states.len() < 2 {
            continue;
        }
        let change = Change::of(&case.states);
        if change.changes_list() {
            counts.see("of-the-list");
        } else {
            counts.see("of-nothing");
        }
        for oracle in ORACLES {
            let times = match oracle {
                Oracle::Compiler => COMPILED,
                Oracle::Binary => RUN,
                _ => 1,
            };
            if !number.is_multiple_of(times) {
                continue;
            }
            if let Some(found) = change.difference(oracle) {
                counts.add(oracle, found.kind, &case);
                all.push(Broken {
                    number,
                    oracle,
                    kind: found.kind,
                    text: found.text,
                });
            }
        }
    }
    (counts, all)
}

/// The case as small as it gets.
fn shown(one: &Broken) -> String {
    let case = case(one.number);
    let states = shrink::shrunk(one.oracle, one.kind, case.states);
    let found = Change::of(&states)
        .difference(one.oracle)
        .map(|found| found.text);
    let title = format!(
        "case {}: {:?}, {}",
        one.number,
        one.oracle,
        found.unwrap_or_default()
    );
    shrink::page(&title, &states)
}

#[test]
fn one_answer() {
    if let Ok(number) = std::env::var("BAREPOINT_CASE") {
        let number: u64 = number.parse().expect("a number");
        println!("{:#?}", case(number).world);
        for one in broken(std::iter::once(number)).1 {
            println!("{}", shown(&one));
        }
        return;
    }
    let many = std::env::var("BAREPOINT_LAW").ok();
    let many: Option<u64> = many.map(|many| many.parse().expect("a number"));
    let (counts, all) = broken(0..many.unwrap_or(CASES));
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        fs::write(KEPT, format!("{HEAD}{}", counts.text())).expect("written");
    }
    let kept = Counts::parse(&fs::read_to_string(KEPT).expect("the counts"));
    let (more, less) = counts.against(&kept);
    if many.is_some() {
        for one in &all {
            println!(
                "case {}: {:?} {:?}: {}",
                one.number, one.oracle, one.kind, one.text
            );
        }
        println!("{}", counts.text());
        let new: Vec<&String> = more
            .iter()
            .filter(|line| line.contains(": 0 -> "))
            .collect();
        assert!(new.is_empty(), "new kinds: {new:?}");
        return;
    }
    if !more.is_empty() {
        let oracles = ORACLES.into_iter().filter(|oracle| {
            let name = format!("{oracle:?}.").to_lowercase();
            more.iter().any(|line| line.starts_with(&name))
        });
        for oracle in oracles {
            if let Some(one) = all.iter().find(|one| one.oracle == oracle) {
                println!("{}", shown(one));
            }
        }
    }
    assert!(more.is_empty(), "the law is broken more often: {more:#?}");
    assert!(
        less.is_empty(),
        "the law is broken less often, or other cases are made; shrink the numbers in \
         tests/data/law.toml (SNAPSHOTS=overwrite): {less:#?}"
    );
}
