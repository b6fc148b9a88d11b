// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Encoded words in a field (RFC 2047), as git decodes them. May not know fields.

use super::charset;
use super::lines::until_nul;
use super::transfer::{Blank, base64, quoted};

/// Decodes the words of a field's value. Blanks between two of them go.
///
/// # Errors
/// A word is not finished, or is of an unknown kind or charset; git refuses the mail.
pub(super) fn decoded(value: &[u8]) -> Result<Vec<u8>, String> {
    let mut rest = until_nul(value);
    let mut text = Vec::with_capacity(rest.len());
    let mut is_first = true;
    while let Some(start) = memchr::memmem::find(rest, b"=?") {
        let (between, word) = rest.split_at(start);
        let is_blank = between
            .iter()
            .all(|&byte| super::super::mailsplit::is_space(byte));
        if is_first || !is_blank {
            text.extend_from_slice(between);
        }
        let (word, after) = take_word(word.get(2..).unwrap_or_default())?;
        text.extend_from_slice(&word);
        rest = after;
        is_first = false;
    }
    text.extend_from_slice(rest);
    Ok(text)
}

/// Decodes the word that begins behind `=?`; gives what follows it, too.
fn take_word(word: &[u8]) -> Result<(Vec<u8>, &[u8]), String> {
    let broken = || {
        "the header has an encoded word that is broken, so that git refuses the mail: mend \
         what begins with \"=?\" in it"
            .to_owned()
    };
    let charset_end = memchr::memchr(b'?', word).ok_or_else(broken)?;
    let (charset, rest) = word.split_at(charset_end);
    let &[b'?', kind, b'?', ref rest @ ..] = rest else {
        return Err(broken());
    };
    let end = memchr::memmem::find(rest, b"?=").ok_or_else(broken)?;
    let (coded, after) = rest.split_at(end);
    let decoded = match kind {
        b'b' | b'B' => base64(coded),
        b'q' | b'Q' => quoted(coded, Blank::Underscore),
        _ => return Err(broken()),
    };
    let decoded = charset::to_utf8(&decoded, charset)?.into_owned();
    Ok((decoded, after.get(2..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded() {
        for (value, want) in [
            ("plain = ?x", "plain = ?x"),
            ("=?utf-8?q?a_=C3=BC?=", "a \u{fc}"),
            ("=?UTF-8?B?w7w=?= =?iso-8859-1?Q?=FC?= x", "\u{fc}\u{fc} x"),
            ("x =?utf-8?q?a?= y =?utf-8?q?b?=", "x a y b"),
            ("=??q?a?=", "a"),
            ("=?utf-8?q??=", ""),
            // What follows directly, and blanks at the start, stay.
            (" =?utf-8?q?a?=b", " ab"),
        ] {
            let text = decoded(value.as_bytes()).expect(value);
            assert_eq!(String::from_utf8_lossy(&text), want, "{value}");
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        for value in [
            "=?",
            "=?x",
            "=?utf-8?q",
            "=?utf-8?q?",
            "=?utf-8?q?a",
            "=?utf-8?x?a?=",
            "=?utf-8?qq?a?=",
            "=?utf-7?q?a?=",
            "=?none?q?a?=",
            "=?us-ascii?q?=FC?=",
            "a =?utf-8?q?b?= =?",
        ] {
            assert!(decoded(value.as_bytes()).is_err(), "{value}");
        }
    }
}
