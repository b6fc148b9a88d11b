// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A mail from its header through all of its parts: one stream of decoded lines, the first
//! of which are the message and the others the patch. May not know what makes a diff.

use std::borrow::Cow;
use std::mem;

use super::content::{Boundary, Content};
use super::fields::{self, Fields, Repeated};
use super::flowed::Flow;
use super::lines::{HeaderLine, RawLines, trimmed};
use super::message::{Message, without_excess};
use super::{Decoding, Info, Stream};

/// A mail that is being read.
pub(super) struct Reader<'m> {
    lines: RawLines<'m>,
    decoding: Decoding,
    content: Content,
    /// Of the mail's header, and of its parts'.
    fields: Fields,
    message: Message,
    /// `None` until it begins.
    patch: Option<Stream<'m>>,
    /// What waits for the rest of its line.
    pending: Pending,
    is_encoded: bool,
}

/// The beginning of a line.
#[derive(Debug, Default)]
struct Pending {
    text: Vec<u8>,
    /// What is before it has been taken off.
    start: usize,
    /// The raw line that it began on, counted from 0.
    number: u32,
}

impl Pending {
    fn as_slice(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    fn push(&mut self, text: &[u8], number: u32) {
        if self.as_slice().is_empty() {
            self.number = number;
        }
        self.text.extend_from_slice(text);
    }
}

impl<'m> Reader<'m> {
    pub(super) fn of(lines: RawLines<'m>, decoding: Decoding) -> Self {
        Self {
            lines,
            decoding,
            content: Content::default(),
            fields: Fields::default(),
            message: Message::new(decoding),
            patch: None,
            pending: Pending::default(),
            is_encoded: false,
        }
    }

    /// The line that was read last, counted from 0.
    pub(super) fn line(&self) -> u32 {
        self.lines.number()
    }

    /// Reads the mail to its end.
    pub(super) fn read(&mut self) -> Result<(), String> {
        let first = self.header(Repeated::Last)?;
        self.is_encoded = !self.content.is_plain();
        self.body(first.into())
    }

    /// Reads a header; gives the line that ends it. At the mail's end git takes the last
    /// field for the body.
    fn header(&mut self, repeated: Repeated) -> Result<Vec<u8>, String> {
        let mut last = Vec::new();
        loop {
            match self.lines.header_line() {
                HeaderLine::End(line) => return Ok(line),
                HeaderLine::Nothing => return Ok(last),
                HeaderLine::Field(field) => {
                    self.fields
                        .take(&field, repeated, &mut self.content, self.decoding)?;
                    last = field;
                }
            }
        }
    }

    /// Reads the body, whose first line is the one that ended the header. Where parts are
    /// announced, what stands above the first one is skipped.
    fn body(&mut self, first: Cow<'m, [u8]>) -> Result<(), String> {
        let mut line = first;
        if self.content.is_in_parts() {
            match self.next_boundary() {
                Some(found) => line = found.into(),
                None => return Ok(()),
            }
        }
        loop {
            if let Some(boundary) = self.content.boundary(&line) {
                self.flush()?;
                match self.part(boundary)? {
                    Some(first) => line = first.into(),
                    None => return Ok(()),
                }
            }
            self.line_of_body(&line)?;
            match self.lines.next() {
                Some(next) => line = next.into(),
                None => break,
            }
        }
        self.flush()?;
        self.message.end_field()
    }

    fn next_boundary(&mut self) -> Option<&'m [u8]> {
        loop {
            let line = self.lines.next()?;
            if self.content.boundary(line).is_some() {
                return Some(line);
            }
        }
    }

    /// At a boundary: reads on to the first line of the next part; `None` if there is none.
    fn part(&mut self, mut boundary: Boundary) -> Result<Option<Vec<u8>>, String> {
        // Where several parts end at once, git passes on a newline for the first.
        let mut newline: &[u8] = b"\n";
        while boundary == Boundary::Ends {
            self.content.close();
            self.pass(mem::take(&mut newline), self.line())?;
            let Some(line) = self.next_boundary() else {
                return Ok(None);
            };
            boundary = self.content.boundary(line).unwrap_or(Boundary::Begins);
        }
        self.content.begin_part();
        self.header(Repeated::First)?;
        let first = self.lines.next().map(|line| {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            [text, b"\n"].concat()
        });
        Ok(first)
    }

    /// Undoes the transfer encoding of a line, in which there may be none or many.
    fn line_of_body(&mut self, raw: &[u8]) -> Result<(), String> {
        let Some(decoded) = self.content.transfer.decoded(raw) else {
            return self.flow(raw, self.line());
        };
        let carried = mem::take(&mut self.pending);
        let mut pieces = decoded.split_inclusive(|byte| *byte == b'\n');
        let Some(first) = pieces.next() else {
            self.pending = carried;
            return Ok(());
        };
        self.first_piece(carried, first)?;
        for piece in pieces {
            if piece.ends_with(b"\n") {
                self.flow(piece, self.line())?;
            } else {
                self.pending.push(piece, self.line());
            }
        }
        Ok(())
    }

    /// As [`Reader::flow`], of what waited and what goes on with it. That may be a whole
    /// body without a newline, so that it is not copied.
    fn first_piece(&mut self, mut line: Pending, piece: &[u8]) -> Result<(), String> {
        line.push(piece, self.line());
        if !piece.ends_with(b"\n") {
            self.pending = line;
            return Ok(());
        }
        match Flow::of(line.as_slice(), &self.content) {
            Flow::Waits(start, end) => {
                line.text.truncate(line.start + end);
                line.start += start;
                self.pending = line;
                Ok(())
            }
            _ => self.flow(line.as_slice(), line.number),
        }
    }

    /// Undoes the soft line breaks.
    fn flow(&mut self, line: &[u8], number: u32) -> Result<(), String> {
        match Flow::of(line, &self.content) {
            Flow::Passes => self.pass(line, number),
            Flow::Separates => {
                self.flush()?;
                self.pass(line, number)
            }
            Flow::Waits(start, end) => {
                self.pending
                    .push(line.get(start..end).unwrap_or_default(), number);
                Ok(())
            }
            Flow::Joins(start) => {
                self.pending
                    .push(line.get(start..).unwrap_or_default(), number);
                self.flush()
            }
        }
    }

    /// Passes on what waits, without a newline, so that what comes next goes on in its line.
    fn flush(&mut self) -> Result<(), String> {
        let pending = mem::take(&mut self.pending);
        match pending.as_slice() {
            [] => Ok(()),
            text => self.pass(text, pending.number),
        }
    }

    /// A line of the message, or of the patch.
    fn pass(&mut self, line: &[u8], number: u32) -> Result<(), String> {
        if let Some(patch) = &mut self.patch {
            patch.push(line, number);
        } else if let Some(first) = self.message.line(line, &self.content.charset)? {
            let is_as_sent = first == line && self.content.is_plain();
            let rest = is_as_sent.then(|| self.lines.rest_from(line));
            match rest.flatten() {
                Some(text) => self.patch = Some(Stream::Rest { text, number }),
                None => self.patch.insert(Stream::default()).push(&first, number),
            }
        }
        Ok(())
    }

    /// What was read.
    pub(super) fn finish(self) -> Result<Info<'m>, String> {
        let Self {
            fields,
            message,
            patch,
            is_encoded,
            ..
        } = self;
        let own = |own: Option<Vec<u8>>, outer: Option<Vec<u8>>| match own {
            Some(own) if patch.is_some() => Some(own),
            _ => outer,
        };
        let from = own(message.fields.from, fields.from);
        let subject = own(message.fields.subject, fields.subject);
        let date = own(message.fields.date, fields.date);
        if [&from, &subject, &date]
            .into_iter()
            .flatten()
            .any(|value| value.contains(&0))
        {
            return Err("the header has a NUL, so that git refuses the mail: take it out".into());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let title = fields::title(subject.as_deref().unwrap_or_default());
        let title = fields::in_one_line(title);
        let whole = [&title[..], b"\n\n", &message.text].concat();
        let subject = subject.map(|subject| text(trimmed(&fields::in_one_line(&subject))));
        Ok(Info {
            subject,
            author: from.as_deref().map(fields::author).unwrap_or_default(),
            message: text(&without_excess(&whole)),
            patch,
            has_odd_start: message.has_odd_start,
            is_encoded,
        })
    }
}
