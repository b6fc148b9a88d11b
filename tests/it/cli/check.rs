// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check` for people, and where its patches and its kernel come from.

use super::{CLEAN, LEAK, barepoint, workplace};
use crate::workplace::{Workplace, text};
use similar::TextDiff;
use snapbox::str;
use std::fs;

#[test]
fn a_diff_without_a_subject_goes_by_its_name() {
    let place = workplace();
    let diff = CLEAN.split_once("\n---\n").expect("a mail").1;
    place.write("x.diff", diff);
    barepoint(&place)
        .args(["check", "--tree", "kernel", "x.diff"])
        .assert()
        .success()
        .stdout_eq("no bare tracepoint leaks: x.diff\n");
}

#[test]
fn a_leak_is_shown_with_its_line() {
    let place = workplace();
    barepoint(&place)
        .args(["check", "--tree", "kernel", "leak.patch"])
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
leak.patch
    sched: Trace overutilization

error[promotion]: bare tracepoint sched_overutilized_tp becomes a trace
    event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
  --> include/trace/events/sched.h:82:1
   |
82 | TRACE_EVENT(sched_overutilized_tp,
   | ^^^^^^^^^^^
   = include/trace/events/sched.h:81: it is declared bare here before the patch

leaks or misplaced hooks: leak.patch (1 error)

"#]])
        .stderr_eq(str![]);
}

/// A call can be broken by what a patch does to another file.
#[test]
fn findings_in_files_that_the_patch_does_not_touch() {
    const WRITTEN: &str = "static inline void trace_pelt_cfs(struct cfs_rq *cfs_rq) { }\n";
    const DECLARED: &str = "DECLARE_TRACE(fresh, TP_PROTO(int x), TP_ARGS(x));\n";
    let place = workplace();
    let at = |name: &str| place.path("kernel").join(name);
    let read = |name: &str| fs::read_to_string(at(name)).expect("a file");
    let end = "#endif /* _KERNEL_SCHED_SCHED_H */";
    let by_hand = read("kernel/sched/sched.h").replace(end, &format!("{WRITTEN}\n{end}"));
    fs::write(at("kernel/sched/sched.h"), &by_hand).expect("written");
    let calls =
        "#include \"sched.h\"\nvoid f(void)\n{\n\ttrace_pelt_cfs(0);\n\ttrace_fresh(1);\n}\n";
    fs::write(at("kernel/sched/other.c"), calls).expect("written");
    let events = read("include/trace/events/sched.h");
    let end = "#endif /* _TRACE_SCHED_H */";
    let declared = events.replace(end, &format!("{DECLARED}\n{end}"));
    for (path, old, new, lost) in [
        ("include/trace/events/sched.h", &events, &declared, "fresh"),
        (
            "kernel/sched/sched.h",
            &by_hand,
            &by_hand.replace(WRITTEN, ""),
            "pelt_cfs",
        ),
    ] {
        let diff = TextDiff::from_lines(old, new);
        let (old, new) = (format!("a/{path}"), format!("b/{path}"));
        let diff = diff.unified_diff().header(&old, &new).to_string();
        place.write("x.diff", diff);
        let output = barepoint(&place)
            .args([
                "check",
                "--tree",
                "kernel",
                "--whole-tree",
                "--format",
                "json",
            ])
            .arg("x.diff")
            .output()
            .expect("it runs");
        let shown = text(&output.stdout);
        let report: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let found = report["findings"].as_array().expect("findings").iter();
        let in_other = found.filter(|one| one["file"] == "kernel/sched/other.c");
        let in_other: Vec<_> = in_other
            .map(|one| (&one["rule"], &one["tracepoint"]))
            .collect();
        assert_eq!(
            in_other,
            [(&"undeclared-call".into(), &lost.into())],
            "{shown}"
        );
    }
}

/// Findings of one place share its lines, and some can be mended with a word.
#[test]
fn findings_of_one_place_and_a_suggestion() {
    let place = workplace();
    let patch = "\
From: A Contributor <a@example.org>
Subject: [PATCH] sched: Add a hook

---
diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -90,5 +90,10 @@ DECLARE_TRACE_CONDITION(sched_set_state,
 \tTP_ARGS(tsk, state),
 \tTP_CONDITION(!!(tsk->__state) != !!state));
 
+struct sched_entity;
+DECLARE_TRACE(sched_fresh_tp,
+\tTP_PROTO(struct rq *rq),
+\tTP_ARGS(rq));
+
 #endif /* _TRACE_SCHED_H */
 
";
    place.write("hook.patch", patch);
    barepoint(&place)
        .args(["check", "--tree", "kernel", "hook.patch"])
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
hook.patch
    sched: Add a hook

warning[missing-export]: bare tracepoint sched_fresh_tp_tp is not exported,
    and a module can attach to it only by looking its name up
warning[never-called]: tracepoint sched_fresh_tp_tp is declared, but never
    called
warning[suffix]: bare tracepoint sched_fresh_tp_tp has _tp twice:
    DECLARE_TRACE() appends it
   = try: DECLARE_TRACE(sched_fresh,
warning[undocumented]: no comment says what bare tracepoint
    sched_fresh_tp_tp is for
  --> include/trace/events/sched.h:95:1
   |
95 | DECLARE_TRACE(sched_fresh_tp,
   | ^^^^^^^^^^^^^

passes with warnings: hook.patch (4 warnings)

"#]]);
}

#[test]
fn the_kernel_tree_around_is_used() {
    let place = workplace();
    barepoint(&place)
        .current_dir(place.path("kernel/kernel/sched"))
        .args(["check", "--terse", "../../../leak.patch"])
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
../../../leak.patch:20: ERROR: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
total: 1 errors, 0 warnings, 11 lines checked

"#]]);
}

#[test]
fn without_a_tree_the_profile_is_named() {
    let place = workplace();
    fs::remove_dir_all(place.path("kernel")).expect("removed");
    barepoint(&place)
        .args(["check", "leak.patch"])
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
No kernel tree: checked against the embedded profile of Linux 7.3.4.
Give --tree DIR to check against a tree.

leak.patch
    sched: Trace overutilization

error[promotion]: bare tracepoint sched_overutilized_tp becomes a trace
    event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
  --> include/trace/events/sched.h:82:1
   |
82 | TRACE_EVENT(sched_overutilized_tp,
   | ^^^^^^^^^^^
   = include/trace/events/sched.h:861: it is declared bare here before the patch

leaks or misplaced hooks: leak.patch (1 error)

"#]]);
}

#[test]
fn colour_when_asked_for_only() {
    let place = workplace();
    let coloured = |arguments: &[&str], no_color: bool| {
        let mut command = barepoint(&place).args(["check", "--tree", "kernel", "leak.patch"]);
        if no_color {
            command = command.env("NO_COLOR", "1");
        }
        let output = command.args(arguments).output().expect("it runs");
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured(&[], false), "a pipe has no colours");
    assert!(coloured(&["--color", "always"], false));
    assert!(
        coloured(&["--color=always"], true),
        "a flag outranks NO_COLOR"
    );
    assert!(!coloured(&["--color", "never"], false));
    assert!(coloured(
        &["--format", "checkpatch", "--color", "always"],
        false
    ));
    for format in ["json", "sarif", "github", "gitlab", "b4"] {
        assert!(!coloured(&["--format", format, "--color", "always"], false));
    }
}

#[test]
fn the_same_from_standard_input_a_folder_and_an_mbox() {
    let place = workplace();
    let folder = place.path("series");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("0001-leak.patch"), LEAK).expect("written");
    fs::write(
        folder.join("0000-cover-letter.patch"),
        "From: A <a@example.org>\nSubject: [PATCH 0/1] x\n\nWords.\n",
    )
    .expect("written");
    place.write("all.mbox", LEAK);
    for (input, name) in [
        ("-", "-"),
        ("series", "series/0001-leak.patch"),
        ("all.mbox", "all.mbox"),
    ] {
        let output = barepoint(&place)
            .args(["check", "--tree", "kernel", "--format", "json", input])
            .stdin(LEAK)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{input}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(json["findings"][0]["rule"], "promotion", "{input}");
        assert_eq!(json["findings"][0]["patch"], name, "{input}");
        assert_eq!(json["summary"]["errors"], 1, "{input}");
    }
}

#[test]
fn approval_makes_it_a_note() {
    let place = workplace();
    let acked = LEAK.replace(
        "It is useful.\n",
        "It is useful.\n\nAcked-by: Ann Scheduler <ann@example.org>\n",
    );
    let maintainers = place.read("kernel/MAINTAINERS");
    let section = maintainers
        .split("\nSCHEDULER\n")
        .nth(1)
        .expect("a section");
    let maintainer = section
        .split("M:\t")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let acked = acked.replace(
        "Ann Scheduler <ann@example.org>",
        maintainer.expect("an M:"),
    );
    place.write("acked.patch", acked);
    barepoint(&place)
        .args(["check", "--tree", "kernel", "acked.patch"])
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
acked.patch
    sched: Trace overutilization

note[promotion]: bare tracepoint sched_overutilized_tp becomes a trace event
    by TRACE_EVENT() (approval claimed by a trailer: Acked-by: Ingrid Sched
    <ingrid@example.org>)
  --> include/trace/events/sched.h:82:1
   |
82 | TRACE_EVENT(sched_overutilized_tp,
   | ^^^^^^^^^^^
   = include/trace/events/sched.h:81: it is declared bare here before the patch

no bare tracepoint leaks: acked.patch (1 note)

"#]]);
}

#[test]
fn our_own_patches_need_no_tree() {
    let place = Workplace::empty();
    for (version, release) in [("7.3", "7.3."), ("6.12", "6.12.")] {
        let patches = format!("{}/patches/{version}", env!("CARGO_MANIFEST_DIR"));
        let output = barepoint(&place)
            .args(["check", "--strict", &patches])
            .output()
            .expect("it runs");
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{shown}");
        assert!(
            shown.contains(&format!("embedded profile of Linux {release}")),
            "{shown}"
        );
        assert!(shown.contains("no bare tracepoint leaks"), "{shown}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    use std::process::Stdio;
    let place = workplace();
    let mut child = place
        .barepoint(&["check", "--tree", "kernel", "leak.patch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{:?}",
        output.status
    );
    assert_eq!(text(&output.stderr), "");
}
