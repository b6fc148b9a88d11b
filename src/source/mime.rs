// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a mail's body is to be decoded, and its decoded text.
//!
//! A body that reads as a diff is not decoded, for b4 leaves the header of the
//! encoded mail above the decoded body. With one exception: a body which its
//! header calls quoted-printable and which follows that encoding's rules in
//! every line. Plain diffs do not: they have `=` without hex digits behind it
//! and lines that end in a blank, if only that of the signature. May not know
//! diffs.

use mailparse::ParsedMail;

/// Parts inside parts that a mail may have before it is taken for an attack.
const MAX_NESTING: usize = 32;

/// The decoded text of `mail`, whose body is `body`; `None` if that is to be
/// taken as it stands. `is_diff`: it reads as one.
pub(crate) fn decode(mail: &[u8], body: &[u8], is_diff: bool) -> Option<Vec<u8>> {
    let head = mail.get(..mail.len().checked_sub(body.len())?)?;
    if head.is_empty() || (is_diff && !(says_quoted_printable(head) && is_quoted_printable(body))) {
        return None;
    }
    // The parser recurses into the parts, each of which names its boundary.
    let lower = mail.to_ascii_lowercase();
    if memchr::memmem::find_iter(&lower, b"boundary")
        .take(MAX_NESTING + 1)
        .count()
        > MAX_NESTING
    {
        return None;
    }
    let parsed = mailparse::parse_mail(mail).ok()?;
    let mut text = Vec::new();
    collect(&parsed, &mut text);
    (!text.is_empty()).then_some(text)
}

fn says_quoted_printable(head: &[u8]) -> bool {
    memchr::memmem::find(&head.to_ascii_lowercase(), b"quoted-printable").is_some()
}

/// Whether `body` is quoted-printable, and says something by it.
fn is_quoted_printable(body: &[u8]) -> bool {
    let valid = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.len() <= 76
            && !matches!(line.last(), Some(b' ' | b'\t'))
            && line
                .iter()
                .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'))
            && memchr::memchr_iter(b'=', line).all(|at| match line.get(at + 1..at + 3) {
                Some(hex) => hex.iter().all(u8::is_ascii_hexdigit),
                None => at + 1 == line.len(),
            })
    };
    body.contains(&b'=') && body.split(|&byte| byte == b'\n').all(valid)
}

/// Appends what the parts hold of text and patches.
fn collect(part: &ParsedMail<'_>, text: &mut Vec<u8>) {
    for part in &part.subparts {
        collect(part, text);
        // The newline before a part's boundary belongs to that.
        if text.last().is_some_and(|&byte| byte != b'\n') {
            text.push(b'\n');
        }
    }
    if !part.subparts.is_empty() || !may_hold_patch(part) {
        return;
    }
    if let Ok(body) = part.get_body_raw() {
        text.extend_from_slice(&body);
    }
}

fn may_hold_patch(part: &ParsedMail<'_>) -> bool {
    let kind = part.ctype.mimetype.to_ascii_lowercase();
    if kind == "text/html" {
        return false;
    }
    let disposition = part.get_content_disposition();
    let name = disposition
        .params
        .get("filename")
        .or_else(|| part.ctype.params.get("name"));
    kind.starts_with("text/")
        || kind.ends_with("x-patch")
        || kind.ends_with("x-diff")
        || name.is_some_and(|name| name.ends_with(".patch") || name.ends_with(".diff"))
}
