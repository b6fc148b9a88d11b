// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What `git show` and `git log -p` print, in place of mails. May not know mail.

use super::super::diff;
use super::super::mailsplit::{Mail, count_lines, line_at, without_cr};
use super::super::patch::{Patch, Person, Problem};
use super::Content;

/// Whether an input is such.
pub(super) fn is_log(input: &[u8]) -> bool {
    commit_line(line_at(input, 0)).is_some()
}

/// Splits it at its commits, whose messages are indented.
pub(super) fn split(input: &[u8]) -> Vec<Mail<'_>> {
    let mut starts = vec![0];
    for newline in memchr::memmem::find_iter(input, b"\ncommit ") {
        let line = line_at(input, newline + 1);
        let below = line_at(input, newline + 1 + line.len());
        if commit_line(line).is_some() && is_field(below) {
            starts.push(newline + 1);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([input.len()]);
    let mut line: u32 = 1;
    let mut commits = Vec::new();
    for (&start, end) in starts.iter().zip(ends) {
        let raw = input.get(start..end).unwrap_or_default();
        let next = line.saturating_add(count_lines(raw));
        commits.push(Mail {
            raw: without_cr(raw),
            line,
        });
        line = next;
    }
    commits
}

/// The id in `commit 0123… (HEAD)`.
fn commit_line(line: &[u8]) -> Option<&[u8]> {
    id_of(line.strip_prefix(b"commit ")?)
}

/// The whole id of a commit that `text` starts with.
pub(super) fn id_of(text: &[u8]) -> Option<&[u8]> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    let is_id = matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
    is_id.then_some(word)
}

/// `Author: somebody`.
fn is_field(line: &[u8]) -> bool {
    let name = line
        .split(|byte| *byte == b':')
        .next()
        .filter(|name| name.len() < line.len());
    name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric))
}

/// Reads a commit of the input called `input`.
pub(super) fn read(commit: &Mail<'_>, input: &str) -> Content {
    let parsed = diff::parse(&commit.raw, commit.line);
    let text = commit.raw.get(..parsed.start.unwrap_or(commit.raw.len()));
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
    let message: Vec<&str> = indented.map(str::trim_end).collect();
    let message = message.join("\n").trim().to_owned();
    let author = text.lines().find_map(|line| line.strip_prefix("Author:"));
    let id = commit_line(&commit.raw).map(|id| String::from_utf8_lossy(id).into_owned());
    let problem = |(line, message)| Problem {
        input: input.to_owned(),
        line: Some(line),
        message,
    };
    Content {
        patch: Patch {
            input: input.to_owned(),
            mail: None,
            author: author.map(Person::parse).unwrap_or_default(),
            subject: message.lines().next().unwrap_or_default().to_owned(),
            message,
            commit: id,
            changes: parsed.changes,
            other: None,
        },
        problems: parsed.flaws.into_iter().map(problem).collect(),
        ..Content::default()
    }
}
