// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint promote`, as a user runs it: drafts that `git am` takes and `check`
//! answers, and what cannot be drafted.

use crate::kernels::kernel;
use crate::workplace::{Workplace, json};
use std::process::Output;

const FROM: &str = "A Contributor <a@example.org>";
const SCHED: &str = "include/trace/events/sched.h";

/// A folder with `tree`, a copy of a small kernel.
struct Place(Workplace);

impl Place {
    fn new(kernel: &str) -> Self {
        Self(Workplace::empty().with(kernel, "tree"))
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        self.0.edit(&format!("tree/{path}"), from, to);
    }

    fn promote(&self, name: &str, more: &[&str]) -> Output {
        let arguments = ["promote", name, "--tree", "tree", "--from", FROM];
        self.0.run(&[&arguments[..], more].concat())
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

    fn read(&self, path: &str) -> String {
        self.0.read(format!("tree/{path}"))
    }

    fn am(&self, draft: &str) {
        self.0.write("draft.patch", draft);
        self.0.repository("tree");
        self.0.git("tree", &["am", "-q", "../draft.patch"]);
    }
}

/// The findings of a draft in the tree: rule and level.
fn findings(place: &Workplace, tree: &str, draft: &str) -> Vec<(String, String)> {
    place.write("draft.patch", draft);
    let found = json(&place.run(&["check", "--tree", tree, "--format", "json", "draft.patch"]));
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
    for name in [
        "pelt_cfs",
        "sched_overutilized",
        "sched_update_nr_running",
        "sched_set_state",
    ] {
        let draft = place.draft(name, &[]);
        let found = findings(&place.0, "tree", &draft);
        assert!(has(&found, "promotion", "error"), "{name}: {found:?}");
        assert!(
            !found.iter().any(|one| one.0 == "comment-lies"),
            "{name}: {found:?}"
        );
        let agreed = tagged(&draft, "Acked-by: Pieter Queue <pieter@example.org>");
        let found = findings(&place.0, "tree", &agreed);
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
fn lines_that_no_mail_can_carry() {
    let place = Place::new("kernel-7.3");
    place.edit(
        SCHED,
        "#endif /* _TRACE_SCHED_H */\n",
        "#endif /* _TRACE_SCHED_H */\r\n",
    );
    let refusal = place.refusal("sched_overutilized");
    let text = place.read(SCHED);
    let before = text.split_once("\r\n").expect("a line").0;
    let line = before.lines().count();
    let expected = format!("{SCHED}:{line}: the line ends with a CR");
    assert!(refusal.contains(&expected), "{refusal}");
    assert_eq!(refusal.lines().count(), 1, "{refusal}");
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
    use crate::kernels::{Whole, whole};
    use crate::series::at_a_look;
    use barepoint::kernel::maintainers::Maintainers;
    use barepoint::output::draft::{self, Letter};
    use barepoint::promotion::{self, Exports, Mapping};
    use barepoint::rules::engine::Look;
    use barepoint::rules::zones::Zones;

    /// The draft for a hook of a tree of which the state is at hand.
    fn drafted(whole: &Whole, name: &str) -> String {
        let mapping = Mapping::built_in().expect("a mapping");
        let promotion = promotion::draft(&whole.tree, &whole.state, &mapping, name, Exports::Keep);
        let contacts = Maintainers::parse("").contacts(&[].into());
        let letter = Letter {
            from: FROM,
            contacts: &contacts,
            message: &[],
        };
        let mut mail = Vec::new();
        let promotion = promotion.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        draft::write(&mut mail, &promotion, &letter).expect("in memory");
        String::from_utf8(mail).expect("text")
    }

    /// What would be left broken. Other findings may be true, as of calls whose lines
    /// change.
    fn breaks(rule: &str) -> bool {
        let broken = [
            "argument-mismatch",
            "dangling-export",
            "missing-definition",
            "multiple-definition",
            "name-clash",
            "undeclared-call",
        ];
        broken.contains(&rule)
    }

    fn is_sound(name: &str, found: &[(String, String)]) {
        assert!(has(found, "promotion", "error"), "{name}: {found:?}");
        let other = found.iter().find(|one| breaks(&one.0));
        assert_eq!(other, None, "{name}");
    }

    #[test]
    fn every_hook_of_7_3_can_be_drafted() {
        let whole = whole("7.3");
        let mut names: Vec<&str> = whole.state.inventory.bare_names().into_iter().collect();
        names.sort_unstable();
        assert!(names.len() >= 24, "{names:?}");
        let zones = Zones::built_in().expect("zones");
        for name in &names {
            let mails = [drafted(whole, name)];
            let (tree, state) = (&whole.tree, &whole.state);
            let found = at_a_look(tree, state, &mails, &zones, name, Look::Affected);
            let found = found
                .iter()
                .map(|one| (one.rule.to_owned(), one.level.to_string()));
            is_sound(name, &found.collect::<Vec<_>>());
        }
        // And as a user does it, of each subsystem that has one.
        let tree = kernel("7.3").display().to_string();
        let place = Workplace::empty();
        let first = |start: &str| {
            *names
                .iter()
                .find(|name| name.starts_with(start))
                .expect(start)
        };
        for name in ["mm_", "sched_", "tcp_"].map(first) {
            let output = place.run(&["promote", name, "--tree", &tree, "--from", FROM]);
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
            let draft = String::from_utf8(output.stdout).expect("text");
            is_sound(name, &findings(&place, &tree, &draft));
        }
    }
}
