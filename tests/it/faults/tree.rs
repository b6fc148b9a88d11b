// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A kernel tree of which a file is no file, is too large, may not be read or changes.

use super::*;
use crate::workplace::{Workplace, text, told};
use std::ffi::OsStr;
use std::fs;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;

#[test]
fn what_may_not_be_read_is_named() {
    let place = Workplace::new();
    place.sh("cp \"$B\" barepoint");
    for path in ["", "kernel", "barepoint"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.path(path), mode).expect("a mode");
    }
    let shut = |path: &str, mode: u32| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(place.path(path), mode).expect("a mode");
    };
    // Modes do not keep root out.
    let run = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let is_root = place.shell("test $(id -u) = 0").status.success();
    let run = if is_root { run } else { "" };
    for (path, mode, open) in [
        ("kernel/fs/inode.c", 0o000, 0o644),
        ("kernel/fs/ext4", 0o000, 0o755),
        ("kernel/include/trace/bpf_probe.h", 0o000, 0o644),
    ] {
        shut(path, mode);
        for arguments in ["list --tree kernel", "check --tree kernel"] {
            let output = place.shell(&format!("{run} ./barepoint {arguments}"));
            one_line(&output, path, &[path, "Permission denied"]);
        }
        shut(path, open);
    }
    place.write("own.patch", PATCH);
    shut(&format!("kernel/{HEADER}"), 0o000);
    let output = place.shell(&format!("{run} ./barepoint check --tree kernel own.patch"));
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains(HEADER), "{}", told(&output));
}

#[test]
fn a_file_of_a_gigabyte_is_refused_by_name() {
    let place = Workplace::new();
    let huge = |path: &str| {
        let file = File::create(place.path(path)).expect("a file");
        file.set_len(1 << 30).expect("a length");
    };
    for path in ["kernel/fs/huge.c", "kernel/.barepoint.toml"] {
        huge(path);
        fails(&place, CHECK, &[path, "larger than 64 MiB"]);
        fs::remove_file(place.path(path)).expect("removed");
    }
    huge("huge");
    let larger = "larger than 64 MiB";
    fails(&place, &[CHECK, &["huge"]].concat(), &["huge", larger]);
    fails(
        &place,
        &[CHECK, &["--zones", "huge"]].concat(),
        &["huge", larger],
    );
    fails(
        &place,
        &[CHECK, &["--baseline", "huge"]].concat(),
        &["huge", larger],
    );
    fails(&place, &["diff", "huge", "7.3"], &["huge", larger]);
}

#[test]
fn what_never_ends_is_refused() {
    let place = Workplace::new();
    for arguments in [
        &["--zones", "/dev/zero"][..],
        &["--baseline", "/dev/zero"],
        &["/dev/zero"],
    ] {
        fails(
            &place,
            &[CHECK, arguments].concat(),
            &["/dev/zero", "larger than"],
        );
    }
    fails(
        &place,
        &["diff", "/dev/zero", "7.3"],
        &["/dev/zero", "larger than"],
    );
}

#[test]
fn links_and_fifos_are_no_files() {
    let place = Workplace::new();
    let before = place.run(LIST);
    succeeds(&before, "before");
    place.sh("mkfifo kernel/fs/fifo.c && mkfifo kernel/.barepoint.toml");
    for (to, at) in [
        ("..", "up"),
        ("loop.c", "loop.c"),
        ("nowhere", "dangling.c"),
        ("/etc", "out"),
        ("/dev/zero", "zero.c"),
        ("inode.c", "twin.c"),
    ] {
        symlink(to, place.path("kernel/fs").join(at)).expect("a link");
    }
    let after = place.run(LIST);
    succeeds(&after, "after");
    assert_eq!(before.stdout, after.stdout);
    succeeds(&place.run(CHECK), "check");
}

#[test]
fn zones_that_cannot_be_read_are_not_passed_over() {
    for to in ["/etc/passwd", "/proc/self/mem", ".barepoint.toml"] {
        let place = Workplace::new();
        let own = "kernel/.barepoint.toml";
        symlink(to, place.path(own)).expect("a link");
        place.write("own.patch", PATCH);
        fails(&place, CHECK, &[own]);
        fails(&place, &[CHECK, &["own.patch"]].concat(), &[own]);
    }
}

#[test]
fn a_fifo_among_patches_is_not_waited_for() {
    let place = Workplace::new();
    place.sh("mkdir queue && mkfifo queue/a.patch");
    fails(
        &place,
        &[CHECK, &["queue"]].concat(),
        &["queue", "no patch"],
    );
    place.write("queue/series", "a.patch\n");
    let said = ["queue/a.patch", "no regular file"];
    fails(&place, &[CHECK, &["queue"]].concat(), &said);
}

#[test]
fn a_patched_file_that_is_a_fifo_or_out_of_the_tree() {
    for make in ["mkfifo", "ln -s /etc/passwd", "ln -s sched.h", "mkdir"] {
        let place = Workplace::new();
        place.write("own.patch", PATCH);
        place.sh(&format!(
            "cd kernel/include/trace/events && rm sched.h && {make} sched.h"
        ));
        fails(
            &place,
            &[CHECK, &["own.patch"]].concat(),
            &["own.patch", HEADER],
        );
    }
}

#[test]
fn names_that_are_not_utf_8() {
    let place = Workplace::new();
    let name = OsStr::from_bytes(b"kernel/fs/\xff.c");
    fs::write(
        place.path(name),
        "DECLARE_TRACE(x, TP_PROTO(void), TP_ARGS());",
    )
    .expect("a file");
    fails(&place, LIST, &["kernel/fs/\u{fffd}.c", "not UTF-8"]);
    fails(&place, CHECK, &["kernel/fs/\u{fffd}.c", "not UTF-8"]);
    // Nobody would look for a tracepoint there.
    let other = OsStr::from_bytes(b"kernel/fs/\xff.png");
    fs::rename(place.path(name), place.path(other)).expect("renamed");
    succeeds(&place.run(LIST), "a picture");
}

#[test]
fn text_that_is_not_utf_8() {
    let place = Workplace::new();
    let text = b"/* caf\xe9 */\nDECLARE_TRACE(caf\xe9, TP_PROTO(int x), TP_ARGS(x));\n";
    place.write("kernel/fs/latin.c", text);
    let output = place.run(&[LIST, &["--format", "json", "--name", "caf*"]].concat());
    succeeds(&output, "list");
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(list["tracepoints"][0]["name"], "caf\u{fffd}_tp");
}

/// Files come, go and change length during each of many runs.
#[test]
fn a_tree_that_changes_while_it_is_read() {
    let place = Workplace::new();
    let folder = place.path("kernel/kernel/sched");
    for number in 0..200 {
        let text = "DECLARE_TRACE(x, TP_PROTO(int x), TP_ARGS(x));\n".repeat(number % 7);
        fs::write(folder.join(format!("{number}.h")), text).expect("written");
    }
    place.write("own.patch", PATCH);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let change = || {
        let mut round = 0;
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            round += 1;
            let path = folder.join(format!("{}.h", round * 7 % 200));
            let text = "TRACE_EVENT(y,\n".repeat(round % 3000);
            let _ = match round % 4 {
                0 => fs::remove_file(&path),
                1 => File::create(&path).map(drop),
                2 => fs::create_dir(&path).or_else(|_| fs::remove_dir(&path)),
                _ => fs::write(&path, text),
            };
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(change);
        for round in 0..40 {
            let arguments = [LIST, CHECK, &["check", "--tree", "kernel", "own.patch"]][round % 3];
            let output = place.run(arguments);
            let stderr = text(&output.stderr);
            match output.status.code() {
                Some(0 | 1) => assert_eq!(stderr, "", "{arguments:?}"),
                Some(2) => {
                    assert!(stderr.starts_with("barepoint: "), "{arguments:?}: {stderr}");
                    assert!(stderr.contains("kernel/sched/"), "{arguments:?}: {stderr}");
                }
                _ => panic!("{arguments:?}: {}", told(&output)),
            }
            assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// What `text` in the place of the last bare tracepoint of a header comes to, in each way
/// of asking.
fn asked_in_each_way(text: &str, parts: &[&str]) {
    let place = Workplace::new();
    repository(&place);
    let header = place.read(format!("kernel/{HEADER}"));
    let start = header.rfind("DECLARE_TRACE(").expect("a tracepoint");
    let end = start + header[start..].find("));\n").expect("its end") + 4;
    let new = format!("{}{text}{}", &header[..start], &header[end..]);
    place.write(format!("kernel/{HEADER}"), new);
    fails(&place, LIST, parts);
    fails(&place, CHECK, parts);
    place.sh(
        "cd kernel && git commit -qam leak && git format-patch -q -1 -o .. \
              && git reset -q --hard HEAD^",
    );
    let patch = "0001-leak.patch";
    fails(&place, &["check", "--tree", "kernel", patch], parts);
    fails(
        &place,
        &["check", "--tree", "kernel", "--whole-tree", patch],
        parts,
    );
    place.sh("cd kernel && git am -q ../0001-leak.patch");
    fails(
        &place,
        &["check", "--tree", "kernel", "--git", "HEAD"],
        parts,
    );
}

const EVENT: &str = "TRACE_EVENT(leak, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), \
                     TP_fast_assign(), TP_printk(\"\")";

#[test]
fn calls_that_do_not_end() {
    asked_in_each_way(
        &format!("{EVENT};\n"),
        &[HEADER, "TRACE_EVENT() is called", "end"],
    );
    let wrapped = "#define HOOK(n) DECLARE_TRACE(n, TP_PROTO(int x), TP_ARGS(x))\nHOOK(a;\n";
    asked_in_each_way(wrapped, &[HEADER, "HOOK() is called", "end"]);
}

#[test]
fn events_between_braces() {
    let braces = format!("struct a {{ int x;\n{EVENT});\n}};\n");
    asked_in_each_way(&braces, &[HEADER, "TRACE_EVENT() is called between braces"]);
    // To a compiler these braces are closed.
    let unseen = format!("#define END }};\nstruct a {{ int x; END\n{EVENT});\n");
    asked_in_each_way(&unseen, &[HEADER, "TRACE_EVENT() is called between braces"]);
}

#[test]
fn calls_that_a_patch_cuts_off() {
    let place = Workplace::new();
    let patch = format!(
        "--- a/{HEADER}\n+++ b/{HEADER}\n@@ -79,3 +79,4 @@\n /* Not there */\n+{EVENT});\n \n \
         DECLARE_TRACE(sched_update_nr_running,\n"
    );
    place.write("x.patch", patch);
    let output = place.run(&["check", "--tree", "kernel", "x.patch"]);
    one_line(
        &output,
        "a patch that fits nowhere",
        &["does not fit", HEADER],
    );
    let found = text(&output.stdout);
    assert!(found.contains("leak"), "{found}");
}
