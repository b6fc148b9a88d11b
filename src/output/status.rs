// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The exit status, whatever the format.

use crate::rules::finding::{Finding, Level};

/// How many findings there are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts `findings`.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings
            .into_iter()
            .fold(Self::default(), |mut counts, finding| {
                match finding.level {
                    Level::Error => counts.errors += 1,
                    Level::Warning => counts.warnings += 1,
                    Level::Note => counts.notes += 1,
                }
                counts
            })
    }

    /// Whether there is none but notes.
    pub fn is_clean(self) -> bool {
        self.errors == 0 && self.warnings == 0
    }
}

/// 0 if nothing is wrong, 1 if there are findings, 2 if a part of the job could
/// not be done. With `strict`, warnings count as errors do; a note, such as one
/// that records an approval, never counts.
pub fn exit_status(counts: Counts, strict: bool, incomplete: bool) -> u8 {
    if incomplete {
        2
    } else {
        u8::from(counts.errors > 0 || strict && counts.warnings > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let counts = |errors, warnings, notes| Counts {
            errors,
            warnings,
            notes,
        };
        assert_eq!(exit_status(counts(0, 0, 1), true, false), 0);
        assert_eq!(exit_status(counts(0, 1, 0), false, false), 0);
        assert_eq!(exit_status(counts(0, 1, 0), true, false), 1);
        assert_eq!(exit_status(counts(1, 0, 0), false, false), 1);
        assert_eq!(exit_status(counts(1, 0, 0), false, true), 2);
    }
}
