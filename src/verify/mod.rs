// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether source, binary and running kernel agree on every tracepoint.
//!
//! [`declared`] is what the source says, [`evidence`] what was built and what runs;
//! `leaks`, `differences` and `running` hold the one against the other, and
//! [`summary`] counts. What is found are findings as rules make them, with a small
//! catalogue of their own. It may not read files.

pub mod declared;
mod differences;
pub mod evidence;
mod leaks;
mod running;
pub mod summary;

use crate::rules::finding::{Finding, Level, Place};
use crate::rules::page::Page;
use declared::Declared;
use evidence::Evidence;

/// A kind of finding that only `verify` has.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Stable id; its page is `rules/verify/<id>.md`.
    pub id: &'static str,
    /// The text of its page.
    pub page: &'static str,
}

/// Makes the entry of a page.
macro_rules! kinds {
    ($($name:ident $id:literal),* $(,)?) => {
        $(const $name: &str = $id;)*
        /// Every kind, in the order of the catalogue.
        pub const KINDS: &[Kind] = &[$(Kind {
            id: $id,
            page: include_str!(concat!("../../rules/verify/", $id, ".md")),
        }),*];
    };
}

kinds![
    LEAK "verify-leak",
    UNKNOWN "verify-unknown",
    DIFFERS "verify-differs",
    VERSION "verify-version",
    PROBE "verify-probe",
];

/// The pages of all kinds, in the same order.
///
/// # Errors
/// A page is not of the form.
pub fn pages() -> anyhow::Result<Vec<Page>> {
    KINDS
        .iter()
        .map(|kind| Page::parse_without_cases(kind.id, kind.page))
        .collect()
}

/// The kind with this id.
pub fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// What differs, in the order of all output.
pub fn findings(declared: &Declared<'_>, evidence: &Evidence) -> Vec<Finding> {
    let mut all = differences::version(declared, evidence);
    all.extend(leaks::find(declared, evidence));
    all.extend(differences::find(declared, evidence));
    all.extend(running::find(declared, evidence));
    all.sort_by(|a, b| a.order().cmp(&b.order()));
    all.dedup();
    all
}

/// A finding about `tracepoint`.
fn finding(
    rule: &'static str,
    level: Level,
    tracepoint: &str,
    place: Place,
    message: String,
) -> Finding {
    Finding {
        rule,
        level,
        tracepoint: Some(tracepoint.to_owned()),
        place,
        message,
        related: Vec::new(),
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}
