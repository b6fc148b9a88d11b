// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint list`: its tables, what it is asked for, and its formats.

use super::{barepoint, workplace};
use crate::fixtures::fixture;
use crate::workplace::{Workplace, text};
use snapbox::str;
use std::fs;

fn listed(name: &str, arguments: &[&str]) -> snapbox::cmd::OutputAssert {
    let place = Workplace::empty();
    barepoint(&place)
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
        let place = Workplace::empty();
        let output = barepoint(&place)
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
        .stdout_eq(snapbox::file!["../../snapshots/list.csv"]);
}

/// A program opens the file that it is told.
#[test]
fn names_of_files_are_whole_for_programs() {
    let place = workplace();
    let header = place.path("kernel/include/trace/events/sched.h");
    let odd = header.with_file_name("a\u{7}b\u{1b}[1mc.h");
    fs::rename(header, odd).expect("renamed");
    for (format, name) in [
        ("csv", r"/a\u{7}b\u{1b}[1mc.h,"),
        ("json", "/a\\u0007b\\u001b[1mc.h\""),
    ] {
        let output = barepoint(&place)
            .args(["list", "--tree", "kernel", "--name", "pelt_cfs_tp"])
            .args(["--format", format])
            .output()
            .expect("it runs");
        let shown = text(&output.stdout);
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn as_json() {
    listed(
        "kernel-7.3",
        &["--format", "json", "--name", "{pelt_cfs_tp,sched_switch}"],
    )
    .stdout_eq(snapbox::file!["../../snapshots/list.json"]);
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
        .stdout_eq(snapbox::file!["../../snapshots/list-android.json"]);
}

#[test]
fn nothing_that_matches_is_no_error() {
    listed("kernel-7.3", &["--name", "unheard_of"]).stdout_eq(str![[r#"
TRACEPOINT  KIND   BPF  EXPORT  CALLS  PROBES  DECLARED

"#]]);
}
