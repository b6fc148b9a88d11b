// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Who uses which tracepoint: a small consumer of our own for each way.

use crate::fixtures::fixture;
use crate::workplace::Workplace;
use barepoint::consumers::{Names, Reading, Use, reading};
use std::fs;
use std::path::{Path, PathBuf};

const KNOWN: [&str; 16] = [
    "pelt_cfs_tp",
    "pelt_dl_tp",
    "pelt_hw_tp",
    "pelt_irq_tp",
    "pelt_rt_tp",
    "pelt_se_tp",
    "pelt_thermal_tp",
    "sched_cpu_capacity_tp",
    "sched_entry_tp",
    "sched_exit_tp",
    "sched_overutilized_tp",
    "sched_set_state_tp",
    "sched_util_est_cfs_tp",
    "sched_util_est_se_tp",
    "rust_sample_loaded",
    "sched_switch",
];

fn consumer(name: &str) -> PathBuf {
    fixture("consumers").join(name)
}

fn read(root: &Path) -> Reading {
    reading(root, &Names::exactly(KNOWN)).expect("a consumer")
}

/// A use in one line: place, tracepoint, way, gate, prototype.
fn shown(one: &Use) -> String {
    let mut line = format!("{}:{} {} {:?}", one.file, one.line, one.tracepoint, one.way);
    if let Some(gate) = one.gate {
        if let Some(since) = gate.since {
            line += &format!(" >={since}");
        }
        if let Some(before) = gate.before {
            line += &format!(" <{before}");
        }
    }
    if let Some(prototype) = &one.prototype {
        line += &format!(" ({})", prototype.join(", "));
    }
    line
}

#[track_caller]
fn has(name: &str, expected: &[&str]) {
    let reading = read(&consumer(name));
    let mut uses = reading.uses;
    assert!(uses.iter().all(|one| one.consumer == name), "{uses:?}");
    uses.sort_by(|a, b| (&a.file, a.line, &a.tracepoint).cmp(&(&b.file, b.line, &b.tracepoint)));
    let found: Vec<String> = uses.iter().map(shown).collect();
    assert_eq!(found, expected);
    assert_eq!(reading.skipped, []);
}

mod ways {
    use super::*;

    #[test]
    fn register() {
        has(
            "register",
            &[
                "probe.c:31 pelt_cfs_tp Register (struct cfs_rq *cfs_rq)",
                "probe.c:39 pelt_thermal_tp Register <6.8 (struct rq *rq)",
                "probe.c:41 pelt_hw_tp Register >=6.8 (struct rq *rq)",
                "probe.c:44 sched_cpu_capacity_tp Register >=5.10 (struct rq *rq)",
                "probe.c:46 sched_overutilized_tp Register <6.1 (int over, struct root_domain *rd)",
                "probe.c:46 sched_overutilized_tp Register >=6.1 (struct root_domain *rd, bool over)",
                "probe.c:48 pelt_rt_tp Register (struct rq *rq)",
            ],
        );
    }

    #[test]
    fn symbol() {
        has(
            "symbol",
            &[
                "probe.c:12 pelt_se_tp Symbol",
                "probe.c:21 pelt_dl_tp Symbol <5.0 (struct cfs_rq *cfs_rq)",
                "probe.c:23 pelt_irq_tp Symbol",
                "probe.c:26 pelt_cfs_tp Symbol (struct cfs_rq *cfs_rq)",
            ],
        );
    }

    #[test]
    fn lookup() {
        has(
            "lookup",
            &[
                "find.h:18 sched_overutilized_tp Lookup",
                "hooks.c:10 pelt_cfs_tp Lookup (struct cfs_rq *cfs_rq)",
                "hooks.c:16 pelt_se_tp Lookup (struct cfs_rq *cfs_rq)",
                "hooks.c:27 sched_util_est_se_tp Lookup",
                "hooks.def:3 pelt_rt_tp Lookup (struct cfs_rq *cfs_rq)",
                "hooks.def:5 pelt_thermal_tp Lookup <6.0 (struct cfs_rq *cfs_rq)",
            ],
        );
    }

    #[test]
    fn monitors_of_runtime_verification() {
        has(
            "rv",
            &[
                "monitor.c:9 sched_set_state_tp Register (struct task_struct *tsk, int state)",
                "monitor.c:14 sched_entry_tp Register <7.0 (struct task_struct *tsk, int state)",
            ],
        );
    }

    #[test]
    fn bpf() {
        has(
            "bpf",
            &[
                "load.c:6 pelt_se_tp BpfRawTracepoint",
                "load.c:7 sched_cpu_capacity_tp BpfRawTracepoint",
                "load.cc:3 sched_switch Perf",
                "prog.bpf.c:6 pelt_cfs_tp BpfBtf (struct cfs_rq *cfs_rq)",
                "prog.bpf.c:12 pelt_rt_tp BpfRawTracepoint",
                "prog.bpf.c:18 pelt_dl_tp BpfRawTracepoint",
                "prog.bpf.c:24 pelt_irq_tp BpfRawTracepoint",
                "prog.bpf.c:39 pelt_thermal_tp BpfRawTracepoint <6.8",
                "prog.bpf.c:46 sched_overutilized_tp Perf",
            ],
        );
    }

    #[test]
    fn bcc() {
        has(
            "bcc",
            &[
                "watch.py:12 pelt_thermal_tp BpfRawTracepoint <6.8",
                "watch.py:14 pelt_cfs_tp BpfRawTracepoint",
                "watch.py:21 pelt_rt_tp BpfRawTracepoint",
                "watch.py:22 pelt_dl_tp BpfRawTracepoint",
                "watch.py:25 sched_switch Perf",
            ],
        );
    }

    #[test]
    fn go() {
        has(
            "go",
            &[
                "main.go:9 pelt_cfs_tp BpfRawTracepoint",
                "main.go:15 pelt_rt_tp BpfRawTracepoint",
                "main.go:16 sched_switch Perf",
            ],
        );
    }

    #[test]
    fn bpftrace() {
        has(
            "bpftrace",
            &[
                "load.bt:5 pelt_cfs_tp Bpftrace",
                "load.bt:6 pelt_rt_tp Bpftrace",
                "load.bt:11 sched_util_est_cfs_tp Bpftrace",
                "load.bt:11 sched_util_est_se_tp Bpftrace",
                "watch.sh:3 pelt_dl_tp Bpftrace",
                "watch.sh:6 pelt_se_tp Bpftrace",
            ],
        );
    }

    #[test]
    fn systemtap() {
        has(
            "systemtap",
            &[
                "watch.sh:4 pelt_se_tp Lookup",
                "watch.stp:4 pelt_cfs_tp Lookup",
                "watch.stp:4 pelt_rt_tp Lookup",
                "watch.stp:9 sched_util_est_cfs_tp Lookup",
                "watch.stp:9 sched_util_est_se_tp Lookup",
            ],
        );
    }

    #[test]
    fn tprobe() {
        has(
            "tprobe",
            &[
                "set.c:7 pelt_se_tp Tprobe",
                "set.sh:4 pelt_cfs_tp Tprobe",
                "set.sh:6 pelt_rt_tp Tprobe",
                "set.sh:8 pelt_irq_tp Tprobe",
                "tprobes:2 pelt_dl_tp Tprobe",
            ],
        );
    }

    #[test]
    fn perf() {
        has(
            "perf",
            &[
                "record.py:4 pelt_irq_tp Perf",
                "record.sh:3 pelt_cfs_tp Perf",
                "record.sh:3 pelt_rt_tp Perf",
                "record.sh:4 pelt_se_tp Perf",
            ],
        );
    }

    #[test]
    fn trace_command() {
        has(
            "trace-cmd",
            &[
                "record.sh:3 pelt_cfs_tp TraceCommand",
                "record.sh:4 pelt_rt_tp TraceCommand",
            ],
        );
    }

    #[test]
    fn rust() {
        has(
            "rust",
            &[
                "lib.rs:6 rust_sample_loaded Rust",
                "lib.rs:11 pelt_cfs_tp Rust",
                "lib.rs:12 pelt_rt_tp BpfRawTracepoint",
                "lib.rs:17 pelt_se_tp BpfRawTracepoint",
                "lib.rs:22 sched_cpu_capacity_tp BpfBtf",
            ],
        );
    }

    #[test]
    fn lttng() {
        has(
            "lttng",
            &[
                "instrumentation/sched.h:6 pelt_cfs_tp Lookup (struct cfs_rq *cfs_rq)",
                "instrumentation/sched.h:18 pelt_rt_tp Lookup (struct rq *rq)",
                "instrumentation/sched.h:27 pelt_thermal_tp Lookup >=5.7 <6.9 (struct rq *rq)",
            ],
        );
    }
}

mod folders {
    use super::*;

    const USE: &[u8] = b"int f(void) { return register_trace_pelt_cfs_tp(p, 0); }\n";

    fn consumers(root: &Path) -> Vec<String> {
        let uses = read(root).uses;
        let name = |one: &Use| format!("{} {}", one.consumer, one.file);
        uses.iter().map(name).collect()
    }

    #[test]
    fn a_folder_of_repositories_is_several_consumers() {
        let place = Workplace::empty();
        let root = place.path("all");
        place.write("all/a/src/x.c", USE);
        place.write("all/b/x.c", USE);
        place.write("all/x.c", USE);
        assert_eq!(consumers(&root), ["all a/src/x.c", "all b/x.c", "all x.c"]);
        place.write("all/a/.git/HEAD", b"");
        assert_eq!(consumers(&root), ["a src/x.c", "all x.c", "b x.c"]);
        place.write("all/.git", b"gitdir: elsewhere");
        assert_eq!(consumers(&root), ["all a/src/x.c", "all b/x.c", "all x.c"]);
    }

    #[test]
    fn links_and_fifos_are_not_opened() {
        let place = Workplace::empty();
        let root = place.path("one");
        place.write("outside/x.c", USE);
        place.write("one/y.c", USE);
        std::os::unix::fs::symlink("../outside", root.join("link")).expect("a link");
        std::os::unix::fs::symlink("../outside/x.c", root.join("x.c")).expect("a link");
        place.sh("mkfifo one/fifo.c");
        assert_eq!(consumers(&root), ["one y.c"]);
    }

    #[test]
    fn what_is_large_or_binary_is_named() {
        let place = Workplace::empty();
        let large = fs::File::create(place.path("large.c")).expect("a file");
        large.set_len(1 << 30).expect("a sparse file");
        place.write("vmlinux.h", vec![b' '; 5 << 20]);
        place.write("binary.c", b"\0\x01");
        place.write("x.c", USE);
        let reading = read(place.top());
        let skipped: Vec<_> = reading
            .skipped
            .iter()
            .map(|one| (one.file.as_str(), one.why))
            .collect();
        assert_eq!(
            skipped,
            [("binary.c", "binary"), ("large.c", "larger than 4 MiB")]
        );
        assert_eq!(reading.uses.len(), 1);
    }

    #[test]
    fn no_bytes_and_no_names_are_too_odd() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let place = Workplace::empty();
        let odd = place.path(OsStr::from_bytes(b"x\xff.c"));
        fs::write(odd, [b"// \xff\xfe\n", USE].concat()).expect("written");
        assert_eq!(read(place.top()).uses[0].file, "x\u{fffd}.c");
        assert_eq!(read(place.top()).uses[0].line, 2);
        let lines = [&[0xff; 40][..], b"\nt:my/event pelt_cfs_tp\n\n\n\n\n"].concat();
        place.write("probes", &lines);
        let uses = read(place.top()).uses;
        let probe = uses.iter().find(|one| one.file == "probes");
        assert_eq!(probe.map(|one| one.line), Some(2));
    }

    #[test]
    fn what_says_pragma_once_is_read_once() {
        let place = Workplace::empty();
        place.write("once.h",
            b"#  pragma once\n#ifdef SEEN\nregister_trace_pelt_rt_tp(p, 0);\n#endif\n#define SEEN\n",
        );
        let twice = "#undef SEEN\n#include \"once.h\"\n#include \"once.h\"\n";
        place.write("x.c", [twice.as_bytes(), USE].concat());
        assert_eq!(consumers(place.top()).len(), 1);
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        let names = Names::exactly(KNOWN);
        let error = reading(Path::new("/none/such"), &names).expect_err("no folder");
        assert!(format!("{error:#}").contains("/none/such"));
        let error = reading(&consumer("rv/monitor.c"), &names).expect_err("a file");
        assert!(format!("{error:#}").contains("not a directory"));
    }

    #[test]
    fn hostile_text_ends() {
        let place = Workplace::empty();
        let deep = "#if X\n".repeat(20_000) + "register_trace_pelt_cfs_tp(p, 0);\n";
        place.write("deep.c", deep.as_bytes());
        place.write("ends.c", "#endif\n#else\n".repeat(1000).as_bytes());
        place.write(
            "self.c",
            b"#include \"self.c\"\n#include \"self.c\"\nregister_trace_x(p, 0);",
        );
        let doubling: String = (0..64)
            .map(|n| format!("#define A{} A{n} A{n}\n", n + 1))
            .collect();
        place.write(
            "bomb.c",
            format!(
                "#define A0 register_trace_x(p, 0);\n{doubling}{}",
                "A64\n".repeat(50)
            )
            .as_bytes(),
        );
        place.write("open.c", ("register_trace_x(".repeat(5000)).as_bytes());
        place.write("quotes.py", "'\"".repeat(100_000).as_bytes());
        place.write(
            "events.sh",
            format!("perf {}", "sched:sched_switch,".repeat(50_000)).as_bytes(),
        );
        let found = read(place.top()).uses;
        assert!(found.iter().any(|one| one.file == "deep.c"));
        assert!(found.iter().any(|one| one.file == "self.c"));
    }
}
