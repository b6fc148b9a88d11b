// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails and the patches in them: where one ends, who wrote it, what it says.
//!
//! The raw bytes are read as a diff first, since b4 hands over bodies that are
//! decoded already below the header of the encoded ones; see `mime` for when
//! they are decoded. A `Patch` knows the line of the input that each of its
//! lines stood on; in a decoded mail, lines count as if it had been sent so.
//! May not know trees, nor in which file the mails lie.

use std::borrow::Cow;

use super::diff::{self, Parsed};
use super::mime;
use super::patch::{Patch, Person, Problem, Tags};

/// One mail, or what takes its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mail<'t> {
    /// Its bytes, with the `From ` line.
    pub raw: &'t [u8],
    /// Its first line in the input.
    pub line: u32,
}

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

/// Splits an input at the `From ` lines of a mbox, or at the commits of `git log -p`,
/// whose messages are indented.
pub(crate) fn split(input: &[u8]) -> Vec<Mail<'_>> {
    let mut mails = Vec::new();
    let is_log = commit_line(input).is_some();
    let begins = |line: &[u8]| is_from_line(line) || is_log && commit_line(line).is_some();
    let (mut start, mut start_line) = (0, 1);
    let mut line_number: u32 = 1;
    let mut at = 0;
    for line in input.split_inclusive(|&byte| byte == b'\n') {
        let next = at + line.len();
        if at > start && begins(line) && starts_header(input.get(next..).unwrap_or_default()) {
            mails.push(Mail {
                raw: input.get(start..at).unwrap_or_default(),
                line: start_line,
            });
            (start, start_line) = (at, line_number);
        }
        at = next;
        line_number = line_number.saturating_add(1);
    }
    mails.push(Mail {
        raw: input.get(start..).unwrap_or_default(),
        line: start_line,
    });
    mails
}

/// `From whoever Mon Sep 17 00:00:00 2001`: the time tells it from prose.
fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ")
        && line.windows(6).any(|part| {
            matches!(part, [b':', a, b, b':', c, d]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
        })
}

/// The id in `commit 0123… (HEAD)`, as `git show` and `git log` begin.
fn commit_line(line: &[u8]) -> Option<&[u8]> {
    id_of(line.strip_prefix(b"commit ")?)
}

/// The whole id of a commit that `text` starts with.
fn id_of(text: &[u8]) -> Option<&[u8]> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    let is_id = matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit);
    is_id.then_some(word)
}

fn starts_header(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    header_name(line).is_some()
}

/// `Name:` at the start of a line.
fn header_name(line: &[u8]) -> Option<&[u8]> {
    let name = line.get(..memchr::memchr(b':', line)?)?;
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
    (name.first()?.is_ascii_alphabetic() && name.iter().all(word)).then_some(name)
}

/// Where a mail's header ends and its body begins; both 0 if it has none.
struct Layout {
    /// After the `From ` line, or that of `git show`.
    header: usize,
    body: usize,
    /// Id that the `From ` line or `commit` names.
    commit: Option<String>,
    /// `git show` indents the message.
    indented: bool,
}

impl Layout {
    fn of(raw: &[u8]) -> Self {
        let mut layout = Self {
            header: 0,
            body: 0,
            commit: None,
            indented: false,
        };
        let first = raw
            .split_inclusive(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        for (prefix, indented) in [(&b"From "[..], false), (b"commit ", true)] {
            if let Some(rest) = first.strip_prefix(prefix) {
                let id = id_of(rest);
                if id.is_some() || is_from_line(first) {
                    layout.commit = id.map(|id| String::from_utf8_lossy(id).into_owned());
                    layout.header = first.len();
                    layout.indented = indented;
                }
            }
        }
        layout.body = header_end(raw, layout.header);
        layout
    }
}

/// The end of the header that begins at `start`, with the empty line below it.
fn header_end(raw: &[u8], start: usize) -> usize {
    let mut at = start;
    for line in raw
        .get(start..)
        .unwrap_or_default()
        .split_inclusive(|&byte| byte == b'\n')
    {
        if line.trim_ascii_end().is_empty() {
            return if at > start { at + line.len() } else { start };
        }
        let folded = at > start && matches!(line.first(), Some(b' ' | b'\t'));
        if !folded && header_name(line).is_none() {
            break;
        }
        at += line.len();
    }
    at
}

/// Reads a mail of the input called `input`.
pub(crate) fn read(mail: Mail<'_>, input: &str) -> Content {
    let layout = Layout::of(mail.raw);
    let header = Header::read(mail.raw.get(layout.header..layout.body).unwrap_or_default());
    let above = mail.raw.get(..layout.body).unwrap_or_default();
    let body_line = mail.line.saturating_add(count_lines(above));
    let body = mail.raw.get(layout.body..).unwrap_or_default();
    let raw = diff::parse(body, body_line);
    let message = mail.raw.get(layout.header..).unwrap_or_default();
    let (body, parsed): (Cow<'_, [u8]>, Parsed) =
        match mime::decode(message, body, raw.is_consistent()) {
            Some(decoded) => {
                let parsed = diff::parse(&decoded, body_line);
                let better = parsed.is_consistent() || (raw.is_empty() && !parsed.is_empty());
                if better {
                    (decoded.into(), parsed)
                } else {
                    (body.into(), raw)
                }
            }
            None => (body.into(), raw),
        };
    content(input, &layout, header, &body, parsed)
}

fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

fn content(input: &str, layout: &Layout, header: Header, body: &[u8], parsed: Parsed) -> Content {
    let problem = |(line, message)| Problem {
        input: input.to_owned(),
        line: Some(line),
        message,
    };
    let text = message_text(body, parsed.start, layout.indented);
    let is_mail = header.subject.is_some();
    let (author, subject, text) = in_body(header, text);
    let title = Tags::of(&subject).title;
    let message = match text.trim() {
        "" => title.to_owned(),
        text if title.is_empty() => text.to_owned(),
        text => format!("{title}\n\n{text}"),
    };
    Content {
        patch: Patch {
            input: input.to_owned(),
            mail: None,
            author,
            message,
            subject,
            commit: layout.commit.clone(),
            changes: parsed.changes,
            ..Patch::default()
        },
        problems: parsed.flaws.into_iter().map(problem).collect(),
        is_mail,
    }
}

/// The body up to `---` or the first diff.
fn message_text(body: &[u8], diff: Option<usize>, indented: bool) -> String {
    let mut text = String::new();
    let body = body.get(..diff.unwrap_or(body.len())).unwrap_or_default();
    for line in body.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        if line.trim_end() == "---" {
            break;
        }
        let line = if indented {
            line.strip_prefix("    ").unwrap_or(line)
        } else {
            line
        };
        // A mbox quotes lines that look like its own.
        let quoted = line.trim_start_matches('>').starts_with("From ");
        text.push_str(if quoted {
            line.strip_prefix('>').unwrap_or(line)
        } else {
            line
        });
        text.push('\n');
    }
    text
}

/// `From:` and `Subject:` at the top of the body stand for those of the header;
/// without either subject, the first line of the text is it.
fn in_body(header: Header, text: String) -> (Person, String, String) {
    let (mut author, mut subject) = (header.author, header.subject);
    let mut rest = text.trim_start_matches(['\n', '\r']);
    while let Some((line, below)) = rest.split_once('\n') {
        if let Some(from) = line.strip_prefix("From: ") {
            author = Some(Person::parse(from));
        } else if let Some(own) = line.strip_prefix("Subject: ") {
            subject = Some(own.trim().to_owned());
        } else {
            break;
        }
        rest = below;
    }
    let author = author.unwrap_or_default();
    match subject {
        Some(subject) => (author, subject, rest.to_owned()),
        None => {
            let (first, below) = rest.split_once('\n').unwrap_or((rest, ""));
            (author, first.trim().to_owned(), below.to_owned())
        }
    }
}

/// What a mail's header says that matters here.
#[derive(Debug, Default)]
struct Header {
    subject: Option<String>,
    author: Option<Person>,
}

impl Header {
    fn read(raw: &[u8]) -> Self {
        let mut header = Self::default();
        // The parser wants the empty line that a header without body lacks.
        let raw = [raw, b"\n\n"].concat();
        let Ok((fields, _)) = mailparse::parse_headers(&raw) else {
            return header;
        };
        for field in fields {
            let key = field.get_key_ref();
            if key.eq_ignore_ascii_case("subject") && header.subject.is_none() {
                header.subject = Some(value(&field));
            } else if key.eq_ignore_ascii_case("from") || key == "Author" {
                header
                    .author
                    .get_or_insert_with(|| Person::parse(&value(&field)));
            }
        }
        header
    }
}

/// A field in one line. The decoder takes the square of its length, so what is longer
/// than any field stays encoded.
fn value(field: &mailparse::MailHeader<'_>) -> String {
    const LONGEST: usize = 16 << 10;
    let raw = field.get_value_raw();
    let value = if raw.len() > LONGEST {
        String::from_utf8_lossy(raw).into_owned()
    } else {
        field.get_value()
    };
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
