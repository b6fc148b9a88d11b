// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The real binary, as a user or a gate runs it: what goes to which stream, in
//! which shape, and with which exit status.

use crate::fixtures::{copy, fixture};
use similar::TextDiff;
use snapbox::cmd::Command;
use snapbox::{Data, str};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// barepoint in a folder that is in no kernel tree, with nothing in its way.
fn barepoint(scratch: &TempDir) -> Command {
    Command::new(env!("CARGO_BIN_EXE_barepoint"))
        .current_dir(scratch.path())
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env("TERM", "dumb")
}

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A folder with `kernel`, a copy of a small tree, and `leak.patch` for it.
fn workplace() -> TempDir {
    let folder = scratch();
    copy(&fixture("kernel-7.3"), &folder.path().join("kernel"));
    fs::write(folder.path().join("leak.patch"), LEAK).expect("written");
    folder
}

const LEAK: &str = "\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Contributor <a@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000
Subject: [PATCH 1/1] sched: Trace overutilization

It is useful.
---
 include/trace/events/sched.h | 6 ++++--
 1 file changed, 4 insertions(+), 2 deletions(-)

diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,7 +78,9 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
-DECLARE_TRACE(sched_overutilized,
+/* The root domain is, or is no longer, overutilized. */
+TRACE_EVENT(sched_overutilized_tp,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
-\tTP_ARGS(rd, overutilized));
+\tTP_ARGS(rd, overutilized),
+\tTP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));
 
-- 
2.47.3
";

/// Says what a hook is for.
const CLEAN: &str = "\
From: A Contributor <a@example.org>
Subject: [PATCH] sched: Say what a hook is for

---
diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,6 +78,7 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
+/* The root domain is, or is no longer, overutilized. No TRACE_EVENT(x) here. */
 DECLARE_TRACE(sched_overutilized,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
 \tTP_ARGS(rd, overutilized));
";

/// Every file below `folder`, with its text.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read(&path).unwrap_or_default();
                all.push((path, text));
            }
        }
    }
    all.sort();
    all
}

mod check {
    use super::*;

    #[test]
    fn a_diff_without_a_subject_goes_by_its_name() {
        let place = workplace();
        let diff = CLEAN.split_once("\n---\n").expect("a mail").1;
        fs::write(place.path().join("x.diff"), diff).expect("written");
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
        let at = |name: &str| place.path().join("kernel").join(name);
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
            fs::write(place.path().join("x.diff"), diff).expect("written");
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
            let shown = String::from_utf8_lossy(&output.stdout);
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
        fs::write(place.path().join("hook.patch"), patch).expect("written");
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
            .current_dir(place.path().join("kernel/kernel/sched"))
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
        fs::remove_dir_all(place.path().join("kernel")).expect("removed");
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
    fn checkpatch_in_its_shapes() {
        let place = workplace();
        for (arguments, expected) in [
            (
                &["--format", "checkpatch"][..],
                str![[r#"
ERROR: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
#20: FILE: include/trace/events/sched.h:82:
+TRACE_EVENT(sched_overutilized_tp,

total: 1 errors, 0 warnings, 11 lines checked

NOTE: For what a finding means and how to mend it, see
      barepoint explain promotion

leak.patch has style problems, please review.

NOTE: If any of the errors are false positives, please report
      them to the maintainers of barepoint.

"#]],
            ),
            (
                &["--show-types", "--no-summary"],
                str![[r#"
ERROR:PROMOTION: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
#20: FILE: include/trace/events/sched.h:82:
+TRACE_EVENT(sched_overutilized_tp,


NOTE: For what a finding means and how to mend it, see
      barepoint explain promotion

leak.patch has style problems, please review.

NOTE: If any of the errors are false positives, please report
      them to the maintainers of barepoint.

"#]],
            ),
            (
                &["--terse", "--no-summary"],
                str![[r#"
leak.patch:20: ERROR: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER

"#]],
            ),
            (
                &["--emacs", "-q"],
                str![[r#"
leak.patch:20: ERROR: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER
#20: FILE: include/trace/events/sched.h:82:
+TRACE_EVENT(sched_overutilized_tp,

total: 1 errors, 0 warnings, 11 lines checked

"#]],
            ),
            (
                &["--terse", "--showfile", "-q", "--no-summary", "--mailback"],
                str![[r#"
include/trace/events/sched.h:82: ERROR: bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER

"#]],
            ),
        ] {
            barepoint(&place)
                .args(["check", "--tree", "kernel", "leak.patch"])
                .args(arguments)
                .assert()
                .code(1)
                .stdout_eq(expected);
        }
    }

    #[test]
    fn mailback_is_silent_about_a_clean_patch() {
        let place = workplace();
        fs::write(place.path().join("clean.patch"), CLEAN).expect("written");
        for (arguments, expected) in [
            (&["-q", "--terse", "--mailback", "--no-summary"][..], str![]),
            (&["-q", "--terse", "--no-summary"], str![]),
            (&["-q"], str![]),
            (
                &["--format", "checkpatch"],
                str![[r#"
total: 0 errors, 0 warnings, 7 lines checked

clean.patch has no obvious style problems and is ready for submission.

"#]],
            ),
        ] {
            barepoint(&place)
                .args(["check", "--tree", "kernel", "clean.patch"])
                .args(arguments)
                .assert()
                .code(0)
                .stdout_eq(expected)
                .stderr_eq(str![]);
        }
    }

    #[test]
    fn json_has_the_documented_keys() {
        let place = workplace();
        barepoint(&place)
            .args([
                "check",
                "--tree",
                "kernel",
                "--format",
                "json",
                "leak.patch",
            ])
            .assert()
            .code(1)
            .stdout_eq(snapbox::file!["../snapshots/check.json"]);
    }

    fn formatted(place: &TempDir, format: &str, input: &str) -> snapbox::cmd::OutputAssert {
        barepoint(place)
            .args(["check", "--tree", "kernel", "--format", format, input])
            .assert()
    }

    /// The rules' pages are the rules' matter: here only that all are in it.
    #[test]
    fn sarif_of_a_leak() {
        let place = workplace();
        let output = formatted(&place, "sarif", "leak.patch").code(1);
        let mut log: serde_json::Value =
            serde_json::from_slice(&output.get_output().stdout).expect("JSON");
        let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
        let rules = rules.as_array().expect("a list");
        assert_eq!(rules.len(), barepoint::rules::RULES.len());
        for (shown, rule) in rules.iter().zip(barepoint::rules::RULES) {
            assert_eq!(shown["id"], rule.id);
            let help = shown["help"]["markdown"].as_str().expect("help");
            assert!(help.contains("## Why") && help.contains("## How to fix"));
        }
        let index = log["runs"][0]["results"][0]["ruleIndex"].as_u64();
        let index = usize::try_from(index.expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], log["runs"][0]["results"][0]["ruleId"]);
        snapbox::assert_data_eq!(
            format!("{log:#}\n"),
            snapbox::file!["../snapshots/check.sarif"].raw()
        );
    }

    /// A service must know the finding again when lines above it come and go.
    #[test]
    fn fingerprints_survive_moved_lines() {
        let place = workplace();
        let prints = || {
            ["sarif", "gitlab"].map(|format| {
                let output = formatted(&place, format, "leak.patch").code(1);
                let json: serde_json::Value =
                    serde_json::from_slice(&output.get_output().stdout).expect("JSON");
                let (print, line) = if format == "sarif" {
                    let result = &json["runs"][0]["results"][0];
                    let region = &result["locations"][0]["physicalLocation"]["region"];
                    (
                        &result["partialFingerprints"]["barepointFinding/v1"],
                        &region["startLine"],
                    )
                } else {
                    (
                        &json[0]["fingerprint"],
                        &json[0]["location"]["lines"]["begin"],
                    )
                };
                assert_eq!(print.as_str().map(str::len), Some(32));
                (print.clone(), line.as_u64().expect("a line"))
            })
        };
        let before = prints();
        let header = place.path().join("kernel/include/trace/events/sched.h");
        let text = fs::read_to_string(&header).expect("a header");
        fs::write(&header, text.replacen("\n", "\n\n\n", 1)).expect("written");
        let after = prints();
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.0, after.0);
            assert_eq!(before.1 + 2, after.1);
        }
    }

    #[test]
    fn github_of_a_leak() {
        let place = workplace();
        formatted(&place, "github", "leak.patch").code(1).stdout_eq(str![[r#"
::error title=barepoint%3A promotion,file=include/trace/events/sched.h,line=82,col=1::bare tracepoint sched_overutilized_tp becomes a trace event by TRACE_EVENT() without the approval of a maintainer of SCHEDULER%0Ainclude/trace/events/sched.h:81: it is declared bare here before the patch

"#]]);
    }

    #[test]
    fn gitlab_of_a_leak() {
        let place = workplace();
        formatted(&place, "gitlab", "leak.patch")
            .code(1)
            .stdout_eq(snapbox::file!["../snapshots/check.gitlab.json"]);
    }

    #[test]
    fn b4_of_a_leak() {
        let place = workplace();
        formatted(&place, "b4", "leak.patch")
            .code(1)
            .stdout_eq(snapbox::file!["../snapshots/check.b4.json"].raw());
    }

    #[test]
    fn formats_of_a_clean_patch() {
        let place = workplace();
        fs::write(place.path().join("clean.patch"), CLEAN).expect("written");
        for (format, expected) in [
            ("github", str![]),
            (
                "gitlab",
                str![[r#"
[]

"#]],
            ),
            (
                "b4",
                str![[r#"
[
  {
    "tool": "barepoint",
    "status": "pass",
    "summary": "no bare tracepoint leaks"
  }
]

"#]],
            ),
        ] {
            formatted(&place, format, "clean.patch")
                .code(0)
                .stdout_eq(expected)
                .stderr_eq(str![]);
        }
        let output = formatted(&place, "sarif", "clean.patch").code(0);
        let log: serde_json::Value =
            serde_json::from_slice(&output.get_output().stdout).expect("JSON");
        let run = &log["runs"][0];
        assert_eq!(run["results"], serde_json::json!([]));
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        assert_eq!(run["invocations"][0]["exitCode"], 0);
    }

    /// No format may look clean then: none of their readers sees standard error.
    #[test]
    fn formats_of_what_cannot_be_checked() {
        let place = workplace();
        for format in ["sarif", "github", "gitlab", "b4"] {
            let output = formatted(&place, format, "gone.patch").code(2);
            let shown = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
            assert!(shown.contains("gone.patch"), "{format}: {shown}");
            let said = match format {
                "sarif" => "\"executionSuccessful\": false",
                "github" => "::error ",
                "gitlab" => "\"severity\": \"blocker\"",
                _ => "\"status\": \"fail\"",
            };
            assert!(shown.contains(said), "{format}: {shown}");
        }
    }

    /// b4 gives the command for a series the cover letter and nothing else.
    #[test]
    fn a_cover_letter_alone_fails_only_where_it_is_no_input() {
        let place = workplace();
        let cover = "From: A <a@example.org>\nSubject: [PATCH 0/3] sched: Hooks\n\nWords.\n";
        let lost = cover.replace("0/3", "1/3");
        let check = |format: &str, text: &str| {
            barepoint(&place)
                .args(["check", "--tree", "kernel", "--format", format, "-"])
                .stdin(text.to_owned())
                .assert()
        };
        check("b4", cover)
            .code(0)
            .stdout_eq(str![[r#"
[]

"#]])
            .stderr_eq(str![]);
        check("human", cover).code(2);
        check("sarif", cover).code(2);
        check("b4", &lost).code(2);
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
        let folder = place.path().join("series");
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("0001-leak.patch"), LEAK).expect("written");
        fs::write(
            folder.join("0000-cover-letter.patch"),
            "From: A <a@example.org>\nSubject: [PATCH 0/1] x\n\nWords.\n",
        )
        .expect("written");
        fs::write(place.path().join("all.mbox"), LEAK).expect("written");
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
        let maintainers = fs::read_to_string(place.path().join("kernel/MAINTAINERS")).expect("it");
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
        fs::write(place.path().join("acked.patch"), acked).expect("written");
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
        let place = scratch();
        for (version, release) in [("7.3", "7.3."), ("6.12", "6.12.")] {
            let patches = format!("{}/patches/{version}", env!("CARGO_MANIFEST_DIR"));
            let output = barepoint(&place)
                .args(["check", "--strict", &patches])
                .output()
                .expect("it runs");
            let shown = String::from_utf8_lossy(&output.stdout);
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
        use std::process::{Command, Stdio};
        let place = workplace();
        let mut child = Command::new(env!("CARGO_BIN_EXE_barepoint"))
            .current_dir(place.path())
            .args(["check", "--tree", "kernel", "leak.patch"])
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
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

mod bad_input {
    use super::*;

    /// Runs `check` of `input`; it is to fail with one line that has all of `says`,
    /// with nothing to say on the other stream, and nothing written.
    fn refuses(place: &TempDir, arguments: &[&str], says: &[&str]) {
        let before = everything(place.path());
        let output = barepoint(place)
            .args(arguments)
            .stdin(Data::new())
            .output()
            .expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        for part in says {
            assert!(
                stderr.contains(part),
                "{arguments:?}: no {part:?} in {stderr}"
            );
        }
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
        assert!(before == everything(place.path()), "{arguments:?} wrote");
    }

    /// With a tree and with the profile.
    fn refuses_patch(place: &TempDir, input: &str, says: &[&str]) {
        refuses(place, &["check", "--tree", "kernel", input], says);
        refuses(place, &["check", input], says);
    }

    fn with(name: &str, text: impl AsRef<[u8]>) -> TempDir {
        let place = workplace();
        fs::write(place.path().join(name), text).expect("written");
        place
    }

    #[test]
    fn not_a_patch() {
        let place = with("letter.txt", "Dear maintainer,\n\nhow are you?\n");
        refuses_patch(&place, "letter.txt", &["letter.txt", "not a patch"]);
    }

    #[test]
    fn empty() {
        refuses_patch(&with("empty.patch", ""), "empty.patch", &["empty.patch"]);
        refuses_patch(&workplace(), "-", &["-: "]);
    }

    #[test]
    fn truncated() {
        let end = LEAK.find("+\tTP_ARGS(rd").expect("a line");
        let place = with("cut.patch", &LEAK[..end]);
        refuses_patch(&place, "cut.patch", &["cut.patch:14", "cut off"]);
    }

    #[test]
    fn for_another_tree() {
        let other = LEAK.replace(
            "DECLARE_TRACE(sched_overutilized,",
            "DECLARE_TRACE(sched_unheard_of,",
        );
        let place = with("other.patch", other);
        let output = barepoint(&place)
            .args(["check", "--tree", "kernel", "other.patch"])
            .output()
            .expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains("other.patch:") && stderr.contains("include/trace/events/sched.h"),
            "{stderr}"
        );
        assert!(!String::from_utf8_lossy(&output.stdout).contains("no bare tracepoint leaks:"));
    }

    #[test]
    fn no_kernel() {
        let place = workplace();
        fs::create_dir(place.path().join("empty")).expect("a folder");
        for command in [&["check", "leak.patch"][..], &["check"], &["list"]] {
            let arguments = [command, &["--tree", "empty"]].concat();
            refuses(
                &place,
                &arguments,
                &["empty is not a kernel tree", "include/linux/tracepoint.h"],
            );
        }
        refuses(&place, &["list", "--tree", "nowhere"], &["nowhere"]);
        refuses(&place, &["list"], &["--tree"]);
        refuses(&place, &["check"], &["nothing to check"]);
    }

    #[test]
    fn a_kernel_that_cannot_be_understood() {
        let place = workplace();
        let header = place.path().join("kernel/include/linux/tracepoint.h");
        fs::write(header, "#define DECLARE_TRACE(name, proto, args)\n").expect("written");
        refuses(&place, &["list", "--tree", "kernel"], &["tracepoint"]);
        refuses(&place, &["check", "--tree", "kernel"], &["tracepoint"]);
    }

    #[test]
    fn a_folder_without_patches() {
        let place = workplace();
        fs::create_dir(place.path().join("none")).expect("a folder");
        fs::write(place.path().join("none/notes.txt"), "x").expect("written");
        refuses_patch(&place, "none", &["none", ".patch"]);
    }

    #[test]
    fn what_is_not_there_or_cannot_be_read() {
        let place = workplace();
        refuses_patch(&place, "gone.patch", &["gone.patch", "No such file"]);
        // Root may read everything; a loop of links is unreadable to all.
        std::os::unix::fs::symlink("loop.patch", place.path().join("loop.patch")).expect("a link");
        refuses_patch(&place, "loop.patch", &["loop.patch", "cannot read"]);
    }

    #[test]
    fn one_bad_patch_among_good_ones_leaves_the_findings() {
        let place = workplace();
        let output = barepoint(&place)
            .args(["check", "--tree", "kernel", "gone.patch", "leak.patch"])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stdout).contains("error[promotion]"));
        assert!(String::from_utf8_lossy(&output.stderr).contains("gone.patch"));
    }

    #[test]
    fn random_bytes() {
        // xorshift: the same bytes on every run.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(10_000_000 / 8)
        .flatten()
        .collect();
        refuses_patch(&with("noise", bytes), "noise", &["noise", "not a patch"]);
    }

    #[test]
    fn a_path_that_leaves_the_tree() {
        for path in [
            "../../etc/passwd",
            "/etc/passwd",
            "include/../../../etc/passwd",
        ] {
            let place = with(
                "passwd.patch",
                format!(
                    "From: A <a@example.org>\nSubject: x\n\n---\ndiff --git a/{path} b/{path}\n\
                     --- a/{path}\n+++ b/{path}\n@@ -1 +1,2 @@\n root:x:0:0:root:/root:/bin/bash\n+TRACE_EVENT(x);\n"
                ),
            );
            refuses_patch(&place, "passwd.patch", &["passwd.patch:", "the path"]);
        }
    }

    #[test]
    fn a_macro_that_expands_to_itself() {
        let patch = "\
From: A <a@example.org>
Subject: [PATCH] sched: Go round

---
diff --git a/kernel/sched/round.h b/kernel/sched/round.h
new file mode 100644
--- /dev/null
+++ b/kernel/sched/round.h
@@ -0,0 +1,6 @@
+#define ONE(x) OTHER(x) OTHER(x)
+#define OTHER(x) ONE(x) ONE(x)
+#define EVENT(x) EVENT(x) TRACE_EVENT(x)
+ONE(a)
+OTHER(b)
+EVENT(c)
";
        let place = with("round.patch", patch);
        let output = barepoint(&place)
            .args([
                "check",
                "--tree",
                "kernel",
                "--terse",
                "--no-summary",
                "round.patch",
            ])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            stdout.split_inclusive('\n').next().unwrap_or_default(),
            "round.patch:15: ERROR: new trace event c in zone scheduler by EVENT(), which comes to \
             TRACE_EVENT() without the approval of a maintainer of SCHEDULER\n"
        );
    }

    #[test]
    fn escapes_do_not_reach_a_terminal() {
        let hostile = LEAK.replace(
            "+TRACE_EVENT(sched_overutilized_tp,",
            "+TRACE_EVENT(sched_overutilized_tp, /* \u{1b}]0;owned\u{7} \u{202e} */",
        );
        let place = with("hostile.patch", hostile);
        for format in ["human", "checkpatch"] {
            let output = barepoint(&place)
                .args([
                    "check",
                    "--tree",
                    "kernel",
                    "--color",
                    "always",
                    "--format",
                    format,
                    "hostile.patch",
                ])
                .output()
                .expect("it runs");
            let shown = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(1), "{shown}");
            assert!(shown.contains("owned"), "{shown}");
            assert!(
                !shown.contains("\u{1b}]") && !shown.contains(['\u{7}', '\u{202e}']),
                "{shown}"
            );
        }
    }

    #[test]
    fn escapes_in_the_name_of_a_file_do_not_either() {
        let place = workplace();
        let header = place.path().join("kernel/include/trace/events/sched.h");
        let hostile = header.with_file_name("\u{1b}]0;owned\u{7}.h");
        fs::rename(header, hostile).expect("renamed");
        let arguments = ["list", "--tree", "kernel", "--name", "pelt_cfs_tp"];
        let output = barepoint(&place).args(arguments).output().expect("it runs");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains("owned"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
    }

    #[test]
    fn a_command_line_that_makes_no_sense() {
        let place = workplace();
        for arguments in [
            &["check", "--format", "postscript", "leak.patch"][..],
            &["check", "--git", "HEAD", "leak.patch"],
            &["check", "--zones", "gone.toml", "leak.patch"],
            &["check", "--tree", "kernel", "--git", "HEAD"],
            &["list", "--bare", "--event"],
            &["list", "--tree", "kernel", "--name", "[x"],
            &["explain", "no-such-rule"],
            &["fly"],
        ] {
            let output = barepoint(&place).args(arguments).output().expect("it runs");
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(!output.stderr.is_empty(), "{arguments:?}");
            assert!(output.stdout.is_empty(), "{arguments:?}");
        }
    }
}

mod list {
    use super::*;

    fn listed(name: &str, arguments: &[&str]) -> snapbox::cmd::OutputAssert {
        Command::new(env!("CARGO_BIN_EXE_barepoint"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["list", "--tree", &format!("tests/fixtures/{name}")])
            .args(arguments)
            .assert()
            .code(0)
            .stderr_eq(str![])
    }

    #[test]
    fn as_a_table() {
        listed("kernel-7.3", &["--bare"]).stdout_eq(str![[r#"
TRACEPOINT                  KIND   BPF  EXPORT  CALLS  PROBES  DECLARED
pelt_cfs_tp                 bare   yes  gpl         1       0  include/trace/events/sched.h:77
sched_overutilized_tp       bare   yes  gpl         1       0  include/trace/events/sched.h:81
sched_set_state_tp          bare   no   gpl         1       1  include/trace/events/sched.h:89
sched_update_nr_running_tp  bare   yes  gpl         1       0  include/trace/events/sched.h:85

"#]]);
        listed("kernel-6.12", &["--bare"]).stdout_eq(str![[r#"
TRACEPOINT                  KIND   BPF  EXPORT  CALLS  PROBES  DECLARED
pelt_cfs_tp                 bare   yes  gpl         1       0  include/trace/events/sched.h:77
sched_overutilized_tp       bare   yes  gpl         1       0  include/trace/events/sched.h:81
sched_update_nr_running_tp  bare   yes  gpl         1       1  include/trace/events/sched.h:85

"#]]);
    }

    #[test]
    fn below_a_folder() {
        let rows = |path: &str| {
            let output = Command::new(env!("CARGO_BIN_EXE_barepoint"))
                .current_dir(fixture("kernel-7.3"))
                .args(["list", "--tree", ".", "--path", path])
                .output();
            let output = output.expect("it runs");
            output.stdout.split(|&byte| byte == b'\n').count()
        };
        let all = rows("**");
        for path in [".", "./"] {
            assert_eq!(rows(path), all, "{path}");
        }
        let headers = rows("include/**");
        assert!(headers > 10, "{headers}");
        for path in [
            "include",
            "include/trace/",
            "./include/trace/e*/",
            "inc*/**",
        ] {
            assert_eq!(rows(path), headers, "{path}");
        }
        let none = rows("nowhere");
        for path in ["include/*", "trace", "./fs/"] {
            assert_eq!(rows(path), none, "{path}");
        }
    }

    #[test]
    fn filtered() {
        listed("kernel-7.3", &["--event", "--path", "fs/**"]).stdout_eq(str![[r#"
TRACEPOINT  KIND   BPF  EXPORT  CALLS  PROBES  DECLARED

"#]]);
        listed(
            "kernel-7.3",
            &[
                "--event",
                "--path",
                "include/trace/events/*",
                "--name",
                "sched_wak*",
            ],
        )
        .stdout_eq(str![[r#"
TRACEPOINT    KIND   BPF  EXPORT  CALLS  PROBES  DECLARED
sched_wakeup  event  yes  -           1       0  include/trace/events/sched.h:41
sched_waking  event  yes  -           1       0  include/trace/events/sched.h:36

"#]]);
    }

    #[test]
    fn as_csv() {
        listed("kernel-7.3", &["--format", "csv", "--path", "**/sched.h"])
            .stdout_eq(snapbox::file!["../snapshots/list.csv"]);
    }

    /// A program opens the file that it is told.
    #[test]
    fn names_of_files_are_whole_for_programs() {
        let place = workplace();
        let header = place.path().join("kernel/include/trace/events/sched.h");
        let odd = header.with_file_name("a\u{7}b\u{1b}[1mc.h");
        fs::rename(header, odd).expect("renamed");
        for (format, name) in [
            ("csv", "/a\u{7}b\u{1b}[1mc.h,"),
            ("json", "/a\\u0007b\\u001b[1mc.h\""),
        ] {
            let output = barepoint(&place)
                .args(["list", "--tree", "kernel", "--name", "pelt_cfs_tp"])
                .args(["--format", format])
                .output()
                .expect("it runs");
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(shown.contains(name), "{shown}");
        }
    }

    #[test]
    fn as_json() {
        listed(
            "kernel-7.3",
            &["--format", "json", "--name", "{pelt_cfs_tp,sched_switch}"],
        )
        .stdout_eq(snapbox::file!["../snapshots/list.json"]);
    }

    /// Android's hooks are bare, whatever macro makes them.
    #[test]
    fn of_android() {
        listed("android", &[]).stdout_eq(str![[r#"
TRACEPOINT                       KIND   BPF  EXPORT  CALLS  PROBES  DECLARED
android_rvh_select_task_rq_fair  bare   no   gpl         1       0  include/trace/hooks/sched.h:19
android_vh_scheduler_tick        bare   yes  gpl         1       0  include/trace/hooks/sched.h:23

"#]]);
        listed("android", &["--format", "json"])
            .stdout_eq(snapbox::file!["../snapshots/list-android.json"]);
    }

    #[test]
    fn nothing_that_matches_is_no_error() {
        listed("kernel-7.3", &["--name", "unheard_of"]).stdout_eq(str![[r#"
TRACEPOINT  KIND   BPF  EXPORT  CALLS  PROBES  DECLARED

"#]]);
    }
}

mod explain {
    use super::*;

    #[test]
    fn all_rules_and_each() {
        let place = scratch();
        let output = barepoint(&place).arg("explain").output().expect("it runs");
        assert_eq!(output.status.code(), Some(0));
        let table = String::from_utf8_lossy(&output.stdout);
        for rule in barepoint::rules::RULES {
            assert!(table.contains(rule.id), "{}", rule.id);
            let output = barepoint(&place)
                .args(["explain", rule.id])
                .output()
                .expect("it runs");
            let page = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{}", rule.id);
            for heading in ["Why", "How to fix", "Bad", "Good"] {
                assert!(page.contains(heading), "{}: no {heading}", rule.id);
            }
            assert!(!page.contains("```expect"), "{}", rule.id);
        }
    }
}
