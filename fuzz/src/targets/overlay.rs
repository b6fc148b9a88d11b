// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Patches over a tree: the text before a NUL is that of every file which the
//! patches behind it change.

use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::{How, Series};
use barepoint::source::{Tree, patch::FileChange};
use crate::shared::{Files, halves};

pub fn fuzz(input: &[u8]) {
    let (text, patches) = halves(input);
    let patches = load_bytes("x", patches).patches;
    let old = |change: &FileChange| change.old_path.clone();
    let paths = patches
        .iter()
        .flat_map(|patch| &patch.changes)
        .filter_map(old);
    let files: Files = paths.map(|path| (path, Some(text.into()))).collect();
    let tree = OverlayTree::of(None, files);
    let series = Series::resolve(patches, Some(&tree), None);
    for count in 0..=series.patches.len() {
        let after = OverlayTree::after(Some(&tree), &series, count);
        let _ = after.paths(&|_| true).expect("all is in memory");
    }
    for (index, step) in series.steps.iter().enumerate() {
        let shown = |text: &Option<barepoint::source::series::Text>| {
            text.as_ref()
                .map_or(0, |text| text.bytes.len().min(200) as u32)
        };
        let mut last = 0;
        for line in 0..=shown(&step.after) {
            let before = series.line_before(index, line);
            // Where hunks stand for themselves, their headers may contradict each other.
            if let Some(before) = before.filter(|_| step.how != How::HunksAlone) {
                let places = &step.places;
                assert!(before > last, "{index} {line} {:?} {places:?}", step.how);
                last = before;
            }
            let _ = series.diff_line(index, line);
        }
        if matches!(step.how, How::Forward { .. }) && step.patch == 0 {
            assert!(step.before.as_ref().is_none_or(|text| !text.partial));
        }
    }
}
