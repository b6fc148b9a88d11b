// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint diff`, as a user runs it: one case for each kind of change, every kind of
//! input in any mix, and what cannot be read.

use crate::kernels::kernel;
use crate::workplace::{Workplace, finished, json, text};
use std::fs;

const SCHED: &str = "include/trace/events/sched.h";
const CORE: &str = "kernel/sched/core.c";
const FAIR: &str = "kernel/sched/fair.c";

/// A folder with the same tree twice, `old` and `new`.
struct Place(Workplace);

impl Place {
    fn new() -> Self {
        let place = Workplace::empty().with("kernel-7.3", "old");
        Self(place.with("kernel-7.3", "new"))
    }

    fn empty() -> Self {
        Self(Workplace::empty())
    }

    /// Writes something else into a file of `new`.
    fn edit(&self, path: &str, from: &str, to: &str) {
        self.0.edit(&format!("new/{path}"), from, to);
    }

    /// What `diff` prints below its two heading lines, and its status.
    fn human(&self, arguments: &[&str]) -> (String, Option<i32>) {
        let output = self.0.run(&[&["diff"], arguments].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let text = text(&output.stdout);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        (lines.join("\n"), output.status.code())
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self
            .0
            .run(&[&["diff", "--format", "json"], arguments].concat());
        json(&output)
    }

    /// `old` against `new`, as `KIND NAME`.
    fn changes(&self, arguments: &[&str]) -> Vec<String> {
        kinds_and_names(&self.json(arguments))
    }

    fn list(&self, tree: &str, file: &str, more: &[&str]) {
        let arguments = [&["list", "--format", "json", "--tree", tree], more].concat();
        let output = self.0.run(&arguments);
        self.0.write(file, output.stdout);
    }

    /// Makes `folder` a repository with one commit, tagged `v1`.
    fn commit(&self, folder: &str) {
        self.0.repository(folder);
        self.0.git(folder, &["tag", "v1"]);
    }
}

/// The changes of a report, as `KIND NAME`.
fn kinds_and_names(report: &serde_json::Value) -> Vec<String> {
    let changes = report["changes"].as_array().expect("changes").iter();
    let shown = |one: &serde_json::Value| format!("{} {}", one["kind"], one["name"]);
    changes.map(|one| shown(one).replace('"', "")).collect()
}

mod kinds {
    use super::*;

    fn shows(place: &Place, expected: &str) {
        let (text, status) = place.human(&["old", "new"]);
        assert_eq!(text.trim(), expected.trim());
        assert_eq!(status, Some(1));
    }

    #[test]
    fn no_difference() {
        let place = Place::new();
        let output = place.0.run(&["diff", "old", "new"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
        assert_eq!(place.changes(&["old", "new"]), [""; 0]);
    }

    #[test]
    fn added_and_removed() {
        let place = Workplace::empty().with("kernel-6.12", "old");
        let place = Place(place.with("kernel-7.3", "new"));
        // The suffix that the macro appends since 6.16 makes no difference.
        shows(
            &place,
            "
Bare hooks: 1 added
  + sched_set_state_tp  include/trace/events/sched.h:89

Events: 1 removed, 1 added
  - writeback_mark_inode_dirty  include/trace/events/writeback.h:13
  + inode_set_ctime  include/trace/events/timestamp.h:13",
        );
        let (text, status) = place.human(&["new", "old", "--bare"]);
        assert_eq!(
            text.trim(),
            "Bare hooks: 1 removed\n  - sched_set_state_tp  include/trace/events/sched.h:89"
        );
        assert_eq!(status, Some(1));
    }

    #[test]
    fn renamed() {
        let place = Place::new();
        place.edit(SCHED, "(pelt_cfs,", "(pelt_fair,");
        for file in [CORE, FAIR] {
            place.edit(file, "pelt_cfs_tp", "pelt_fair_tp");
        }
        shows(
            &place,
            "
Bare hooks: 1 renamed
  ~ pelt_cfs_tp -> pelt_fair_tp  include/trace/events/sched.h:77",
        );
    }

    #[test]
    fn another_prototype_is_no_rename() {
        let place = Place::new();
        place.edit(SCHED, "(pelt_cfs,", "(pelt_fair,");
        place.edit(SCHED, "(struct cfs_rq *cfs_rq)", "(struct cfs_rq *q)");
        let changes = place.changes(&["old", "new"]);
        assert_eq!(changes, ["removed pelt_cfs_tp", "added pelt_fair_tp"]);
    }

    #[test]
    fn an_unlike_name_is_no_rename() {
        let place = Place::new();
        place.edit(SCHED, "(pelt_cfs,", "(load_tracked,");
        let changes = place.changes(&["old", "new"]);
        assert_eq!(changes, ["removed pelt_cfs_tp", "added load_tracked_tp"]);
    }

    #[test]
    fn renamed_in_a_header_that_was_split() {
        let place = Place::new();
        let path = place.0.path("new/include/trace/events/timestamp.h");
        let other = place.0.path("new/include/trace/events/vfs_time.h");
        fs::rename(path, other).expect("moved");
        let header = "include/trace/events/vfs_time.h";
        place.edit(header, "(inode_set_ctime,", "(inode_setting_ctime,");
        place.edit("fs/inode.c", "events/timestamp.h", "events/vfs_time.h");
        place.edit("fs/inode.c", "trace_inode_set_", "trace_inode_setting_");
        let changes = place.changes(&["old", "new"]);
        assert_eq!(
            changes,
            ["renamed inode_setting_ctime", "moved inode_setting_ctime"]
        );
    }

    #[test]
    fn prototype() {
        let place = Place::new();
        place.edit(
            SCHED,
            "(struct rq *rq, int change)",
            "(struct rq *rq, long change, int x)",
        );
        // Spaces say nothing.
        place.edit(
            SCHED,
            "(struct cfs_rq *cfs_rq)",
            "(struct  cfs_rq * cfs_rq)",
        );
        shows(
            &place,
            "
Bare hooks: 1 with another prototype
  ~ sched_update_nr_running_tp  include/trace/events/sched.h:85
      - struct rq *rq, int change
      + struct rq *rq, long change, int x",
        );
        let json = place.json(&["old", "new"]);
        let change = &json["changes"][0];
        let prototype = |side: &str| change[side]["prototype"].to_string();
        assert_eq!(prototype("old"), r#"["struct rq *rq","int change"]"#);
        assert_eq!(
            prototype("new"),
            r#"["struct rq *rq","long change","int x"]"#
        );
    }

    #[test]
    fn bare_to_event_and_back() {
        let place = Place::new();
        place.edit(
            SCHED,
            "DECLARE_TRACE(sched_overutilized,",
            "DEFINE_EVENT(x, sched_overutilized_tp,",
        );
        shows(
            &place,
            "
Bare hooks: 1 bare or event
  ~ sched_overutilized_tp  bare -> event",
        );
        let (text, _) = place.human(&["new", "old", "--bare"]);
        assert!(
            text.contains("~ sched_overutilized_tp  event -> bare"),
            "{text}"
        );
    }

    #[test]
    fn promoted_without_the_suffix() {
        let place = Place::new();
        let event = "DEFINE_EVENT(x, sched_overutilized,";
        place.edit(SCHED, "DECLARE_TRACE(sched_overutilized,", event);
        for file in [CORE, FAIR] {
            place.edit(file, "sched_overutilized_tp", "sched_overutilized");
        }
        let changes = place.changes(&["old", "new", "--bare"]);
        assert_eq!(
            changes,
            [
                "visibility sched_overutilized",
                "renamed sched_overutilized"
            ]
        );
    }

    #[test]
    fn exports() {
        let place = Place::new();
        place.edit(CORE, "EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);", "");
        let plain = "EXPORT_TRACEPOINT_SYMBOL(sched_overutilized_tp)";
        place.edit(
            CORE,
            "EXPORT_TRACEPOINT_SYMBOL_GPL(sched_overutilized_tp)",
            plain,
        );
        shows(
            &place,
            "
Bare hooks: 2 exported in another way
  ~ pelt_cfs_tp  exported to GPL modules -> not exported
  ~ sched_overutilized_tp  exported to GPL modules -> exported to all modules",
        );
    }

    #[test]
    fn conditions() {
        let place = Place::new();
        let hook =
            "DECLARE_TRACE(pelt_cfs,\n\tTP_PROTO(struct cfs_rq *cfs_rq),\n\tTP_ARGS(cfs_rq));\n";
        place.edit(SCHED, hook, &format!("#ifdef CONFIG_SMP\n{hook}#endif\n"));
        shows(
            &place,
            "
Bare hooks: 1 under another condition
  ~ pelt_cfs_tp  always -> CONFIG_SMP",
        );
    }

    #[test]
    fn a_branch_that_came() {
        let place = Place::new();
        let hook =
            "DECLARE_TRACE(pelt_cfs,\n\tTP_PROTO(struct cfs_rq *cfs_rq),\n\tTP_ARGS(cfs_rq));\n";
        let other = hook.replace("cfs_rq)", "cfs_rq, int cpu)");
        let both = format!("#ifdef CONFIG_SMP\n{other}#else\n{hook}#endif\n");
        place.edit(SCHED, hook, &both);
        let json = place.json(&["old", "new"]);
        let changes = json["changes"].as_array().expect("changes");
        let prototype = changes.iter().find(|one| one["kind"] == "prototype");
        let prototype = prototype.expect("a new prototype");
        assert!(prototype["old"]["prototype"].is_null());
        assert_eq!(prototype["new"]["prototype"][1], "int cpu");
    }

    #[test]
    fn bpf() {
        let place = Place::new();
        place.edit(
            SCHED,
            "DECLARE_TRACE_CONDITION(sched_set_state",
            "DECLARE_TRACE(sched_set_state",
        );
        shows(
            &place,
            "
Bare hooks: 1 reached by BPF or no longer
  ~ sched_set_state_tp  no BPF entry -> BPF entry",
        );
    }

    #[test]
    fn another_file() {
        let place = Place::new();
        let path = place.0.path("new/include/trace/events/timestamp.h");
        fs::rename(path, place.0.path("new/include/trace/events/time.h")).expect("moved");
        place.edit("fs/inode.c", "events/timestamp.h", "events/time.h");
        shows(
            &place,
            "
Events: 1 in another file
  ~ inode_set_ctime  include/trace/events/timestamp.h:13 -> include/trace/events/time.h:13",
        );
    }

    #[test]
    fn call_sites() {
        let place = Place::new();
        let old = "call_trace_sched_update_nr_running";
        place.edit(CORE, old, "note_nr_running");
        shows(
            &place,
            "
Bare hooks: 1 called elsewhere
  ~ sched_update_nr_running_tp  include/trace/events/sched.h:85
      - call_trace_sched_update_nr_running in kernel/sched/core.c
      + note_nr_running in kernel/sched/core.c",
        );
        let json = place.json(&["old", "new"]);
        let change = &json["changes"][0];
        assert_eq!(change["kind"], "call-sites");
        assert_eq!(change["old"]["call_sites"][0]["function"], old);
        assert_eq!(change["new"]["call_sites"][0]["file"], CORE);
    }
}

mod inputs {
    use super::*;

    #[test]
    fn profiles_need_nothing_else() {
        let place = Place::empty();
        let (text, status) = place.human(&["6.1", "6.12", "--bare"]);
        let expected = "\
Not compared, as only one side has them, or none: conditions and call sites.

Bare hooks: 1 renamed, 1 added
  ~ pelt_thermal_tp -> pelt_hw_tp  include/trace/events/sched.h:790
  + sched_compute_energy_tp  include/trace/events/sched.h:822";
        assert_eq!((text.as_str(), status), (expected, Some(1)));
        let json = place.json(&["6.12", "7.3"]);
        assert_eq!(json["schema"], 1);
        assert_eq!(json["old"]["from"], "profile");
        assert_eq!(
            json["old"]["lacks"].to_string(),
            r#"["condition","call_sites"]"#
        );
        assert!(
            json["new"]["version"]
                .as_str()
                .expect("a version")
                .starts_with("7.3")
        );
        for name in ["6.1", "6.12", "7.3"] {
            assert!(place.changes(&[name, name]).is_empty());
        }
    }

    #[test]
    fn saved_lists_revisions_and_trees_mix() {
        let place = Place::new();
        place.edit(SCHED, "(pelt_cfs,", "(pelt_fair,");
        place.list("old", "old.json", &[]);
        place.list("new", "new.json", &[]);
        place.commit("old");
        place.commit("new");
        let expected = place.changes(&["old", "new"]);
        assert!(
            expected.contains(&"renamed pelt_fair_tp".to_owned()),
            "{expected:?}"
        );
        for old in ["old", "old.json", "old@v1", "old@HEAD"] {
            for new in ["new", "new.json", "new@v1", "./new/"] {
                assert_eq!(place.changes(&[old, new]), expected, "{old} {new}");
            }
            assert!(place.changes(&["old.json", old]).is_empty(), "{old}");
        }
        assert_eq!(place.changes(&["--tree", "old", "v1", "new"]), expected);
        let json = place.json(&["--tree", "old", "v1", "new.json"]);
        assert_eq!(
            (&json["old"]["from"], &json["new"]["from"]),
            (&"revision".into(), &"saved".into())
        );
    }

    #[test]
    fn a_revision_of_the_tree_around_here() {
        let place = Place::new();
        place.commit("new");
        place.edit(SCHED, "(pelt_cfs,", "(pelt_fair,");
        let mut run = place.0.barepoint(&["diff", "HEAD", "../..", "--bare"]);
        let output = finished(run.current_dir(place.0.path("new/kernel/sched")));
        let text = text(&output.stdout);
        assert!(text.contains("~ pelt_cfs_tp -> pelt_fair_tp"), "{text}");
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn what_a_profile_lacks_is_no_difference() {
        let place = Place::new();
        for side in [["new", "7.3"], ["7.3", "new"]] {
            let changes = place.changes(&side);
            assert!(
                !changes
                    .iter()
                    .any(|one| one.starts_with("condition") || one.starts_with("call-sites")),
                "{changes:?}"
            );
        }
    }

    #[test]
    fn a_list_of_bare_hooks_says_nothing_of_events() {
        let place = Place::new();
        place.list("old", "bare.json", &["--bare"]);
        assert!(place.changes(&["bare.json", "new"]).is_empty());
        place.edit(
            SCHED,
            "DECLARE_TRACE(sched_overutilized,",
            "DEFINE_EVENT(x, sched_overutilized_tp,",
        );
        let (text, _) = place.human(&["bare.json", "new"]);
        let expected = "\
Not compared, as only one side has them, or none: events.

Bare hooks: 1 bare or event
  ~ sched_overutilized_tp  bare -> event";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_profile_outranks_a_folder_of_its_name() {
        let place = Place::new();
        fs::rename(place.0.path("new"), place.0.path("7.3")).expect("moved");
        assert_eq!(place.json(&["7.3", "./7.3"])["old"]["from"], "profile");
        assert_eq!(place.json(&["7.3", "./7.3"])["new"]["from"], "tree");
    }
}

mod bad_inputs {
    use super::*;

    /// One line that says all of `parts`, and nothing on standard output.
    fn fails(place: &Place, arguments: &[&str], parts: &[&str]) {
        let output = place.0.run(&[&["diff"], arguments].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        for part in parts {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }

    #[test]
    fn they_say_what_is_wrong() {
        let place = Place::new();
        place.commit("old");
        fs::create_dir(place.0.path("empty")).expect("a folder");
        let files = [
            ("text", "hello"),
            ("findings.json", r#"{"schema":1,"findings":[]}"#),
            (
                "schema.json",
                r#"{"schema":2,"tree":null,"tracepoints":[]}"#,
            ),
            ("none", ""),
        ];
        for (name, text) in files {
            fs::write(place.0.path(name), text).expect("written");
        }
        fails(
            &place,
            &["6.13", "7.3"],
            &["6.13", "6.1, 6.12, 7.3", "no revision"],
        );
        fails(&place, &["", "7.3"], &["no folder"]);
        fails(&place, &["7.3", "old@v2"], &["no revision v2 in old"]);
        fails(&place, &["7.3", "new@v1"], &["git repository", "new"]);
        fails(&place, &["7.3", "v2", "--tree", "old"], &["v2"]);
        fails(&place, &["empty", "7.3"], &["empty"]);
        fails(
            &place,
            &["7.3", "text"],
            &["text: not what `list --format json` writes"],
        );
        fails(&place, &["7.3", "none"], &["none: not what"]);
        fails(
            &place,
            &["7.3", "findings.json"],
            &["findings.json", "tracepoints"],
        );
        fails(&place, &["7.3", "schema.json"], &["schema.json", "2"]);
    }

    #[test]
    fn both_sides_are_needed() {
        let place = Place::new();
        let output = place.0.run(&["diff", "7.3"]);
        assert_eq!(output.status.code(), Some(2));
        let output = place.0.run(&["diff", "7.3", "7.3", "6.1"]);
        assert_eq!(output.status.code(), Some(2));
    }

    #[test]
    fn a_strangers_list_cannot_steer_a_terminal() {
        let place = Place::new();
        let entry = r#"{"name":"a\u001b[2Jb","kind":"bare","system":null,"file":"x\u001b.h","line":1,
            "condition":null,"prototype":["int \u001b[31m x"],"bpf":true,"export":null,"call_sites":[]}"#;
        let text = format!(r#"{{"schema":1,"tree":null,"tracepoints":[{entry}]}}"#);
        fs::write(place.0.path("evil.json"), text).expect("written");
        for arguments in [["evil.json", "new"], ["new", "evil.json"]] {
            let (text, status) = place.human(&arguments);
            assert!(
                text.contains(r"a\u{1b}[2Jb") && !text.contains('\u{1b}'),
                "{text}"
            );
            assert_eq!(status, Some(1));
        }
    }
}

mod trees {
    use super::*;

    fn folder(version: &str) -> String {
        kernel(version).display().to_string()
    }

    const BARE_TO_6_12: [&str; 2] = ["renamed pelt_hw_tp", "added sched_compute_energy_tp"];
    const BARE_TO_7_3: [&str; 12] = [
        "added mm_lru_add_drain_all_tp",
        "added mm_lru_add_drain_tp",
        "added sched_dl_replenish_tp",
        "added sched_dl_server_start_tp",
        "added sched_dl_server_stop_tp",
        "added sched_dl_throttle_tp",
        "added sched_dl_update_tp",
        "added sched_entry_tp",
        "added sched_exit_tp",
        "added sched_set_need_resched_tp",
        "added sched_set_state_tp",
        "added tcp_cwnd_reduction_tp",
    ];

    /// Without what profiles do not know.
    fn known(mut changes: Vec<String>) -> Vec<String> {
        changes.retain(|one| !one.starts_with("condition") && !one.starts_with("call-sites"));
        changes
    }

    #[test]
    fn trees_lists_and_profiles_agree() {
        let place = Place::empty();
        let versions = ["6.1", "6.12", "7.3"];
        for version in versions {
            place.list(&folder(version), &format!("{version}.json"), &[]);
        }
        for (step, expected) in versions.windows(2).zip([&BARE_TO_6_12[..], &BARE_TO_7_3]) {
            let [old, new] = [step[0], step[1]];
            let [old_list, new_list] = [old, new].map(|one| format!("{one}.json"));
            let [old_tree, new_tree] = [old, new].map(folder);
            // Two trees are below, and a tree against a profile.
            for (old, new) in [
                (old, new),
                (old, &*new_list),
                (&*old_list, new),
                (&*old_list, &*new_list),
                (&*old_tree, &*new_list),
                (&*old_list, &*new_tree),
            ] {
                let bare = known(place.changes(&[old, new, "--bare"]));
                assert_eq!(bare, expected, "{old} {new}");
            }
            let all = known(place.changes(&[&old_list, &new_list]));
            assert_eq!(place.changes(&[old, new]), all, "{old} {new}");
            assert!(all.len() > 1000, "{}", all.len());
        }
    }

    #[test]
    fn calls_of_bare_hooks_that_moved() {
        let place = Place::empty();
        let json = place.json(&[&folder("6.1"), &folder("6.12"), "--bare"]);
        assert_eq!(known(kinds_and_names(&json)), BARE_TO_6_12);
        let changes = json["changes"].as_array().expect("changes");
        let functions = |change: &serde_json::Value, side: &str| -> Vec<String> {
            let calls = change[side]["call_sites"].as_array().expect("calls");
            let names = calls.iter().map(|call| call["function"].as_str());
            names.map(|name| name.unwrap_or("?").to_owned()).collect()
        };
        let moved: Vec<_> = changes
            .iter()
            .filter(|one| one["kind"] == "call-sites")
            .flat_map(|one| [functions(one, "old"), functions(one, "new")])
            .collect();
        let expected = [
            ["update_thermal_load_avg"],
            ["update_hw_load_avg"],
            ["set_rd_overutilized_status"],
            ["set_rd_overutilized"],
        ];
        assert_eq!(moved, expected);
    }

    #[test]
    fn a_tree_is_its_profile() {
        let place = Place::empty();
        for version in ["6.1", "6.12", "7.3"] {
            assert!(
                place.changes(&[version, &folder(version)]).is_empty(),
                "{version}"
            );
        }
    }

    #[test]
    fn renames_between_releases() {
        let place = Place::empty();
        let json = place.json(&["6.12", "7.3"]);
        let changes = json["changes"].as_array().expect("changes");
        for (old, new) in [
            ("hrtimer_init", "hrtimer_setup"),
            ("dma_map_page", "dma_map_phys"),
            ("tmigr_cpu_online", "tmigr_cpu_available"),
            ("tmigr_cpu_offline", "tmigr_cpu_unavailable"),
            ("find_free_extent", "btrfs_find_free_extent"),
        ] {
            let found = changes.iter().any(|one| {
                one["kind"] == "renamed" && one["old"]["name"] == old && one["new"]["name"] == new
            });
            assert!(found, "{old} -> {new}");
        }
    }
}
