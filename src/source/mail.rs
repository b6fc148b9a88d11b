// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails and the patches in them: who wrote it, what it says, what it changes.
//!
//! A mail is read as git reads it, and where its header has the body decoded, once more as
//! it stands, since b4 hands over decoded bodies below the header of the encoded ones. If
//! both have a whole diff and differ, neither is passed over. A `Patch` knows the line of
//! the input that each of its lines stood on, in an encoded body that which it was decoded
//! from. May not know trees, nor in which file the mails lie.

mod log;

use super::diff::{self, Parsed};
use super::mailinfo::{self, Decoding, Refusal, Stream};
use super::mailsplit::{self, Mail};
use super::patch::{FileChange, Patch, Problem, Tags};

/// What a mail holds.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub patch: Patch,
    pub problems: Vec<Problem>,
    /// It has a mail's header.
    pub is_mail: bool,
}

impl Content {
    /// It holds a diff, if a flawed one.
    pub(crate) fn has_diff(&self) -> bool {
        !self.patch.changes.is_empty() || !self.problems.is_empty()
    }

    /// It has a diff, or need not have one: a cover letter, an answer, talk, a merge.
    pub(crate) fn may_be_bare(&self) -> bool {
        let tags = Tags::of(&self.patch.subject);
        let is_commit = !self.is_mail && self.patch.commit.is_some();
        self.is_cover() || is_commit || self.is_mail && (tags.reply || !tags.patch)
    }

    /// It is numbered as a cover letter.
    pub(crate) fn is_cover(&self) -> bool {
        let number = Tags::of(&self.patch.subject).number;
        self.is_mail && number.is_some_and(|(number, _)| number == 0)
    }
}

/// Splits an input into its mails, or into the commits of `git log -p`.
pub(crate) fn split(input: &[u8]) -> Vec<Mail<'_>> {
    if log::is_log(input) {
        log::split(input)
    } else {
        mailsplit::split(input)
    }
}

/// Reads a mail of the input called `input`.
pub(crate) fn read(mail: &Mail<'_>, input: &str) -> Content {
    if log::is_log(&mail.raw) {
        return log::read(mail, input);
    }
    let by_git = Reading::of(mail, Decoding::ByHeader, input);
    let mut content = by_git.content;
    if by_git.may_differ {
        let standing = Reading::of(mail, Decoding::Never, input);
        let standing = standing.content;
        // Of a corrupt patch git applies nothing, not even the diffs that are whole.
        content = if by_git.is_corrupt && is_whole(&standing) {
            standing
        } else {
            beside(content, standing)
        };
    }
    if let Some(changes) = by_git.without_cr {
        let patch = Patch {
            changes,
            ..content.patch.clone()
        };
        let stripped = Content {
            patch,
            ..Content::default()
        };
        content = beside(content, stripped);
    }
    content
}

fn is_whole(content: &Content) -> bool {
    content.problems.is_empty() && !content.patch.changes.is_empty()
}

/// What is checked of a mail that git reads as `content`, and others as `other`. What git
/// makes of it is left out only where git finds nothing in it; the other only where that
/// is no whole diff, or the same.
fn beside(mut content: Content, other: Content) -> Content {
    if !content.has_diff() {
        return if other.has_diff() { other } else { content };
    }
    if !is_whole(&other) || content.patch.changes == other.patch.changes {
        return content;
    }
    if content.patch.changes.is_empty() {
        return Content {
            problems: content.problems,
            ..other
        };
    }
    if content.patch.other.is_some() {
        content.problems.push(Problem {
            input: content.patch.input.clone(),
            line: None,
            message: "the mail can be read in more than two ways: decode it, and take the CRs \
                      at the ends of its lines off"
                .to_owned(),
        });
    } else {
        content.patch.other = Some(Box::new(other.patch));
    }
    content
}

/// Id that the `From ` line of `git format-patch` names.
fn commit_of(raw: &[u8]) -> Option<String> {
    let line = mailsplit::line_at(raw, 0);
    let id = log::id_of(line.strip_prefix(b"From ")?)?;
    Some(String::from_utf8_lossy(id).into_owned())
}

/// A mail as one of its readers has it.
#[derive(Debug, Default)]
struct Reading {
    content: Content,
    /// As it stands, the mail may be something else.
    may_differ: bool,
    /// git refuses the patch as corrupt.
    is_corrupt: bool,
    /// What the patch changes without the CRs that were decoded at the ends of its lines:
    /// `git am --quoted-cr=strip` and b4 take them off. `None` if it has none, or is not
    /// whole then.
    without_cr: Option<Vec<FileChange>>,
}

impl Reading {
    fn of(mail: &Mail<'_>, decoding: Decoding, input: &str) -> Self {
        let problem = |(line, message)| Problem {
            input: input.to_owned(),
            line: Some(line),
            message,
        };
        let info = match mailinfo::read(&mail.raw, decoding) {
            Ok(info) => info,
            Err(Refusal { line, message }) => {
                let refusal = problem((mail.line.saturating_add(line), message));
                return Self {
                    content: Content {
                        problems: vec![refusal],
                        ..Content::default()
                    },
                    may_differ: true,
                    ..Self::default()
                };
            }
        };
        let parsed = info.patch.as_ref().map(|patch| parse(patch, mail.line));
        let without_cr = info.patch.as_ref().and_then(Stream::without_cr);
        let without_cr = without_cr.map(|patch| parse(&patch, mail.line));
        let parsed = parsed.unwrap_or_default();
        let Parsed { changes, flaws, .. } = parsed;
        let is_corrupt = parsed.is_corrupt;
        let first = || info.message.lines().next().unwrap_or_default().to_owned();
        Self {
            content: Content {
                is_mail: info.subject.is_some(),
                patch: Patch {
                    input: input.to_owned(),
                    mail: None,
                    author: info.author,
                    subject: info.subject.unwrap_or_else(first),
                    message: info.message,
                    commit: commit_of(&mail.raw),
                    changes,
                    other: None,
                },
                problems: flaws.into_iter().map(problem).collect(),
            },
            may_differ: info.is_encoded || info.has_odd_start,
            is_corrupt,
            without_cr: without_cr
                .filter(|parsed| parsed.flaws.is_empty())
                .map(|parsed| parsed.changes),
        }
    }
}

/// Reads the diffs of a patch, in a mail that begins on line `first` of the input.
fn parse(patch: &Stream<'_>, first: u32) -> Parsed {
    let mut parsed = match patch {
        Stream::Rest { text, number } => diff::parse(text, first.saturating_add(*number)),
        Stream::Built { text, numbers } => {
            let mut parsed = diff::parse(text, 0);
            renumber(&mut parsed, |line| {
                let at = usize::try_from(line).unwrap_or(usize::MAX);
                let number = numbers.get(at).or(numbers.last());
                first.saturating_add(number.copied().unwrap_or(0))
            });
            parsed
        }
    };
    if let Some(line) = context_diff(patch.text()) {
        let number = match patch {
            Stream::Rest { number, .. } => number.saturating_add(line),
            Stream::Built { numbers, .. } => numbers.get(line as usize).copied().unwrap_or(0),
        };
        let message = "a context diff, which git leaves out and others apply: make it again \
                       with diff -u";
        let flaw = (first.saturating_add(number), message.to_owned());
        parsed.flaws.push(flaw);
    }
    parsed
}

fn renumber(parsed: &mut Parsed, number: impl Fn(u32) -> u32) {
    for (line, _) in &mut parsed.flaws {
        *line = number(*line);
    }
    for change in &mut parsed.changes {
        change.line = number(change.line);
        for hunk in &mut change.hunks {
            hunk.line = number(hunk.line);
            for line in &mut hunk.lines {
                line.line = number(line.line);
            }
        }
    }
}

/// The line, counted from 0, on which a context diff begins. Nothing in a unified diff
/// looks like one, for its lines have signs.
fn context_diff(patch: &[u8]) -> Option<u32> {
    memchr::memmem::find_iter(patch, b"\n***************").find_map(|newline| {
        let above = patch.get(..newline)?;
        let start = memchr::memrchr(b'\n', above).map_or(0, |newline| newline + 1);
        let is_name = above.get(start..)?.starts_with(b"--- ");
        is_name.then(|| mailsplit::count_lines(patch.get(..start).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests;
