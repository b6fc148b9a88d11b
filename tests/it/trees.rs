// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whole kernel trees against what real builds have.

use crate::kernels::{Whole, kernel, whole};
use crate::series::{Texts, at_a_look, findings, mail};
use crate::workplace::{Workplace, text};
use barepoint::inventory::profiles;
use barepoint::inventory::resolve::Tracepoint;
use barepoint::inventory::state::semantics_of;
use barepoint::kernel::profile::Profile;
use barepoint::kernel::semantics::{FormKind, Semantics};
use barepoint::rules::RULES;
use barepoint::rules::engine::{Look, check_state};
use barepoint::rules::finding::Level;
use barepoint::rules::review::Sight;
use barepoint::rules::zones::Zones;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

/// The release of a tree, as "7.3.4".
fn release(version: &str) -> String {
    let makefile = std::fs::read_to_string(kernel(version).join("Makefile")).expect("a Makefile");
    barepoint::kernel::version::of_makefile(&makefile).expect("a version")
}

/// The differences that another minor than the one a truth was taken from may have.
const TOLERATED: usize = 10;

/// What a build has of one tracepoint.
struct Truth {
    event: bool,
    bpf: bool,
    export: String,
    site: bool,
}

/// The release of the build, and what it has of each name.
fn truth(version: &str) -> (String, BTreeMap<String, Truth>) {
    let path = format!(
        "{}/tests/data/{version}.tracepoints.tsv",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("the truth table");
    let release = text.split_once("# release ").expect("a release").1;
    let release = release.split(',').next().expect("a release").to_owned();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let rows = rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let truth = Truth {
            event: cells[1] == "yes",
            bpf: cells[2] == "yes",
            export: cells[3].to_owned(),
            site: cells[4] == "yes",
        };
        (cells[0].to_owned(), truth)
    });
    (release, rows.collect())
}

fn export(declarations: &[&Tracepoint]) -> &'static str {
    let exports: Vec<bool> = declarations
        .iter()
        .flat_map(|one| one.exports.iter().map(|(_, gpl)| *gpl))
        .collect();
    match exports.as_slice() {
        [] => "-",
        some if some.contains(&false) => "plain",
        _ => "gpl",
    }
}

/// Holds the inventory of a tree against a build of it for amd64: every name, and the
/// number of names without a call site.
fn compare(version: &str, expected_without_site: usize) {
    let state = &whole(version).state;
    let built =
        |one: &&Tracepoint| !one.file.starts_with("arch/") || one.file.starts_with("arch/x86/");
    let (built_release, truth) = truth(version);
    assert!(truth.len() > 4000, "{} names", truth.len());
    let mut wrong = Vec::new();
    let mut without_site = 0_usize;
    for (name, truth) in &truth {
        let found: Vec<&Tracepoint> = state.inventory.named(name).filter(built).collect();
        if found.is_empty() {
            wrong.push(format!("{name}: missing"));
            continue;
        }
        if found.iter().any(|one| !one.is_bare()) != truth.event {
            wrong.push(format!("{name}: event"));
        }
        if found.iter().any(|one| one.bpf) != truth.bpf {
            wrong.push(format!("{name}: BPF"));
        }
        if export(&found) != truth.export {
            wrong.push(format!("{name}: export"));
        }
        if found.iter().all(|one| one.call_sites.is_empty()) {
            without_site += 1;
            if truth.site {
                wrong.push(format!("{name}: no call site"));
            }
        }
    }
    let tolerated = if release(version) == built_release {
        0
    } else {
        TOLERATED
    };
    assert!(
        wrong.len() <= tolerated,
        "{version}: {} wrong: {wrong:#?}",
        wrong.len()
    );
    assert!(
        without_site.abs_diff(expected_without_site) <= tolerated,
        "{version}: {without_site} names have no call site"
    );
}

#[test]
fn inventory_of_7_3_is_that_of_a_build() {
    compare("7.3", 41);
}

/// A token scan finds a site for two more, xfs_attr_fillstate and
/// xfs_attr_refillstate, whose only calls stand in `#if 0`.
#[test]
fn inventory_of_6_12_is_that_of_a_build() {
    compare("6.12", 89);
}

/// `tracepoint event bpf` of a macro, each as its suffix, or `no`.
fn effect(semantics: &Semantics, name: &str) -> String {
    let Some(effect) = semantics.effect(name) else {
        return "nothing".to_owned();
    };
    let shown = |pattern: &Option<barepoint::kernel::semantics::NamePattern>| match pattern {
        Some(pattern) => format!("{}{}", pattern.argument, pattern.suffix),
        None => "no".to_owned(),
    };
    [&effect.tracepoint, &effect.event, &effect.bpf]
        .map(shown)
        .join(" ")
}

#[test]
fn macros_mean_what_the_headers_say() {
    for version in ["6.1", "6.12", "7.3"] {
        let semantics = semantics_of(&whole(version).tree).expect("semantics");
        let new = version == "7.3";
        let table = [
            ("DECLARE_TRACE", if new { "0_tp no 0_tp" } else { "0 no 0" }),
            (
                "DECLARE_TRACE_CONDITION",
                if new { "0_tp no no" } else { "no no no" },
            ),
            (
                "DECLARE_TRACE_EVENT",
                if new { "0 no no" } else { "nothing" },
            ),
            ("TRACE_EVENT", "0 0 0"),
            ("TRACE_EVENT_CONDITION", "0 0 0"),
            ("TRACE_EVENT_FN", "0 0 0"),
            ("TRACE_EVENT_FN_COND", "0 0 0"),
            ("TRACE_EVENT_SYSCALL", if new { "0 0 0" } else { "nothing" }),
            ("TRACE_EVENT_NOP", "nothing"),
            ("DEFINE_EVENT", "1 1 1"),
            ("DEFINE_EVENT_FN", "1 1 1"),
            ("DEFINE_EVENT_PRINT", "1 1 1"),
            ("DEFINE_EVENT_CONDITION", "1 1 1"),
            ("DEFINE_EVENT_WRITABLE", "no no 1"),
            ("DEFINE_EVENT_NOP", "nothing"),
            (
                "DECLARE_TRACE_WRITABLE",
                if new { "no no 0_tp" } else { "no no 0" },
            ),
            ("DECLARE_EVENT_CLASS", "nothing"),
        ];
        for (name, expected) in table {
            assert_eq!(effect(&semantics, name), expected, "{version}: {name}");
        }
        let custom = |name| {
            semantics
                .effect(name)
                .and_then(|effect| effect.custom_event.clone())
        };
        assert_eq!(
            custom("TRACE_CUSTOM_EVENT").map(|one| one.argument),
            Some(0)
        );
        assert_eq!(
            custom("DEFINE_CUSTOM_EVENT").map(|one| one.argument),
            Some(1)
        );
        let gpl = |name| {
            semantics
                .effect(name)
                .and_then(|effect| effect.export.as_ref().map(|one| one.gpl))
        };
        assert_eq!(gpl("EXPORT_TRACEPOINT_SYMBOL"), Some(false));
        assert_eq!(gpl("EXPORT_TRACEPOINT_SYMBOL_GPL"), Some(true));
        let has = |prefix: &str, suffix: &str, kind| {
            semantics
                .forms()
                .iter()
                .any(|form| form.prefix == prefix && form.suffix == suffix && form.kind == kind)
        };
        assert!(has("trace_", "", FormKind::Call) && has("trace_", "_enabled", FormKind::Guard));
        assert_eq!(has("trace_", "_rcuidle", FormKind::Call), !new);
        assert_eq!(has("trace_call__", "", FormKind::Call), new);
        assert!(has("register_trace_prio_", "", FormKind::Register));
    }
}

/// The errors of the trees as they are, each of which is true: headers that nobody
/// includes, and an export that lacks its _GPL. MAINTAINERS-notes.md lists them.
#[test]
fn whole_trees_have_their_known_errors_only() {
    for version in ["6.1", "6.12", "7.3"] {
        let Whole { tree, state } = whole(version);
        let zones = Zones::built_in().expect("zones");
        let found = check_state(&Sight::of_tree(state, tree, &zones));
        let errors = found.iter().filter(|one| one.level == Level::Error);
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for error in errors {
            *counts.entry((error.rule, &error.place.file)).or_default() += 1;
        }
        let orphans = ("missing-definition", "drivers/vfio/pci/trace.h");
        let mut expected = BTreeMap::from([(orphans, 3)]);
        if version == "7.3" {
            let header = "include/trace/events/intel-sst.h";
            expected.insert(("missing-definition", header), 10);
            expected.insert(("non-gpl-export", "kernel/sched/core.c"), 1);
        }
        assert_eq!(counts, expected, "{version}: {found:#?}");
    }
}

#[test]
fn profiles_are_what_the_trees_give() {
    for version in Profile::names() {
        let embedded = Profile::embedded(version).expect("a profile");
        let release = release(version);
        let state = &whole(version).state;
        let now = profiles::profile(state, &release, &Default::default(), &[]);
        // Another minor of the tree has other lines, and much the same files.
        if release != embedded.version {
            let gone = embedded
                .files
                .keys()
                .filter(|file| !now.files.contains_key(*file));
            let gone: Vec<_> = gone.collect();
            assert!(gone.len() <= TOLERATED, "{release}: {gone:?}");
            continue;
        }
        assert_eq!(
            now.files, embedded.files,
            "run tests/kernel/profiles {version}"
        );
        assert_eq!(
            now.exports, embedded.exports,
            "run tests/kernel/profiles {version}"
        );
    }
}

fn barepoint(arguments: &[&str]) -> Output {
    Workplace::empty().run(arguments)
}

/// A patch of one file of a tree, made by replacing text.
fn patch(
    version: &str,
    path: &str,
    from: &str,
    to: &str,
    message: &str,
) -> tempfile::NamedTempFile {
    let (before, after) = edited(version, &[(path, from, to.to_owned())]);
    let mail = mail("sched: Change", &format!("{message}\n"), &before, &after);
    let file = tempfile::Builder::new()
        .suffix(".patch")
        .tempfile()
        .expect("a file");
    std::fs::write(file.path(), mail).expect("written");
    file
}

fn check(version: &str, patch: &tempfile::NamedTempFile) -> Output {
    let tree = kernel(version);
    barepoint(&[
        "check",
        "--tree",
        &tree.to_string_lossy(),
        &patch.path().to_string_lossy(),
    ])
}

const HEADER: &str = "include/trace/events/sched.h";

#[test]
fn a_promotion_in_a_real_tree_is_an_error_and_with_approval_a_note() {
    for (version, name) in [
        ("7.3", "sched_overutilized"),
        ("6.12", "sched_overutilized_tp"),
    ] {
        let rest =
            "\n\tTP_PROTO(struct root_domain *rd, bool overutilized),\n\tTP_ARGS(rd, overutilized)";
        let from = format!("DECLARE_TRACE({name},{rest});");
        // Under its real name, so that its callers need not follow.
        let to = format!(
            "TRACE_EVENT(sched_overutilized_tp,{rest}, TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));"
        );
        let refused = check(
            version,
            &patch(version, HEADER, &from, &to, "It is useful."),
        );
        assert_eq!(refused.status.code(), Some(1), "{version}");
        assert!(
            text(&refused.stdout).contains("error[promotion]"),
            "{}",
            text(&refused.stdout)
        );
        let acked = "Acked-by: Peter Zijlstra <peterz@infradead.org>";
        let granted = check(version, &patch(version, HEADER, &from, &to, acked));
        assert_eq!(
            granted.status.code(),
            Some(0),
            "{version}: {}",
            text(&granted.stdout)
        );
        assert!(text(&granted.stdout).contains("note[promotion]"));
    }
}

#[test]
fn a_change_that_does_nothing_is_silent() {
    let same = "Following tracepoints are not exported in tracefs and provide hooking";
    let other = "The following tracepoints are not exported in tracefs and provide hooking";
    for version in ["6.1", "6.12", "7.3"] {
        let output = check(version, &patch(version, HEADER, same, other, ""));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        assert!(
            !text(&output.stdout).contains('['),
            "{}",
            text(&output.stdout)
        );
    }
}

/// A change of one file: its path, what stands there, and what is to.
type Edit<'e> = (&'e str, &'e str, String);

const END: &str = "#endif /* _TRACE_SCHED_H */";
const EXPORTED: &str = "EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);\n";
const CALLED: &str = "\ttrace_pelt_cfs_tp(cfs_rq);\n";
const EXPORT: &str = "EXPORT_TRACEPOINT_SYMBOL_GPL(sched_fresh_tp);\n";
const CALL: &str = "\ttrace_sched_fresh_tp(rq);\n";

fn edits(hook: &str, export: &str, call: &str) -> Vec<Edit<'static>> {
    vec![
        (HEADER, END, format!("{hook}{END}")),
        (
            "kernel/sched/core.c",
            EXPORTED,
            format!("{EXPORTED}{export}"),
        ),
        ("kernel/sched/pelt.c", CALLED, format!("{CALLED}{call}")),
    ]
}

/// A hook that has all that it should, and with one thing wrong for each rule.
fn planted(appends: bool) -> Vec<(&'static str, Vec<Edit<'static>>)> {
    let (right, wrong) = if appends {
        ("sched_fresh", "sched_fresh_tp")
    } else {
        ("sched_fresh_tp", "sched_fresh")
    };
    let wrong_real = if appends { "sched_fresh_tp_tp" } else { wrong };
    let comment = "/* A run queue was looked at, with its lock held. */";
    let hook = format!(
        "{comment}\nDECLARE_TRACE({right},\n\tTP_PROTO(struct rq *rq),\n\tTP_ARGS(rq));\n\n"
    );
    let with_hook = |hook: &str| edits(hook, EXPORT, CALL);
    let with_export = |export: &str| edits(&hook, export, CALL);
    let with_call = |call: &str| edits(&hook, EXPORT, call);
    let and = |more: Edit<'static>| [with_call(CALL), vec![more]].concat();
    // "int a1, int a2" and so on, one more than BPF's probes have.
    let many = |what: &str| {
        let all: Vec<String> = (1..=13).map(|n| format!("{what}{n}")).collect();
        all.join(", ")
    };
    let event = "DEFINE_EVENT(sched_wakeup_template, sched_fresh_event,\n\
                 \tTP_PROTO(struct task_struct *p),\n\tTP_ARGS(p));\n\n";
    let second = "DEFINE_TRACE(sched_fresh_tp, TP_PROTO(struct rq *rq), TP_ARGS(rq));\n";
    let inline =
        "static inline void note_fresh(struct rq *rq)\n{\n\ttrace_sched_fresh_tp(rq);\n}\n\n";
    let raw = "noinstr void fresh_idle(struct rq *rq)\n{\n\ttrace_sched_fresh_tp(rq);\n}\n\n";
    let private = "#endif /* _KERNEL_SCHED_SCHED_H */";
    let idle = "void sched_idle_set_state(struct cpuidle_state *idle_state)";
    vec![
        ("", with_call(CALL)),
        (
            "suffix",
            edits(
                &hook.replace(right, wrong),
                &EXPORT.replace("sched_fresh_tp", wrong_real),
                &CALL.replace("sched_fresh_tp", wrong_real),
            ),
        ),
        ("undeclared-call", with_call("\ttrace_sched_fresh(rq);\n")),
        (
            "missing-definition",
            and((
                "kernel/sched/core.c",
                "#define CREATE_TRACE_POINTS\n",
                String::new(),
            )),
        ),
        (
            "multiple-definition",
            with_export(&format!("{EXPORT}{second}")),
        ),
        ("missing-export", with_export("")),
        ("non-gpl-export", with_export(&EXPORT.replace("_GPL", ""))),
        (
            "dangling-export",
            with_export(&EXPORT.replace("_fresh_tp", "_fresh")),
        ),
        ("never-called", with_call("")),
        (
            "argument-mismatch",
            with_call("\ttrace_sched_fresh_tp(rq, 1);\n"),
        ),
        (
            "too-many-arguments",
            edits(
                &hook
                    .replace("struct rq *rq", &many("int a"))
                    .replace("TP_ARGS(rq)", &format!("TP_ARGS({})", many("a"))),
                EXPORT,
                &CALL.replace("(rq)", &format!("({})", many(""))),
            ),
        ),
        (
            "unguarded-work",
            with_call("\ttrace_sched_fresh_tp(busiest_of(rq));\n"),
        ),
        (
            "call-in-header",
            and((
                "kernel/sched/sched.h",
                private,
                format!("{inline}{private}"),
            )),
        ),
        (
            "uninstrumentable-call",
            and(("kernel/sched/idle.c", idle, format!("{raw}{idle}"))),
        ),
        (
            "undocumented",
            with_hook(&hook.replace(comment, "#define FRESH")),
        ),
        (
            "comment-lies",
            with_hook(&format!("{hook}/* Not exported in tracefs. */\n{event}")),
        ),
        (
            "unused-allow",
            with_call(&format!(
                "{CALL}\t/* barepoint: allow(suffix): none */\n\tcpu_relax();\n"
            )),
        ),
        (
            "wrong-guard",
            with_call(&format!("\tif (trace_sched_switch_enabled())\n\t{CALL}")),
        ),
    ]
}

/// Each in both trees, of which the state is at hand, and by the binary in one of them.
#[test]
fn placement_rules_find_what_is_planted_in_real_files() {
    for (turn, version) in ["6.12", "7.3"].into_iter().enumerate() {
        let planted = planted(version == "7.3");
        let leaks = RULES.iter().take_while(|rule| rule.id != "suffix").count();
        assert_eq!(
            planted.len() - 1,
            RULES.len() - leaks,
            "a case for each rule"
        );
        for (number, (rule, edits)) in planted.into_iter().enumerate() {
            let everything = version == "7.3" && number % LOOKS == 0;
            let found = found_by_rules(version, &edits, everything);
            assert_eq!(found.is_empty(), rule.is_empty(), "{version}: {found:?}");
            let has = |found: &[String]| rule.is_empty() || found.iter().any(|one| one == rule);
            assert!(has(&found), "{version}: {rule}: {found:?}");
            if number != 0 && number % 2 != turn {
                continue;
            }
            let (found, status, shown) = found_in(version, &edits);
            assert!(has(&found), "{version}: {rule}: {shown}");
            assert_eq!(found.is_empty(), rule.is_empty(), "{version}: {shown}");
            assert_eq!(
                status,
                Some(i32::from(!rule.is_empty())),
                "{version}: {shown}"
            );
        }
    }
}

/// A look at everything takes seconds in a whole tree, so that one of so many is held
/// against one.
const LOOKS: usize = 6;

/// The texts of the files that are edited, before and after.
fn edited(version: &str, edits: &[Edit<'_>]) -> (Texts, Texts) {
    let (mut before, mut after) = (Texts::new(), Texts::new());
    for (path, from, to) in edits {
        // Two edits of one file are one.
        let text = after.entry((*path).to_owned()).or_insert_with(|| {
            let text = std::fs::read_to_string(kernel(version).join(path)).expect("a file");
            before.insert((*path).to_owned(), text.clone());
            text
        });
        assert_eq!(text.matches(from).count(), 1, "{version}: {path}: {from}");
        *text = text.replace(from, to);
    }
    (before, after)
}

/// The rules that find something in a patch.
fn found_by_rules(version: &str, edits: &[Edit<'_>], everything: bool) -> Vec<String> {
    let (before, after) = edited(version, edits);
    let mails = [mail("sched: Change", "A hook.\n", &before, &after)];
    let Whole { tree, state } = whole(version);
    let zones = Zones::built_in().expect("zones");
    let found = if everything {
        findings(tree, state, &mails, &zones, version)
    } else {
        at_a_look(tree, state, &mails, &zones, version, Look::Affected)
    };
    found.iter().map(|one| one.rule.to_owned()).collect()
}

/// The rules that find something in a patch with `--strict`, the exit status, and
/// all that was printed.
fn found_in(version: &str, edits: &[Edit<'_>]) -> (Vec<String>, Option<i32>, String) {
    let (before, after) = edited(version, edits);
    let place = Workplace::empty();
    place.write(
        "x.patch",
        mail("sched: Change", "A hook.\n", &before, &after),
    );
    let tree = kernel(version);
    let tree = tree.to_string_lossy();
    let output = place.run(&[
        "check", "--tree", &tree, "--strict", "--format", "json", "x.patch",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("findings").iter();
    let rules = findings.filter_map(|one| one["rule"].as_str().map(str::to_owned));
    (rules.collect(), output.status.code(), text(&output.stdout))
}

/// The callers of a tracepoint are far from its declaration.
#[test]
fn a_prototype_that_changes_is_held_against_calls_everywhere() {
    let from =
        "\tTP_PROTO(struct root_domain *rd, bool overutilized),\n\tTP_ARGS(rd, overutilized));";
    let to = "\tTP_PROTO(struct root_domain *rd),\n\tTP_ARGS(rd));";
    for version in ["6.12", "7.3"] {
        let edits = [(HEADER, from, to.to_owned())];
        let (found, status, shown) = found_in(version, &edits);
        assert_eq!(status, Some(1), "{version}: {shown}");
        assert!(
            found.iter().any(|rule| rule == "argument-mismatch"),
            "{version}: {shown}"
        );
        assert!(shown.contains("kernel/sched/fair.c"), "{version}: {shown}");
    }
}

#[test]
fn a_patch_for_another_tree_is_no_success() {
    let from = "DECLARE_TRACE(sched_dl_server_stop,";
    let output = check(
        "6.12",
        &patch(
            "7.3",
            HEADER,
            from,
            "DECLARE_TRACE(sched_dl_server_ended,",
            "",
        ),
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains(HEADER),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn our_own_patches_are_clean() {
    for version in ["6.12", "7.3"] {
        let patches = format!("{}/patches/{version}", env!("CARGO_MANIFEST_DIR"));
        for more in [&["--strict"][..], &["--strict", "--whole-tree"]] {
            let tree = kernel(version);
            let tree = tree.to_string_lossy();
            let arguments = [&["check", "--tree", &tree][..], more, &[&patches]].concat();
            let output = barepoint(&arguments);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{}{}",
                text(&output.stdout),
                text(&output.stderr)
            );
        }
    }
}

/// A repository with the parts of 7.3 that decide, and a commit that promotes.
fn repository() -> Workplace {
    let place = Workplace::empty();
    let from = kernel("7.3");
    for part in [
        "MAINTAINERS",
        "Makefile",
        "include/linux/tracepoint.h",
        "include/trace",
        "kernel/sched",
    ] {
        let target = Path::new(part).parent().expect("a parent");
        let from = from.join(part);
        place.sh(&format!(
            "mkdir -p ./{0} && cp -r '{1}' ./{0}/",
            target.display(),
            from.display()
        ));
    }
    place.repository("");
    let hook = "DECLARE_TRACE(pelt_cfs,\n\tTP_PROTO(struct cfs_rq *cfs_rq),\n\tTP_ARGS(cfs_rq));";
    let event = "TRACE_EVENT(pelt_cfs, TP_PROTO(struct cfs_rq *cfs_rq), TP_ARGS(cfs_rq),\n\
                 \tTP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));";
    place.edit(HEADER, hook, event);
    place.commit("", "sched: Promote pelt_cfs");
    place
}

#[test]
fn commits_and_their_mails_say_the_same_with_the_tree_at_the_tip() {
    let place = repository();
    for spec in ["HEAD", "HEAD~1..HEAD", "HEAD-1"] {
        let output = place.run(&["check", "--tree", ".", "--git", spec]);
        let shown = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{spec}: {shown}{}",
            text(&output.stderr)
        );
        assert!(
            shown.contains("error[promotion]") && shown.contains("sched: Promote pelt_cfs"),
            "{shown}"
        );
    }
    place.write(
        "0001.patch",
        place.git("", &["format-patch", "--stdout", "-1"]),
    );
    let output = place.run(&["check", "--tree", ".", "--format", "json", "0001.patch"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("findings");
    let promotion = findings.iter().find(|one| one["rule"] == "promotion");
    assert_eq!(promotion.expect("a promotion")["tracepoint"], "pelt_cfs_tp");
}
