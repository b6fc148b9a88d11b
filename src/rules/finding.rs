// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a rule says: one finding, whole, with no thought of how it is printed.

use std::fmt;

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the record; never changes the exit status.
    Note,
    /// Changes the exit status under `--strict`.
    Warning,
    /// Changes the exit status.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A place in a file of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path from the root of the tree.
    pub file: String,
    /// Line, counted from 1; in a patched file, the line after the patch.
    pub line: u32,
    /// Column in bytes, counted from 1.
    pub column: u32,
}

/// Another place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there, such as "the bare tracepoint is declared here".
    pub message: String,
}

/// A change of words in the line of a finding that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What stands there.
    pub old: String,
    /// What should.
    pub new: String,
}

impl Fix {
    /// `line`, mended at or behind `column` (in bytes, counted from 1); `None` if the
    /// words are not in it.
    pub fn applied(&self, line: &str, column: u32) -> Option<String> {
        let (before, rest) = line.split_at_checked(column.checked_sub(1)? as usize)?;
        let at = rest.find(&self.old)?;
        let (between, rest) = rest.split_at(at);
        let rest = &rest[self.old.len()..];
        Some(format!("{before}{between}{}{rest}", self.new))
    }
}

/// An approval, as a patch claims it: nobody can tell from a trailer who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The trailer, in one line: `Acked-by: Name <address>`.
    pub trailer: String,
    /// The address in it, in lower case.
    pub address: String,
}

/// One thing that a rule has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the rule.
    pub rule: &'static str,
    /// Level, after approval has been weighed.
    pub level: Level,
    /// Real name of the tracepoint that it is about.
    pub tracepoint: Option<String>,
    /// Where.
    pub place: Place,
    /// One sentence without a full stop at its end.
    pub message: String,
    /// Other places.
    pub related: Vec<Related>,
    /// Index, in the series that was checked, of the patch that introduced it.
    pub patch: Option<usize>,
    /// How to mend it, where that is a matter of a few words.
    pub fix: Option<Fix>,
    /// What lowered its level to a note, if an approval did.
    pub approval: Option<Approval>,
    /// Whether a later patch of the series takes it away again. Then its place, and the
    /// others, are as they are after `patch` and not after the series.
    pub passing: bool,
}

impl Finding {
    /// The order of all output: path, line, column, rule, then what it says.
    pub fn order(&self) -> impl Ord + '_ {
        (&self.place, self.rule, &self.tracepoint, &self.message)
    }
}
