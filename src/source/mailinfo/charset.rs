// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Text in the charset that a mail names, into UTF-8. May not know headers.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::borrow::Cow;

use super::lines::until_nul;

/// The charsets that are ASCII and nothing else.
const ASCII: &[&str] = &[
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "iso646-us",
    "csascii",
];
/// The names of Latin-1 that the web's list (encoding_rs) does not have, or has for
/// windows-1252.
const LATIN1: &[&str] = &[
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "latin1",
    "latin-1",
    "l1",
];

/// Turns `text` into UTF-8 as git does with iconv(3). In no charset that is taken do the
/// letters of ASCII mean anything else, so that what reads as a diff before is one after.
///
/// # Errors
/// The charset is not known, or is not like ASCII; git refuses to go on, or reads
/// something else than what can be seen.
pub(super) fn to_utf8<'t>(text: &'t [u8], charset: &[u8]) -> Result<Cow<'t, [u8]>, String> {
    let name = String::from_utf8_lossy(until_nul(charset)).to_ascii_lowercase();
    if matches!(&*name, "" | "utf-8" | "utf8") {
        return Ok(text.into());
    }
    if ASCII.contains(&&*name) {
        let ascii = text.is_ascii().then_some(text.into());
        return ascii.ok_or_else(|| broken(&name));
    }
    let encoding = match Encoding::for_label(name.as_bytes()) {
        _ if LATIN1.contains(&&*name) => WINDOWS_1252,
        Some(encoding) if encoding.is_ascii_compatible() && encoding != UTF_8 => encoding,
        _ => return Err(unknown(&name)),
    };
    if text.is_ascii() {
        return Ok(text.into());
    }
    if LATIN1.contains(&&*name) {
        let chars: String = text.iter().map(|byte| char::from(*byte)).collect();
        return Ok(chars.into_bytes().into());
    }
    // Where a charset of Windows has no letter, the web has a control code, and iconv none.
    let is_hole = |letter: char| ('\u{80}'..='\u{9f}').contains(&letter);
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(text);
    match decoded.filter(|text| !text.contains(is_hole)) {
        Some(text) => Ok(text.into_owned().into_bytes().into()),
        None => Err(broken(&name)),
    }
}

fn broken(name: &str) -> String {
    format!(
        "the mail is not in the charset that it names, \"{}\", so that git refuses it: \
         get it as UTF-8",
        shown(name)
    )
}

fn unknown(name: &str) -> String {
    format!(
        "the mail is in the charset \"{}\", in which what git reads cannot be told: \
         get it as UTF-8",
        shown(name)
    )
}

/// The start of a name, which strangers chose.
fn shown(name: &str) -> String {
    name.escape_debug().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf8(text: &[u8], charset: &str) -> Result<String, String> {
        let text = to_utf8(text, charset.as_bytes())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn charsets_like_ascii_are_converted() {
        for (text, charset, want) in [
            (&b"\xfc\x80"[..], "ISO-8859-1", "\u{fc}\u{80}"),
            (b"\xfc\x80", "latin-1", "\u{fc}\u{80}"),
            (b"\x80", "windows-1252", "\u{20ac}"),
            (b"\xa4", "iso-8859-15", "\u{20ac}"),
            (b"\xc1", "koi8-r", "\u{430}"),
            (b"\xd6\xd0", "GB2312", "\u{4e2d}"),
            (b"\x83\x65", "Shift_JIS", "\u{30c6}"),
            (b"\xc3\xbc", "UTF8", "\u{fc}"),
            (b"diff -", "us-ascii", "diff -"),
            (b"\xc3\xbc", "", "\u{fc}"),
        ] {
            assert_eq!(utf8(text, charset), Ok(want.to_owned()), "{charset}");
        }
    }

    #[test]
    fn others_are_refused() {
        for charset in [
            "utf-7",
            "UTF-16",
            "utf-16le",
            "iso-2022-jp",
            "iso-2022-kr",
            "hz-gb-2312",
            "ebcdic-us",
            "cp037",
            "unicode-1-1-utf-8",
            "no\x1bsuch",
        ] {
            let said = utf8(b"x", charset).expect_err(charset);
            assert!(said.contains("charset") && !said.contains('\x1b'), "{said}");
        }
        assert!(utf8(b"\xfc", "us-ascii").is_err());
        assert!(utf8(b"\xff\xff", "gbk").is_err());
        assert!(utf8(b"\x81", "windows-1252").is_err());
    }
}
