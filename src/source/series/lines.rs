// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Lines of one side of a change onto those of the other. May not know texts.

use super::super::apply::{Place, Side};
use super::super::patch::{DiffLine, Hunk};

/// What became of a line.
#[derive(Debug, Default)]
pub(super) struct Located<'h> {
    /// The line of the diff that shows it.
    pub shown: Option<&'h DiffLine>,
    /// Its number on the other side, from 1; `None` if it is only on this one.
    pub other: Option<u32>,
}

/// Finds line `line` (from 1) of the side `side`.
pub(super) fn locate<'h>(
    hunks: &'h [Hunk],
    places: &[Place],
    side: Side,
    line: u32,
) -> Located<'h> {
    let Some(mut wanted) = line.checked_sub(1) else {
        return Located::default();
    };
    // Ends of the hunk above on both sides.
    let (mut here_end, mut there_end) = (0, 0);
    for (hunk, place) in hunks.iter().zip(places) {
        let (here, there) = match side {
            Side::Old => (place.old, place.new),
            Side::New => (place.new, place.old),
        };
        let (here_len, there_len) = (side.range(hunk).1, side.other().range(hunk).1);
        if wanted < here {
            break;
        }
        if wanted - here < here_len {
            wanted -= here;
            return inside(hunk, side, wanted, there);
        }
        (here_end, there_end) = (
            here.saturating_add(here_len),
            there.saturating_add(there_len),
        );
    }
    let other = wanted
        .saturating_sub(here_end)
        .saturating_add(there_end)
        .saturating_add(1);
    Located {
        shown: None,
        other: Some(other),
    }
}

/// The line `index` of a hunk's side `side`; `there`: lines above the hunk on
/// the other side.
fn inside(hunk: &Hunk, side: Side, index: u32, there: u32) -> Located<'_> {
    let (mut here_count, mut there_count): (u32, u32) = (0, 0);
    for line in &hunk.lines {
        let (here, other) = (side.has(line.kind), side.other().has(line.kind));
        if here && here_count == index {
            let number = there.saturating_add(there_count).saturating_add(1);
            return Located {
                shown: Some(line),
                other: other.then_some(number),
            };
        }
        here_count = here_count.saturating_add(u32::from(here));
        there_count = there_count.saturating_add(u32::from(other));
    }
    Located::default()
}
