// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A mailbox with several versions of a series, as `check` takes it.

use std::fs;
use std::path::Path;
use std::process::Command;

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");
const BINARY: &str = env!("CARGO_BIN_EXE_barepoint");
const LEAK: &str = "TRACE_EVENT(leak,\n\tTP_PROTO(int a),\n\tTP_ARGS(a),\n\
    \tTP_STRUCT__entry(__field(int, a)),\n\tTP_fast_assign(__entry->a = a;),\n\
    \tTP_printk(\"a=%d\", __entry->a));\n";
const COMMENT: &str = "/* Nothing follows. */\n";

/// A patch that adds `text` above the last line but `back` of sched.h.
fn mail(subject: &str, text: &str, back: usize) -> String {
    let path = "include/trace/events/sched.h";
    let header = fs::read_to_string(Path::new(TREE).join(path)).expect("a header");
    let lines: Vec<&str> = header.lines().collect();
    let at = lines.len() - back;
    let context = |from: usize, to: usize| -> String {
        let shown = lines[from..to].iter();
        shown.map(|line| format!(" {line}\n")).collect()
    };
    let added: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let count = 6 + text.lines().count();
    let start = at - 2;
    let hunk = format!("@@ -{start},6 +{start},{count} @@\n");
    let (above, below) = (context(at - 3, at), context(at, at + 3));
    format!(
        "From x Thu Jan  1 00:00:00 1970\nFrom: A <a@b.c>\nSubject: {subject}\n\nText.\n---\n\
         --- a/{path}\n+++ b/{path}\n{hunk}{above}{added}{below}-- \n2.47\n\n"
    )
}

/// The exit status for these mails, and what stderr says.
fn check(mails: &[String], with_tree: bool) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.mbox"), mails.concat()).expect("written");
    let mut command = Command::new(BINARY);
    command.args(["check", "x.mbox"]).current_dir(folder.path());
    if with_tree {
        command.args(["--tree", TREE]);
    }
    let output = command.output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

#[test]
fn the_newest_counts_and_it_is_said() {
    let said = "barepoint: x.mbox has v1 and v2 of a series: v2 is checked\n".to_owned();
    let mended = [mail("[PATCH] a", LEAK, 5), mail("[PATCH v2] a", COMMENT, 5)];
    assert_eq!(check(&mended, true), (Some(0), said.clone()));
    let worse = [mail("[PATCH v2] a", LEAK, 5), mail("[PATCH] a", COMMENT, 5)];
    assert_eq!(check(&worse, true), (Some(1), said.clone()));
    assert_eq!(check(&worse, false).1, said);
}

#[test]
fn what_applies_together_is_checked_together() {
    let both = [
        mail("[PATCH] a", LEAK, 5),
        mail("[PATCH v2] a", COMMENT, 30),
    ];
    assert_eq!(check(&both, true), (Some(1), String::new()));
}

#[test]
fn a_part_of_a_version_is_one_line() {
    let part = [
        mail("[PATCH 1/2] a", COMMENT, 5),
        mail("[PATCH 2/2] b", COMMENT, 30),
        mail("[PATCH v2 2/2] b", LEAK, 30),
    ];
    let (status, stderr) = check(&part, true);
    assert_eq!((status, stderr.lines().count()), (Some(2), 1), "{stderr}");
}
