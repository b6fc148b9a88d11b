// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The transfer encodings as git undoes them: it refuses nothing. A NUL ends what it
//! looks at. May not know headers.

use super::lines::until_nul;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Transfer {
    /// It is not.
    #[default]
    Plain,
    /// Quoted-printable.
    Quoted,
    /// Base64.
    Base64,
}

impl Transfer {
    /// Undoes the encoding of one line; `None` if there is none.
    pub(super) fn decoded(self, line: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Plain => None,
            Self::Quoted => Some(quoted(line, Blank::AsIs)),
            Self::Base64 => Some(base64(line)),
        }
    }
}

/// What stands for a blank in quoted text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blank {
    /// Nothing but a blank: in a body.
    AsIs,
    /// `_`, too: in a header (RFC 2047, 4.2).
    Underscore,
}

/// Undoes quoted-printable. `=` at the end takes the newline off, and without two hex
/// digits behind it stays.
pub(super) fn quoted(text: &[u8], blank: Blank) -> Vec<u8> {
    let text = until_nul(text);
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, text.get(at)) {
            (b'=', None | Some(b'\n')) => break,
            (b'=', Some(_)) => match hex(text.get(at..at + 2)) {
                Some(byte) => {
                    decoded.push(byte);
                    at += 2;
                }
                None => decoded.push(byte),
            },
            (b'_', _) if blank == Blank::Underscore => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    decoded
}

/// The byte that two hex digits stand for, in either case.
fn hex(digits: Option<&[u8]>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let &[high, low] = digits? else {
        return None;
    };
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Undoes base64. Whatever is no letter of it is skipped, `=` too; bits that are left over
/// are lost.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0);
    for letter in until_nul(text).iter().filter_map(|byte| letter(*byte)) {
        bits = (bits << 6 | u32::from(letter)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held) as u8);
        }
    }
    decoded
}

fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_never_refused() {
        let body = |text: &str| quoted(text.as_bytes(), Blank::AsIs);
        assert_eq!(body("=64=6Fff=3D=\n"), b"doff=");
        assert_eq!(body("a= \n"), b"a= \n");
        assert_eq!(body("=ZZ=4 _=\r\n"), b"=ZZ=4 _=\r\n");
        assert_eq!(body("a=\0b\n"), b"a");
        assert_eq!(body("a\0b\n"), b"a");
        assert_eq!(body("\u{fc}=c3=BC\n"), "\u{fc}\u{fc}\n".as_bytes());
        assert_eq!(quoted(b"a_b=5F", Blank::Underscore), b"a b_");
    }

    #[test]
    fn base64_skips_what_it_does_not_know() {
        assert_eq!(base64(b"ZGlmZg==\n"), b"diff");
        assert_eq!(base64(b"Z!G=l\rmZg"), b"diff");
        // Bits that are left over do not reach the next letters.
        assert_eq!(base64(b"ZGlmZ"), b"dif");
        assert_eq!(base64(b"ZA==ZA=="), b"d\x06@");
        assert_eq!(base64(b"ZGlm\0Zg"), b"dif");
        assert_eq!(base64(b"+/+/"), b"\xfb\xff\xbf");
    }
}
