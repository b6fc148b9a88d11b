// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings and inventories in the shapes that people and programs read.
//!
//! One file a shape. No shape decides the exit status: [`status`] does, for all
//! of them. It may not know how findings are made.

pub mod checkpatch;
pub mod explain;
pub mod human;
pub mod json;
pub mod list;
pub mod report;
pub mod status;
