// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The report on bare hooks, as text for a mail, as JSON and as one HTML page.

mod html;
mod json;
mod markdown;
mod text;
mod words;

pub use html::write as html;
pub use json::write as json;
pub use markdown::write as markdown;

use super::list::TreeName;
use crate::history::History;
use crate::report::{Evidence, Judgement, Thresholds};

/// A report.
#[derive(Clone, Debug)]
pub struct Hooks<'r> {
    /// Of which tree.
    pub tree: TreeName,
    /// The folders of consumers that were given.
    pub consumers: &'r [String],
    /// The past of the hooks.
    pub history: &'r History,
    /// What the verdicts go by.
    pub thresholds: Thresholds,
    /// By name.
    pub hooks: Vec<(Evidence, Judgement)>,
}
