// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint report`, over small kernels and a small history of ours.

use crate::fixtures::fixture;
use crate::kernels::kernel;
use crate::workplace::{Workplace, finished, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

fn report(tree: &Path, more: &[&str]) -> Output {
    let place = Workplace::empty();
    let mut run = place.barepoint(&["report", "--tree"]);
    finished(run.arg(tree).args(more).env("NO_COLOR", "1"))
}

fn json(tree: &Path, more: &[&str]) -> Value {
    let output = report(tree, &[&["--format", "json"][..], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn hook<'v>(report: &'v Value, name: &str) -> &'v Value {
    let hooks = report["hooks"].as_array().expect("hooks");
    let found = hooks.iter().find(|hook| hook["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// A repository that has the small kernel, to which a test adds commits.
struct History(Workplace);

impl History {
    fn new() -> Self {
        let history = Self(Workplace::empty().with("kernel-7.3", ""));
        history.0.git("", &["init", "-q"]);
        history.commit("Begin", Some("v1"));
        history
    }

    fn top(&self) -> &Path {
        self.0.top()
    }

    fn commit(&self, subject: &str, tag: Option<&str>) {
        self.0.commit("", subject);
        if let Some(tag) = tag {
            self.0.git("", &["tag", tag]);
        }
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        self.0.edit(file, old, new);
    }

    fn add(&self, file: &str, content: &str) {
        self.0.write(file, content);
    }
}

const HEADER: &str = "include/trace/events/small.h";

/// A header with one hook, `declaration`.
fn header(declaration: &str) -> String {
    format!(
        "/* SPDX-License-Identifier: GPL-2.0-only OR MIT */\n\
         #undef TRACE_SYSTEM\n#define TRACE_SYSTEM small\n\n\
         #if !defined(_TRACE_SMALL_H) || defined(TRACE_HEADER_MULTI_READ)\n\
         #define _TRACE_SMALL_H\n#include <linux/tracepoint.h>\n\n{declaration}\n\n\
         #endif\n#include <trace/define_trace.h>\n"
    )
}

fn caller(function: &str, call: &str) -> String {
    format!(
        "// SPDX-License-Identifier: GPL-2.0-only OR MIT\n#define CREATE_TRACE_POINTS\n\
         #include <trace/events/small.h>\n\nvoid {function}(int a)\n{{\n\t{call};\n}}\n"
    )
}

const BARE: &str = "/*\n * What was done. Called with a lock held. Not for the others.\n */\n\
    DECLARE_TRACE(small_work, TP_PROTO(int a), TP_ARGS(a));";

/// Ten commits whose right answer is written down in the tests below.
fn made_up() -> History {
    let history = History::new();
    history.add(HEADER, &header(BARE));
    history.add("kernel/small.c", &caller("work", "trace_small_work_tp(a)"));
    history.commit("Add a hook", Some("v2"));
    history.edit(
        HEADER,
        "TP_PROTO(int a), TP_ARGS(a)",
        "TP_PROTO(int a, long b), TP_ARGS(a, b)",
    );
    history.edit("kernel/small.c", "(a);", "(a, 1L);");
    history.commit("Pass more", None);
    history.edit(
        HEADER,
        "TP_PROTO(int a, long b), TP_ARGS(a, b)",
        "TP_PROTO(int a), TP_ARGS(a)",
    );
    history.edit("kernel/small.c", "(a, 1L);", "(a);");
    history.commit("Revert \"Pass more\"", Some("v3-rc1"));
    history.commit("Nothing", Some("v3"));
    history.edit(HEADER, "small_work,", "small_works,");
    history.edit(
        "kernel/small.c",
        "trace_small_work_tp",
        "trace_small_works_tp",
    );
    history.commit("Rename the hook", None);
    history.edit("kernel/small.c", "void work(", "void do_work(");
    history.commit("Call it from elsewhere", Some("v4"));
    history.edit(HEADER, "What was done.", "What has been done.");
    history.commit("Mend a comment", Some("v5"));
    history
}

#[test]
fn a_history_with_a_rename_a_revert_and_a_moved_call() {
    let history = made_up();
    let report = json(history.top(), &[]);
    assert_eq!(report["schema"], 1);
    assert_eq!(
        report["history"]["releases"],
        serde_json::json!(["v1", "v2", "v3", "v4", "v5"])
    );
    let evidence = &hook(&report, "small_works_tp")["evidence"];
    assert_eq!(
        evidence["since"],
        serde_json::json!({ "release": "v2", "exact": true })
    );
    let changes: Vec<(String, String)> = evidence["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|one| {
            (
                one["release"].as_str().unwrap_or("?").into(),
                one["text"].as_str().unwrap_or("?").into(),
            )
        })
        .collect();
    let expected = [
        ("v3", "arguments, (int a, {+long b+})"),
        ("v3", "arguments, (int a, [-long b-])"),
        ("v4", "renamed, small_work_tp -> small_works_tp"),
        ("v4", "called from -work +do_work"),
    ];
    let expected = expected.map(|(release, text)| (release.to_owned(), text.to_owned()));
    assert_eq!(changes, expected);
    assert_eq!(evidence["releases"], 4);
    assert_eq!(evidence["stable_releases"], 2);
    assert_eq!(evidence["context"], "Called with a lock held.");
    // What was there from the first commit on is at least as old as that.
    let old = &hook(&report, "sched_overutilized_tp")["evidence"]["since"];
    assert_eq!(*old, serde_json::json!({ "release": "v1", "exact": false }));
}

#[test]
fn no_further_back_than_asked_for() {
    let history = made_up();
    let report = json(history.top(), &["--since", "v3"]);
    let evidence = &hook(&report, "small_works_tp")["evidence"];
    assert_eq!(
        evidence["since"],
        serde_json::json!({ "release": "v3", "exact": false })
    );
    assert_eq!(evidence["changes"].as_array().map(Vec::len), Some(2));
    // What was there at the start was there in all releases from that on.
    assert_eq!(evidence["releases"], 3);
    assert_eq!(evidence["stable_releases"], 2);
    let old = &hook(&report, "sched_overutilized_tp")["evidence"];
    assert_eq!(old["stable_releases"], 3);
    let report = json(history.top(), &["--since", "HEAD~1"]);
    let evidence = &hook(&report, "small_works_tp")["evidence"];
    assert_eq!(evidence["stable_releases"], 2);
    let output = report_error(history.top(), &["--since", "nowhere"]);
    assert!(output.contains("no revision nowhere"), "{output}");
    let output = report_error(&fixture("kernel-7.3"), &["--since", "v1"]);
    assert!(output.contains("is no git repository"), "{output}");
}

/// As after a `git init` over an unpacked archive.
#[test]
fn a_repository_without_a_commit() {
    let place = Workplace::empty().with("kernel-7.3", "");
    place.git("", &["init", "-q"]);
    let report = json(place.top(), &[]);
    let source = report["history"]["source"].as_str().expect("a source");
    assert!(source.contains("embedded profiles"), "{source}");
    let output = report_error(place.top(), &["--since", "v1"]);
    assert!(output.contains("has no commit yet"), "{output}");
}

/// A clone that was cut off, whose first commit has no tag.
#[test]
fn a_history_that_starts_between_releases() {
    let history = History::new();
    history.commit("After the release", None);
    history.0.git("", &["tag", "-d", "v1"]);
    history.commit("Nothing", Some("v2"));
    history.commit("Nothing", Some("v3"));
    let report = json(history.top(), &[]);
    let evidence = &hook(&report, "sched_overutilized_tp")["evidence"];
    assert_eq!(
        evidence["since"],
        serde_json::json!({ "release": "before v2", "exact": false })
    );
    assert_eq!(evidence["stable_releases"], 2);
}

fn report_error(tree: &Path, more: &[&str]) -> String {
    let output = report(tree, more);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_hook_that_moved_to_another_header_is_as_old_as_it_was_there() {
    let history = made_up();
    let text = history.0.read(HEADER);
    fs::remove_file(history.0.path(HEADER)).expect("removed");
    let moved = text.replace("_TRACE_SMALL_H", "_TRACE_LITTLE_H");
    history.add("include/trace/events/little.h", &moved);
    history.edit("kernel/small.c", "events/small.h", "events/little.h");
    history.commit("Move the header", Some("v6"));
    let report = json(history.top(), &[]);
    let evidence = &hook(&report, "small_works_tp")["evidence"];
    assert_eq!(evidence["since"]["release"], "v2");
    assert_eq!(evidence["stable_releases"], 3);
}

/// A folder of two projects that attach to the hook, one of them only to its like in
/// other kernels.
fn consumers(gate: &str) -> Workplace {
    let place = Workplace::empty();
    for (project, gated) in [("alpha", ""), ("beta", gate)] {
        fs::create_dir_all(place.path(project).join(".git")).expect("a folder");
        let (open, close) = match gated {
            "" => (String::new(), ""),
            gate => (format!("#if {gate}\n"), "#endif\n"),
        };
        let module = format!(
            "#include <linux/module.h>\n#include <linux/version.h>\n#include <trace/events/small.h>\n\
             static void probe(void *data, int a)\n{{\n}}\n\nstatic int __init start(void)\n{{\n\
             {open}\tregister_trace_small_works_tp(probe, NULL);\n{close}\treturn 0;\n}}\n\
             module_init(start);\n/* register_trace_sched_overutilized_tp(x, y) */\n"
        );
        place.write(format!("{project}/module.c"), module);
    }
    place
}

#[test]
fn verdicts_follow_the_formula() {
    let history = made_up();
    let tree = history.top();
    let verdict = |report: &Value, name: &str| hook(report, name)["verdict"].clone();

    let blind = json(tree, &[]);
    assert_eq!(verdict(&blind, "small_works_tp"), "watch");
    assert_eq!(
        hook(&blind, "small_works_tp")["evidence"]["outside"],
        Value::Null
    );
    let missing = hook(&blind, "small_works_tp")["missing"].to_string();
    assert!(missing.contains("none were given"), "{missing}");

    let both = consumers("");
    let given = both.top().to_str().expect("UTF-8");
    let seen = json(tree, &["--consumers", given]);
    let works = hook(&seen, "small_works_tp");
    assert_eq!(works["evidence"]["consumers_outside"], 2, "{works:#}");
    assert_eq!(works["verdict"], "promote");
    // A comment is no use; and its argument is private to a subsystem, or nobody has it.
    let unused = hook(&seen, "sched_overutilized_tp");
    assert_eq!(unused["evidence"]["consumers_outside"], 0);
    assert_eq!(unused["verdict"], "retire");

    let one = consumers("LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)");
    let given = one.top().to_str().expect("UTF-8");
    let seen = json(tree, &["--consumers", given]);
    let works = hook(&seen, "small_works_tp");
    assert_eq!(works["verdict"], "watch");
    assert_eq!(works["evidence"]["consumers_outside"], 1);
    assert_eq!(
        works["evidence"]["gated"].as_array().map(Vec::len),
        Some(1),
        "{works:#}"
    );
}

#[test]
fn without_git_the_profiles_tell() {
    let report = json(&fixture("kernel-7.3"), &[]);
    let source = report["history"]["source"].as_str().expect("text");
    assert!(source.starts_with("the embedded profiles"), "{source}");
    let monitors = &hook(&report, "sched_set_state_tp")["evidence"]["in_kernel"];
    assert_eq!(monitors[0]["consumer"], "rv/sco");
}

#[test]
fn the_mail_is_narrow_and_the_page_needs_nothing_else() {
    let history = made_up();
    let output = report(history.top(), &[]);
    let mail = text(&output.stdout);
    assert!(mail.contains("| small_works_tp "), "{mail}");
    let wide = mail
        .lines()
        .filter(|line| !line.starts_with('|') && line.chars().count() > 80);
    assert_eq!(wide.count(), 0, "{mail}");

    let output = report(history.top(), &["--format", "html"]);
    let page = text(&output.stdout);
    for outside in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("id=\"small_works_tp\""));
}

#[test]
fn names_of_strangers_are_text_in_the_page() {
    let history = History::new();
    history.add(HEADER, &header(BARE));
    history.add("kernel/small.c", &caller("work", "trace_small_work_tp(a)"));
    history.commit("Add <script>alert(1)</script> & \"more\"", Some("v2"));
    history.edit(HEADER, "int a", "unsigned int a");
    history.commit(
        "Change <img src=x onerror=alert(1)> & \"more\"",
        Some("v<b>3"),
    );
    let page = text(&report(history.top(), &["--format", "html"]).stdout);
    assert!(!page.contains("<img"), "{page}");
    assert!(!page.contains("v<b>3"), "{page}");
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;more&quot;"),
        "{page}"
    );
}

mod trees {
    use super::*;

    /// HOOKS: which monitors of runtime verification use which hook of 7.3.
    #[test]
    fn all_bare_hooks_of_a_real_tree() {
        let report = json(&kernel("7.3"), &[]);
        assert_eq!(report["hooks"].as_array().map(Vec::len), Some(24));
        let used = |name: &str| -> Vec<String> {
            let uses = hook(&report, name)["evidence"]["in_kernel"]
                .as_array()
                .cloned();
            let uses = uses.unwrap_or_default();
            uses.iter()
                .filter_map(|one| Some(one["consumer"].as_str()?.to_owned()))
                .collect()
        };
        assert_eq!(
            used("sched_set_state_tp"),
            ["rv/sco", "rv/sleep", "rv/snroc", "rv/sssw"]
        );
        assert_eq!(used("sched_set_need_resched_tp"), ["rv/nrp", "rv/opid"]);
        assert_eq!(used("sched_dl_throttle_tp"), ["rv/nomiss"]);
        assert!(used("pelt_cfs_tp").is_empty());
        let renamed = &hook(&report, "pelt_hw_tp")["evidence"]["changes"][0];
        assert_eq!(renamed["old"], "pelt_thermal_tp");
        assert_eq!(renamed["release"], "6.12");
    }
}
