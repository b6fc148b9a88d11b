// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Properties of the source stage: whatever way a change comes, it is the same
//! change, and no input, however broken, does more than be refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use barepoint::source::Tree;
use barepoint::source::git::blob_id;
use barepoint::source::input::{Loaded, load_bytes};
use barepoint::source::overlay::OverlayTree;
use barepoint::source::patch::LineKind;
use barepoint::source::series::{How, Series};
use proptest::prelude::*;
use similar::TextDiff;

use crate::encodings::{base64, quoted_printable};

const PATH: &str = "kernel/sched/x.c";

/// Lines that repeat, so that hunks may fit in several places.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "[a-d]",
        2 => Just(String::new()),
        2 => "\ttrace_[a-c]_tp\\(x = [0-9]{2}\\);",
        1 => Just("-- ".to_owned()),
        1 => Just("--- a/x".to_owned()),
        1 => Just("@@ -1 +1 @@".to_owned()),
        1 => Just("From a Mon Sep 17 00:00:00 2001".to_owned()),
    ];
    (prop::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, newline)| {
        let text = lines.join("\n");
        if newline && !text.is_empty() {
            text + "\n"
        } else {
            text
        }
    })
}

/// A text and what an edit of some of its lines makes of it.
fn edit() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        (text(), text()),
        (
            text(),
            prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8), 0..4)
        )
            .prop_map(|(old, edits)| {
                let mut lines: Vec<_> = old.split_inclusive('\n').map(str::to_owned).collect();
                for (index, kind) in edits
                    .into_iter()
                    .filter(|_| !lines.is_empty())
                    .collect::<Vec<_>>()
                {
                    if lines.is_empty() {
                        break;
                    }
                    let at = index.index(lines.len());
                    match kind {
                        0 => drop(lines.remove(at)),
                        1 => lines.insert(at, "new\n".to_owned()),
                        _ => lines[at] = "other\n".to_owned(),
                    }
                }
                (old, lines.concat())
            }),
    ]
}

fn id(text: &str) -> String {
    blob_id(text.as_bytes()).expect("an id")
}

/// A `git diff` of a file that is there before and after.
fn diff(path: &str, old: &str, new: &str, index: bool) -> String {
    let mut text = format!("diff --git a/{path} b/{path}\n");
    if index {
        let _ = writeln!(text, "index {}..{} 100644", &id(old)[..12], &id(new)[..12]);
    }
    let (a, b) = (format!("a/{path}"), format!("b/{path}"));
    text + &TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&a, &b)
        .to_string()
}

fn mail(header: &str, body: &str) -> String {
    format!(
        "From: A <a@b.c>\nSubject: [PATCH 1/1] sched: x\n{header}\nWhy.\n\nAcked-by: B <b@c.d>\n---\n{body}-- \n2.47\n\n"
    )
}

fn tree(text: &str) -> OverlayTree<'static> {
    OverlayTree::of(
        None,
        BTreeMap::from([(PATH.to_owned(), Some(Arc::from(text.as_bytes())))]),
    )
}

fn load(text: &str) -> Loaded {
    let loaded = load_bytes("x.patch", text.as_bytes());
    assert_eq!(loaded.problems, [], "{text}");
    loaded
}

/// Resolves against `on`, and checks that no problem comes up.
fn resolve(text: &str, on: Option<&str>) -> Series {
    let tree = on.map(tree);
    let series = Series::resolve(
        load(text).patches,
        tree.as_ref().map(|tree| tree as &dyn Tree),
        None,
    );
    assert_eq!(series.problems, [], "{text}");
    series
}

fn state(series: &Series, count: usize) -> Option<String> {
    let text = series.files_after(count).remove(PATH)??;
    Some(String::from_utf8_lossy(&text.bytes).into_owned())
}

/// The lines that a patch changes, without their place in the input.
fn lines(loaded: &Loaded) -> Vec<(LineKind, Vec<u8>)> {
    let changes = loaded.patches.iter().flat_map(|patch| &patch.changes);
    let lines = changes
        .flat_map(|change| &change.hunks)
        .flat_map(|hunk| &hunk.lines);
    lines.map(|line| (line.kind, line.text.to_vec())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diff_leads_from_before_to_after((old, new) in edit(), index: bool) {
        prop_assume!(old != new);
        let text = mail("", &diff(PATH, &old, &new, index));
        let forward = resolve(&text, Some(&old));
        prop_assert_eq!(state(&forward, 0), Some(old.clone()));
        prop_assert_eq!(state(&forward, 1), Some(new.clone()));
        if index {
            prop_assert_eq!(forward.steps[0].how, How::ByBlob);
            let backward = resolve(&text, Some(&new));
            prop_assert_eq!(state(&backward, 0), Some(old.clone()));
            prop_assert_eq!(state(&backward, 1), Some(new.clone()));
        }
    }

    #[test]
    fn every_line_knows_where_it_comes_from((old, new) in edit()) {
        prop_assume!(old != new);
        let text = mail("", &diff(PATH, &old, &new, true));
        let input: Vec<_> = text.split('\n').collect();
        let series = resolve(&text, Some(&old));
        let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
        for (index, own) in new.iter().enumerate() {
            let line = index as u32 + 1;
            match (series.line_before(0, line), series.diff_line(0, line)) {
                (Some(before), _) => {
                    prop_assert_eq!(old[before as usize - 1], *own);
                    prop_assert!(series.introduced(PATH, line).is_none());
                }
                (None, Some(shown)) => {
                    prop_assert_eq!(shown.verbatim(), input[shown.line as usize - 1]);
                    prop_assert_eq!(shown.verbatim(), format!("+{own}"));
                    prop_assert_eq!(series.introduced(PATH, line), Some((0, shown)));
                }
                (None, None) => prop_assert!(false, "line {} comes from nowhere", line),
            }
        }
    }

    #[test]
    fn a_series_is_the_same_from_any_state(texts in prop::collection::vec(text(), 2..5), from: prop::sample::Index) {
        let patches: String = texts.windows(2).filter(|pair| pair[0] != pair[1]).map(|pair| {
            let body = mail("", &diff(PATH, &pair[0], &pair[1], true));
            format!("From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n{body}")
        }).collect();
        prop_assume!(!patches.is_empty());
        let patches = patches.replace("[PATCH 1/1]", "[PATCH]");
        let series = resolve(&patches, Some(&texts[from.index(texts.len())]));
        prop_assert_eq!(state(&series, series.patches.len()), texts.last().cloned());
        prop_assert_eq!(state(&series, 0), Some(texts[0].clone()));
    }

    #[test]
    fn a_shifted_text_takes_the_patch((old, new) in edit(), above in 1..200_usize) {
        prop_assume!(old != new);
        // A hunk that begins the file is bound to its start, as with git.
        let (old, new) = (format!("1\n2\n3\n4\n{old}"), format!("1\n2\n3\n4\n{new}"));
        let text = diff(PATH, &old, &new, false);
        let head: String = (0..above).map(|line| format!("above {line}\n")).collect();
        let series = resolve(&text, Some(&format!("{head}{old}")));
        prop_assert_eq!(state(&series, 0), Some(format!("{head}{old}")));
        let lines = |text: &str| { let mut l: Vec<_> = text.lines().map(str::to_owned).collect(); l.sort(); l };
        prop_assert_eq!(lines(&state(&series, 1).unwrap_or_default()), lines(&format!("{head}{new}")));
    }

    #[test]
    fn any_encoding_is_the_same_change((old, new) in edit()) {
        prop_assume!(old != new);
        let plain = mail("", &diff(PATH, &old, &new, true));
        let wanted = load(&plain);
        let body = plain.split_once("\n\n").map_or("", |(_, body)| body);
        let encoded = |name: &str, body: String| {
            let header = format!("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: {name}\n");
            format!("From: A <a@b.c>\nSubject: [PATCH 1/1] sched: x\n{header}\n{body}")
        };
        let forms = [
            encoded("quoted-printable", quoted_printable(body)),
            encoded("base64", base64(body)),
            // b4: the header of the encoded mail over the decoded body.
            encoded("quoted-printable", body.to_owned()),
            encoded("base64", body.to_owned()),
            plain.replace('\n', "\r\n"),
            encoded("quoted-printable", quoted_printable(body)).replace('\n', "\r\n"),
            plain.replace("\n \n", "\n\n"),
        ];
        for form in forms {
            let loaded = load(&form);
            prop_assert_eq!(lines(&loaded), lines(&wanted), "{}", form);
            prop_assert_eq!(&loaded.patches[0].message, &wanted.patches[0].message);
            let series = Series::resolve(loaded.patches, Some(&tree(&old)), None);
            prop_assert_eq!(state(&series, 1), Some(new.clone()));
        }
    }

    #[test]
    fn a_cut_patch_is_refused_or_ends_between_lines((old, new) in edit(), at: prop::sample::Index) {
        prop_assume!(old != new);
        let text = mail("", &diff(PATH, &old, &new, true));
        let cut = &text[..at.index(text.len())];
        let loaded = load_bytes("x", cut.as_bytes());
        if loaded.problems.is_empty() {
            // All hunks that it still holds are whole.
            let whole = lines(&load(&text));
            prop_assert!(whole.starts_with(&lines(&loaded)));
        }
        Series::resolve(loaded.patches, Some(&tree(&old)), None);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let loaded = load_bytes("x", &bytes);
        Series::resolve(loaded.patches, None, None);
    }

    #[test]
    fn broken_lines_do_no_harm((old, new) in edit(), at: prop::sample::Index, byte: u8, header in 0..4_usize) {
        let header = ["", "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n",
            "Content-Type: multipart/mixed; boundary=x\n"][header];
        let mut bytes = mail(header, &diff(PATH, &old, &new, true)).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let loaded = load_bytes("x", &bytes);
        let series = Series::resolve(loaded.patches, Some(&tree(&old)), None);
        for step in 0..series.steps.len() {
            for line in 0..50 {
                let _ = (series.introduced(PATH, line), series.diff_line(step, line));
            }
        }
    }
}

#[test]
fn ten_megabytes_of_noise_are_refused() {
    let mut seed: u64 = 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    })
    .take(10 << 20)
    .collect();
    let loaded = load_bytes("-", &noise);
    assert!(loaded.patches.is_empty());
    assert_eq!(
        loaded.problems[0].to_string(),
        "-: not a patch: it holds no diff"
    );
}
