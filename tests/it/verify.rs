// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint verify`, as a user runs it, on images that the C compiler makes of a few
//! lines: the tables of a kernel, with nothing in them but what a case is about.

use crate::fixtures::fixture;
use crate::workplace::{Workplace, finished, json, text, told};
use std::fs;
use std::path::PathBuf;
use std::process::Output;

/// The kernel's tables, and how a vmlinux is linked; shared with the fuzz targets.
const HEAD: &str = include_str!("../fixtures/image/image.h");
const LINKED: &str = concat!(
    "@",
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/image/vmlinux.flags"
);

const CLEAN: &str = "BARE(pelt_cfs_tp) BARE(sched_overutilized_tp) TRACED(sched_switch, sched)";

struct Place(Workplace);

impl Place {
    fn new() -> Self {
        Self(Workplace::empty())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path(path)
    }

    fn write(&self, path: &str, text: &[u8]) {
        self.0.write(path, text);
    }

    fn tool(&self, name: &str, arguments: &[&str]) {
        let output = finished(self.0.command(name).args(arguments));
        assert!(
            output.status.success(),
            "{name} {arguments:?}: {}",
            told(&output)
        );
    }

    /// A module, `path`, of `body`.
    fn module(&self, path: &str, body: &str) {
        self.write(path, b"");
        self.write("case.c", [HEAD, body].concat().as_bytes());
        self.tool("cc", &["-c", "-O0", "-fno-pie", "-o", path, "case.c"]);
    }

    /// A vmlinux of `body`.
    fn vmlinux(&self, body: &str, options: &[&str]) {
        self.write("case.c", [HEAD, body].concat().as_bytes());
        let ours = [LINKED, "-o", "vmlinux", "case.c"];
        self.tool("cc", &[&ours, options].concat());
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut run = self.0.barepoint(&["verify", "--tree"]);
        finished(run.arg(fixture("kernel-7.3")).args(arguments))
    }

    /// `LEVEL RULE TRACEPOINT` of each finding, and the status.
    fn found(&self, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
        let output = self.run(&[&["--format", "json"], arguments].concat());
        let json = json(&output);
        let findings = json["findings"].as_array().expect("findings").iter();
        let lines = findings.map(|one| {
            let name = one["tracepoint"].as_str().unwrap_or("-");
            format!("{} {} {name}", one["level"], one["rule"]).replace('"', "")
        });
        (lines.collect(), output.status.code())
    }

    fn is_clean(&self, arguments: &[&str]) {
        assert_eq!(self.found(arguments), (Vec::new(), Some(0)));
    }

    fn has(&self, arguments: &[&str], finding: &str, status: i32) {
        let expected = (vec![finding.to_owned()], Some(status));
        assert_eq!(self.found(arguments), expected);
    }

    /// The one line that `verify` ends with.
    fn trouble(&self, arguments: &[&str], says: &str) {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(says), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

/// What a vmlinux needs to have every table.
const OTHERS: &str = "BARE(sched_overutilized_tp) TRACED(sched_switch, sched)";

const VMLINUX: [&str; 2] = ["--vmlinux", "vmlinux"];
const MODULES: [&str; 2] = ["--modules", "modules"];

mod images {
    use super::*;

    #[test]
    fn a_clean_vmlinux() {
        let place = Place::new();
        place.vmlinux(CLEAN, &[]);
        place.is_clean(&VMLINUX);
        if cfg!(target_pointer_width = "64") {
            place.vmlinux(CLEAN, &["-DPOINTERS"]);
            place.is_clean(&VMLINUX);
        }
    }

    #[test]
    fn what_it_prints() {
        let place = Place::new();
        place.vmlinux(CLEAN, &[]);
        let print = |arguments: &[&str]| {
            let output = place.run(arguments);
            text(&output.stdout)
        };
        let text = print(&VMLINUX);
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        let row = |first: &str| {
            let row = rows.iter().find(|row| row.first() == Some(&first));
            row.unwrap_or_else(|| panic!("{first} in {text}"))
        };
        assert_eq!(row("tree")[1..6], ["12", "4", "8", "11", "4"]);
        assert_eq!(row("vmlinux")[1..6], ["3", "2", "1", "3", "2"]);
        assert!(row("vmlinux").ends_with(&["(Linux", "7.3.4-test)"]));
        assert_eq!(row("pelt_cfs_tp")[1..5], ["yes", "no", "yes", "gpl"]);
        assert_eq!(row("sched_set_state_tp")[1..5], ["no", "no", "-", "-"]);
        assert!(text.contains("9 of the tree's tracepoints are not in what was given."));
        place.module("modules/m.ko", "TRACED(sched_switch, sched)");
        let text = print(&[VMLINUX, MODULES].concat());
        assert!(text.contains("9 of the tree's tracepoints are not in this build."));
        // What is in no module may be in the kernel.
        let text = print(&MODULES);
        let mut rows = text.lines().map(str::split_whitespace);
        let row = rows.find_map(|mut row| (row.next() == Some("pelt_cfs_tp")).then_some(row));
        assert_eq!(row.and_then(|mut row| row.next()), Some("-"), "{text}");
        assert!(text.contains("modules (1 file)"), "{text}");
    }

    #[test]
    fn modules_as_they_are_kept() {
        let place = Place::new();
        place.module("modules/a/plain.ko", "BARE(pelt_cfs_tp)");
        place.module("modules/xz.ko", "BARE(sched_overutilized_tp)");
        place.module("modules/gz.ko", "TRACED(sched_switch, sched)");
        place.module("modules/default.ko", "TRACED(sched_wakeup, sched)");
        place.module("zst.ko", "TRACED(sched_waking, sched)");
        place.tool("xz", &["--check=crc32", "modules/xz.ko"]);
        // CRC64, as xz has it if nobody asks for another.
        place.tool("xz", &["modules/default.ko"]);
        place.tool("gzip", &["modules/gz.ko"]);
        let plain = fs::read(place.path("zst.ko")).expect("a module");
        place.write("modules/zst.ko.zst", &zstd(&plain));
        let output = place.run(&[&MODULES[..], &["--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let source = &json["verified"]["sources"][1];
        assert_eq!(source["modules"], 5);
        assert_eq!(
            (&source["tracepoints"], &source["bare"]),
            (&5.into(), &2.into())
        );
        assert_eq!(json["findings"], serde_json::json!([]));
    }

    /// A frame of raw blocks (RFC 8878).
    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
        frame.extend((bytes.len() as u32).to_le_bytes());
        let last = bytes.len().div_ceil(1 << 16) - 1;
        for (index, block) in bytes.chunks(1 << 16).enumerate() {
            let head = (block.len() as u32) << 3 | u32::from(index == last);
            frame.extend(&head.to_le_bytes()[..3]);
            frame.extend(block);
        }
        frame
    }

    #[test]
    fn a_module_on_a_tracepoint_of_the_vmlinux() {
        let place = Place::new();
        place.vmlinux(CLEAN, &[]);
        let body = "extern struct tracepoint __tracepoint_pelt_cfs_tp; CLASS(mine)
            CALL(anything, mine, .tp = &__tracepoint_pelt_cfs_tp)";
        place.module("modules/spy.ko", body);
        let both = [VMLINUX, MODULES].concat();
        place.has(&both, "error verify-leak pelt_cfs_tp", 1);
    }

    #[test]
    fn links_to_modules_elsewhere() {
        let place = Place::new();
        place.module(
            "elsewhere/leak.ko",
            "BARE(pelt_cfs_tp) EVENT(pelt_cfs_tp, sched)",
        );
        place.module("modules/own.ko", "TRACED(sched_switch, sched)");
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, place.path(name)).expect("a link");
        };
        link("../elsewhere", "modules/build");
        link("own.ko", "modules/alias.ko");
        link("nowhere.ko", "modules/gone.ko");
        place.is_clean(&MODULES);
        link("../elsewhere/leak.ko", "modules/weak.ko");
        link("../elsewhere/leak.ko", "modules/zweak.ko");
        place.has(&MODULES, "error verify-leak pelt_cfs_tp", 1);
    }

    #[test]
    fn the_tree_is_of_another_version() {
        let place = Place::new();
        let path = place.path("vmlinux");
        place.vmlinux(CLEAN, &[]);
        let text = fs::read(&path).expect("an image");
        let at = memchr::memmem::find(&text, b"7.3.4-test").expect("a banner");
        let mut other = text;
        other[at..at + 5].copy_from_slice(b"7.2.9");
        fs::write(&path, other).expect("written");
        place.has(&VMLINUX, "warning verify-version -", 0);
        let strict = [&VMLINUX[..], &["--strict"]].concat();
        place.has(&strict, "warning verify-version -", 1);
    }
}

mod leaks {
    use super::*;

    fn leaks(body: &str) {
        let place = Place::new();
        place.vmlinux(&format!("{OTHERS} {body}"), &[]);
        place.has(&VMLINUX, "error verify-leak pelt_cfs_tp", 1);
        place.module("modules/m.ko", body);
        place.has(&MODULES, "error verify-leak pelt_cfs_tp", 1);
    }

    #[test]
    fn an_event_of_its_own() {
        leaks("BARE(pelt_cfs_tp) EVENT(pelt_cfs_tp, sched)");
    }

    #[test]
    fn an_event_of_another_name() {
        // Its name comes from the union with tp, so the tracepoint must be elsewhere.
        leaks(
            "BARE(pelt_cfs_tp) CALL(other, sched, .tp = \"other\", .data = &__tracepoint_pelt_cfs_tp)",
        );
    }

    #[test]
    fn a_custom_event_that_names_it() {
        leaks("BARE(pelt_cfs_tp) CALL(custom, sched, .tp = \"pelt_cfs_tp\")");
    }

    #[test]
    fn an_event_without_its_suffix() {
        leaks("TRACED(pelt_cfs, sched)");
    }
}

mod differences {
    use super::*;

    fn differs(body: &str, finding: &str, status: i32) {
        let place = Place::new();
        place.vmlinux(&format!("{OTHERS} {body}"), &[]);
        place.has(&VMLINUX, finding, status);
    }

    #[test]
    fn each_of_them() {
        differs(
            "TP(nobody_knows_tp)",
            "error verify-unknown nobody_knows_tp",
            1,
        );
        differs(
            "TP(pelt_cfs_tp) BPF(pelt_cfs_tp)",
            "warning verify-differs pelt_cfs_tp",
            0,
        );
        differs(
            "TP(pelt_cfs_tp) BPF(pelt_cfs_tp) EXPORT(pelt_cfs_tp, 0)",
            "error verify-differs pelt_cfs_tp",
            1,
        );
        differs(
            "TP(pelt_cfs_tp) EXPORT(pelt_cfs_tp, 1)",
            "warning verify-differs pelt_cfs_tp",
            0,
        );
        differs(
            "BARE(sched_set_state_tp)",
            "error verify-differs sched_set_state_tp",
            1,
        );
        differs(
            "TP(sched_waking) BPF(sched_waking)",
            "warning verify-differs sched_waking",
            0,
        );
    }

    #[test]
    fn a_module_of_another_tree() {
        let place = Place::new();
        place.module("modules/own.ko", "TRACED(my_own, sched)");
        place.has(&MODULES, "warning verify-unknown my_own", 0);
        let intree =
            "TRACED(my_own, sched) const char info[] SECTION(\".modinfo\") = \"intree=Y\";";
        place.module("modules/own.ko", intree);
        place.has(&MODULES, "error verify-unknown my_own", 1);
    }
}

mod tracefs {
    use super::*;

    fn place(events: &[&str]) -> Place {
        let place = Place::new();
        for event in events {
            place.write(&format!("tracefs/events/{event}/format"), b"");
        }
        place.write("tracefs/events/enable", b"0\n");
        place
    }

    const TRACEFS: [&str; 2] = ["--tracefs", "tracefs"];

    #[test]
    fn a_clean_one() {
        let place = place(&[
            "sched/sched_switch",
            "ftrace/function",
            "syscalls/sys_enter_read",
        ]);
        place.is_clean(&TRACEFS);
        place.is_clean(&["--tracefs", "tracefs/events"]);
        place.vmlinux(CLEAN, &[]);
        place.is_clean(&[VMLINUX, TRACEFS].concat());
    }

    #[test]
    fn a_bare_tracepoint_with_an_event() {
        let leak = "error verify-leak pelt_cfs_tp";
        place(&["sched/pelt_cfs_tp"]).has(&TRACEFS, leak, 1);
        place(&["mine/pelt_cfs"]).has(&TRACEFS, leak, 1);
        let place = Place::new();
        place.write(
            "available_events",
            b"sched:sched_switch\nsched:pelt_cfs_tp\n",
        );
        place.has(&["--tracefs", "available_events"], leak, 1);
        place.has(&["--tracefs", "."], leak, 1);
    }

    #[test]
    fn events_of_roots_own() {
        let place = place(&[
            "sched/sched_switch",
            "tracepoints/pelt_cfs_tp",
            "mine/pelt_cfs",
        ]);
        let lines = b"t:tracepoints/pelt_cfs_tp pelt_cfs_tp\np:mine/pelt_cfs vfs_read+0\n";
        place.write("tracefs/dynamic_events", lines);
        place.has(&TRACEFS, "note verify-probe pelt_cfs_tp", 0);
    }

    #[test]
    fn another_kernel_runs() {
        let one = place(&["sched/sched_waking"]);
        one.vmlinux(CLEAN, &[]);
        let both = [VMLINUX, TRACEFS].concat();
        one.has(&both, "warning verify-differs sched_switch", 0);
        one.module("modules/m.ko", "int nothing;");
        let (found, _) = one.found(&[&both[..], &MODULES].concat());
        assert_eq!(
            found,
            [
                "warning verify-differs sched_waking",
                "warning verify-differs sched_switch",
            ]
        );
        place(&["mine/nobody_knows"]).has(&TRACEFS, "warning verify-unknown nobody_knows", 0);
    }
}

mod trouble {
    use super::*;

    #[test]
    fn what_cannot_be_verified() {
        let place = Place::new();
        place.trouble(&[], "give --vmlinux FILE, --modules DIR or --tracefs DIR");
        place.trouble(&["--vmlinux", "nowhere"], "nowhere");
        place.trouble(&["--vmlinux", "."], "is no file");
        place.trouble(&["--modules", "."], "no modules");
        place.trouble(&["--tracefs", "."], "no events");
        let mut boot = vec![0; 0x400];
        boot[0x202..0x206].copy_from_slice(b"HdrS");
        place.write("bzImage", &boot);
        place.trouble(&["--vmlinux", "bzImage"], "a boot image");
        place.write("Image.gz", b"\x1f\x8b\x08rest");
        place.trouble(&["--vmlinux", "Image.gz"], "compressed");
        place.write("text", b"hello");
        place.trouble(&["--vmlinux", "text"], "not an ELF file");
        place.trouble(&["--modules", "text"], "text");
    }

    #[test]
    fn images_without_what_is_needed() {
        let place = Place::new();
        place.vmlinux(CLEAN, &[]);
        place.trouble(&["--modules", "vmlinux"], "--vmlinux");
        place.tool("strip", &["vmlinux"]);
        place.trouble(&VMLINUX, "linux-image-*-dbg");
        place.module("m.ko", CLEAN);
        place.trouble(&["--vmlinux", "m.ko"], "--modules");
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let place = Place::new();
        place.tool("mkfifo", &["available_events"]);
        place.trouble(&["--tracefs", "."], "no ordinary file");
        place.trouble(&["--modules", "available_events"], "no ordinary file");
    }

    /// Sections that share their bytes would be read as often as there are sections, and
    /// without their names tables are not found.
    #[test]
    fn headers_of_sections_that_cannot_be() {
        if !cfg!(all(target_pointer_width = "64", target_endian = "little")) {
            return;
        }
        let place = Place::new();
        place.module("m.ko", CLEAN);
        let image = fs::read(place.path("m.ko")).expect("a module");
        let word = |at: usize, size: usize| {
            let bytes = image[at..at + size].iter().rev();
            bytes.fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
        };
        // e_shoff and e_shnum.
        let (headers, count) = (word(0x28, 8), word(0x3c, 2));
        let broken = |change: &dyn Fn(&mut [u8])| {
            let mut image = image.clone();
            for header in image[headers..].chunks_mut(64).take(count).skip(1) {
                change(header);
            }
            image
        };
        // sh_offset and sh_size of what is PROGBITS, then sh_name.
        let shared = broken(&|header| {
            if header[4] == 1 {
                header[0x18..0x20].fill(0);
                header[0x20..0x28].copy_from_slice(&headers.to_le_bytes());
            }
        });
        place.write("shared.ko", &shared);
        place.trouble(&["--modules", "shared.ko"], "larger than the file");
        place.write("nameless.ko", &broken(&|header| header[..4].fill(0xff)));
        place.trouble(&["--modules", "nameless.ko"], "no name");
    }

    /// Whatever becomes of an image, `read` ends with an answer or with an error.
    #[test]
    fn broken_images() {
        let place = Place::new();
        place.module("m.ko", CLEAN);
        place.vmlinux(CLEAN, &[]);
        let module = fs::read(place.path("m.ko")).expect("a module");
        let vmlinux = fs::read(place.path("vmlinux")).expect("a vmlinux");
        let mut errors = 0;
        let mut read = |bytes: &[u8], is_module: bool| {
            let is_error = if is_module {
                barepoint::elf::modules::of_bytes(bytes).is_err()
            } else {
                barepoint::elf::open::vmlinux_in(std::io::Cursor::new(bytes)).is_err()
            };
            errors += usize::from(is_error);
        };
        for (bytes, is_module) in [(&module, true), (&vmlinux, false)] {
            let step = bytes.len() / 150 + 1;
            for at in (0..bytes.len()).step_by(step) {
                read(&bytes[..at], is_module);
            }
            // Every byte of the header, and some of the rest, as large as can be.
            let rest = (64..bytes.len() - 8).step_by(step / 4 + 1);
            for at in (4..64).chain(rest) {
                for width in [1, 4, 8] {
                    let mut broken = bytes.clone();
                    broken[at..at + width].fill(0xff);
                    read(&broken, is_module);
                }
            }
        }
        assert!(errors > 300, "{errors}");
    }
}

#[test]
fn every_format_knows_the_findings() {
    let place = Place::new();
    place.vmlinux("BARE(pelt_cfs_tp) EVENT(pelt_cfs_tp, sched)", &[]);
    for format in [
        "human",
        "checkpatch",
        "json",
        "sarif",
        "github",
        "gitlab",
        "b4",
    ] {
        let output = place.run(&[&VMLINUX[..], &["--format", format]].concat());
        assert_eq!(output.status.code(), Some(1), "{format}");
        let text = text(&output.stdout);
        assert!(text.contains("sched:pelt_cfs_tp"), "{format}: {text}");
    }
    let output = place.run(&[&VMLINUX[..], &["--format", "sarif"]].concat());
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let run = &log["runs"][0];
    let index = run["results"][0]["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "verify-leak");
}

#[test]
fn each_kind_is_explained() {
    for kind in barepoint::verify::KINDS {
        let output = Workplace::empty().run(&["explain", kind.id]);
        assert_eq!(output.status.code(), Some(0));
        let text = text(&output.stdout);
        assert!(
            text.contains(kind.id) && text.contains("How to fix"),
            "{text}"
        );
    }
}

#[test]
fn the_table_of_findings_is_that_of_the_pages() {
    let pages = barepoint::verify::pages().expect("pages");
    let rows = pages
        .iter()
        .map(|page| format!("| `{}` | {} | {} |", page.id, page.level, page.summary));
    let expected = rows.collect::<Vec<_>>().join("\n");
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&expected),
        "README.md should have\n{expected}"
    );
}
