// SPDX-License-Identifier: GPL-2.0-only OR MIT
use super::super::patch::{ChangeKind, LineKind};
use super::*;

fn one(text: &str) -> FileChange {
    let mut parsed = parse(text.as_bytes(), 1);
    assert!(parsed.is_consistent(), "{:?}", parsed.flaws);
    assert_eq!(parsed.changes.len(), 1, "{:?}", parsed.changes);
    parsed.changes.remove(0)
}

fn flaw(text: &str) -> (u32, String) {
    let mut parsed = parse(text.as_bytes(), 1);
    assert_eq!(parsed.flaws.len(), 1, "{parsed:?}");
    parsed.flaws.remove(0)
}

const SIMPLE: &str = "\
diff --git a/fs/x.c b/fs/x.c
index 0123abc..4567def 100644
--- a/fs/x.c
+++ b/fs/x.c
@@ -3,3 +3,4 @@ int f(void)
 a

-b
+c
+d
";

#[test]
fn every_line_knows_its_place_in_the_input() {
    let change = one(&format!("Some prose\n\n---\n{SIMPLE}-- \n2.47\n"));
    assert_eq!(change.line, 4);
    assert_eq!(
        (change.old_blob.as_deref(), change.new_blob.as_deref()),
        (Some("0123abc"), Some("4567def"))
    );
    let hunk = &change.hunks[0];
    assert_eq!(
        (
            hunk.old_start,
            hunk.old_len,
            hunk.new_start,
            hunk.new_len,
            hunk.line
        ),
        (3, 3, 3, 4, 8)
    );
    assert_eq!(&*hunk.section, b"int f(void)");
    let last = &hunk.lines[4];
    assert_eq!(
        (last.kind, &*last.text, last.line),
        (LineKind::Added, &b"d"[..], 13)
    );
    assert_eq!(last.verbatim(), "+d");
}

#[test]
fn prose_is_no_diff() {
    let prose = "diff --git a/fs/x.c b/fs/x.c\n\n@@ -1 x\n-a\n+b\n--- a\n+++ b\nno\n";
    assert!(parse(prose.as_bytes(), 1).is_empty());
    assert_eq!(one(&format!("{prose}---\n{SIMPLE}")).path(), "fs/x.c");
}

#[test]
fn what_git_refuses_as_a_whole() {
    for (prose, why) in [
        ("diff --git is a command\n", "which file"),
        ("@@ -1 +1 @@ so it goes\n-a\n+b\n", "without a file"),
        ("diff --git a/x b/y\nold mode 100644\n", "which file"),
        ("diff --git a/x b/x\nold mode 10064x\n", "octal"),
        ("diff --git a/x b/x\nindex 0..1 rw\n", "octal"),
        (
            "diff --git a/x b/x\nindex 0123456..1234567 100644\n",
            "no hunk",
        ),
        (
            "diff --git a/x b/x\nold mode 100644\nnew mode 100644\n",
            "no hunk",
        ),
        (
            "diff --git a/x b/y\nrename from x\ncopy to y\n",
            "different things",
        ),
        (
            "diff --git a/x b/x\nnew file mode 100644\ndeleted file mode 100644\n",
            "different things",
        ),
        (
            "diff --git a/x b/x\nrename from y\n--- a/x\n",
            "different files",
        ),
        (
            "diff --git a/x b/x\nnew file mode 100644\n--- a/x\n",
            "different files",
        ),
        ("--- a/x\n+++ b/x\n@@ -1 +1\n-a\n+b\n", "cannot be read"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n", "changes nothing"),
        ("--- a/\n+++ b/\n@@ -1 +1 @@\n-a\n+b\n", "nothing is left"),
        (
            "--- x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
            "nothing is left",
        ),
        ("--- \"a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "quote"),
        ("--- a/x\n+++ b/.git/x\n@@ -1 +1 @@\n-a\n+b\n", "git's own"),
        ("diff --cc x\nindex 1,2..3\n", "merge"),
    ] {
        let (line, message) = flaw(&format!("{prose}\n{SIMPLE}"));
        assert!(message.contains(why), "{prose}: {message}");
        assert!(line <= 3, "{prose}: {line}");
    }
}

#[test]
fn what_follows_a_hunk() {
    let second = SIMPLE.replace("fs/x.c", "fs/y.c");
    for between in ["", "text\n", "Binary files x and y differ\n"] {
        let parsed = parse(format!("{SIMPLE}{between}{second}").as_bytes(), 1);
        assert_eq!(parsed.flaws, [], "{between}");
        assert_eq!(parsed.changes.len(), 2, "{between}");
    }
    let hunk = "@@ -9 +9 @@\n-a\n+b\n";
    for between in ["\ntext\n", "-- \n2.47\n", "\n"] {
        let (_, message) = flaw(&format!("{SIMPLE}{between}{hunk}"));
        assert!(message.contains("without a file"), "{message}");
    }
}

#[test]
fn the_lines_of_a_header_come_in_any_order() {
    let hunk = "@@ -1 +1 @@\n-a\n+b\n";
    let of = |lines: &[&str]| {
        let header: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let change = one(&format!("diff --git a/x b/y\n{header}{hunk}"));
        (change.kind, change.old_path, change.new_path)
    };
    let named = |kind, old: &str, new: &str| (kind, Some(old.into()), Some(new.into()));
    let moved = of(&["+++ b/y", "index 0123abc..4567def 100644", "--- a/x"]);
    assert_eq!(moved, named(ChangeKind::Modify, "x", "y"));
    let moved = of(&["--- a/x", "+++ b/y", "rename old x", "rename new y"]);
    assert_eq!(moved, named(ChangeKind::Rename, "x", "y"));
    let copied = of(&["copy to y", "+++ b/y", "similarity index 1%", "copy from z"]);
    assert_eq!(copied, named(ChangeKind::Copy, "z", "y"));
    // The `diff` line need not agree with them.
    let other = of(&["--- a/p/q", "+++ b/p/q"]);
    assert_eq!(other, named(ChangeKind::Modify, "p/q", "p/q"));
}

#[test]
fn a_line_that_is_no_header_leaves_its_names() {
    let stray = "diff --git a/x b/x\n\n";
    let mode = "diff --git a/y b/y\nold mode 100644\nnew mode 100755\n";
    assert_eq!(one(&format!("{stray}{mode}")).path(), "x");
    flaw(&format!("{stray}{SIMPLE}"));
}

#[test]
fn the_first_plain_name_without_a_folder_ends_the_stripping() {
    let plain = |old: &str, new: &str| format!("--- {old}\n+++ {new}\n@@ -1 +1 @@\n-a\n+b\n");
    let paths = |text: &str| {
        let parsed = parse(text.as_bytes(), 1);
        assert_eq!(parsed.flaws, []);
        let paths = parsed.changes.iter().map(|change| change.path().to_owned());
        paths.collect::<Vec<_>>()
    };
    let text = [
        plain("a/fs/x", "b/fs/x"),
        plain("x", "x"),
        plain("a/fs/x", "b/fs/x"),
    ];
    assert_eq!(paths(&text.concat()), ["fs/x", "x", "b/fs/x"]);
    assert_eq!(paths(&plain("kernel/x.c.orig", "kernel/x.c")), ["x.c"]);
    assert_eq!(paths(&plain("p/x.c", "q/x.c~")), ["x.c"]);
}

#[test]
fn kinds_of_change() {
    let add = "--- /dev/null\n+++ b/fs/n.c\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n";
    let add = one(add);
    assert_eq!(
        (add.kind, add.old_path.clone(), add.path_after()),
        (ChangeKind::Add, None, "fs/n.c")
    );
    assert!(add.hunks[0].lines[0].no_newline);
    let gone = one("--- a/fs/n.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    assert_eq!(
        (gone.kind, gone.new_path.as_deref()),
        (ChangeKind::Delete, None)
    );
    let empty = one("--- a/fs/n.c\n+++ b/fs/n.c\n@@ -1 +0,0 @@\n-a\n");
    assert_eq!((empty.kind, empty.may_be_new), (ChangeKind::Modify, false));
    let moved = one("diff --git a/x y b/z\nsimilarity index 100%\nrename from x y\nrename to z\n");
    assert_eq!(
        (moved.kind, moved.old_path.as_deref()),
        (ChangeKind::Rename, Some("x y"))
    );
    let mode = one("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n");
    assert_eq!((mode.kind, mode.hunks.len()), (ChangeKind::ModeOnly, 0));
    let empty = one("diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n");
    assert_eq!(
        (empty.kind, empty.new_blob.as_deref()),
        (ChangeKind::Add, Some("e69de29"))
    );
    let binary = "diff --git a/x b/x\nindex 0123abc..4567def 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n";
    assert_eq!(one(binary).kind, ChangeKind::Binary);
    let time = "2024-01-01 10:11:12 +0100";
    let new = format!(
        "--- a/fs/n.c\t1970-01-01 00:00:00 +0000\n+++ b/fs/n.c\t{time}\n@@ -0,0 +1 @@\n+a\n"
    );
    let new = one(&new);
    assert_eq!((new.kind, new.path_after()), (ChangeKind::Add, "fs/n.c"));
    let perhaps = format!("--- a/fs/n.c\t{time}\n+++ b/fs/n.c\t{time}\n@@ -3,0 +4 @@\n+a\n");
    let perhaps = one(&perhaps);
    assert_eq!(
        (perhaps.kind, perhaps.may_be_new),
        (ChangeKind::Modify, true)
    );
}

impl FileChange {
    fn path_after(&self) -> &str {
        self.new_path.as_deref().unwrap_or("none")
    }
}

#[test]
fn a_link_has_no_text() {
    let link = SIMPLE.replace("100644", "120000");
    let (_, message) = flaw(&link);
    assert!(message.contains("symbolic link"), "{message}");
    let beside = link.replace("fs/x.c", "tools/x.c");
    assert_eq!(one(&beside).kind, ChangeKind::ModeOnly);
    let module = beside.replace("120000", "160000");
    assert!(flaw(&module).1.contains("submodule"));
    assert_eq!(one(SIMPLE).kind, ChangeKind::Modify);
}

#[test]
fn a_line_without_newline_is_the_last_of_its_side() {
    let mark = "\\ No newline at end of file\n";
    let head = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n";
    one(&format!("{head} a\n-b\n{mark}+c\n{mark}"));
    one(&format!("{head}-a\n+c\n b\n{mark}"));
    for hunk in [
        format!(" a\n-b\n+TRACE_\n{mark}+EVENT(\n").replace(" a\n", "-a\n"),
        format!(" a\n{mark}-b\n+c\n"),
        format!("-a\n{mark}-b\n+c\n+d\n"),
        format!("-a\n-b\n+c\n{mark}+d\n"),
    ] {
        let (_, message) = flaw(&format!("{head}{hunk}"));
        assert!(message.contains("glues"), "{hunk}: {message}");
    }
    // It is no mark if it is too short for any language.
    assert!(
        flaw(&format!("{head} a\n-b\n\\ No\n+c\n"))
            .1
            .contains("add up")
    );
    assert!(!one(&format!("{head} a\n-b\n+c\n\\ No\n")).hunks[0].lines[2].no_newline);
}

#[test]
fn hunks_have_to_add_up() {
    let cut = SIMPLE.trim_end_matches("+d\n");
    let (line, message) = flaw(cut);
    assert_eq!(line, 5);
    assert!(message.contains("cut off"), "{message}");
    let (line, message) = flaw(&format!("{SIMPLE}+e\n"));
    assert_eq!(line, 11);
    assert!(message.contains("after its end"), "{message}");
    assert!(
        flaw(&SIMPLE.replace("3,4", "3,3"))
            .1
            .contains("after its end")
    );
    assert!(flaw(&SIMPLE.replace("3,4", "3,5")).1.contains("cut off"));
    assert!(flaw(&SIMPLE.replace("3,3 ", "3,2 ")).1.contains("add up"));
    flaw(SIMPLE.trim_end());
    assert!(
        flaw(&SIMPLE.replace("@@ -3,3", "@@ -4294967295,3"))
            .1
            .contains("cannot be read")
    );
}

#[test]
fn one_flawed_file_leaves_the_others() {
    let bad = SIMPLE.replace("3,3 ", "3,2 ");
    let good = SIMPLE.replace("fs/x.c", "fs/y.c");
    let parsed = parse(format!("{bad}{good}").as_bytes(), 1);
    assert_eq!(parsed.flaws.len(), 1);
    assert_eq!(parsed.changes[0].path(), "fs/y.c");
}

#[test]
fn paths_out_of_the_tree_are_refused() {
    for path in ["../../etc/passwd", "/etc/passwd", "x//../y"] {
        let (_, message) = flaw(&format!(
            "--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n"
        ));
        assert!(message.contains("the path"), "{message}");
        let (_, message) = flaw(&format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+b\n"));
        assert!(message.contains("the path"), "{message}");
    }
    flaw("diff --git a/x b/x\nrename from x\nrename to ../x\n");
    for how in ["rename", "copy"] {
        let onto_itself = format!("diff --git a/x b/x\n{how} from x\n{how} to x\n");
        assert!(flaw(&onto_itself).1.contains("contradict"));
    }
}

#[test]
fn a_header_whose_hunks_are_missing_is_cut_off() {
    let moved = "diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n";
    flaw(&format!("{moved}index 0123abc..4567def 100644\n"));
    flaw("diff --git a/x b/x\nnew file mode 100644\nindex 0000000..4567def\n");
    flaw("diff --git a/x b/x\nindex 0123abc..4567def 100644\n--- a/x\n+++ b/x\n");
}
