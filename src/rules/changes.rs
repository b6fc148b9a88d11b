// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What each patch of a series makes of the files, as the inventory takes it.

use crate::inventory::state::NewText;
use crate::source::patch::{Hunk, LineKind};
use crate::source::series::{Series, Step, Text};
use std::collections::BTreeMap;

/// The files that patch `patch` changes, as they are after it.
pub fn of_patch(series: &Series, patch: usize) -> BTreeMap<String, NewText> {
    let mut changes = BTreeMap::new();
    for (index, step) in series.steps_of(patch) {
        let copies = series
            .change(index)
            .is_some_and(|change| change.kind == crate::source::patch::ChangeKind::Copy);
        if let Some(old) = step.old_path.as_ref().filter(|_| !copies) {
            changes.entry(old.clone()).or_insert(NewText::Absent);
        }
        if let Some(new) = &step.path {
            changes.insert(new.clone(), after(series, index, step));
        }
    }
    changes
}

/// The files that the series touches, as they were before it.
pub fn before(series: &Series) -> BTreeMap<String, NewText> {
    series
        .files_after(0)
        .into_iter()
        .filter_map(|(path, text)| match text {
            None => Some((path, NewText::Absent)),
            Some(Text {
                bytes,
                partial: false,
            }) => Some((path, NewText::Whole(bytes))),
            // What is known of the file stands.
            Some(_) => None,
        })
        .collect()
}

fn after(series: &Series, index: usize, step: &Step) -> NewText {
    match &step.after {
        None => NewText::Absent,
        Some(text) if !text.partial => NewText::Whole(text.bytes.clone()),
        Some(_) => {
            let hunks = series
                .change(index)
                .map_or(&[][..], |change| change.hunks.as_slice());
            NewText::Hunks {
                before: hunks
                    .iter()
                    .map(|hunk| side(hunk, LineKind::Added))
                    .collect(),
                after: hunks
                    .iter()
                    .map(|hunk| side(hunk, LineKind::Removed))
                    .collect(),
            }
        }
    }
}

/// The lines of a hunk but for those of one kind, with the number of the first.
fn side(hunk: &Hunk, without: LineKind) -> (u32, Vec<u8>) {
    let start = if without == LineKind::Added {
        hunk.old_start
    } else {
        hunk.new_start
    };
    let mut text = Vec::new();
    for line in hunk.lines.iter().filter(|line| line.kind != without) {
        text.extend_from_slice(&line.text);
        text.push(b'\n');
    }
    (start, text)
}
