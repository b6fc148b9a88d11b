// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Lines after a change onto those before it. May not know texts.

use super::super::apply::{Place, Side};
use super::super::patch::{DiffLine, Hunk};

/// Where a line comes from.
#[derive(Debug, Default)]
pub(super) struct Located<'h> {
    /// The line of the diff that shows it.
    pub shown: Option<&'h DiffLine>,
    /// Its number before the change, from 1; `None` if it is new.
    pub before: Option<u32>,
}

/// Finds line `line` (from 1) after the change.
pub(super) fn locate<'h>(hunks: &'h [Hunk], places: &[Place], line: u32) -> Located<'h> {
    let Some(wanted) = line.checked_sub(1) else {
        return Located::default();
    };
    // Ends of the hunk above on both sides.
    let (mut old_end, mut new_end) = (0, 0);
    for (hunk, place) in hunks.iter().zip(places) {
        let (old_len, new_len) = (Side::Old.range(hunk).1, Side::New.range(hunk).1);
        if wanted < place.new {
            break;
        }
        if wanted - place.new < new_len {
            return inside(hunk, wanted - place.new, place.old);
        }
        (old_end, new_end) = (
            place.old.saturating_add(old_len),
            place.new.saturating_add(new_len),
        );
    }
    let before = wanted
        .saturating_sub(new_end)
        .saturating_add(old_end)
        .saturating_add(1);
    Located {
        shown: None,
        before: Some(before),
    }
}

/// The line `index` of what a hunk leaves; `above`: lines above the hunk before it.
fn inside(hunk: &Hunk, index: u32, above: u32) -> Located<'_> {
    let (mut old_count, mut new_count): (u32, u32) = (0, 0);
    for line in &hunk.lines {
        let (old, new) = (Side::Old.has(line.kind), Side::New.has(line.kind));
        if new && new_count == index {
            let number = above.saturating_add(old_count).saturating_add(1);
            return Located {
                shown: Some(line),
                before: old.then_some(number),
            };
        }
        old_count = old_count.saturating_add(u32::from(old));
        new_count = new_count.saturating_add(u32::from(new));
    }
    Located::default()
}
