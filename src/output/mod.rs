// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings and inventories in the shapes that people and programs read.
//!
//! One file a shape. No shape decides the exit status: [`status`] does, for all
//! of them. It may not know how findings are made.

pub mod b4;
pub mod checkpatch;
pub mod difference;
pub mod draft;
mod excerpt;
pub mod explain;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod hooks;
pub mod human;
pub mod json;
pub mod list;
pub mod porting;
pub mod report;
pub mod sarif;
pub mod status;
pub mod unified;
mod verified;

use std::borrow::Cow;

/// `text` of a stranger without what a terminal would obey: control characters but
/// the tab, and the marks that reorder text.
pub fn printable(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        c.is_control() && c != '\t'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(obeyed) {
        Cow::Owned(text.replace(obeyed, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// How wide a column of these cells is made. A format string takes no width of more
/// than 16 bits, and panics.
fn widest(cells: impl Iterator<Item = usize>) -> usize {
    cells.max().unwrap_or(0).min(usize::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::{printable, widest};

    #[test]
    fn any_width_can_be_formatted() {
        let width = widest([3, 1 << 20].into_iter());
        assert_eq!(format!("{:width$}", "x").len(), 65535);
        assert_eq!(widest([].into_iter()), 0);
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(printable("\tTRACE_EVENT(é);"), "\tTRACE_EVENT(é);");
        assert_eq!(
            printable("a\x1b[31mb\u{202e}c\u{9b}"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}"
        );
    }
}
