// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint diff OLD NEW --consumers DIR`, as a user runs it: one case for each thing
//! that breaks a use.

use crate::fixtures::fixture;
use crate::workplace::{Workplace, json, text};
use serde_json::Value;
use std::fs;
use std::process::Output;

const SCHED: &str = "include/trace/events/sched.h";
const CORE: &str = "kernel/sched/core.c";

/// A folder with the same tree twice, `old` and `new`, and a consumer, `mod`.
struct Place(Workplace);

impl Place {
    fn new(file: &str, text: &str) -> Self {
        let place = Workplace::empty().with("kernel-7.3", "old");
        let place = place.with("kernel-7.3", "new");
        place.write(format!("mod/{file}"), text);
        Self(place)
    }

    /// Writes something else into a file of `new`.
    fn edit(&self, path: &str, from: &str, to: &str) {
        self.0.edit(&format!("new/{path}"), from, to);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.0.run(&[&["diff"], arguments].concat())
    }

    /// What is printed below the heading lines.
    fn shows(&self, expected: &str, status: i32) {
        let output = self.run(&["old", "new", "--consumers", "mod"]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let text = text(&output.stdout);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(lines.join("\n"), expected.trim());
        assert_eq!(output.status.code(), Some(status));
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        json(&output)
    }
}

const REGISTERS: &str = "static void probe(void *data, struct cfs_rq *cfs_rq) { }\n\
                         int f(void) { return register_trace_pelt_cfs_tp(probe, NULL); }\n";

mod reasons {
    use super::*;

    #[test]
    fn nothing_breaks() {
        let place = Place::new("x.c", REGISTERS);
        place.shows("mod: none of 1 use breaks", 0);
    }

    #[test]
    fn nothing_is_used() {
        let place = Place::new("x.c", "/* register_trace_pelt_cfs_tp(probe, NULL) */\n");
        place.shows("mod: no use of a tracepoint found", 0);
    }

    #[test]
    fn renamed() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(
            SCHED,
            "DECLARE_TRACE(pelt_cfs,",
            "DECLARE_TRACE(pelt_cfs_rq,",
        );
        place.edit(CORE, "pelt_cfs_tp", "pelt_cfs_rq_tp");
        place.edit("kernel/sched/fair.c", "pelt_cfs_tp", "pelt_cfs_rq_tp");
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.c:2  pelt_cfs_tp, register_trace_X()
      is now pelt_cfs_rq_tp
      write register_trace_pelt_cfs_rq_tp()",
            1,
        );
    }

    #[test]
    fn never_called() {
        let place = Place::new("x.c", REGISTERS);
        place.edit("kernel/sched/fair.c", "trace_pelt_cfs_tp(", "nothing(");
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.c:2  pelt_cfs_tp, register_trace_X()
      is not called any more",
            1,
        );
    }

    #[test]
    fn removed() {
        let place = Place::new(
            "x.bpf.c",
            "SEC(\"raw_tp/sched_set_state_tp\")\nint f(void *x) { }\n",
        );
        place.edit(
            SCHED,
            "DECLARE_TRACE_CONDITION(sched_set_state,",
            "NOTHING(sched_set_state,",
        );
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.bpf.c:1  sched_set_state_tp, BPF raw tracepoint
      is gone",
            1,
        );
    }

    const NEW: &str = "struct cfs_rq *cfs_rq, int flags";

    #[test]
    fn arguments_that_the_probe_does_not_take() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(SCHED, "struct cfs_rq *cfs_rq", NEW);
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.c:2  pelt_cfs_tp, register_trace_X()
      hands over other arguments than the probe takes
      - struct cfs_rq *cfs_rq
      + struct cfs_rq *cfs_rq, int flags
      write void probe(void *data, struct cfs_rq *cfs_rq, int flags)",
            1,
        );
    }

    #[test]
    fn arguments_that_it_was_ported_to() {
        let ported = REGISTERS.replace("struct cfs_rq *cfs_rq", "struct cfs_rq *rq, int f");
        let place = Place::new("x.c", &ported);
        place.edit(SCHED, "struct cfs_rq *cfs_rq", NEW);
        place.shows("mod: none of 1 use breaks", 0);
        let program = "SEC(\"tp_btf/pelt_cfs_tp\")\nint BPF_PROG(f, struct cfs_rq *rq) { }\n";
        place.0.write("mod/x.c", program);
        // A BPF program may take less.
        place.shows("mod: none of 1 use breaks", 0);
    }

    #[test]
    fn arguments_of_a_program_that_does_not_say() {
        let place = Place::new("x.bt", "rt:pelt_cfs_tp { print(arg0); }\n");
        place.edit(
            SCHED,
            "struct cfs_rq *cfs_rq",
            "int cpu, struct cfs_rq *cfs_rq",
        );
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.bt:1  pelt_cfs_tp, bpftrace
      hands over other arguments
      - struct cfs_rq *cfs_rq
      + int cpu, struct cfs_rq *cfs_rq
      write arg0: int cpu, arg1: struct cfs_rq *cfs_rq",
            1,
        );
    }

    #[test]
    fn other_names_of_the_same_arguments_break_nothing() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(SCHED, "struct cfs_rq *cfs_rq", "struct cfs_rq *queue");
        place.shows("mod: none of 1 use breaks", 0);
    }

    #[test]
    fn export() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(CORE, "EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);", "");
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.c:2  pelt_cfs_tp, register_trace_X()
      is not exported to modules
      write for_each_kernel_tracepoint() to find \"pelt_cfs_tp\" by its name",
            1,
        );
    }

    #[test]
    fn licence() {
        let place = Place::new("x.c", REGISTERS);
        let core = place.0.path("old").join(CORE);
        let text = fs::read_to_string(&core).expect("a file");
        let plain = text.replace("SYMBOL_GPL(pelt_cfs_tp)", "SYMBOL(pelt_cfs_tp)");
        fs::write(core, plain).expect("written");
        place.shows(
            "\
mod: none of 1 use breaks, 1 to check
  ? x.c:2  pelt_cfs_tp, register_trace_X()
      is exported to GPL modules only
      write MODULE_LICENSE(\"GPL\")",
            0,
        );
    }

    #[test]
    fn condition() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(
            SCHED,
            "DECLARE_TRACE(pelt_cfs,",
            "#ifdef CONFIG_FAIR\nDECLARE_TRACE(pelt_cfs,",
        );
        place.edit(SCHED, "TP_ARGS(cfs_rq));", "TP_ARGS(cfs_rq));\n#endif");
        place.shows(
            "\
mod: none of 1 use breaks, 1 to check
  ? x.c:2  pelt_cfs_tp, register_trace_X()
      depends on CONFIG_FAIR",
            0,
        );
    }

    #[test]
    fn an_event_that_became_bare() {
        let place = Place::new("x.sh", "perf record -e sched:sched_switch\n");
        place.shows("mod: none of 1 use breaks", 0);
        place.edit(
            SCHED,
            "TRACE_EVENT(sched_switch,",
            "DECLARE_TRACE_EVENT(sched_switch,",
        );
        place.shows(
            "\
mod: 1 of 1 use breaks
  ! x.sh:1  sched_switch, trace event, by perf or tracefs
      has no trace event of its own
      write a BPF program on raw_tp/sched_switch, or a tprobe: t:GROUP/EVENT sched_switch",
            1,
        );
    }
}

mod gates {
    use super::*;

    const TEXT: &str = "\
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
int f(void) { return register_trace_gone_tp(probe, NULL); }
#endif
";

    #[test]
    fn what_is_not_compiled_does_not_break() {
        let place = Place::new("x.c", TEXT);
        let sched = place.0.path("old").join(SCHED);
        let text = fs::read_to_string(&sched).expect("a file");
        let more = "DECLARE_TRACE(gone, TP_PROTO(int x), TP_ARGS(x));\nDECLARE_TRACE(pelt_cfs,";
        fs::write(&sched, text.replace("DECLARE_TRACE(pelt_cfs,", more)).expect("written");
        place.shows(
            "mod: none of 1 use breaks\n  not compiled for Linux 7.3.4: 1 use",
            0,
        );
        place.0.write("mod/x.c", TEXT.replace("<", ">="));
        let json = place.json(&["old", "new", "--consumers", "mod"]);
        assert_eq!(json["uses"][0]["reasons"].to_string(), r#"["removed"]"#);
        assert_eq!(json["uses"][0]["gate"]["since"], "7.3");
        assert_eq!(json["uses"][0]["gate"]["before"], Value::Null);
    }

    #[test]
    fn profiles_are_enough() {
        let consumer = fixture("consumers/porting");
        let consumer = consumer.to_str().expect("UTF-8");
        let place = Place::new("x.c", "");
        let output = place.run(&["6.1", "6.12", "--consumers", consumer, "--consumers", "mod"]);
        let expected = "\
--- 6.1 (embedded profile, Linux 6.1.192)
+++ 6.12 (embedded profile, Linux 6.12.117)
Not compared, as only one side has them, or none: conditions and call sites.

porting: 2 of 6 uses break
  ! module.c:10  pelt_thermal_tp, register_trace_X()
      is now pelt_hw_tp
      write register_trace_pelt_hw_tp()
  ! watch.bt:1  pelt_thermal_tp, bpftrace
      is now pelt_hw_tp
      write rawtracepoint:pelt_hw_tp
  not compiled for Linux 6.12.117: 1 use
  in neither kernel: own_event

mod: no use of a tracepoint found
";
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        assert_eq!(output.status.code(), Some(1));
    }
}

mod json {
    use super::*;

    #[test]
    fn all_that_is_known_of_a_use() {
        let place = Place::new("x.c", REGISTERS);
        place.edit(SCHED, "struct cfs_rq *cfs_rq", "int cpu");
        let json = place.json(&["old", "new", "--consumers", "mod"]);
        let expected = serde_json::json!([{
            "consumer": "mod",
            "tracepoint": "pelt_cfs_tp",
            "file": "x.c",
            "line": 2,
            "way": "register",
            "gate": null,
            "prototype": ["struct cfs_rq *cfs_rq"],
            "breaks": true,
            "reasons": ["prototype"],
            "new": "pelt_cfs_tp",
            "new_prototype": ["int cpu"],
            "write": ["void probe(void *data, int cpu)"],
        }]);
        assert_eq!(json["uses"], expected);
        assert_eq!(json["schema"], 1);
        assert_eq!(json["changes"][0]["kind"], "prototype");
        assert_eq!(json["consumers"][0]["breaking"], 1);
    }

    #[test]
    fn what_was_not_read_is_named() {
        let place = Place::new("x.c", REGISTERS);
        place.0.write("mod/y.c", "\0");
        let json = place.json(&["old", "new", "--consumers", "mod"]);
        let expected = serde_json::json!([{"file": "y.c", "why": "binary"}]);
        assert_eq!(json["consumers"][0]["skipped"], expected);
        place.shows("mod: none of 1 use breaks\n  not read, binary: y.c", 0);
    }
}

#[test]
fn a_consumer_that_is_none_is_trouble() {
    let place = Place::new("x.c", "");
    for folder in ["none", "mod/x.c"] {
        let output = place.run(&["old", "new", "--consumers", folder]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains(folder) && error.lines().count() == 1,
            "{error}"
        );
        assert!(output.stdout.is_empty());
    }
}

mod trees {
    use crate::kernels::whole;
    use barepoint::consumers::{Use, Way, in_kernel};
    use std::collections::{BTreeMap, BTreeSet};

    fn uses(version: &str) -> (Vec<Use>, BTreeSet<String>) {
        let inventory = &whole(version).state.inventory;
        let bare = inventory.bare_names().into_iter().map(str::to_owned);
        (in_kernel(inventory), bare.collect())
    }

    /// The consumers of each bare hook.
    fn consumers(version: &str) -> BTreeMap<String, Vec<String>> {
        let (uses, bare) = uses(version);
        let mut consumers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in uses
            .into_iter()
            .filter(|one| bare.contains(&one.tracepoint))
        {
            assert_eq!(one.way, Way::Register, "{one:?}");
            consumers
                .entry(one.tracepoint)
                .or_default()
                .insert(one.consumer);
        }
        consumers
            .into_iter()
            .map(|(name, all)| (name, all.into_iter().collect()))
            .collect()
    }

    /// As the sources of the monitors have it, read by hand.
    #[test]
    fn monitors_of_7_3() {
        let expected = [
            ("sched_dl_replenish_tp", &["rv/nomiss"][..]),
            ("sched_dl_server_stop_tp", &["rv/nomiss"]),
            ("sched_dl_throttle_tp", &["rv/nomiss"]),
            (
                "sched_entry_tp",
                &["rv/nrp", "rv/sco", "rv/scpd", "rv/snep", "rv/sts"],
            ),
            (
                "sched_exit_tp",
                &["rv/sco", "rv/scpd", "rv/sleep", "rv/snep", "rv/sts"],
            ),
            ("sched_set_need_resched_tp", &["rv/nrp", "rv/opid"]),
            (
                "sched_set_state_tp",
                &["rv/sco", "rv/sleep", "rv/snroc", "rv/sssw"],
            ),
        ];
        let expected: BTreeMap<String, Vec<String>> = expected
            .iter()
            .map(|(name, all)| {
                let all = all.iter().map(|&one| one.to_owned()).collect();
                ((*name).to_owned(), all)
            })
            .collect();
        assert_eq!(consumers("7.3"), expected);
    }

    #[test]
    fn nobody_in_6_12() {
        assert_eq!(consumers("6.12"), BTreeMap::new());
        let (uses, _) = uses("6.12");
        let wwnr = |one: &Use| one.consumer == "rv/wwnr" && one.tracepoint == "sched_switch";
        assert!(uses.iter().any(wwnr), "events have probes, too");
    }
}
