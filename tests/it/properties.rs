// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a check may not depend on: how a patch came, how it was split, in which order
//! its files stand, where its hunks say they are, how many processors there are. And
//! what it may depend on least of all: that a patch and its revert do nothing.

mod trees {
    use crate::encodings::{base64, quoted_printable};
    use crate::kernels::{Whole, kernel, whole};
    use crate::series::at_a_look;
    use crate::workplace::{BINARY, Workplace, finished, json};
    use barepoint::rules::engine::Look;
    use barepoint::rules::finding::Finding;
    use barepoint::rules::zones::Zones;
    use barepoint::source::Tree;
    use barepoint::source::input::load_bytes;
    use barepoint::source::overlay::OverlayTree;
    use barepoint::source::series::Series;
    use serde_json::Value;
    use similar::TextDiff;
    use std::fmt::Write as _;
    use std::fs;
    use std::process::Output;

    /// What one file becomes: its path, and its text before and after.
    type Edit = (String, String, String);

    /// xorshift: the same numbers on every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit.max(1) as u64).unwrap_or(0)
        }
    }

    fn diff((path, old, new): &Edit) -> String {
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let diff = diff
            .unified_diff()
            .header(&format!("a/{path}"), &format!("b/{path}"))
            .to_string();
        format!("diff --git a/{path} b/{path}\n{diff}")
    }

    fn mail_with(header: &str, body: &str) -> String {
        format!("From: A <a@example.org>\nSubject: [PATCH] sched: Change\n{header}\n{body}")
    }

    fn body(edits: &[Edit]) -> String {
        let diffs: String = edits.iter().map(diff).collect();
        format!("Why = because.\n---\n{diffs}-- \n2.47\n")
    }

    fn mail(edits: &[Edit]) -> String {
        mail_with("", &body(edits))
    }

    fn back(edits: &[Edit]) -> Vec<Edit> {
        let swapped = |(path, old, new): &Edit| (path.clone(), new.clone(), old.clone());
        edits.iter().map(swapped).collect()
    }

    /// Drops, doubles or changes some lines.
    fn edited(old: &str, dice: &mut Dice) -> String {
        let mut lines: Vec<String> = old.split_inclusive('\n').map(str::to_owned).collect();
        for _ in 0..=dice.below(12) {
            let at = dice.below(lines.len());
            match dice.below(4) {
                _ if lines.is_empty() => lines.push("/* new */\n".to_owned()),
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at] = "/* changed */\n".to_owned(),
                _ => drop(lines.drain(at..(at + dice.below(60)).min(lines.len()))),
            }
        }
        lines.concat()
    }

    #[test]
    fn a_diff_of_real_files_leads_from_before_to_after_and_back() {
        for version in ["6.12", "7.3"] {
            let tree = &whole(version).tree;
            let folders = ["kernel/sched/", "fs/", "include/trace/events/", "mm/"];
            let wanted = |path: &str| {
                folders.iter().any(|folder| path.starts_with(folder))
                    && (path.ends_with(".c") || path.ends_with(".h"))
            };
            let paths = tree.paths(&wanted).expect("the paths");
            for seed in 1..=150_u64 {
                let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let path = paths[dice.below(paths.len())].clone();
                let text = tree.read(&path).expect("readable").expect("a file");
                let Ok(old) = String::from_utf8(text.to_vec()) else {
                    continue;
                };
                let new = edited(&old, &mut dice);
                if old == new {
                    continue;
                }
                let edits = [(path.clone(), old.clone(), new.clone())];
                let what = format!("{version}, seed {seed}: {path}");
                let lead = |edits: &[Edit], from: &dyn Tree, to: &str| {
                    let loaded = load_bytes("x.patch", mail(edits).as_bytes());
                    assert_eq!(loaded.problems, [], "{what}");
                    let series = Series::resolve(loaded.patches, Some(from), None);
                    assert_eq!(series.problems, [], "{what}");
                    let after = OverlayTree::after(Some(from), &series, 1);
                    let text = after.read(&path).expect("readable").unwrap_or_default();
                    assert!(*text == *to.as_bytes(), "{what}");
                };
                lead(&edits, tree, &new);
                let files = [(path.clone(), Some(new.as_bytes().into()))];
                let changed = OverlayTree::of(Some(tree), files.into());
                lead(&back(&edits), &changed, &old);
            }
        }
    }

    /// A leak in two files of a tree, with several findings.
    fn leak(version: &str) -> Vec<Edit> {
        let edit = |path: &str, from: &str, to: &str| {
            let old = fs::read_to_string(kernel(version).join(path)).expect("a file");
            assert_eq!(old.matches(from).count(), 1, "{version}: {path}");
            (path.to_owned(), old.clone(), old.replace(from, to))
        };
        let end = "#endif /* _TRACE_SCHED_H */";
        let event = "TRACE_EVENT(sched_leak,\n\tTP_PROTO(struct rq *rq, int a),\n\tTP_ARGS(rq),\n\
             \tTP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));\n\n";
        let export = "EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);\n";
        vec![
            edit(
                "include/trace/events/sched.h",
                end,
                &format!("{event}{end}"),
            ),
            edit(
                "kernel/sched/core.c",
                export,
                &format!("{export}EXPORT_TRACEPOINT_SYMBOL(sched_nowhere_tp);\n"),
            ),
        ]
    }

    /// Runs the binary, or a program that runs it.
    fn run(place: &Workplace, program: &[&str], arguments: &[&str]) -> Output {
        let all = [program, &[BINARY], arguments].concat();
        finished(place.command(all[0]).args(&all[1..]))
    }

    /// The findings of patches, without which patch has each, and the exit status.
    fn findings(program: &[&str], version: &str, patches: &[&str]) -> (Vec<Value>, Option<i32>) {
        let place = Workplace::empty();
        for (number, patch) in patches.iter().enumerate() {
            place.write(format!("queue/{number}.patch"), patch);
        }
        let tree = kernel(version);
        let tree = tree.to_string_lossy();
        let arguments = ["check", "--format", "json", "--tree", &tree, "queue"];
        let output = run(&place, program, &arguments);
        let report = json(&output);
        let mut found = report["findings"].as_array().cloned().unwrap_or_default();
        for finding in &mut found {
            finding["patch"] = Value::Null;
        }
        (found, output.status.code())
    }

    /// The same from the state that is at hand.
    fn known(version: &str, patches: &[&str]) -> Vec<Finding> {
        let mails: Vec<String> = patches.iter().map(|&one| one.to_owned()).collect();
        let Whole { tree, state } = whole(version);
        let zones = Zones::built_in().expect("zones");
        let mut found = at_a_look(tree, state, &mails, &zones, version, Look::Affected);
        for finding in &mut found {
            finding.patch = None;
        }
        found
    }

    /// The diffs with hunks that say they are elsewhere.
    fn moved(mail: &str, by: u32) -> String {
        let mut text = String::new();
        for line in mail.split_inclusive('\n') {
            let ranges = line
                .strip_prefix("@@ -")
                .and_then(|rest| rest.split_once(" @@"));
            let Some((ranges, rest)) = ranges else {
                text.push_str(line);
                continue;
            };
            let shift = |range: &str| {
                let (start, len) = range.split_once(',').unwrap_or((range, "1"));
                format!("{},{len}", start.parse::<u32>().expect("a number") + by)
            };
            let (old, new) = ranges.split_once(" +").expect("two ranges");
            write!(text, "@@ -{} +{} @@{rest}", shift(old), shift(new)).expect("a string");
        }
        text
    }

    #[test]
    fn findings_do_not_depend_on_how_a_patch_came() {
        for version in ["6.12", "7.3"] {
            let edits = leak(version);
            let plain = mail(&edits);
            let wanted = findings(&[], version, &[&plain]);
            assert!(wanted.0.len() >= 3 && wanted.1 == Some(1), "{wanted:?}");
            let whole = known(version, &[&plain]);
            assert_eq!(whole.len(), wanted.0.len(), "{version}");
            let encoded = |name: &str, body: &str| {
                let header = format!(
                    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: {name}\n"
                );
                mail_with(&header, body)
            };
            let quoted = encoded("quoted-printable", &quoted_printable(&body(&edits)));
            let reversed: Vec<Edit> = edits.iter().rev().cloned().collect();
            let forms = [
                ("base64", encoded("base64", &base64(&body(&edits)))),
                ("quoted-printable of CRLF", quoted.replace('\n', "\r\n")),
                ("quoted-printable", quoted),
                ("decoded below its header", encoded("base64", &body(&edits))),
                ("CRLF", plain.replace('\n', "\r\n")),
                ("a diff alone", edits.iter().map(diff).collect()),
                ("hunks elsewhere", moved(&plain, 9)),
                ("files in another order", mail(&reversed)),
            ];
            for (what, form) in forms {
                assert_eq!(known(version, &[&form]), whole, "{version}: {what}");
            }
            let split: Vec<String> = edits.chunks(1).map(mail).collect();
            let apart = findings(&[], version, &[&split[0], &split[1]]);
            assert_eq!(apart, wanted, "{version}: split");
            let apart = known(version, &[&split[1], &split[0]]);
            assert_eq!(apart, whole, "{version}: split the other way round");
            let one = findings(&["taskset", "-c", "0"], version, &[&plain]);
            assert_eq!(one, wanted, "{version}: one processor");
        }
    }

    #[test]
    fn a_whole_tree_is_the_same_on_one_processor() {
        let tree = kernel("7.3");
        let tree = tree.to_string_lossy();
        let arguments = ["check", "--format", "json", "--tree", &tree];
        let place = Workplace::empty();
        let all = run(&place, &[], &arguments);
        let one = run(&place, &["taskset", "-c", "0"], &arguments);
        assert!(!all.stdout.is_empty() && all.stdout == one.stdout);
    }

    #[test]
    fn a_patch_and_its_revert_leak_nothing() {
        for version in ["6.12", "7.3"] {
            let edits = leak(version);
            let (there, back) = (mail(&edits), mail(&back(&edits)));
            let (found, _) = findings(&[], version, &[&there, &back]);
            // What does not build between the two is all that there is to say.
            let rules: Vec<&str> = found
                .iter()
                .map(|one| one["rule"].as_str().expect("a rule"))
                .collect();
            let broken = ["argument-mismatch", "dangling-export"];
            assert_eq!(rules, broken, "{version}");
        }
    }
}
