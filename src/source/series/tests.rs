// SPDX-License-Identifier: GPL-2.0-only OR MIT
use std::collections::BTreeMap;

use super::super::git::blob_id;
use super::super::input;
use super::super::overlay::OverlayTree;
use super::*;

type Files = [(&'static str, &'static str)];

fn tree(files: &Files) -> OverlayTree<'static> {
    let own = |&(path, text): &(&str, &str)| (path.to_owned(), Some(Arc::from(text.as_bytes())));
    OverlayTree::of(None, files.iter().map(own).collect())
}

fn patches(texts: &[&str]) -> Vec<Patch> {
    let load = |text: &&str| {
        let loaded = input::load_bytes("x.patch", text.as_bytes());
        assert_eq!(loaded.problems, []);
        loaded.patches
    };
    texts.iter().flat_map(load).collect()
}

fn resolve(files: Option<&Files>, texts: &[&str]) -> Series {
    let tree = files.map(tree);
    Series::resolve(
        patches(texts),
        tree.as_ref().map(|tree| tree as &dyn Tree),
        None,
    )
}

fn shown(text: Option<&Text>) -> Option<&str> {
    text.map(|text| std::str::from_utf8(&text.bytes).expect("UTF-8"))
}

/// The texts before and after each step, and where they come from.
fn texts(series: &Series) -> Vec<(Option<&str>, Option<&str>, How)> {
    let steps = series.steps.iter();
    steps
        .map(|step| {
            (
                shown(step.before.as_ref()),
                shown(step.after.as_ref()),
                step.how,
            )
        })
        .collect()
}

const ONE: &str = "--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n+1\n b\n c\n";
const TWO: &str = "--- a/x\n+++ b/x\n@@ -2,3 +2,4 @@\n 1\n b\n+2\n c\n";
const BASE: &str = "a\nb\nc\n";
const MID: &str = "a\n1\nb\nc\n";
const TIP: &str = "a\n1\nb\n2\nc\n";

#[test]
fn a_series_resolves_whatever_of_it_the_tree_has() {
    let (forward, back) = (How::Forward { offset: 0 }, How::Backward);
    for (text, hows) in [
        (BASE, [forward, forward]),
        (MID, [back, forward]),
        (TIP, [back, back]),
    ] {
        let files = [("x", text)];
        let tree = OverlayTree::of(
            None,
            BTreeMap::from([("x".to_owned(), Some(Arc::from(text.as_bytes())))]),
        );
        let series = Series::resolve(patches(&[ONE, TWO]), Some(&tree), None);
        assert_eq!(series.problems, [], "{files:?}");
        let wanted = [
            (Some(BASE), Some(MID), hows[0]),
            (Some(MID), Some(TIP), hows[1]),
        ];
        assert_eq!(texts(&series), wanted);
        let read = |count| {
            OverlayTree::after(Some(&tree), &series, count)
                .read("x")
                .expect("x")
        };
        assert_eq!(
            [0, 1, 2].map(read).map(|text| text.expect("x").to_vec()),
            [BASE, MID, TIP].map(Vec::from)
        );
    }
}

#[test]
fn lines_map_through_the_series() {
    let one = ONE.replace("-1,3 +1,4", "-2,3 +2,4");
    let series = resolve(Some(&[("x", "0\na\nb\nc\n")]), &[&one, TWO]);
    let added = series.diff_line(0, 3).expect("line 3 is shown");
    assert_eq!((added.verbatim().as_str(), added.line), ("+1", 5));
    assert_eq!(series.diff_line(0, 1), None);
    assert_eq!(
        (series.line_before(0, 3), series.line_before(0, 5)),
        (None, Some(4))
    );
    let origin = |line| {
        series
            .introduced("x", line)
            .map(|(step, line)| (step, line.line))
    };
    assert_eq!(
        [1, 2, 3, 4, 5, 6].map(origin),
        [None, None, Some((0, 5)), None, Some((1, 6)), None]
    );
    assert_eq!(series.diff_line(9, 1), None);
}

#[test]
fn a_later_patch_takes_lines_away() {
    let revert = "--- a/x\n+++ b/x\n@@ -1,4 +1,3 @@\n a\n-1\n b\n c\n";
    let series = resolve(Some(&[("x", BASE)]), &[ONE, revert]);
    assert!((1..=3).all(|line| series.introduced("x", line).is_none()));
}

#[test]
fn new_moved_and_deleted_files() {
    let add = "--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+a\n+b\n";
    let rename = "diff --git a/n b/m\nsimilarity index 50%\nrename from n\nrename to m\n--- a/n\n+++ b/m\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
    let delete = "--- a/m\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-c\n";
    for files in [None, Some(&[("y", "")][..])] {
        let series = resolve(files, &[add, rename, delete]);
        assert_eq!(series.problems, []);
        let how = How::Forward { offset: 0 };
        let wanted = [
            (None, Some("a\nb\n"), how),
            (Some("a\nb\n"), Some("a\nc\n"), how),
            (Some("a\nc\n"), None, how),
        ];
        assert_eq!(texts(&series), wanted);
        let names = |count| {
            series
                .files_after(count)
                .into_iter()
                .filter(|(_, text)| text.is_some())
                .map(|(path, _)| path)
                .collect::<String>()
        };
        assert_eq!([0, 1, 2, 3].map(names), ["", "n", "m", ""]);
    }
    let series = resolve(Some(&[("m", "a\nc\n")]), &[add, rename]);
    assert_eq!(series.problems, []);
    assert_eq!(series.introduced("m", 1).map(|(step, _)| step), Some(0));
    assert_eq!(series.introduced("m", 2).map(|(step, _)| step), Some(1));
    let series = resolve(Some(&[("n", "a\nb\n")]), &[add]);
    assert_eq!(
        (series.problems.len(), series.steps[0].how),
        (0, How::Backward)
    );
    let series = resolve(Some(&[("n", "other\n")]), &[add]);
    assert!(
        series.problems[0].message.contains("is there already"),
        "{}",
        series.problems[0]
    );
    assert_eq!(texts(&series), [(None, Some("a\nb\n"), How::HunksAlone)]);
}

#[test]
fn what_does_not_fit_stands_alone_and_is_told() {
    let series = resolve(Some(&[("x", "q\n")]), &[ONE]);
    let problem = series.problems[0].to_string();
    assert_eq!(
        problem,
        "x.patch:3: does not fit the patches alone: x: hunk #1 at line 1 is not there"
    );
    assert_eq!(texts(&series), [(Some(BASE), Some(MID), How::HunksAlone)]);
    assert!(
        resolve(Some(&[]), &[ONE]).problems[0]
            .message
            .contains("there is no x")
    );
}

#[test]
fn without_a_tree_the_hunks_make_up_the_text() {
    // The second patch shows line 9, which is line 8 before the first.
    let second = "--- a/x\n+++ b/x\n@@ -8,2 +8,3 @@\n h\n+n\n i\n";
    let series = resolve(None, &[ONE, second]);
    assert_eq!(series.problems, []);
    let before = "a\nb\nc\n\n\n\nh\ni\n";
    assert_eq!(
        texts(&series)[0],
        (
            Some(before),
            Some("a\n1\nb\nc\n\n\n\nh\ni\n"),
            How::HunksAlone
        )
    );
    assert_eq!(texts(&series)[1].1, Some("a\n1\nb\nc\n\n\n\nh\nn\ni\n"));
    assert!(
        series
            .steps
            .iter()
            .all(|step| step.after.as_ref().is_some_and(|text| text.partial))
    );
    assert_eq!(
        series
            .introduced("x", 9)
            .map(|(step, line)| (step, line.line)),
        Some((1, 5))
    );
    // Patches that contradict each other do not spoil each other.
    let series = resolve(None, &[ONE, ONE]);
    assert_eq!(texts(&series)[1], (Some(BASE), Some(MID), How::HunksAlone));
}

#[test]
fn a_line_number_out_of_all_measure_costs_nothing() {
    let far = "--- a/x\n+++ b/x\n@@ -4000000000 +4000000000 @@\n-a\n+b\n";
    let series = resolve(None, &[far]);
    assert_eq!((series.problems.len(), series.steps.len()), (1, 0));
}

#[test]
fn many_files_that_end_far_down_cost_no_more_than_some() {
    let far = |file| format!("--- a/{file}\n+++ b/{file}\n@@ -999000 +999000 @@\n-a\n+b\n");
    let patch: String = (0..1000).map(far).collect();
    let series = resolve(None, &[&patch]);
    let texts = series
        .steps
        .iter()
        .flat_map(|step| [&step.before, &step.after]);
    let size: usize = texts.flatten().map(|text| text.bytes.len()).sum();
    assert!(size < 200 << 20, "{size}");
    assert_eq!(series.problems.len() + series.steps.len(), 1000);
}

#[test]
fn a_series_that_would_take_forever_fits_nowhere() {
    let file = "x\n".repeat(30_000) + "y\nend\n";
    let far = |number| {
        let lines = " x\n".repeat(500);
        format!(
            "--- a/x\n+++ b/x\n@@ -1,502 +1,502 @@\n{lines}-y{number}\n+y{}\n end\n",
            number + 1
        )
    };
    let mut patches: Vec<String> = vec![far(0).replace("-y0", "-y")];
    patches.extend((1..64).map(far));
    patches.push("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-z\n+x\n".to_owned());
    let texts: Vec<&str> = patches.iter().map(String::as_str).collect();
    let files = [("x", file.leak() as &str)];
    assert_eq!(resolve(Some(&files), &texts).problems.len(), 1);
}

/// Blobs by their ids.
struct Known(BTreeMap<String, Arc<[u8]>>);

impl Known {
    fn of(texts: &[&str]) -> Self {
        let one = |text: &&str| {
            (
                blob_id(text.as_bytes()).expect("an id"),
                Arc::from(text.as_bytes()),
            )
        };
        Self(texts.iter().map(one).collect())
    }
}

impl Blobs for Known {
    fn blob(&self, _: &str, id: &str) -> Option<Arc<[u8]>> {
        self.0
            .iter()
            .find(|(own, _)| own.starts_with(id))
            .map(|(_, text)| text.clone())
    }
}

fn with_index(patch: &str, old: &str, new: &str) -> String {
    let id = |text: &str| blob_id(text.as_bytes()).expect("an id")[..12].to_owned();
    format!(
        "diff --git a/x b/x\nindex {}..{} 100644\n{patch}",
        id(old),
        id(new)
    )
}

#[test]
fn blobs_go_before_the_tree() {
    let one = with_index(ONE, BASE, MID);
    // b4: the tree is two patches on, and its text fits neither way.
    let tip = tree(&[("x", "a\nother\n")]);
    for blobs in [&[BASE][..], &[MID], &[BASE, MID]] {
        let series = Series::resolve(patches(&[&one]), Some(&tip), Some(&Known::of(blobs)));
        assert_eq!(series.problems, []);
        assert_eq!(texts(&series), [(Some(BASE), Some(MID), How::ByBlob)]);
    }
    // Only the base is known: the second patch stands on the first.
    let two = with_index(TWO, MID, TIP);
    let series = Series::resolve(
        patches(&[&one, &two]),
        Some(&tip),
        Some(&Known::of(&[BASE])),
    );
    assert_eq!(texts(&series)[1], (Some(MID), Some(TIP), How::ByBlob));
    // No blob, but the tree's text has the id.
    let series = Series::resolve(patches(&[&one]), Some(&tree(&[("x", MID)])), None);
    assert_eq!(texts(&series), [(Some(BASE), Some(MID), How::ByBlob)]);
}

#[test]
fn a_binary_patch_is_a_problem() {
    let binary = "diff --git a/x.c b/x.c\nindex 0123abc..4567def 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n";
    let series = resolve(Some(&[("x.c", BASE)]), &[binary]);
    assert!(series.problems[0].message.contains("binary"));
    assert!(series.steps.is_empty());
    let picture = resolve(None, &[&binary.replace("x.c", "x.png")]);
    assert_eq!((picture.problems.len(), picture.unfit), (1, Some(0)));
}

#[test]
fn a_copy_leaves_its_source() {
    let copy = "diff --git a/x b/y\nsimilarity index 90%\ncopy from x\ncopy to y\n--- a/x\n+++ b/y\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
    for files in [&[("x", BASE)][..], &[("x", BASE), ("y", "a\nB\nc\n")]] {
        let series = resolve(Some(files), &[copy]);
        assert_eq!(series.problems, []);
        let after = series.files_after(1);
        assert_eq!(shown(after["x"].as_ref()), Some(BASE));
        assert_eq!(shown(after["y"].as_ref()), Some("a\nB\nc\n"));
        assert_eq!(series.files_after(0)["y"], None);
    }
}

#[test]
fn a_blob_does_not_undo_an_earlier_patch() {
    // Both were made for the same text, and only one can be put onto it.
    let other = with_index(
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
        BASE,
        "a\nB\nc\n",
    );
    let texts = [&*with_index(ONE, BASE, MID), &other];
    let known = Known::of(&[BASE, MID]);
    let series = Series::resolve(patches(&texts), Some(&tree(&[("x", BASE)])), Some(&known));
    assert_eq!(series.problems.len(), 1, "{:?}", series.problems);
    assert!(series.problems[0].message.contains("does not fit"));
    // Of a series in the wrong order, the last patch is not the last one that was made.
    let texts = [with_index(TWO, MID, TIP), with_index(ONE, BASE, MID)];
    let texts = [&*texts[0], &texts[1]];
    let known = Known::of(&[BASE, MID, TIP]);
    let series = Series::resolve(patches(&texts), Some(&tree(&[("x", BASE)])), Some(&known));
    assert_eq!(series.problems.len(), 1, "{:?}", series.problems);
}

#[test]
fn what_a_series_makes_has_an_end() {
    let copy = |to: usize| {
        format!("diff --git a/x b/y{to}\nsimilarity index 100%\ncopy from x\ncopy to y{to}\n")
    };
    let copies: String = (0..600).map(copy).collect();
    let large = "\n".repeat(1 << 20);
    let files = BTreeMap::from([("x".to_owned(), Some(Arc::from(large.as_bytes())))]);
    let tree = OverlayTree::of(None, files);
    let series = Series::resolve(patches(&[&copies]), Some(&tree), None);
    assert_eq!(series.problems.len(), 1, "{:?}", series.problems);
    assert!(series.problems[0].message.contains("in parts"));
    // A file that only moves is made once.
    let text = |step: &Step| step.after.clone().expect("a text").bytes;
    let moved = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
    let series = Series::resolve(patches(&[moved]), Some(&tree), None);
    let before = tree.read("x").expect("a text").expect("a text");
    assert!(Arc::ptr_eq(&text(&series.steps[0]), &before));
}

#[test]
fn lines_of_a_long_hunk_are_found() {
    const LINES: u32 = 300_000;
    let lines: String = (0..LINES)
        .map(|line| format!("-{line}\n {line}\n+{line}\n"))
        .collect();
    let (two, three) = (2 * LINES, 3 * LINES);
    let patch = format!("--- a/x\n+++ b/x\n@@ -5,{two} +5,{two} @@\n{lines}");
    let series = resolve(None, &[&patch]);
    for index in (0..two).step_by(3) {
        let (pair, is_second) = (index / 2, index % 2);
        // The second of two new lines comes.
        let shown = series.diff_line(0, 5 + index).map(|line| line.line);
        assert_eq!(shown, Some(5 + 3 * pair + is_second));
        let before = series.line_before(0, 5 + index);
        assert_eq!(before, (is_second == 0).then_some(6 + index));
    }
    assert_eq!(series.line_before(0, 4), Some(4));
    assert_eq!(series.line_before(0, three), Some(three));
}

/// The texts after each answer, and whether it has problems, with `past` as history.
fn answers(now: &'static str, patch: &str, past: &[&str]) -> Vec<(String, bool)> {
    let tree = tree(&[("x", now)]);
    let known = Known::of(past);
    let all = Series::alternatives(patches(&[patch]), Some(&tree), Some(&known));
    let after = |series: &Series| {
        let text = shown(series.steps[0].after.as_ref()).unwrap_or_default();
        (text.replace('\n', ""), !series.problems.is_empty())
    };
    all.iter().map(after).collect()
}

#[test]
fn an_index_line_is_a_claim() {
    // The text on disk has the context alive; that of the index line has it in an #if 0.
    let now = "q\n#if 0\n#endif\na\nb\nc\n";
    let dead = "q\n#if 0\na\nb\nc\n#endif\n";
    let hunk = "--- a/x\n+++ b/x\n@@ -3,3 +3,4 @@\n a\n+1\n b\n c\n";
    let live = ("q#if 0#endifa1bc".to_owned(), false);
    let hidden = ("q#if 0a1bc#endif".to_owned(), false);
    let forged = with_index(hunk, dead, MID);
    assert_eq!(answers(now, &forged, &[]), std::slice::from_ref(&live));
    let known = [dead, MID];
    assert_eq!(answers(now, &forged, &known), [live.clone(), hidden]);
    // One that says what is there adds nothing.
    let honest = with_index(hunk, now, MID);
    assert_eq!(
        answers(now, &honest, &[now, dead]),
        std::slice::from_ref(&live)
    );
    // Nor does one whose text the hunk does not fit.
    let unfit = with_index(hunk, "q\n", MID);
    assert_eq!(answers(now, &unfit, &["q\n"]), [live]);
}

#[test]
fn history_need_not_fit() {
    let patch = with_index(ONE, BASE, MID);
    let after = |problem: bool| [("a1bc".to_owned(), problem)];
    // b4: the patch is in the history, and what followed has changed its lines.
    assert_eq!(answers("a\nother\n", &patch, &[BASE, MID]), after(false));
    // It was never applied, and git would not take it: its base alone is no reason.
    assert_eq!(answers("a\nother\n", &patch, &[BASE]), after(true));
    assert_eq!(answers("a\nother\n", &patch, &[]), after(true));
    let forged = with_index(ONE, BASE, "what it does not make\n");
    let known = [BASE, "what it does not make\n"];
    assert_eq!(answers("a\nother\n", &forged, &known), after(true));
    // It is applied, without a commit.
    assert_eq!(answers(MID, &patch, &[BASE]), after(false));
}

#[test]
fn a_patch_of_which_the_tree_has_half() {
    let other = ONE.replace("/x", "/y");
    let both = format!("{ONE}{other}");
    for (x, y, halves) in [
        (BASE, BASE, 0),
        (MID, MID, 0),
        (BASE, MID, 1),
        (MID, BASE, 1),
    ] {
        let tree = tree(&[("x", x), ("y", y)]);
        let series = Series::resolve(patches(&[&both]), Some(&tree), None);
        assert_eq!(series.problems.len(), halves, "{:?}", series.problems);
        // Patches of their own may be there each for itself.
        let series = Series::resolve(patches(&[ONE, &other]), Some(&tree), None);
        assert_eq!(series.problems, []);
    }
}

#[test]
fn changes_of_one_patch_are_as_git_takes_them() {
    let moved = |from: &str, to: &str, how: &str| {
        format!(
            "diff --git a/{from} b/{to}\nsimilarity index 100%\n{how} from {from}\n{how} to {to}\n"
        )
    };
    let after = |patch: &[&str]| {
        let tree = tree(&[("x", BASE), ("y", "y\n")]);
        let series = Series::resolve(patches(&[&patch.join("\n")]), Some(&tree), None);
        let files = series.files_after(1);
        let text = |path| files.get(path).and_then(Option::as_ref);
        let texts = ["x", "y", "z"].map(|path| shown(text(path)).unwrap_or("-").replace('\n', ""));
        let before = series.files_after(0);
        let x = before.get("x").and_then(Option::as_ref);
        assert!(!series.problems.is_empty() || x.is_none() || shown(x) == Some(BASE));
        (texts.join(" "), series.problems.len())
    };
    let said = |text: &str| (text.to_owned(), 0);
    // Changed twice, one on the other
    assert_eq!(after(&[ONE, TWO]), said("a1b2c - -"));
    // Names are exchanged.
    let there = moved("x", "y", "rename");
    assert_eq!(
        after(&[&there, &moved("y", "x", "rename")]),
        said("y abc -")
    );
    // What is copied or moved is what was there before the patch.
    assert_eq!(after(&[ONE, &moved("x", "z", "copy")]), said("a1bc - abc"));
    assert_eq!(
        after(&[ONE, &moved("x", "z", "rename")]),
        said("a1bc - abc")
    );
    let made = ONE.replace("/x", "/z");
    assert_eq!(
        after(&[&moved("x", "z", "copy"), &made]),
        said("abc - a1bc")
    );
    // What has gone is gone.
    let delete = "--- a/x\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n";
    assert_eq!(after(&[&moved("x", "z", "rename"), ONE]).1, 1);
    assert_eq!(after(&[delete, &moved("y", "x", "rename")]), said("y - -"));
    assert_eq!(after(&[&there]).1, 1);
}
