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
fn crlf_of_the_mail_is_not_of_the_text() {
    let crlf = SIMPLE.replace('\n', "\r\n");
    assert_eq!(one(&crlf), one(SIMPLE));
    // But that of a text is kept.
    let text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\r\n";
    assert_eq!(&*one(text).hunks[0].lines[1].text, b"b\r");
}

#[test]
fn prose_is_no_diff() {
    let prose =
        "diff --git is a command\ndiff --git a/x b/x\n\n@@ -1 +1 @@\n-a\n+b\n--- a\n+++ b\nno\n";
    assert!(parse(prose.as_bytes(), 1).is_empty());
    assert_eq!(one(&format!("{prose}---\n{SIMPLE}")).path(), "fs/x.c");
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
    let new = one("--- fs/n.c\t1970-01-01\n+++ fs/n.c\t2024-01-01\n@@ -0,0 +1 @@\n+a\n");
    assert_eq!((new.kind, new.path_after()), (ChangeKind::Add, "fs/n.c"));
}

impl FileChange {
    fn path_after(&self) -> &str {
        self.new_path.as_deref().unwrap_or("none")
    }
}

#[test]
fn a_link_has_no_text() {
    let link = SIMPLE.replace("100644", "120000");
    assert_eq!(one(&link).kind, ChangeKind::ModeOnly);
    assert_eq!(one(SIMPLE).kind, ChangeKind::Modify);
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
fn the_side_in_the_tree_names_the_file() {
    let hunk = "@@ -1 +1 @@\n-a\n+b\n";
    for (old, new) in [
        ("./fs/x.c", "../other/fs/x.c"),
        ("../other/fs/x.c", "./fs/x.c"),
        ("fs/x.c", "/tmp/x.c"),
        ("/tmp/x.c", "fs/x.c"),
    ] {
        let change = one(&format!(
            "--- {old}\t2026-01-05\n+++ {new}\t2026-01-05\n{hunk}"
        ));
        assert_eq!(change.path(), "fs/x.c", "{old} {new}");
    }
}

#[test]
fn paths_out_of_the_tree_are_refused() {
    for path in ["../../etc/passwd", "/etc/passwd"] {
        let (_, message) = flaw(&format!(
            "--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n"
        ));
        assert!(message.contains("the path"), "{message}");
        let (_, message) = flaw(&format!("--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+b\n"));
        assert!(message.contains("the path"), "{message}");
    }
    flaw("diff --git a/x b/x\nrename from x\nrename to ../x\n");
}

#[test]
fn a_header_whose_hunks_are_missing_is_cut_off() {
    let moved = "diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n";
    flaw(&format!("{moved}index 0123abc..4567def 100644\n"));
    flaw("diff --git a/x b/x\nnew file mode 100644\nindex 0000000..4567def\n");
    flaw("diff --git a/x b/x\nindex 0123abc..4567def 100644\n--- a/x\n+++ b/x\n");
}
