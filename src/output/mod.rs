// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings and inventories in the shapes that people and programs read.
//!
//! One file a shape. No shape decides the exit status: [`status`] does, for all
//! of them. It may not know how findings are made.

pub mod b4;
pub mod checkpatch;
pub mod difference;
pub mod draft;
mod exact;
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
pub mod printable;
pub mod problems;
pub mod report;
pub mod sarif;
pub mod status;
pub mod unified;
mod verified;

pub use printable::printable;

/// How wide a column of these cells is made. A format string takes no width of more
/// than 16 bits, and panics.
fn widest(cells: impl Iterator<Item = usize>) -> usize {
    cells.max().unwrap_or(0).min(usize::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::widest;

    #[test]
    fn any_width_can_be_formatted() {
        let width = widest([3, 1 << 20].into_iter());
        assert_eq!(format!("{:width$}", "x").len(), 65535);
        assert_eq!(widest([].into_iter()), 0);
    }
}
