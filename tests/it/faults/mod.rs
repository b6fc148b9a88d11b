// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The real binary where the machine, the tree or the repository is not what it
//! should be: it says so in one line, or it does not matter; it never hangs, crashes
//! or passes over what it could not read.

mod a_hostile_file;
mod hostile;
mod output;
mod repository;
mod tree;

use crate::workplace::{Workplace, text, told};
use std::process::Output;

const HEADER: &str = "include/trace/events/sched.h";

/// Runs the binary, which has to fail with one line that has all of `parts`.
fn fails(place: &Workplace, arguments: &[&str], parts: &[&str]) {
    one_line(&place.run(arguments), &format!("{arguments:?}"), parts);
}

/// Makes a repository of the tree with three commits: the tree, and two clean patches.
fn repository(place: &Workplace) {
    place.sh(
        "cd kernel && git init -q . && git config user.name A && git config user.email a@b.c \
         && git add -A && git commit -qm one \
         && for x in two three; do echo '/* x */' >>fs/inode.c && git commit -qam $x; done \
         && git format-patch -q -1 -o ..",
    );
}

fn one_line(output: &Output, what: &str, parts: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {}", told(output));
    assert_eq!(stderr.lines().count(), 1, "{what}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{what}: no {part:?} in {stderr}");
    }
}

fn succeeds(output: &Output, what: &str) {
    assert_eq!(output.status.code(), Some(0), "{what}: {}", told(output));
    assert!(output.stderr.is_empty(), "{what}: {}", told(output));
}

const LIST: &[&str] = &["list", "--tree", "kernel"];
const CHECK: &[&str] = &["check", "--tree", "kernel"];

/// A patch of the file that `repository` patches, with nothing to find in it.
const PATCH: &str = "\
From: A <a@b.c>
Subject: [PATCH] sched: Say what a hook is for

---
diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,6 +78,7 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
+/* The root domain is, or is no longer, overutilized. */
 DECLARE_TRACE(sched_overutilized,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
 \tTP_ARGS(rd, overutilized));
";

#[test]
fn more_patches_than_one_series_can_have() {
    let place = Workplace::new();
    let patches: String = (0..161)
        .map(|number| {
            format!(
                "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\
                 From: A <a@example.org>\nSubject: [PATCH {number}/161] New file\n\n---\n\
                 diff --git a/new{number}.c b/new{number}.c\nnew file mode 100644\n\
                 --- /dev/null\n+++ b/new{number}.c\n@@ -0,0 +1 @@\n+int x;\n\n"
            )
        })
        .collect();
    place.write("many.mbox", patches);
    let output = place.run(&["check", "--tree", "kernel", "many.mbox"]);
    one_line(
        &output,
        "many.mbox",
        &["161 patches", "160 at most", "in parts"],
    );
}
