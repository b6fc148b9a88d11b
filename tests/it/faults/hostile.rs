// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What takes a time or a memory that grows with the square of it takes minutes or
//! everything for one of these; tests/mutations has the same limits.

use crate::workplace::{Workplace, told};
use std::fmt::Write as _;
use std::process::Output;

/// Checks a patch that adds `lines` as the file at `path`: it has to end soon, read.
fn ends(path: &str, lines: &[String], format: &str) {
    let output = checked(path, lines, format);
    let is_done = matches!(output.status.code(), Some(0 | 1));
    assert!(
        is_done && output.stderr.is_empty(),
        "{path}: {}",
        told(&output)
    );
}

/// The same of calls that cannot be read: it has to end soon, refused.
fn is_refused(path: &str, lines: &[String], why: &str) {
    let output = checked(path, lines, "json");
    super::one_line(&output, path, &[path, why]);
}

/// Checks a patch that adds `lines` as the file at `path`, within the limits.
fn checked(path: &str, lines: &[String], format: &str) -> Output {
    let place = Workplace::new();
    let mut patch = format!(
        "From: A <a@b.c>\nSubject: [PATCH] x\n\n---\ndiff --git a/{path} b/{path}\n\
         new file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n",
        lines.len()
    );
    for line in lines {
        writeln!(patch, "+{line}").expect("a string");
    }
    place.write("hostile.patch", patch);
    let script = format!(
        "ulimit -t 20; ulimit -v 1500000; \
         exec \"$B\" check --tree kernel --format {format} hostile.patch >out"
    );
    place.shell(&script)
}

fn function(body: impl Iterator<Item = String>) -> Vec<String> {
    let head = ["void f(struct cfs_rq *cfs_rq)".to_owned(), "{".to_owned()];
    let end = ["}".to_owned()];
    head.into_iter().chain(body).chain(end).collect()
}

fn repeated(line: &str, count: usize) -> impl Iterator<Item = String> {
    std::iter::repeat_n(line.to_owned(), count)
}

#[test]
fn a_finding_far_to_the_right() {
    let spaces = " ".repeat(70_000);
    let event = "TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), , , );";
    ends("kernel/sched/x.h", &[format!("{spaces}{event}")], "human");
}

#[test]
fn a_line_with_all_findings() {
    let line = "trace_printk(1);".repeat(50_000);
    for format in ["human", "checkpatch", "json", "sarif", "b4"] {
        ends("kernel/sched/x.c", std::slice::from_ref(&line), format);
    }
}

#[test]
fn a_function_of_calls() {
    let calls = repeated("\ttrace_pelt_cfs_tp(work(cfs_rq));", 20_000);
    ends("kernel/sched/x.c", &function(calls), "json");
}

#[test]
fn a_function_of_questions() {
    let asks = repeated("\tif (trace_pelt_cfs_tp_enabled()) g();", 20_000);
    let call = repeated("\ttrace_pelt_cfs_tp(work(cfs_rq));", 1);
    ends("kernel/sched/x.c", &function(asks.chain(call)), "json");
}

#[test]
fn calls_with_too_many_arguments() {
    let calls = repeated("\ttrace_pelt_cfs_tp(a, b);", 20_000);
    ends("kernel/sched/x.c", &function(calls), "json");
}

#[test]
fn calls_that_branches_cut() {
    const COUNT: usize = 60_000;
    let all = |start: &str, again: &str, end: &str| -> Vec<String> {
        let lines = format!("{start}\n{}{end}", again.repeat(COUNT));
        lines.lines().map(str::to_owned).collect()
    };
    let arguments = ", TP_PROTO(int a), TP_ARGS(a));\n";
    let closed = "#endif\n".repeat(COUNT);
    let path = "include/trace/events/x.h";
    for lines in [
        all(
            "TRACE_EVENT(",
            "#ifdef A\n",
            &format!("x\n{closed}{arguments}"),
        ),
        all("TRACE_EVENT(", "#ifdef A\nx\n#else\ny\n#endif\n", arguments),
    ] {
        ends(path, &lines, "json");
    }
    for lines in [
        all(
            "",
            "#ifdef A\nTRACE_EVENT(\n#else\n",
            &format!("{closed}x{arguments}"),
        ),
        all(
            "#ifdef A",
            "TRACE_EVENT(x,\n#elif B\n",
            &format!("#endif\n{arguments}"),
        ),
    ] {
        is_refused(path, &lines, "does not end");
    }
}

#[test]
fn a_page_of_references() {
    let path = "Documentation/trace/x.rst";
    for line in [
        "t:a/b pelt_cfs_tp ".repeat(20_000),
        format!("sched{}", ":pelt_cfs_tp".repeat(40_000)),
    ] {
        ends(path, &[line], "json");
    }
    let lines: Vec<String> = repeated("sched:pelt_cfs_tp", 20_000).collect();
    ends(path, &lines, "json");
}

#[test]
fn probes_that_call_each_other() {
    const COUNT: usize = 2000;
    let probes = (0..COUNT).map(|n| {
        let calls = (n + 1..n + 4).map(|m| format!("f{}(d, c);", m % COUNT));
        let calls: String = calls.collect();
        format!("static void f{n}(void *d, struct cfs_rq *c) {{ {calls} }}")
    });
    let mut lines: Vec<String> = probes.collect();
    let attach = (0..COUNT).map(|n| format!("\tregister_trace_pelt_cfs_tp(f{n}, 0);"));
    lines.extend(function(attach));
    lines.push("void g(void) { trace_printk(1); }".to_owned());
    ends("kernel/sched/x.c", &lines, "json");
}
