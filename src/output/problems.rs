// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What could not be checked, as much of it as anybody reads: a mailbox of a hundred
//! thousand mails without a patch is one mistake. It may not decide the exit status.

use crate::source::patch::Problem;

/// How many are said on standard error.
pub const MOST_SAID: usize = 8;
/// How many a file for programs has.
pub(super) const MOST_LISTED: usize = 1000;

/// The first of some problems and the last, which may be why no more was read; and how
/// many there are beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'p> {
    /// These are told.
    pub problems: Vec<&'p Problem>,
    /// The first of those that are not; `None` if all are told.
    pub rest: Option<&'p Problem>,
    more: usize,
}

impl<'p> Told<'p> {
    /// At most `most` of `problems`; one more is told, too, as to say that there is
    /// another takes as much room.
    pub fn of(problems: &'p [Problem], most: usize) -> Self {
        match problems {
            [first @ .., last] if problems.len() > most + 1 => {
                let (first, rest) = first.split_at(most.saturating_sub(1));
                Self {
                    problems: first.iter().chain([last]).collect(),
                    rest: rest.first(),
                    more: rest.len(),
                }
            }
            all => Self {
                problems: all.iter().collect(),
                rest: None,
                more: 0,
            },
        }
    }

    /// What is said of the others.
    pub fn more(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more that could not be checked", self.more))
    }

    /// A line for each, and one for the others.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.problems
            .iter()
            .map(ToString::to_string)
            .chain(self.more())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<String> {
        let problems: Vec<Problem> = (0..count)
            .map(|number| Problem {
                input: format!("{number}.patch"),
                line: None,
                message: "x".to_owned(),
            })
            .collect();
        Told::of(&problems, 3).lines().collect()
    }

    #[test]
    fn few_are_all_told() {
        assert_eq!(lines(0), [""; 0]);
        assert_eq!(lines(4).len(), 4);
        assert_eq!(lines(4)[3], "3.patch: x");
    }

    #[test]
    fn many_are_counted() {
        let said = lines(2000);
        assert_eq!(said.len(), 4);
        assert_eq!(said[1..3], ["1.patch: x", "1999.patch: x"]);
        assert_eq!(said[3], "and 1997 more that could not be checked");
    }
}
