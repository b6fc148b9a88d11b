// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint promote`, as a user runs it: drafts that `git am` takes and `check`
//! answers, and what cannot be drafted.

use crate::fixtures::{copy, fixture};
use crate::kernels::kernel;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const FROM: &str = "A Contributor <a@example.org>";
const SCHED: &str = "include/trace/events/sched.h";

fn barepoint(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_barepoint"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

/// A folder with `tree`, a copy of a small kernel.
struct Place(TempDir);

impl Place {
    fn new(kernel: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        copy(&fixture(kernel), &place.tree());
        place
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    fn tree_name(&self) -> String {
        self.tree().display().to_string()
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.tree().join(path);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{from} is not in {}", path.display());
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
    }

    fn promote(&self, name: &str, more: &[&str]) -> Output {
        let tree = self.tree_name();
        barepoint(&[&["promote", name, "--tree", &tree, "--from", FROM], more].concat())
    }

    fn draft(&self, name: &str, more: &[&str]) -> String {
        let output = self.promote(name, more);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    }

    fn refusal(&self, name: &str) -> String {
        let output = self.promote(name, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(output.stdout, b"");
        String::from_utf8(output.stderr).expect("text")
    }

    fn save(&self, draft: &str) -> String {
        let path = self.0.path().join("draft.patch");
        fs::write(&path, draft).expect("written");
        path.display().to_string()
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.tree())
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
            .args(arguments)
            .output()
            .expect("git runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.tree().join(path)).expect("a file")
    }

    fn am(&self, draft: &str) {
        let patch = self.save(draft);
        self.git(&["init", "-q"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "base"]);
        self.git(&["am", "-q", &patch]);
    }
}

/// The findings of a draft in the tree: rule and level.
fn findings(tree: &str, patch: &str) -> Vec<(String, String)> {
    let output = barepoint(&["check", "--tree", tree, "--format", "json", patch]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let all = found["findings"].as_array().expect("a list").iter();
    all.map(|one| (text(&one["rule"]), text(&one["level"])))
        .collect()
}

fn has(found: &[(String, String)], rule: &str, level: &str) -> bool {
    found.iter().any(|one| one.0 == rule && one.1 == level)
}

/// The draft with a tag at the end of its message.
fn tagged(draft: &str, tag: &str) -> String {
    draft.replacen("\n---\n", &format!("\n{tag}\n---\n"), 1)
}

#[test]
fn git_takes_a_draft_and_its_tree_has_the_event() {
    let place = Place::new("kernel-7.3");
    place.am(&place.draft("sched_set_state", &[]));
    let header = place.read(SCHED);
    assert!(
        header.contains("TRACE_EVENT_CONDITION(sched_set_state,\n"),
        "{header}"
    );
    assert!(
        header.contains("\tTP_CONDITION(!!(tsk->__state) != !!state),\n"),
        "{header}"
    );
    assert!(
        header.contains("__array(char, comm, TASK_COMM_LEN)"),
        "{header}"
    );
    let event = header.find("TRACE_EVENT_CONDITION(").expect("the event");
    let denial = header.find("not exported in tracefs").expect("the comment");
    assert!(
        event < denial,
        "the event stands below the comment that denies it"
    );
    let core = place.read("kernel/sched/core.c");
    for new in [
        "EXPORT_TRACEPOINT_SYMBOL_GPL(sched_set_state);",
        "trace_call__sched_set_state(current, state_value);",
        "if (trace_sched_set_state_enabled())",
    ] {
        assert!(core.contains(new), "{new}");
    }
    let monitor = place.read("kernel/trace/rv/monitors/sco/sco.c");
    assert!(!monitor.contains("sched_set_state_tp"), "{monitor}");
}

#[test]
fn the_suffix_may_be_given_or_not() {
    let place = Place::new("kernel-7.3");
    let (with, without) = (
        place.draft("pelt_cfs_tp", &[]),
        place.draft("pelt_cfs", &[]),
    );
    assert_eq!(with, without);
    assert!(with.contains("\nSubject: [PATCH RFC] sched: Promote pelt_cfs_tp to a trace event\n"));
    assert!(!with.contains("Signed-off-by"));
    let old = Place::new("kernel-6.12").draft("pelt_cfs", &[]);
    assert!(old.contains("\n+TRACE_EVENT(pelt_cfs,\n"), "{old}");
}

#[test]
fn the_mail_goes_to_the_people_of_the_files() {
    let draft = Place::new("kernel-7.3").draft("sched_overutilized", &[]);
    for line in [
        "From: A Contributor <a@example.org>\n",
        "Ingrid Sched <ingrid@example.org>",
        "Trudy Trace <trudy@example.org>",
        "Ben Slice <ben@example.org>",
        "linux-trace-kernel@example.org",
    ] {
        assert!(draft.contains(line), "{line} is not in {draft}");
    }
    let to = draft
        .find("Dora Deadline <deadline@example.org>")
        .expect("a maintainer");
    assert!(to < draft.find("\nCc: ").expect("a Cc"));
}

#[test]
fn what_cannot_be_recorded_is_left_to_the_maintainer() {
    let draft = Place::new("kernel-7.3").draft("sched_overutilized", &[]);
    assert!(
        draft.contains("\n+\t\t * Maintainer: rd is not recorded"),
        "{draft}"
    );
    assert!(draft.contains("\n * rd is not recorded"), "{draft}");
    assert!(
        draft.contains("\n+\t\t__field(bool, overutilized)\n"),
        "{draft}"
    );
    assert!(!draft.contains("__field(struct"), "{draft}");
}

#[test]
fn exports_are_kept_or_dropped() {
    let place = Place::new("kernel-7.3");
    let old = "\n-EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);\n";
    let new = "\n+EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs);\n";
    let kept = place.draft("pelt_cfs", &["--export", "keep"]);
    assert!(kept.contains(old) && kept.contains(new), "{kept}");
    let dropped = place.draft("pelt_cfs", &["--export", "drop"]);
    assert!(dropped.contains(old) && !dropped.contains(new), "{dropped}");
    assert!(dropped.contains("The export is dropped"), "{dropped}");
    // Over several lines, too.
    let (call, broken) = ("GPL(pelt_cfs_tp);", "GPL(\n\tpelt_cfs_tp);");
    place.edit("kernel/sched/core.c", call, broken);
    let dropped = place.draft("pelt_cfs", &["--export", "drop"]);
    let both = "\n-EXPORT_TRACEPOINT_SYMBOL_GPL(\n-\tpelt_cfs_tp);\n";
    assert!(dropped.contains(both), "{dropped}");
}

#[test]
fn check_answers_a_draft_until_the_zone_agrees() {
    let place = Place::new("kernel-7.3");
    let tree = place.tree_name();
    for name in [
        "pelt_cfs",
        "sched_overutilized",
        "sched_update_nr_running",
        "sched_set_state",
    ] {
        let draft = place.draft(name, &[]);
        let found = findings(&tree, &place.save(&draft));
        assert!(has(&found, "promotion", "error"), "{name}: {found:?}");
        assert!(
            !found.iter().any(|one| one.0 == "comment-lies"),
            "{name}: {found:?}"
        );
        let agreed = tagged(&draft, "Acked-by: Pieter Queue <pieter@example.org>");
        let found = findings(&tree, &place.save(&agreed));
        assert!(has(&found, "promotion", "note"), "{name}: {found:?}");
        assert!(
            !found.iter().any(|one| one.1 == "error"),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn unknown_names_and_events() {
    let place = Place::new("kernel-7.3");
    assert_eq!(
        place.refusal("sched_overutilised"),
        "barepoint: no bare tracepoint sched_overutilised: is sched_overutilized_tp meant?\n"
    );
    assert!(
        place
            .refusal("zzz")
            .starts_with("barepoint: no bare tracepoint zzz: ")
    );
    let event = place.refusal("sched_switch");
    assert!(
        event.starts_with("barepoint: sched_switch is a trace event already, at include/"),
        "{event}"
    );
}

#[test]
fn what_cannot_be_told_or_rewritten() {
    let place = Place::new("kernel-7.3");
    let end = "#endif /* _TRACE_SCHED_H */";
    let wrapped = format!(
        "#define DECLARE_HOOK(n) DECLARE_TRACE(n, TP_PROTO(int x), TP_ARGS(x))\n\
         DECLARE_HOOK(wrapped);\nDECLARE_TRACE(sched_waking, TP_PROTO(int x), TP_ARGS(x));\n\
         DECLARE_TRACE(pelt_cfs, TP_PROTO(int x), TP_ARGS(x));\n\n{end}"
    );
    place.edit(SCHED, end, &wrapped);
    for (name, reason) in [
        ("wrapped", "is declared through DECLARE_HOOK()"),
        ("sched_waking_tp", "there is a tracepoint of that name"),
        ("pelt_cfs", "is declared more than once"),
    ] {
        let refusal = place.refusal(name);
        assert!(
            refusal.contains(reason) && refusal.contains(SCHED),
            "{refusal}"
        );
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }
}

#[test]
fn types_of_all_kinds() {
    let place = Place::new("kernel-7.3");
    let hook = "/*\n * Of a file.\n * @res is what came of it, or an error.\n */\n\
                DECLARE_TRACE(kinds,\n\tTP_PROTO(struct file *res, const char *name, loff_t *pos,\n\
                \t\t const void *where, enum pid_type kind, struct list_head by_value, \
                const char __user *far, struct task_struct *ent),\n\
                \tTP_ARGS(res, name, pos, where, kind, by_value, far, ent));\n\n";
    let end = "#endif /* _TRACE_SCHED_H */";
    place.edit(SCHED, end, &format!("{hook}{end}"));
    let draft = place.draft("kinds", &[]);
    for line in [
        "+#include <linux/fs.h>",
        "+\t\t__field(int, error)",
        "+\t\t__entry->error = PTR_ERR_OR_ZERO(res);",
        "+\t\t__string(name, name)",
        "+\t\t__assign_str(name);",
        "+\t\t__entry->pos = pos ? *pos : -1;",
        "+\t\t__field(int, kind)",
        "+\t\tmemcpy(__entry->comm, ent->comm, TASK_COMM_LEN);",
    ] {
        assert!(
            draft.lines().any(|one| one == line),
            "{line} is not in {draft}"
        );
    }
    for open in [
        "* where is not recorded",
        "* by_value is not",
        "* far is not",
        "* kind: the",
    ] {
        assert!(draft.contains(open), "{open} is not in {draft}");
    }
    place.am(&draft);
}

mod trees {
    use super::*;

    fn hooks(tree: &str) -> Vec<String> {
        let output = barepoint(&["list", "--bare", "--tree", tree, "--format", "json"]);
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let all = list["tracepoints"].as_array().expect("a list").iter();
        all.map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    #[test]
    fn every_hook_of_7_3_can_be_drafted() {
        let tree = kernel("7.3").display().to_string();
        let names = hooks(&tree);
        assert!(names.len() >= 24, "{names:?}");
        let place = tempfile::tempdir().expect("a folder");
        for name in names {
            let output = barepoint(&["promote", &name, "--tree", &tree, "--from", FROM]);
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
            let draft = String::from_utf8(output.stdout).expect("text");
            let path = place.path().join("draft.patch");
            fs::write(&path, &draft).expect("written");
            let found = findings(&tree, &path.display().to_string());
            assert!(has(&found, "promotion", "error"), "{name}: {found:?}");
            // What would be left broken. Other findings may be true, as of calls whose
            // lines change.
            let broken = [
                "argument-mismatch",
                "dangling-export",
                "missing-definition",
                "multiple-definition",
                "name-clash",
                "undeclared-call",
            ];
            let other = found.iter().find(|one| broken.contains(&one.0.as_str()));
            assert_eq!(other, None, "{name}");
        }
    }
}
