// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What `check` or `verify` found, with all that a format may show of it.

use super::list::TreeName;
use crate::rules::finding::Finding;
use crate::source::patch::Problem;
use crate::verify::summary::Verified;

/// A line of an input that a finding is shown at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Line of the input, counted from 1: of the patch, or of the file itself.
    pub input_line: u32,
    /// The line as the input has it; in a patch with its sign.
    pub text: String,
}

/// Something that was checked: a patch, a commit, or a whole tree.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// As it was given: a file, `-`, or a commit's id in full.
    pub name: String,
    /// How sentences call it: a file, `"Subject"` of standard input, or
    /// `Commit 0123456789ab ("subject")`.
    pub called: String,
    /// The subject of its message.
    pub title: String,
    /// How many lines of it were looked at.
    pub lines: usize,
    /// Its findings, in order.
    pub findings: Vec<Entry>,
}

/// A finding and the lines that show it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The finding.
    pub finding: Finding,
    /// The line of the input; `None` if the input does not show it.
    pub shown: Option<Shown>,
    /// The line of the file, without its newline.
    pub source: Option<String>,
}

impl Entry {
    /// The whole line as the finding's fix has it.
    pub fn mended(&self) -> Option<String> {
        let fix = self.finding.fix.as_ref()?;
        fix.applied(self.source.as_ref()?, self.finding.place.column)
    }
}

/// Everything that one run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The tree, if there is one.
    pub tree: Option<TreeName>,
    /// The embedded profile that stood in for one.
    pub profile: Option<String>,
    /// What was checked, in order.
    pub subjects: Vec<Subject>,
    /// Whether that was a whole tree.
    pub is_whole: bool,
    /// Whether some rules were left out by who asked, so that having found nothing says
    /// nothing about theirs.
    pub is_narrowed: bool,
    /// What a build and a running kernel have, where they were held against it.
    pub verified: Option<Verified>,
    /// Findings of the baseline that are no more.
    pub vanished: Vec<String>,
    /// What there is to say of what was taken of the input.
    pub notices: Vec<String>,
    /// What of the input could not be read or placed, so that having found nothing
    /// means less.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether something was not checked.
    pub fn is_incomplete(&self) -> bool {
        !self.problems.is_empty()
    }

    /// All findings, by subject.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.subjects.iter().flat_map(|subject| &subject.findings)
    }
}
