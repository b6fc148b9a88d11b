// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check` for programs: each format of a leak, of nothing and of trouble.

use super::{CLEAN, barepoint, workplace};
use crate::workplace::{Workplace, text};
use snapbox::str;
use std::fs;

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
    place.write("clean.patch", CLEAN);
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
        .stdout_eq(snapbox::file!["../../snapshots/check.json"]);
}

fn formatted(place: &Workplace, format: &str, input: &str) -> snapbox::cmd::OutputAssert {
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
        snapbox::file!["../../snapshots/check.sarif"].raw()
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
    let header = place.path("kernel/include/trace/events/sched.h");
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
        .stdout_eq(snapbox::file!["../../snapshots/check.gitlab.json"]);
}

#[test]
fn b4_of_a_leak() {
    let place = workplace();
    formatted(&place, "b4", "leak.patch")
        .code(1)
        .stdout_eq(snapbox::file!["../../snapshots/check.b4.json"].raw());
}

#[test]
fn formats_of_a_clean_patch() {
    let place = workplace();
    place.write("clean.patch", CLEAN);
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
    let log: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
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
        let shown = text(&output.get_output().stdout);
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
