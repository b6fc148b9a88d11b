// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The shapes of checkpatch, byte for byte.
//!
//! The same patches, which have an error and a warning to either, go through the
//! kernel's scripts/checkpatch.pl and through barepoint. What they say differs; how
//! they say it may not: messages, types and the texts of notes are masked, all else
//! stays. `tests/data/checkpatch.txt` is what checkpatch.pl printed. The tests in
//! `trees` run it again, of each tree (see kernels.rs about those); to write the
//! file anew, run them with SNAPSHOTS=overwrite.

use crate::fixtures::fixture;
use crate::kernels::kernel;
use crate::workplace::{Workplace, fed, text, told};
use std::fmt::Write as _;
use std::process::{Command, Stdio};

/// A file that both have something against, in lines 4 and 5. It is new, so that it
/// fits every tree.
fn dirty(name: &str) -> String {
    format!(
        "\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Contributor <a@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000
Subject: [PATCH 1/2] sched: Add {name}

Two lines of it are wrong.
---
 kernel/sched/{name}.c | 6 ++++++
 1 file changed, 6 insertions(+)
 create mode 100644 kernel/sched/{name}.c

diff --git a/kernel/sched/{name}.c b/kernel/sched/{name}.c
new file mode 100644
index 000000000000..0123456789ab
--- /dev/null
+++ b/kernel/sched/{name}.c
@@ -0,0 +1,6 @@
+// SPDX-License-Identifier: GPL-2.0
+int {name}(struct task_struct *p)
+{{
+\treturn (trace_printk(\"%d\", p->pid));
+\ttrace_sched_wakeup(p); msleep(1);
+}}
-- 
2.47.3

"
    )
}

/// Neither has anything against it. Its hunk ends in lines that go.
const CLEAN: &str = "\
From: A Contributor <a@example.org>
Subject: [PATCH 2/2] fs: Build less

---
diff --git a/fs/Makefile b/fs/Makefile
--- a/fs/Makefile
+++ b/fs/Makefile
@@ -1,3 +1,2 @@
 # SPDX-License-Identifier: GPL-2.0-only OR MIT
+obj-y += namei.o
-obj-y += namei.o inode.o
-obj-$(CONFIG_EXT4_FS) += ext4/
";

/// The types of checkpatch's two findings.
const TYPES: &str = "RETURN_PARENTHESES,MSLEEP";

const OPTIONS: &[&[&str]] = &[
    &[],
    &["--terse"],
    &["--emacs"],
    &["--showfile"],
    &["--show-types"],
    &["-q"],
    &["-q", "-q"],
    &["--no-summary"],
    &["--strict"],
    &["--mailback"],
    &["--terse", "--showfile"],
    &["--terse", "--show-types"],
    &["--terse", "--strict"],
    &["--emacs", "--showfile"],
    &["--showfile", "--show-types", "-q"],
    &["--color=always", "--show-types"],
    &["--color=always", "--emacs"],
    &["-q", "--terse", "--no-summary", "--mailback", "--showfile"],
];

/// How a program is run: its arguments but for the options, and what it reads.
type Run<'a> = &'a dyn Fn(&[&str], &[&str], &str) -> (String, Option<i32>);

fn place() -> Workplace {
    let place = Workplace::empty();
    place.write("one.patch", dirty("one"));
    place.write("two.patch", dirty("two"));
    place.write("clean.patch", CLEAN);
    place
}

/// Every combination, as a session in a terminal.
fn session(run: Run<'_>) -> String {
    let one = dirty("one");
    let bare = &one[one.find("diff --git").expect("a diff")..];
    let mut text = String::new();
    for options in OPTIONS {
        let mut cases: Vec<(&[&str], &str)> = vec![(&["one.patch"], ""), (&["-"], &one)];
        // There, the first clean input ends a --mailback run, whatever follows.
        if !options.contains(&"--mailback") {
            cases.push((&["-"], bare));
            cases.push((&["one.patch", "clean.patch", "two.patch"], ""));
        }
        for (inputs, stdin) in cases {
            let (shown, status) = run(options, inputs, stdin);
            let status = status.map_or_else(String::new, |status| status.to_string());
            let command = [*options, inputs].concat().join(" ");
            let _ = write!(text, "$ {command}\n{}[{status}]\n", masked(&shown));
        }
    }
    text
}

/// What was printed without what was said.
fn masked(shown: &str) -> String {
    let mut text = String::new();
    let mut lines = shown.lines().peekable();
    while let Some(line) = lines.next() {
        // Of --types, which only checkpatch was given.
        if line.is_empty()
            && lines
                .next_if(|next| next.starts_with("NOTE: Used message types:"))
                .is_some()
        {
            continue;
        }
        if line.starts_with("NOTE: ") && lines.next_if(|next| next.starts_with("      ")).is_some()
        {
            text.push_str("NOTE: <first line>\n      <second line>\n");
            continue;
        }
        text.push_str(&masked_finding(line).unwrap_or_else(|| line.to_owned()));
        text.push('\n');
    }
    text
}

/// A line with a level in it, without the type and the message.
fn masked_finding(line: &str) -> Option<String> {
    let level = ["ERROR:", "WARNING:", "CHECK:"]
        .into_iter()
        .find(|level| line.contains(level))?;
    let (before, rest) = line.split_once(level)?;
    // Between the level and the space: a type, perhaps, and colours.
    let (kind, _) = rest.split_once(' ')?;
    let mut masked = format!("{before}{level}");
    let mut named = false;
    for c in kind.chars() {
        let of_type = c.is_ascii_uppercase() || c == '_';
        if of_type && !named {
            masked.push_str("<TYPE>");
        }
        named |= of_type;
        if !of_type {
            masked.push(c);
        }
    }
    Some(masked + " <message>")
}

fn output(command: &mut Command, stdin: &str) -> (String, Option<i32>) {
    let output = fed(command.stdin(Stdio::piped()), stdin.as_bytes());
    // On the other stream, checkpatch.pl has what its helpers lack.
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{command:?}: {}",
        told(&output)
    );
    (text(&output.stdout), output.status.code())
}

fn barepoint(place: &Workplace) -> Command {
    place.barepoint(&["check", "--format", "checkpatch"])
}

/// barepoint prints what checkpatch.pl printed.
#[test]
fn all_shapes_of_patches() {
    let place = place();
    let session = session(&|options, inputs, stdin| {
        let mut command = barepoint(&place);
        command.arg("--tree").arg(fixture("kernel-7.3"));
        output(command.args(options).args(inputs), stdin)
    });
    snapbox::assert_data_eq!(session, snapbox::file!["../data/checkpatch.txt"].raw());
}

mod trees {
    use super::*;

    fn checkpatch(version: &str, place: &Workplace) -> Command {
        let tree = kernel(version);
        let mut command = place.command("perl");
        command
            .arg(tree.join("scripts/checkpatch.pl"))
            .arg(format!("--root={}", tree.display()))
            .args(["--color=never", "--types", TYPES]);
        command
    }

    fn compare(version: &str) {
        let place = place();
        let session = session(&|options, inputs, stdin| {
            let mut command = checkpatch(version, &place);
            output(command.args(options).args(inputs), stdin)
        });
        snapbox::assert_data_eq!(session, snapbox::file!["../data/checkpatch.txt"].raw());
    }

    #[test]
    fn checkpatch_of_6_1() {
        compare("6.1");
    }

    #[test]
    fn checkpatch_of_6_12() {
        compare("6.12");
    }

    #[test]
    fn checkpatch_of_7_3() {
        compare("7.3");
    }

    /// A small kernel with the file of the patch `one`. A call is new in a patch only,
    /// so that checkpatch may say nothing about its line either.
    fn kernel_with_one() -> Workplace {
        let place = Workplace::empty().with("kernel-7.3", "");
        let patch = dirty("one");
        let lines = patch.lines().filter(|line| !line.starts_with("+++"));
        let file: String = lines
            .filter_map(|line| line.strip_prefix('+'))
            .map(|line| format!("{line}\n"))
            .collect();
        let file = file.replace("msleep(1)", "ssleep(1)");
        place.write("kernel/sched/one.c", file);
        place
    }

    /// With -f, the findings: a tree is not a file, so that the rest differs.
    #[test]
    fn files() {
        let place = kernel_with_one();
        for options in OPTIONS {
            let mut theirs = checkpatch("7.3", &place);
            theirs.args(*options).args(["-f", "kernel/sched/one.c"]);
            let (theirs, status) = output(&mut theirs, "");
            let mut ours = barepoint(&place);
            ours.args(["--tree", ".", "--types", "trace-printk"]);
            let (ours, own) = output(ours.args(*options), "");
            let finding = |shown: &str| {
                let shown = masked(shown);
                let end = ["total: ", "\nNOTE: "]
                    .iter()
                    .filter_map(|mark| shown.find(mark))
                    .min();
                shown[..end.unwrap_or(shown.len())].to_owned()
            };
            assert_eq!(finding(&ours), finding(&theirs), "{options:?}");
            assert_eq!(own, status, "{options:?}");
        }
    }

    /// With -g: names of commits, and lines of what git format-patch writes.
    #[test]
    fn commits() {
        let place = Workplace::empty().with("kernel-7.3", "");
        place.repository("");
        for name in ["one", "two"] {
            place.write(".git/commit.patch", dirty(name));
            place.git("", &["am", "-q", ".git/commit.patch"]);
        }
        for options in OPTIONS {
            // The last two are the same commits.
            let ranges = ["HEAD", "HEAD~2..HEAD", "HEAD-2"];
            let count = if options.is_empty() { 3 } else { 2 };
            for range in &ranges[..count] {
                let mut theirs = checkpatch("7.3", &place);
                let (theirs, status) = output(theirs.args(*options).args(["-g", *range]), "");
                let mut ours = barepoint(&place);
                ours.args(["--tree", ".", "--git", *range]);
                let (ours, own) = output(ours.args(*options), "");
                assert_eq!(masked(&ours), masked(&theirs), "{options:?} {range}");
                assert_eq!(own, status, "{options:?} {range}");
            }
        }
    }
}
