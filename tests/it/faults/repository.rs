// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A git repository that is damaged, shallow, bare, of somebody else, or too large.

use super::*;
use crate::workplace::{Workplace, text, told};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

const LAST: &[&str] = &["check", "--tree", "kernel", "--git", "HEAD"];

/// A repository that something was done to: `--git` says what is wrong, and a
/// patch, which needs none, is checked against the files on disk.
fn broken(damage: &str, parts: &[&str]) {
    let place = Workplace::new();
    repository(&place);
    succeeds(&place.run(LAST), "before");
    place.sh(&format!("cd kernel && chmod -R u+w .git && {damage}"));
    fails(&place, LAST, parts);
    fails(&place, &["diff", "kernel@HEAD", "kernel"], &["kernel"]);
    succeeds(&place.run(&[CHECK, &["0001-three.patch"]].concat()), damage);
    succeeds(&place.run(LIST), damage);
}

#[test]
fn without_objects() {
    broken("rm -r .git/objects/??", &["no commit HEAD in kernel"]);
}

#[test]
fn with_garbage_for_objects() {
    let damage = "find .git/objects -type f -exec sh -c 'echo garbage >\"$1\"' _ {} \\;";
    broken(damage, &["kernel"]);
}

/// libgit2 up to 1.9.7 reads such an object forever; libgit2#7346 mends it.
#[test]
fn with_cut_objects() {
    for length in [0, 1, 20] {
        let damage = format!("find .git/objects -type f -exec truncate -s '<{length}' {{}} \\;");
        broken(
            &damage,
            &["kernel/.git/objects/", "not all there", "git fsck"],
        );
    }
}

/// A tree within a tree, which libgit2 comes upon by itself.
#[test]
fn with_one_cut_object() {
    let place = Workplace::new();
    repository(&place);
    place.sh(
        "cd kernel && chmod -R u+w .git && tree=$(git rev-parse HEAD:fs) \
         && truncate -s -4 .git/objects/$(echo $tree | sed 's|..|&/|')",
    );
    let said = ["kernel/.git/objects/", "git fsck"];
    fails(&place, LAST, &said);
    fails(&place, &["diff", "kernel@HEAD", "kernel"], &said);
    fails(&place, &["report", "--tree", "kernel"], &said);
    succeeds(
        &place.run(&[CHECK, &["0001-three.patch"]].concat()),
        "a patch",
    );
}

/// The blob that the patch was made against.
#[test]
fn with_a_cut_blob() {
    let place = Workplace::new();
    repository(&place);
    place.sh(
        "cd kernel && chmod -R u+w .git && blob=$(git rev-parse HEAD~1:fs/inode.c) \
         && truncate -s -4 .git/objects/$(echo $blob | sed 's|..|&/|')",
    );
    succeeds(
        &place.run(&[CHECK, &["0001-three.patch"]].concat()),
        "a patch",
    );
}

#[test]
fn with_a_cut_pack() {
    let damage = "git gc -q && truncate -s 300 .git/objects/pack/*.pack";
    broken(damage, &["kernel"]);
}

#[test]
fn with_a_head_that_is_none() {
    broken("echo junk >.git/HEAD", &["no commit HEAD in kernel"]);
    broken(
        "echo 'ref: refs/heads/gone' >.git/HEAD",
        &["no commit HEAD in kernel"],
    );
}

#[test]
fn that_is_somewhere_else() {
    let gone = "rm -r .git && echo 'gitdir: /nowhere' >.git";
    broken(gone, &["cannot open a git repository at kernel"]);
    let empty = "rm -r .git && mkdir .git";
    broken(empty, &["cannot open a git repository at kernel"]);
}

#[test]
fn with_a_broken_configuration() {
    let place = Workplace::new();
    repository(&place);
    place.write("kernel/.git/config", "[core\n");
    for arguments in [LAST, &[CHECK, &["0001-three.patch"]].concat()] {
        fails(&place, arguments, &["kernel", "config"]);
    }
}

#[test]
fn of_somebody_else() {
    let place = Workplace::new();
    repository(&place);
    if !place.shell("chown -R 65534 kernel").status.success() {
        // Only root can give files away, and only root's runs can see this.
        return;
    }
    for arguments in [LAST, &[CHECK, &["0001-three.patch"]].concat()] {
        fails(
            &place,
            arguments,
            &[
                "kernel",
                "owned",
                "git config --global --add safe.directory",
            ],
        );
    }
}

#[test]
fn that_is_shallow() {
    let place = Workplace::new();
    repository(&place);
    place.sh("git clone -q --depth 2 \"file://$PWD/kernel\" shallow");
    let check = |range: &str| place.run(&["check", "--tree", "shallow", "--git", range]);
    succeeds(&check("HEAD"), "the last");
    succeeds(&check("HEAD-1"), "the last one");
    for range in ["HEAD~1", "HEAD-2", "HEAD~2", "HEAD~2..HEAD"] {
        one_line(&check(range), range, &["shallow", "git fetch --unshallow"]);
    }
    fails(
        &place,
        &["diff", "shallow@HEAD~2", "shallow"],
        &["git fetch --unshallow"],
    );
}

#[test]
fn without_a_work_tree() {
    let place = Workplace::new();
    repository(&place);
    place.sh("git clone -q --bare kernel bare && mkdir bare/sub");
    let checked = |tree: &str| {
        let output = place.run(&["check", "--tree", tree, "--git", "HEAD-2", "--format=json"]);
        succeeds(&output, tree);
        text(&output.stdout).replace(&format!("\"{tree}\""), "DIR")
    };
    assert_eq!(checked("kernel"), checked("bare"));
    place.sh("cd bare && \"$B\" check --git HEAD");
    fails(
        &place,
        &["check", "--tree", "bare/sub", "--git", "HEAD"],
        &["bare/sub"],
    );
    fails(
        &place,
        &["check", "--tree", "bare", "0001-three.patch"],
        &["bare"],
    );
    place.sh(
        "git init -q other && cd other && git config user.name A && git config user.email a@b.c \
         && for x in one two; do echo >>file; git add -A; git commit -qm $x; done \
         && git clone -q --bare . ../others",
    );
    fails(
        &place,
        &["check", "--tree", "others", "--git", "HEAD"],
        &["others is not a kernel tree"],
    );
}

#[test]
fn whose_first_commit_is_asked_for() {
    let place = Workplace::new();
    repository(&place);
    let output = place.run(&["check", "--tree", "kernel", "--git", "HEAD-9"]);
    // Nothing was there before it, so that all events of the kernel are new.
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let said = text(&output.stdout);
    for part in ["new trace event sched_switch", "3 patches"] {
        assert!(said.contains(part), "no {part:?}: {said}");
    }
}

#[test]
fn that_has_more_than_the_kernel() {
    let place = Workplace::new();
    place.sh(
        "mkdir -p all/linux && mv kernel/* all/linux && rmdir kernel && cd all \
         && git init -q . && git config user.name A && git config user.email a@b.c \
         && for x in one two; do echo >>linux/fs/inode.c; git add -A; git commit -qm $x; done \
         && git format-patch -q -1 --relative=linux -o ..",
    );
    let check = ["check", "--tree", "all/linux"];
    fails(
        &place,
        &[&check[..], &["--git", "HEAD"]].concat(),
        &["all/linux is not the top", "--relative"],
    );
    succeeds(
        &place.run(&[&check[..], &["0001-two.patch"]].concat()),
        "relative",
    );
}

#[test]
fn with_a_name_that_is_not_utf_8() {
    let place = Workplace::new();
    repository(&place);
    let name = OsStr::from_bytes(b"kernel/fs/\xff.c");
    let event = "TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), , , );\n";
    fs::write(place.path(name), event).expect("a file");
    place.sh("cd kernel && git add -A && git commit -qm four");
    fails(&place, LAST, &["fs/\u{fffd}.c", "not UTF-8"]);
    fails(
        &place,
        &["diff", "kernel@HEAD", "7.3"],
        &["fs/\u{fffd}.c", "not UTF-8"],
    );
    // The mail of it, too.
    place.sh("cd kernel && git format-patch -q -1 -o ..");
    fails(
        &place,
        &[CHECK, &["0001-four.patch"]].concat(),
        &["0001-four.patch", "not UTF-8"],
    );
}

#[test]
fn with_a_blob_that_is_too_large() {
    let place = Workplace::new();
    repository(&place);
    place.sh("cd kernel && truncate -s 100M fs/huge.c && git add -A && git commit -qm four");
    fails(&place, LAST, &["fs/huge.c", "cannot be checked"]);
    fails(
        &place,
        &["diff", "kernel@HEAD", "7.3"],
        &["fs/huge.c", "larger than 64 MiB"],
    );
}
