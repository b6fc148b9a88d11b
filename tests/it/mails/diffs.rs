// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Diffs of the small kernel in tests/fixtures/kernel-7.3: harmless ones, and leaks.

use std::fs;
use std::path::Path;

use super::chance::Chance;

/// The header in which most leaks are.
pub const SCHED: &str = "include/trace/events/sched.h";

const EVENT: &str = "TRACE_EVENT(leak,\n\tTP_PROTO(int a),\n\tTP_ARGS(a),\n\
    \tTP_STRUCT__entry(__field(int, a)),\n\tTP_fast_assign(__entry->a = a;),\n\
    \tTP_printk(\"a=%d\", __entry->a));\n";

/// Lines that take the place of others.
struct Edit {
    path: String,
    /// How many lines stand above it.
    above: usize,
    gone: usize,
    new: Vec<String>,
}

/// What a diff is about.
enum Change {
    Edit(Edit),
    New { path: String, lines: Vec<String> },
    Rename { from: String, to: String },
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The lines of a file of the tree at `tree`.
fn file(tree: &Path, path: &str) -> Vec<String> {
    lines(&fs::read_to_string(tree.join(path)).expect("a file of the fixture"))
}

fn harmless(tree: &Path, chance: &mut Chance) -> Change {
    let path = chance.pick(&[
        "kernel/sched/core.c",
        "fs/namei.c",
        "fs/inode.c",
        "include/linux/fs.h",
    ]);
    let text = file(tree, path);
    match chance.below(8) {
        0 => Change::New {
            path: format!("Documentation/note-{}.txt", chance.below(9)),
            lines: lines("A note.\nIt says nothing = x.\n\nend"),
        },
        1 => Change::Rename {
            from: "fs/ext4/super.c".into(),
            to: format!("fs/ext4/super-{}.c", chance.below(3)),
        },
        2 => Change::Edit(Edit {
            path: path.into(),
            above: 2,
            gone: 1,
            new: vec![text[2].clone() + " /* x = y */"],
        }),
        _ => {
            let above = chance.below(text.len());
            Change::Edit(Edit {
                path: path.into(),
                above,
                gone: 0,
                new: vec![
                    chance
                        .pick(&["/* =3D is what it is */", "/* K\u{f6}ln, a@b.c */", ""])
                        .to_owned(),
                ],
            })
        }
    }
}

fn leaking(tree: &Path, chance: &mut Chance) -> Change {
    let text = file(tree, SCHED);
    let at = |line: &str| text.iter().position(|own| own == line).expect("a line");
    match chance.below(6) {
        0 => Change::New {
            path: format!("include/linux/sched/leak-{}.h", chance.below(9)),
            lines: lines(EVENT),
        },
        1 => Change::Edit(Edit {
            path: SCHED.into(),
            above: at("DECLARE_TRACE(sched_overutilized,"),
            gone: 3,
            new: lines(&EVENT.replace("leak", "sched_overutilized")),
        }),
        2 => Change::Edit(Edit {
            path: SCHED.into(),
            above: at("/* A task is runnable again. */"),
            gone: 0,
            new: lines(
                "DEFINE_EVENT(sched_wakeup_template, leak,\n\t     TP_PROTO(struct task_struct *p),\n\
                 \t     TP_ARGS(p));\n",
            ),
        }),
        _ => Change::Edit(Edit {
            path: SCHED.into(),
            above: at("#endif /* _TRACE_SCHED_H */") - chance.below(2),
            gone: 0,
            new: lines(EVENT),
        }),
    }
}

/// The hunk of an edit of a file with these lines.
fn hunk(text: &[String], edit: &Edit, chance: &mut Chance) -> String {
    let context = if chance.one_in(8) { chance.below(4) } else { 3 };
    let start = edit.above.saturating_sub(context);
    let end = (edit.above + edit.gone + context).min(text.len());
    let (old, new) = (end - start, end - start - edit.gone + edit.new.len());
    let moved = match chance.below(12) {
        0 => chance.below(20),
        _ => 0,
    };
    let first = |len: usize| if len == 0 { start } else { start + 1 } + moved;
    let mut diff = format!(
        "@@ -{},{old} +{},{new} @@ {}\n",
        first(old),
        first(new),
        chance.pick(&["", "x", "int a = b;"])
    );
    for (index, line) in text.iter().enumerate().take(end).skip(start) {
        if index == edit.above {
            added(&edit.new, &mut diff);
        }
        let is_gone = (edit.above..edit.above + edit.gone).contains(&index);
        diff.push_str(&format!("{}{line}\n", if is_gone { '-' } else { ' ' }));
    }
    if end == edit.above {
        added(&edit.new, &mut diff);
    }
    if chance.one_in(4) {
        diff = diff.replace("\n \n", "\n\n");
    }
    diff
}

fn added(lines: &[String], diff: &mut String) {
    for line in lines {
        diff.push_str(&format!("+{line}\n"));
    }
}

/// The two lines that name an edited file, and what stands above them.
fn header(path: &str, chance: &mut Chance) -> String {
    let git = format!("diff --git a/{path} b/{path}\n");
    let sides = format!("--- a/{path}\n+++ b/{path}\n");
    match chance.below(18) {
        0..=2 => format!("{git}{sides}"),
        3 | 4 => format!("{git}index 1234567..89abcde 100644\n{sides}"),
        5 | 6 => sides,
        7 => format!(
            "--- a/{path}\t2020-01-01 00:00:00.000000000 +0000\n+++ b/{path}\t2020-01-02 00:00:00.000000000 +0000\n"
        ),
        8 => format!("diff -ru x/{path} y/{path}\n--- x/{path}\n+++ y/{path}\n"),
        9 => format!("diff --git i/{path} w/{path}\n--- i/{path}\n+++ w/{path}\n"),
        10 => format!("{git}+++ b/{path}\n--- a/{path}\n"),
        11 => format!("--- \"a/{path}\"\n+++ \"b/{path}\"\n").replace("sched", "\\163ched"),
        12 => format!(
            "Index: {path}\n{}\n--- old/{path}\t(revision 1)\n+++ new/{path}\t(working copy)\n",
            "=".repeat(67)
        ),
        13 => sides.replace("a/", "kernel/").replace("b/", "kernel/"),
        14 => sides.replace("a/", "a//").replace("b/", "b//"),
        15 => format!("{git}old mode 100644\nnew mode 100755\nindex 1234567..89abcde\n{sides}"),
        16 => format!("{git}{sides}index 1234567..89abcde 100644\n"),
        _ => sides.replace("+++ b/", "+++ /b/"),
    }
}

fn edit(tree: &Path, edit: &Edit, chance: &mut Chance) -> String {
    let hunk = hunk(&file(tree, &edit.path), edit, chance);
    header(&edit.path, chance) + &hunk
}

fn new_file(path: &str, lines: &[String], chance: &mut Chance) -> String {
    let git = format!("diff --git a/{path} b/{path}\nnew file mode 100644\n");
    let header = match chance.below(9) {
        0 | 1 => format!("{git}index 0000000..89abcde\n--- /dev/null\n+++ b/{path}\n"),
        2 => format!("{git}--- /dev/null\n+++ b/{path}\n"),
        3 => format!("--- /dev/null\n+++ b/{path}\n"),
        4 => format!("--- a/{path}\n+++ b/{path}\n"),
        5 => format!(
            "--- a/{path}\t1970-01-01 00:00:00.000000000 +0000\n+++ b/{path}\t2020-01-02 00:00:00.000000000 +0000\n"
        ),
        6 => git,
        7 => format!("{git}--- /dev/null\t\n+++ b/{path}\t\n"),
        _ => format!("{git}+++ b/{path}\n--- /dev/null\n"),
    };
    let mut diff = format!("{header}@@ -0,0 +1,{} @@\n", lines.len());
    added(lines, &mut diff);
    diff
}

fn rename(from: &str, to: &str, chance: &mut Chance) -> String {
    let git = format!("diff --git a/{from} b/{to}\n");
    match chance.below(3) {
        0 => format!("{git}similarity index 100%\nrename from {from}\nrename to {to}\n"),
        1 => format!("{git}rename old {from}\nrename new {to}\n"),
        _ => format!("{git}rename from {from}\nrename to {to}\n"),
    }
}

fn text(tree: &Path, change: &Change, chance: &mut Chance) -> String {
    match change {
        Change::Edit(own) => edit(tree, own, chance),
        Change::New { path, lines } => new_file(path, lines, chance),
        Change::Rename { from, to } => rename(from, to, chance),
    }
}

/// A diff that leaks nothing.
pub fn any_harmless(tree: &Path, chance: &mut Chance) -> String {
    let change = harmless(tree, chance);
    text(tree, &change, chance)
}

/// A diff that makes a trace event in a zone.
pub fn any_leak(tree: &Path, chance: &mut Chance) -> String {
    let change = leaking(tree, chance);
    let diff = text(tree, &change, chance);
    // git glues lines together there.
    if chance.one_in(12) && diff.contains("+TRACE_EVENT(") {
        return match chance.below(2) {
            0 => diff.replace(
                "+TRACE_EVENT(",
                "+TRACE_\n\\ No newline at end of file\n+EVENT(",
            ),
            _ => diff,
        };
    }
    diff
}
