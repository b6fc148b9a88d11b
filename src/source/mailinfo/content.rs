// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How the text that follows is encoded, and which boundaries are open. May not know
//! lines of a body.

use super::lines::until_nul;
use super::transfer::Transfer;

/// As many parts inside parts as git goes along with (MAX_BOUNDARIES of its mailinfo.c,
/// whose first place stays empty).
const MAX_BOUNDARIES: usize = 4;

/// What the headers have said so far of the text.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The innermost is the last; each with the dashes before it.
    boundaries: Vec<Vec<u8>>,
    pub transfer: Transfer,
    pub is_flowed: bool,
    /// The blank at the end of a flowed line goes.
    pub drops_blank: bool,
    pub charset: Vec<u8>,
}

/// What a boundary line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// A part begins.
    Begins,
    /// The last part has ended.
    Ends,
}

impl Content {
    /// A `Content-Type`. Whatever its type is, a boundary is opened.
    pub(super) fn take_type(&mut self, value: &[u8]) -> Result<(), String> {
        let is = |name: &str, wanted: &str| {
            parameter(value, name).is_some_and(|own| own.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        self.is_flowed = is("format=", "flowed");
        self.drops_blank = is("delsp=", "yes");
        if let Some(boundary) = parameter(value, "boundary=") {
            if self.boundaries.len() == MAX_BOUNDARIES {
                return Err(format!(
                    "more than {MAX_BOUNDARIES} boundaries are open, so that git refuses the \
                     mail: send the patch without the mail around it"
                ));
            }
            self.boundaries.push([b"--", boundary].concat());
        }
        if let Some(charset) = parameter(value, "charset=") {
            self.charset = charset.to_vec();
        } else if has_parameter(value, "charset=") {
            self.charset.clear();
        }
        Ok(())
    }

    /// A `Content-Transfer-Encoding`.
    pub(super) fn take_transfer(&mut self, value: &[u8]) {
        let has = |name: &str| find(value, name).is_some();
        self.transfer = if has("base64") {
            Transfer::Base64
        } else if has("quoted-printable") {
            Transfer::Quoted
        } else {
            Transfer::Plain
        };
    }

    /// Whether a boundary is open.
    pub(super) fn is_in_parts(&self) -> bool {
        !self.boundaries.is_empty()
    }

    /// Whether text is taken as it stands, but for its charset.
    pub(super) fn is_plain(&self) -> bool {
        !self.is_in_parts() && self.transfer == Transfer::Plain && !self.is_flowed
    }

    /// What the line is to the innermost boundary.
    pub(super) fn boundary(&self, line: &[u8]) -> Option<Boundary> {
        let rest = line.strip_prefix(self.boundaries.last()?.as_slice())?;
        Some(if rest.starts_with(b"--") {
            Boundary::Ends
        } else {
            Boundary::Begins
        })
    }

    /// The innermost boundary is closed.
    pub(super) fn close(&mut self) {
        self.boundaries.pop();
    }

    /// A part begins: what the one before was encoded with is over. Not so whether it
    /// flowed.
    pub(super) fn begin_part(&mut self) {
        self.transfer = Transfer::Plain;
        self.charset.clear();
    }
}

/// What follows the first `name`, wherever that stands: to the next quote if it is quoted,
/// else to a semicolon or blank.
fn parameter<'v>(value: &'v [u8], name: &str) -> Option<&'v [u8]> {
    let value = until_nul(value);
    let rest = value.get(find(value, name)? + name.len()..)?;
    let (rest, end) = match rest.strip_prefix(b"\"") {
        Some(quoted) => (quoted, quoted.iter().position(|byte| *byte == b'"')),
        None => {
            let ends = |byte: &u8| b"; \t".contains(byte);
            (rest, rest.iter().position(ends))
        }
    };
    rest.get(..end.unwrap_or(rest.len()))
}

fn has_parameter(value: &[u8], name: &str) -> bool {
    find(value, name).is_some()
}

/// Where `name` stands in the value, in any case.
fn find(value: &[u8], name: &str) -> Option<usize> {
    let name = name.as_bytes();
    until_nul(value)
        .windows(name.len())
        .position(|part| part.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_the_first_of_its_name() {
        let boundary = |value: &str| {
            parameter(value.as_bytes(), "boundary=")
                .map(|found| String::from_utf8_lossy(found).into_owned())
        };
        for (value, want) in [
            ("multipart/mixed; BOUNDARY=a b", Some("a")),
            ("text/plain; x-boundary=\"a; b\\\"c\"", Some("a; b\\")),
            ("boundary=a;boundary=b", Some("a")),
            ("boundary=\"open", Some("open")),
            ("boundary=\"\"", Some("")),
            ("boundary=", Some("")),
            ("boundary =a; boundary*=b", None),
        ] {
            assert_eq!(boundary(value).as_deref(), want, "{value}");
        }
    }

    #[test]
    fn the_last_fields_count_and_boundaries_pile_up() {
        let mut content = Content::default();
        content.take_transfer(b"x-Base64ish");
        assert_eq!(content.transfer, Transfer::Base64);
        content.take_transfer(b"quoted-printable");
        assert_eq!(content.transfer, Transfer::Quoted);
        content.take_transfer(b"quoted -printable");
        assert_eq!(content.transfer, Transfer::Plain);
        assert!(content.is_plain());
        for letter in ["a", "b", "c", "d"] {
            let value = format!("text/plain; format=Flowed; boundary={letter}");
            content.take_type(value.as_bytes()).expect("room");
        }
        assert!(content.is_flowed && !content.drops_blank);
        assert!(content.take_type(b"x/y; boundary=e").is_err());
        assert_eq!(content.boundary(b"--c"), None);
        assert_eq!(content.boundary(b"--delta\n"), Some(Boundary::Begins));
        assert_eq!(content.boundary(b"--d--x"), Some(Boundary::Ends));
        content.close();
        assert_eq!(content.boundary(b"--c"), Some(Boundary::Begins));
    }
}
