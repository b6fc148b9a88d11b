// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is printed cannot be written, or nobody reads it.

use super::*;
use crate::workplace::{Workplace, told};
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// Every command that prints, in every shape.
fn commands() -> Vec<String> {
    let formats = "human checkpatch json sarif github gitlab b4";
    let check = "check --tree kernel leak.patch --format";
    let mut all: Vec<String> = formats.split(' ').map(|f| format!("{check} {f}")).collect();
    for format in ["table", "json", "csv"] {
        all.push(format!("list --tree kernel --format {format}"));
    }
    for other in [
        "diff 6.1 6.12",
        "diff 6.1 6.12 --format json",
        "explain",
        "explain promotion",
        "completions zsh",
    ] {
        all.push(other.to_owned());
    }
    all
}

fn place() -> Workplace {
    let place = Workplace::new();
    let leak = PATCH.replace(
        "+/* The root domain is, or is no longer, overutilized. */",
        "+TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));",
    );
    place.write("leak.patch", leak);
    assert_eq!(
        place.run(&[CHECK, &["leak.patch"]].concat()).status.code(),
        Some(1)
    );
    place
}

#[test]
fn a_full_disk() {
    let place = place();
    for command in commands() {
        let output = place.shell(&format!("exec \"$B\" {command} >/dev/full"));
        one_line(&output, &command, &["standard output", "No space left"]);
    }
}

#[test]
fn a_full_disk_for_help_and_for_complaints() {
    let place = place();
    for command in ["--help", "check --help", "--version"] {
        let output = place.shell(&format!("exec \"$B\" {command} >/dev/full"));
        one_line(&output, command, &["standard output", "No space left"]);
    }
    for command in [
        "check --tree kernel none.patch",
        "check --tree nowhere",
        "none",
    ] {
        let output = place.shell(&format!("exec \"$B\" {command} 2>/dev/full"));
        assert_eq!(
            output.status.code(),
            Some(2),
            "{command}: {}",
            told(&output)
        );
    }
}

#[test]
fn a_reader_that_went_away() {
    let place = place();
    for command in commands() {
        // The first `:` ends at once; the second sees to it that it has.
        let script =
            format!("mkfifo pipe; : <pipe & exec 3>pipe; wait; rm pipe; exec \"$B\" {command} >&3");
        let output = place.shell(&script);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{command}: {}",
            told(&output)
        );
        assert!(output.stderr.is_empty(), "{command}: {}", told(&output));
    }
}

#[test]
fn standard_output_that_is_closed() {
    let place = place();
    let output = place.shell("exec \"$B\" check --tree kernel leak.patch >&-");
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{}",
        told(&output)
    );
    assert!(!told(&output).contains("panicked"), "{}", told(&output));
}

/// A limit on the size of files is as good as a full disk.
#[test]
fn a_baseline_that_cannot_be_written_stays_as_it_was() {
    let place = place();
    let command = "\"$B\" check --tree kernel leak.patch --baseline known --write-baseline";
    place.sh(&format!("{command} >/dev/null"));
    let known = fs::read(place.path("known")).expect("a baseline");
    let output = place.shell(&format!("trap '' XFSZ; ulimit -f 0; exec {command}"));
    one_line(&output, command, &["cannot write known", "File too large"]);
    assert_eq!(fs::read(place.path("known")).expect("a baseline"), known);
    let left: Vec<_> = fs::read_dir(place.path(""))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.as_bytes().starts_with(b"known."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn man_pages_that_cannot_be_written() {
    let place = place();
    let output = place.shell("trap '' XFSZ; ulimit -f 0; exec \"$B\" man pages");
    one_line(
        &output,
        "man",
        &["cannot write man pages to pages", "File too large"],
    );
}
