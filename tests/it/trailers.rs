// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Trailers, held against `git interpret-trailers --parse` itself, over messages of the
//! kinds of lines that decide about them, in any order.
//!
//! BAREPOINT_TRAILERS=N takes the first N seeds instead of the usual ones.

use barepoint::source::trailers::trailers;
use std::fs;
use std::process::Command;

/// So many seeds in a usual run.
const USUAL: u64 = 2000;

/// git is given so many files at once.
const AT_ONCE: u64 = 1000;

/// A message of this one trailer is put behind each, to tell which trailers are whose.
const BETWEEN: &str = "X-Between: messages";

/// Lines that are, seem or spoil trailers.
const LINES: [&str; 61] = [
    "Acked-by: P <p@example.org>",
    "Reviewed-by: Q <q@example.org>",
    "Signed-off-by: R <r@example.org>",
    "Signed-off-by:no blank",
    "signed-off-by: lower case",
    "(cherry picked from commit 0123456789)",
    "(cherry picked from commit",
    "(backported from commit 0123456789)",
    "Acked-by : a blank before",
    "Acked-by \t : more of them",
    "Acked by: two words",
    "Acked_by: an underscore",
    "Acked-by",
    "Acked-by:",
    "Acked-by: \t ",
    ": no key",
    " : no key, folded",
    "-: a dash",
    "1: a digit",
    "Ünäcked-by: x",
    "Acked-by\u{a0}: x",
    "Link: https://example.org/1",
    "https://example.org/2",
    "Fixes: 012345678901 (\"x: y\")",
    "[p: a comma]",
    "[ p: a comma",
    "> Acked-by: P <p@example.org>",
    ">Acked-by: P <p@example.org>",
    "# a comment",
    "#Acked-by: P <p@example.org>",
    " # folded",
    "#",
    " folded",
    "\tfolded by a tab",
    "  Acked-by: folded <f@example.org>",
    " \u{a0}folded",
    "\u{a0}not folded",
    "prose that says nothing",
    "prose: with a colon",
    "Prose with words: and a colon",
    "Conflicts:",
    "Conflicts: none",
    "\ta/conflict.c",
    "#\ta/conflict.c",
    "---",
    "--- ",
    "---\tx",
    "----",
    "--- a/file",
    "---x",
    "-- ",
    "# ------------------------ >8 ------------------------",
    "# ------------------------ >8 ------------------------ x",
    "------------------------ >8 ------------------------",
    "-- >8 --",
    "diff --git a/x b/x",
    "\r",
    "\u{b}",
    "\u{c}",
    "Acked-by: P <p@example.org>\r",
    "Acked-by: a\rb",
];

/// Numbers that look random, the same for a seed on every machine (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("it is below the bound")
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

fn message(seed: u64) -> String {
    let mut random = Random(seed);
    let mut message = String::new();
    // Without a title, too, and with one that looks like something else.
    if random.below(8) > 0 {
        message.push_str("A title\n\n");
    }
    // A block of real trailers is what the others have to spoil.
    let mostly_trailers = random.below(3) > 0;
    for _ in 0..random.below(14) {
        let line = match random.below(10) {
            0 | 1 => ["", "", "", " ", "\t \t"][random.below(5)],
            2..=5 if mostly_trailers => random.one_of(&LINES[..4]),
            _ => random.one_of(&LINES),
        };
        message.push_str(line);
        message.push('\n');
    }
    // What ends without a newline, or with several.
    match random.below(6) {
        0 => drop(message.pop()),
        1 => message.push_str("\n\n"),
        _ => {}
    }
    message
}

/// What git finds in each message, a line a trailer.
fn by_git(messages: &[String]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let between = format!("title\n\n{BETWEEN}\n");
    fs::write(folder.path().join("between"), between).expect("a file");
    let mut git = Command::new("git");
    git.current_dir(folder.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["interpret-trailers", "--parse"]);
    for (number, message) in messages.iter().enumerate() {
        let name = number.to_string();
        fs::write(folder.path().join(&name), message).expect("a file");
        git.args([&name, "between"]);
    }
    let output = git.output().expect("git");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mark = format!("{BETWEEN}\n");
    let mut found = Vec::new();
    let mut rest = output.stdout.as_slice();
    while let Some(at) = memchr::memmem::find(rest, mark.as_bytes()) {
        found.push(rest[..at].to_vec());
        rest = &rest[at + mark.len()..];
    }
    found
}

fn by_us(message: &str) -> Vec<u8> {
    let lines = trailers(message).into_iter();
    let lines: String = lines
        .map(|one| format!("{}: {}\n", one.key, one.value))
        .collect();
    lines.into_bytes()
}

#[test]
fn the_same_as_git_finds() {
    let wanted = std::env::var("BAREPOINT_TRAILERS").ok();
    let count = wanted.map_or(USUAL, |count| count.parse().expect("a number"));
    let mut with_trailers = 0;
    for first in (0..count).step_by(AT_ONCE as usize) {
        let seeds: Vec<u64> = (first..count.min(first + AT_ONCE)).collect();
        let messages: Vec<String> = seeds.iter().map(|&seed| message(seed)).collect();
        let found = by_git(&messages);
        assert_eq!(found.len(), messages.len());
        for ((seed, message), git) in seeds.iter().zip(&messages).zip(&found) {
            let us = by_us(message);
            assert_eq!(
                String::from_utf8_lossy(&us),
                String::from_utf8_lossy(git),
                "seed {seed}: {message:?}"
            );
            with_trailers += usize::from(!git.is_empty());
        }
    }
    // Messages without any would show nothing.
    assert!(
        with_trailers as u64 > count / 5,
        "of {count} messages only {with_trailers} have trailers"
    );
}
