// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is no input, or none for this tree: one line that says so, and nothing written.

use super::{LEAK, barepoint, workplace};
use crate::workplace::{Workplace, text};
use snapbox::Data;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `folder`, with its text.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read(&path).unwrap_or_default();
                all.push((path, text));
            }
        }
    }
    all.sort();
    all
}

/// Runs `check` of `input`; it is to fail with one line that has all of `says`,
/// with nothing to say on the other stream, and nothing written.
fn refuses(place: &Workplace, arguments: &[&str], says: &[&str]) {
    let before = everything(place.top());
    let output = barepoint(place)
        .args(arguments)
        .stdin(Data::new())
        .output()
        .expect("it runs");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
    for part in says {
        assert!(
            stderr.contains(part),
            "{arguments:?}: no {part:?} in {stderr}"
        );
    }
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    assert!(before == everything(place.top()), "{arguments:?} wrote");
}

/// With a tree and with the profile.
fn refuses_patch(place: &Workplace, input: &str, says: &[&str]) {
    refuses(place, &["check", "--tree", "kernel", input], says);
    refuses(place, &["check", input], says);
}

fn with(name: &str, text: impl AsRef<[u8]>) -> Workplace {
    let place = workplace();
    place.write(name, text);
    place
}

#[test]
fn not_a_patch() {
    let place = with("letter.txt", "Dear maintainer,\n\nhow are you?\n");
    refuses_patch(&place, "letter.txt", &["letter.txt", "not a patch"]);
}

#[test]
fn empty() {
    refuses_patch(&with("empty.patch", ""), "empty.patch", &["empty.patch"]);
    refuses_patch(&workplace(), "-", &["-: "]);
}

#[test]
fn truncated() {
    let end = LEAK.find("+\tTP_ARGS(rd").expect("a line");
    let place = with("cut.patch", &LEAK[..end]);
    refuses_patch(&place, "cut.patch", &["cut.patch:14", "cut off"]);
}

#[test]
fn for_another_tree() {
    let other = LEAK.replace(
        "DECLARE_TRACE(sched_overutilized,",
        "DECLARE_TRACE(sched_unheard_of,",
    );
    let place = with("other.patch", other);
    let output = barepoint(&place)
        .args(["check", "--tree", "kernel", "other.patch"])
        .output()
        .expect("it runs");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains("other.patch:") && stderr.contains("include/trace/events/sched.h"),
        "{stderr}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("no bare tracepoint leaks:"));
}

#[test]
fn no_kernel() {
    let place = workplace();
    fs::create_dir(place.path("empty")).expect("a folder");
    for command in [&["check", "leak.patch"][..], &["check"], &["list"]] {
        let arguments = [command, &["--tree", "empty"]].concat();
        refuses(
            &place,
            &arguments,
            &["empty is not a kernel tree", "include/linux/tracepoint.h"],
        );
    }
    refuses(&place, &["list", "--tree", "nowhere"], &["nowhere"]);
    refuses(&place, &["list"], &["--tree"]);
    refuses(&place, &["check"], &["nothing to check"]);
}

#[test]
fn a_kernel_that_cannot_be_understood() {
    let place = workplace();
    let header = place.path("kernel/include/linux/tracepoint.h");
    fs::write(header, "#define DECLARE_TRACE(name, proto, args)\n").expect("written");
    refuses(&place, &["list", "--tree", "kernel"], &["tracepoint"]);
    refuses(&place, &["check", "--tree", "kernel"], &["tracepoint"]);
}

#[test]
fn a_folder_without_patches() {
    let place = workplace();
    fs::create_dir(place.path("none")).expect("a folder");
    place.write("none/notes.txt", "x");
    refuses_patch(&place, "none", &["none", ".patch"]);
}

#[test]
fn what_is_not_there_or_cannot_be_read() {
    let place = workplace();
    refuses_patch(&place, "gone.patch", &["gone.patch", "No such file"]);
    // Root may read everything; a loop of links is unreadable to all.
    std::os::unix::fs::symlink("loop.patch", place.path("loop.patch")).expect("a link");
    refuses_patch(&place, "loop.patch", &["loop.patch", "cannot read"]);
}

#[test]
fn one_bad_patch_among_good_ones_leaves_the_findings() {
    let place = workplace();
    let output = barepoint(&place)
        .args(["check", "--tree", "kernel", "gone.patch", "leak.patch"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("error[promotion]"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("gone.patch"));
}

#[test]
fn random_bytes() {
    // xorshift: the same bytes on every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(10_000_000 / 8)
    .flatten()
    .collect();
    refuses_patch(&with("noise", bytes), "noise", &["noise", "not a patch"]);
}

#[test]
fn a_path_that_leaves_the_tree() {
    for path in [
        "../../etc/passwd",
        "/etc/passwd",
        "include/../../../etc/passwd",
    ] {
        let place = with(
            "passwd.patch",
            format!(
                "From: A <a@example.org>\nSubject: x\n\n---\ndiff --git a/{path} b/{path}\n\
                 --- a/{path}\n+++ b/{path}\n@@ -1 +1,2 @@\n root:x:0:0:root:/root:/bin/bash\n+TRACE_EVENT(x);\n"
            ),
        );
        refuses_patch(&place, "passwd.patch", &["passwd.patch:", "the path"]);
    }
}

#[test]
fn a_macro_that_expands_to_itself() {
    let patch = "\
From: A <a@example.org>
Subject: [PATCH] sched: Go round

---
diff --git a/kernel/sched/round.h b/kernel/sched/round.h
new file mode 100644
--- /dev/null
+++ b/kernel/sched/round.h
@@ -0,0 +1,6 @@
+#define ONE(x) OTHER(x) OTHER(x)
+#define OTHER(x) ONE(x) ONE(x)
+#define EVENT(x) EVENT(x) TRACE_EVENT(x)
+ONE(a)
+OTHER(b)
+EVENT(c)
";
    let place = with("round.patch", patch);
    let output = barepoint(&place)
        .args([
            "check",
            "--tree",
            "kernel",
            "--terse",
            "--no-summary",
            "round.patch",
        ])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert_eq!(
        stdout.split_inclusive('\n').next().unwrap_or_default(),
        "round.patch:15: ERROR: new trace event c in zone scheduler by EVENT(), which comes to \
         TRACE_EVENT() without the approval of a maintainer of SCHEDULER\n"
    );
}

#[test]
fn escapes_do_not_reach_a_terminal() {
    let hostile = LEAK.replace(
        "+TRACE_EVENT(sched_overutilized_tp,",
        "+TRACE_EVENT(sched_overutilized_tp, /* \u{1b}]0;owned\u{7} \u{202e} */",
    );
    let place = with("hostile.patch", hostile);
    for format in ["human", "checkpatch"] {
        let output = barepoint(&place)
            .args([
                "check",
                "--tree",
                "kernel",
                "--color",
                "always",
                "--format",
                format,
                "hostile.patch",
            ])
            .output()
            .expect("it runs");
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains("owned"), "{shown}");
        assert!(
            !shown.contains("\u{1b}]") && !shown.contains(['\u{7}', '\u{202e}']),
            "{shown}"
        );
    }
}

#[test]
fn escapes_in_the_name_of_a_file_do_not_either() {
    let place = workplace();
    let header = place.path("kernel/include/trace/events/sched.h");
    let hostile = header.with_file_name("\u{1b}]0;owned\u{7}.h");
    fs::rename(header, hostile).expect("renamed");
    let arguments = ["list", "--tree", "kernel", "--name", "pelt_cfs_tp"];
    let output = barepoint(&place).args(arguments).output().expect("it runs");
    let shown = text(&output.stdout);
    assert!(shown.contains("owned"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown}");
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let place = workplace();
    for arguments in [
        &["check", "--format", "postscript", "leak.patch"][..],
        &["check", "--git", "HEAD", "leak.patch"],
        &["check", "--zones", "gone.toml", "leak.patch"],
        &["check", "--tree", "kernel", "--git", "HEAD"],
        &["list", "--bare", "--event"],
        &["list", "--tree", "kernel", "--name", "[x"],
        &["explain", "no-such-rule"],
        &["fly"],
    ] {
        let output = barepoint(&place).args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
