// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The fields of a header that git looks at: author, subject, date, and how the body is
//! encoded. May not know where in a mail the header stands.

use super::super::patch::Person;
use super::content::Content;
use super::lines::{trimmed, until_nul};
use super::{Decoding, words};
use crate::source::mailsplit::is_space;

/// Which field of a name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    /// The last one: at the top of a mail.
    Last,
    /// The first one: in a part, and at the top of a body.
    First,
}

/// The values that make the commit, each `None` until it was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub from: Option<Vec<u8>>,
    pub subject: Option<Vec<u8>>,
    pub date: Option<Vec<u8>>,
}

impl Fields {
    /// Takes a field, if it is one that counts. What it says of the body goes to `content`.
    pub(super) fn take(
        &mut self,
        field: &[u8],
        repeated: Repeated,
        content: &mut Content,
        decoding: Decoding,
    ) -> Result<(), String> {
        let decoded = |raw: &[u8]| match words::decoded(raw) {
            Err(_) if decoding == Decoding::Never => Ok(raw.to_vec()),
            text => text,
        };
        for (name, slot) in self.named() {
            let is_open = slot.is_none() || repeated == Repeated::Last;
            if let Some(raw) = value(field, name).filter(|_| is_open) {
                *slot = Some(decoded(raw)?);
                return Ok(());
            }
        }
        if decoding == Decoding::Never {
            return Ok(());
        }
        if let Some(raw) = value(field, "Content-Type") {
            content.take_type(&decoded(raw)?)?;
        } else if let Some(raw) = value(field, "Content-Transfer-Encoding") {
            content.take_transfer(&decoded(raw)?);
        } else if let Some(raw) = value(field, "Message-ID") {
            decoded(raw)?;
        }
        Ok(())
    }

    fn named(&mut self) -> [(&'static str, &mut Option<Vec<u8>>); 3] {
        [
            ("From", &mut self.from),
            ("Subject", &mut self.subject),
            ("Date", &mut self.date),
        ]
    }

    /// Whether the line is, or begins, one of the values that are still open.
    pub(super) fn wants(&mut self, line: &[u8]) -> bool {
        let mut named = self.named().into_iter();
        named.any(|(name, slot)| slot.is_none() && value(line, name).is_some())
    }
}

/// What stands behind `name` and a colon, in any case, without blanks before it.
pub(super) fn value<'f>(field: &'f [u8], name: &str) -> Option<&'f [u8]> {
    let (own, rest) = until_nul(field).split_at_checked(name.len())?;
    let rest = rest.strip_prefix(b":")?;
    let blank = rest.iter().take_while(|byte| is_space(**byte)).count();
    own.eq_ignore_ascii_case(name.as_bytes())
        .then(|| rest.get(blank..).unwrap_or_default())
}

/// A value in one line, each run of white space a blank.
pub(super) fn in_one_line(value: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(value.len());
    for &byte in value {
        if !is_space(byte) {
            line.push(byte);
        } else if line.last() != Some(&b' ') {
            line.push(b' ');
        }
    }
    line
}

/// A subject without what stands before the title: `Re:`, colons, and whatever is in
/// brackets.
pub(super) fn title(subject: &[u8]) -> &[u8] {
    let mut rest = subject;
    loop {
        rest = match rest {
            [b' ' | b'\t' | b':', after @ ..] => after,
            [b'r' | b'R', b'e' | b'E', b':', after @ ..] if !after.is_empty() => after,
            [b'[', ..] => match memchr::memchr(b']', until_nul(rest)) {
                Some(end) => rest.get(end + 1..).unwrap_or_default(),
                None => break,
            },
            _ => break,
        };
    }
    trimmed(rest)
}

/// The author whom a `From` names: around the first `@`, in angle brackets or not, the
/// rest being the name.
pub(super) fn author(from: &[u8]) -> Person {
    let from = in_one_line(from);
    let plain = unquoted(until_nul(&from));
    let Some(at) = memchr::memchr(b'@', &plain) else {
        return Person::parse(&String::from_utf8_lossy(&from));
    };
    let ends = |byte: &u8| is_space(*byte) || *byte == b'<';
    let start = plain
        .iter()
        .take(at)
        .rposition(ends)
        .map_or(0, |end| end + 1);
    let stops = |byte: &u8| is_space(*byte) || matches!(byte, 0x0b | 0x0c | b'>');
    let rest = plain.get(start..).unwrap_or_default();
    let len = rest.iter().position(stops).unwrap_or(rest.len());
    let (email, after) = rest.split_at(len);
    let before = plain.get(..start).unwrap_or_default();
    let before = before.strip_suffix(b"<").unwrap_or(before);
    let around = [before, b" ", after.get(1..).unwrap_or_default()].concat();
    let around = in_one_line(&around);
    let name = trimmed(&around);
    let inner = name.strip_prefix(b"(").and_then(|n| n.strip_suffix(b")"));
    let name = inner.unwrap_or(name);
    // git takes the address for the name where that is too odd.
    let is_sane = (1..=60).contains(&name.len()) && !name.iter().any(|b| b"@<>".contains(b));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Person {
        name: text(if is_sane { name } else { email }),
        email: text(email),
    }
}

/// Text without quotes and backslashes, but with its comments (RFC 5322, 3.2).
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let (mut depth, mut is_quoted) = (0usize, false);
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if is_quoted || depth > 0 => plain.extend(bytes.next()),
            b'"' if depth == 0 => is_quoted = !is_quoted,
            b'(' if !is_quoted => {
                depth += 1;
                plain.push(byte);
            }
            b')' if depth > 0 => {
                depth -= 1;
                plain.push(byte);
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_behind_their_name_and_a_colon() {
        assert_eq!(value(b"SUBJECT:\t x ", "Subject"), Some(&b"x "[..]));
        assert_eq!(value(b"Subject : x", "Subject"), None);
        assert_eq!(value(b"Subjects: x", "Subject"), None);
        assert_eq!(value(b"Subject:x\0y", "Subject"), Some(&b"x"[..]));
    }

    #[test]
    fn titles_stand_behind_the_brackets() {
        for (subject, want) in [
            ("Re: [PATCH v2 1/2] [x] a: b [c]", "a: b [c]"),
            ("RE:re::\t[a", "[a"),
            ("Re:", "Re:"),
            ("reason", "reason"),
            ("[a]", ""),
        ] {
            assert_eq!(title(subject.as_bytes()), want.as_bytes(), "{subject}");
        }
    }

    #[test]
    fn authors_are_taken_apart() {
        let person = |name: &str, email: &str| Person {
            name: name.into(),
            email: email.into(),
        };
        for (from, want) in [
            ("A  B <a@b.c>", person("A B", "a@b.c")),
            (
                "\"B, A \\\"x\" <a@b.c> (c)",
                person("B, A \"x (c)", "a@b.c"),
            ),
            ("a@b.c (A B)", person("A B", "a@b.c")),
            ("a@b.c", person("a@b.c", "a@b.c")),
            ("x@y <a@b.c>", person("a@b.c", "x@y")),
            ("Nobody", person("Nobody", "")),
        ] {
            let person = author(from.as_bytes());
            if from.starts_with("x@y") {
                assert_eq!(person.email, want.email);
            } else {
                assert_eq!(person, want, "{from}");
            }
        }
    }
}
