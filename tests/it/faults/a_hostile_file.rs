// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files that are made to keep whoever reads them busy, or to hide something in what he
//! gives up on.

use super::*;
use crate::workplace::{Workplace, text, told};
use std::fs;
use std::process::Output;

/// A patch that adds `path` with these lines.
fn added(path: &str, lines: &[String]) -> String {
    let count = lines.len();
    let text: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{text}")
}

/// Checks a patch that adds such a file.
fn check(path: &str, lines: &[String]) -> Output {
    let place = Workplace::new();
    place.write("x.patch", added(path, lines));
    place.run(&[CHECK, &["x.patch"]].concat())
}

/// Checks it, which has to do.
fn is_read(path: &str, lines: &[String]) {
    let output = check(path, lines);
    let status = output.status.code();
    assert!(matches!(status, Some(0 | 1)), "{}", told(&output));
}

fn each(count: usize, line: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(line).collect()
}

fn event(name: &str) -> String {
    format!("DECLARE_TRACE({name}, TP_PROTO(int x), TP_ARGS(x));")
}

const HEADER: &str = "kernel/sched/x.h";

#[test]
fn with_deep_conditions() {
    let minus = format!("#if {}1", "-".repeat(300_000));
    let sum = format!("#if {}1", "1+".repeat(300_000));
    let any = format!("#if {}1", "A||".repeat(300_000));
    for condition in [minus, sum, any] {
        is_read(HEADER, &[condition, event("a"), "#endif".to_owned()]);
    }
}

#[test]
fn with_macros_that_branch_and_come_to_nothing() {
    let mut lines = Vec::new();
    for at in 0..40 {
        let both = format!("L{next} K{next}", next = at + 1);
        lines.extend([
            format!("#define L{at} {both}"),
            format!("#define K{at} {both}"),
        ]);
    }
    lines.extend(["#define Z(x) L0 TRACE_EVENT(x)", "L0(a)", "Z(b)"].map(str::to_owned));
    is_read(HEADER, &lines);
}

#[test]
fn with_a_hundred_thousand_of_anything() {
    is_read(HEADER, &each(200_000, |at| format!("A{at}();")));
    let open = each(100_000, |_| "TRACE_EVENT([)".to_owned());
    one_line(
        &check(HEADER, &open),
        "open calls",
        &[HEADER, "does not end"],
    );
    let mut probes = vec!["void *x[] = {".to_owned()];
    probes.extend(each(20_000, |at| {
        format!("probe{at}, &__tracepoint_x{at},")
    }));
    is_read("kernel/sched/x.c", &probes);
    let mut calls = vec!["#define T(x) trace_##x(1)".to_owned()];
    calls.extend(each(50_000, |at| {
        format!("void f{at}(void) {{ T(a{at}); }}")
    }));
    is_read("kernel/sched/x.c", &calls);
    let mut rust = each(5000, |_| "declare_trace!".to_owned());
    rust.extend(each(5000, |_| "fn a();".to_owned()));
    is_read("kernel/sched/x.rs", &rust);
}

/// What is said of a place in it costs memory, not only time.
#[test]
fn with_hunks_far_down() {
    let place = Workplace::new();
    let far = |at| format!("--- a/x{at}.c\n+++ b/x{at}.c\n@@ -999990 +999990 @@\n-a\n+b\n");
    // Only the first of what is wrong is said.
    let farthest = far(0).replace("999990", "4000000000");
    place.write("x.patch", farthest + &each(3000, |at| far(at + 1)).concat());
    let output = place.shell("ulimit -v 2000000; $B check --tree kernel x.patch 2>&1 | head -4");
    let said = text(&output.stdout);
    assert!(said.contains("too large to be true"), "{said}");
}

#[test]
fn in_the_tracing_core() {
    let place = Workplace::new();
    for (path, line) in [
        (
            "include/trace/define_trace.h",
            "#include <trace/define_trace.h>",
        ),
        (
            "include/trace/define_trace.h",
            "#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)",
        ),
        ("include/linux/tracepoint.h", "#define C{} C{+}"),
    ] {
        let text = fs::read_to_string(place.path(format!("kernel/{path}"))).expect("a header");
        let old: Vec<&str> = text.lines().take(3).collect();
        let new = each(50_000, |at| {
            let (own, next) = (at.to_string(), (at + 1).to_string());
            format!("+{}\n", line.replace("{}", &own).replace("{+}", &next))
        });
        let hunk = format!("@@ -1,3 +1,50003 @@\n {}\n{}", old[0], new.concat());
        place.write(
            "x.patch",
            format!(
                "--- a/{path}\n+++ b/{path}\n{hunk} {}\n {}\n",
                old[1], old[2]
            ),
        );
        let output = place.run(&[CHECK, &["x.patch"]].concat());
        assert!(output.status.code().is_some(), "{path}: {}", told(&output));
    }
}

/// Pages of code in an event do not hide it, by whatever macro.
#[test]
fn with_an_event_of_many_pages() {
    let code = "__entry->x = 1;\n".repeat(10_000);
    for (define, name) in [
        ("", "TRACE_EVENT"),
        ("#define E(n, x...) TRACE_EVENT(n, x)", "E"),
    ] {
        let event = format!(
            "{define}\n{name}(hidden, TP_PROTO(int x), TP_ARGS(x), \
             TP_STRUCT__entry(__field(int, x)), TP_fast_assign({code}), \
             TP_printk(\"%d\", __entry->x));"
        );
        let lines: Vec<String> = event.lines().map(str::to_owned).collect();
        let output = check(HEADER, &lines);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(told(&output).contains("hidden"), "{}", told(&output));
    }
}

#[test]
fn that_includes_what_can_be_no_file() {
    let place = Workplace::new();
    for include in [
        "",
        "a\0b.h",
        "x/".repeat(3000).as_str(),
        "x".repeat(300).as_str(),
    ] {
        place.write(
            "kernel/kernel/sched/x.c",
            format!("#include \"{include}\"\n"),
        );
        place.write("kernel/x.c", format!("#include \"{include}\"\n"));
        let one = added("kernel/sched/y.c", &["int y;".to_owned()]);
        let two =
            format!("--- a/x.c\n+++ b/x.c\n@@ -1,1 +1,2 @@\n #include \"{include}\"\n+int x;\n");
        place.write("x.patch", format!("{one}{two}"));
        succeeds(&place.run(&[CHECK, &["x.patch"]].concat()), include);
    }
}

/// `diff` compares the names of all that went with those of all that came.
#[test]
fn with_names_that_all_change() {
    let hooks = |start: &str, count: usize| -> String {
        let declared = each(count, |at| event(&format!("{start}{at}_x")));
        format!(
            "#undef TRACE_SYSTEM\n#define TRACE_SYSTEM big\n{}\n",
            declared.join("\n")
        )
    };
    let place = Workplace::empty()
        .with("kernel-7.3", "old")
        .with("kernel-7.3", "new");
    place.write("old/include/trace/events/big.h", hooks("went", 20_000));
    place.write("new/include/trace/events/big.h", hooks("came", 20_000));
    let parts = ["20000 tracepoints went", "20000 came", "too many to tell"];
    one_line(&place.run(&["diff", "old", "new"]), "20,000 names", &parts);
    place.write("old/include/trace/events/big.h", hooks("went", 20));
    place.write("new/include/trace/events/big.h", hooks("came", 20));
    assert_eq!(place.run(&["diff", "old", "new"]).status.code(), Some(1));
}
