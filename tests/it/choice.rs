// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which findings are shown: `--types`, `--ignore`, levels, zones and baselines.

use crate::fixtures::fixture;
use crate::workplace::{Workplace, finished, json, text};
use std::fs;

/// Declares a hook that nobody exports, calls or explains.
const PATCH: &str = "\
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
+DECLARE_TRACE(sched_fresh,
+\tTP_PROTO(struct rq *rq),
+\tTP_ARGS(rq));
+
 #endif /* _TRACE_SCHED_H */
 
";

fn workplace() -> Workplace {
    let folder = Workplace::empty();
    folder.write("hook.patch", PATCH);
    folder
}

/// Checks the patch with more arguments; gives the rules found and the status.
fn rules(folder: &Workplace, more: &[&str]) -> (Vec<String>, Option<i32>) {
    let tree = fixture("kernel-7.3");
    let tree = tree.to_string_lossy();
    let arguments = ["check", "--tree", &tree, "--format", "json", "hook.patch"];
    let output = folder.run(&[&arguments[..], more].concat());
    let json = json(&output);
    let findings = json["findings"].as_array().expect("findings");
    let mut rules: Vec<String> = findings
        .iter()
        .map(|one| format!("{} {}", one["level"], one["rule"]).replace('"', ""))
        .collect();
    rules.sort();
    (rules, output.status.code())
}

const ALL: [&str; 3] = [
    "warning missing-export",
    "warning never-called",
    "warning undocumented",
];

#[test]
fn all_without_a_choice() {
    let folder = workplace();
    assert_eq!(
        rules(&folder, &[]),
        (ALL.map(str::to_owned).to_vec(), Some(0))
    );
    assert_eq!(rules(&folder, &["--strict"]).1, Some(1));
}

#[test]
fn types_and_ignore() {
    let folder = workplace();
    let only = |more: &[&str]| rules(&folder, more).0.join(", ");
    assert_eq!(only(&["--types", "never-called"]), ALL[1]);
    assert_eq!(
        only(&["--types", "NEVER_CALLED,undocumented"]),
        [ALL[1], ALL[2]].join(", ")
    );
    assert_eq!(
        only(&["--ignore", "Never-Called", "--ignore", "undocumented"]),
        ALL[0]
    );
    // As in checkpatch.
    assert_eq!(
        only(&["--types", "never-called", "--ignore", "never-called"]),
        ALL[1]
    );
    let strict = [
        "--strict",
        "--ignore",
        "never-called,undocumented,missing-export",
    ];
    assert_eq!(rules(&folder, &strict), (vec![], Some(0)));
}

/// Whether something leaks was not looked at.
#[test]
fn some_rules_do_not_say_that_nothing_leaks() {
    let folder = workplace();
    for option in [
        ["--types", "suffix"],
        ["--ignore", "never-called,undocumented,missing-export"],
    ] {
        let output = folder.run(&[&["check"], &option[..], &["hook.patch"]].concat());
        let stdout = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{stdout}");
        let verdict = "nothing found by the rules that were asked for: hook.patch";
        assert_eq!(stdout.lines().last(), Some(verdict), "{stdout}");
    }
}

#[test]
fn an_unknown_rule_is_an_error() {
    let folder = workplace();
    for option in ["--types", "--ignore"] {
        let output = folder.run(&["check", option, "never-caled", "hook.patch"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains("never-caled") && stderr.contains("barepoint explain"),
            "{stderr}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn levels_of_a_file() {
    let folder = workplace();
    let file = folder.path("ours.toml");
    fs::write(
        &file,
        "[levels]\nnever-called = \"error\"\nundocumented = \"off\"\nmissing-export = \"note\"\n",
    )
    .expect("written");
    let (found, status) = rules(&folder, &["--zones", "ours.toml"]);
    assert_eq!(found, ["error never-called", "note missing-export"]);
    assert_eq!(status, Some(1));
    fs::write(&file, "[levels]\nnever-caled = \"off\"\n").expect("written");
    let output = folder.run(&["check", "--zones", "ours.toml", "hook.patch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("never-caled"));
}

/// The tree's own file counts, as it was before the series.
#[test]
fn a_series_cannot_turn_its_own_rules_off() {
    let folder = workplace().with("kernel-7.3", "tree");
    let tree = folder.path("tree");
    fs::write(
        tree.join(".barepoint.toml"),
        "[levels]\nundocumented = \"off\"\n",
    )
    .expect("written");
    let check = |patch: &str| {
        let output = folder.run(&["check", "--tree", "tree", "--terse", "--show-types", patch]);
        text(&output.stdout)
    };
    let shown = check("hook.patch");
    assert!(
        !shown.contains("UNDOCUMENTED") && shown.contains("NEVER_CALLED"),
        "{shown}"
    );
    let own = "diff --git a/.barepoint.toml b/.barepoint.toml\n--- a/.barepoint.toml\n\
               +++ b/.barepoint.toml\n@@ -1,2 +1,3 @@\n [levels]\n undocumented = \"off\"\n\
               +never-called = \"off\"\n";
    folder.write("sly.patch", format!("{PATCH}{own}"));
    let shown = check("sly.patch");
    assert!(shown.contains("NEVER_CALLED"), "{shown}");
}

#[test]
fn a_baseline_is_quiet_and_names_what_vanished() {
    let folder = workplace().with("kernel-7.3", "tree");
    let tree = folder.path("tree");
    let header = tree.join("include/trace/events/sched.h");
    let before = fs::read_to_string(&header).expect("a header");
    let end = "#endif /* _TRACE_SCHED_H */";
    let hook =
        "struct sched_entity;\nDECLARE_TRACE(sched_fresh, TP_PROTO(struct rq *rq), TP_ARGS(rq));\n";
    fs::write(&header, before.replace(end, &format!("{hook}{end}"))).expect("written");
    let check = |more: &[&str]| {
        let arguments = [
            "check",
            "--tree",
            "tree",
            "--strict",
            "--baseline",
            "known.txt",
        ];
        let output = folder.run(&[&arguments[..], more].concat());
        let shown = text(&output.stdout);
        (shown, output.status.code(), text(&output.stderr))
    };
    let (_, status, stderr) = check(&[]);
    assert_eq!(status, Some(2), "{stderr}");
    assert!(
        stderr.contains("known.txt") && stderr.contains("--write-baseline"),
        "{stderr}"
    );

    assert_eq!(check(&["--write-baseline"]).1, Some(0));
    let baseline = folder.read("known.txt");
    let line = "undocumented\tinclude/trace/events/sched.h\tsched_fresh_tp\n";
    assert!(baseline.contains(line), "{baseline}");
    let (shown, status, _) = check(&[]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains("sched_fresh_tp"), "{shown}");

    // Other lines, and one finding less.
    let hook = "\n\n/* A run queue was looked at. */\nDECLARE_TRACE(sched_fresh, TP_PROTO(struct rq *rq), TP_ARGS(rq));\n";
    fs::write(&header, before.replace(end, &format!("{hook}{end}"))).expect("written");
    let (shown, status, _) = check(&[]);
    assert_eq!(status, Some(0), "{shown}");
    let gone =
        "gone since the baseline: include/trace/events/sched.h: undocumented: sched_fresh_tp";
    assert!(shown.contains(gone), "{shown}");

    // And one more.
    let hook = hook.replace("sched_fresh", "sched_fresher");
    fs::write(&header, before.replace(end, &format!("{hook}{end}"))).expect("written");
    let (shown, status, _) = check(&[]);
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("sched_fresher_tp"), "{shown}");
}

#[test]
fn nothing_but_a_baseline_is_written_over() {
    let folder = workplace();
    let tree = fixture("kernel-7.3");
    let tree = tree.to_string_lossy();
    let arguments = [
        "check",
        "--tree",
        &tree,
        "--baseline",
        "hook.patch",
        "--write-baseline",
    ];
    let output = folder.run(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(folder.read("hook.patch"), PATCH);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("hook.patch:1: this is no baseline"),
        "{stderr}"
    );
}

/// Shells and man read what is made for them.
#[test]
fn completions_and_man_pages_name_every_option() {
    let folder = workplace();
    for shell in ["bash", "zsh", "fish"] {
        let output = folder.run(&["completions", shell]);
        let script = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for word in ["write-baseline", "checkpatch", "explain"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let output = folder.run(&["completions", "bash"]);
    folder.write("barepoint.bash", output.stdout);
    let asked = "source ./barepoint.bash; COMP_WORDS=(barepoint check --write); COMP_CWORD=2; \
                 _barepoint barepoint --write check; echo \"${COMPREPLY[*]}\"";
    let output = finished(folder.command("bash").args(["-c", asked]));
    assert_eq!(text(&output.stdout), "--write-baseline\n");

    let output = folder.run(&["man", "pages"]);
    assert_eq!(output.status.code(), Some(0));
    let page = folder.read("pages/barepoint-check.1");
    assert!(
        page.contains("write\\-baseline") && page.contains("sarif"),
        "{page}"
    );
    let commands = [
        "", "check", "list", "diff", "verify", "report", "promote", "explain", "man",
    ];
    for command in commands {
        let name = ["barepoint", command].join(if command.is_empty() { "" } else { "-" });
        let path = folder.path(format!("pages/{name}.1"));
        let page = fs::read_to_string(path).expect("a page");
        let title = format!(".TH {name} 1  \"barepoint {}", env!("CARGO_PKG_VERSION"));
        assert!(page.contains(&title), "{name}: {page}");
        assert!(page.contains(".SH \"SEE ALSO\""), "{name}: {page}");
        let settled = ["explain", "man"].contains(&command);
        assert!(
            settled || page.contains(".SH \"EXIT STATUS\"\n.PP\n0 if "),
            "{name}: {page}"
        );
    }
    folder.write("file", "");
    let output = folder.run(&["man", "file/pages"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("file/pages"));
}
