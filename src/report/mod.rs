// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is known for and against each bare hook: who uses it, how stable it has been,
//! what an event would freeze; and the verdict that follows by a formula.
//!
//! It may not know how a report is shown. What it has no evidence of it says, and does
//! not guess.

mod evidence;
mod types;
mod verdict;

pub use evidence::{Evidence, Sources, gather};
pub use types::{Argument, Kind};
pub use verdict::{Judgement, Thresholds, Verdict, judge};
