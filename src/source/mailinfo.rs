// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a mail says and which patch it brings, as `git mailinfo` reads it.
//!
//! git goes line by line, and so does this: mail parsers look at a body as a whole, leave
//! parts out by their type, and refuse or mend what git takes as it is. Every part is
//! text to git, and all of them are one stream: a message, and from the first line that
//! looks like a diff on, the patch (git's mailinfo.c). May not know diffs.

mod charset;
mod content;
mod fields;
mod flowed;
mod lines;
mod message;
mod parts;
mod transfer;
mod words;

use std::borrow::Cow;

use super::mailsplit;
use super::patch::Person;
use lines::RawLines;
use parts::Reader;

/// Whether transfer encodings, parts, soft line breaks and charsets are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoding {
    /// As the header says, which is what git does.
    ByHeader,
    /// The body is taken as it stands: b4 hands over decoded bodies below the header of
    /// the encoded ones.
    Never,
}

/// Why git would not take a mail, or why it cannot be told what git would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its line in the mail, counted from 0.
    pub line: u32,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// What a mail holds.
#[derive(Debug)]
pub(crate) struct Info<'m> {
    /// Subject as it was sent, in one line.
    pub subject: Option<String>,
    /// Who wrote it.
    pub author: Person,
    /// The commit message as `git am` would make it.
    pub message: String,
    /// The patch, from its first line to the mail's end; `None` if none begins.
    pub patch: Option<Stream<'m>>,
    /// The text above the patch has a line that could begin one to other readers.
    pub has_odd_start: bool,
    /// The header has the body decoded in some way.
    pub is_encoded: bool,
}

/// A patch, and which line of the mail each of its lines stood on, counted from 0.
#[derive(Debug)]
pub(crate) enum Stream<'m> {
    /// The rest of the mail from this line on, as it stands.
    Rest { text: &'m [u8], number: u32 },
    /// What was put together, with a number for each line.
    Built { text: Vec<u8>, numbers: Vec<u32> },
}

impl Default for Stream<'_> {
    fn default() -> Self {
        Self::Built {
            text: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

impl Stream<'_> {
    /// Appends to a text that was put together: a line, the rest of one, or its beginning.
    fn push(&mut self, more: &[u8], number: u32) {
        if let Self::Built { text, numbers } = self {
            if text.last().is_none_or(|byte| *byte == b'\n') {
                numbers.push(number);
            }
            text.extend_from_slice(more);
        }
    }

    /// The same without the CRs before its newlines; `None` if there are none.
    pub(crate) fn without_cr(&self) -> Option<Self> {
        let Self::Built { text, numbers } = self else {
            return None;
        };
        match mailsplit::without_cr(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(Self::Built {
                text,
                numbers: numbers.clone(),
            }),
        }
    }

    /// Its bytes.
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Rest { text, .. } => text,
            Self::Built { text, .. } => text,
        }
    }
}

/// Reads a mail, whose lines may not end in CR LF.
///
/// # Errors
/// git refuses the mail, or what it makes of it cannot be told.
pub(crate) fn read(raw: &[u8], decoding: Decoding) -> Result<Info<'_>, Refusal> {
    let mut reader = Reader::of(RawLines::of(raw), decoding);
    let read = reader.read();
    let line = reader.line();
    read.and_then(|()| reader.finish())
        .map_err(|message| Refusal { line, message })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod against_git;
