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
///
/// Each finding asks for its own line, and a patch may have millions: nothing here may
/// go through them one by one.
pub(super) fn locate<'h>(hunks: &'h [Hunk], places: &[Place], line: u32) -> Located<'h> {
    let Some(wanted) = line.checked_sub(1) else {
        return Located::default();
    };
    let begun = places.partition_point(|place| place.new <= wanted);
    let last = begun.checked_sub(1);
    let last = last.and_then(|last| hunks.get(last).zip(places.get(last)));
    let Some((hunk, place)) = last else {
        return Located {
            shown: None,
            before: Some(line),
        };
    };
    let (old_len, new_len) = (Side::Old.range(hunk).1, Side::New.range(hunk).1);
    match (wanted - place.new).checked_sub(new_len) {
        None => inside(hunk, wanted - place.new, place.old),
        Some(below) => {
            let above = place.old.saturating_add(old_len).saturating_add(below);
            Located {
                shown: None,
                before: Some(above.saturating_add(1)),
            }
        }
    }
}

/// The line `index` of what a hunk leaves; `above`: lines above the hunk before it.
fn inside(hunk: &Hunk, index: u32, above: u32) -> Located<'_> {
    // Lines that go stand above the one that is wanted.
    let up_to = hunk
        .lines
        .partition_point(|line| Side::New.above(line) <= index);
    let Some(line) = up_to.checked_sub(1).and_then(|last| hunk.lines.get(last)) else {
        return Located::default();
    };
    let number = above
        .saturating_add(Side::Old.above(line))
        .saturating_add(1);
    Located {
        shown: Some(line),
        before: Side::Old.has(line.kind).then_some(number),
    }
}
