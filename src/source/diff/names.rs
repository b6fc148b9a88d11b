// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The names of files in the headers of diffs, as git's apply.c takes them: quotes,
//! what ends a name, and how many folders come off its front. May not know what the
//! lines mean that it reads.

use super::timestamp;

/// Up to where an unquoted name goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// To a tab, as a time may follow.
    Tab,
    /// To the end of the line, tabs included.
    Line,
}

/// Whether the field is `/dev/null`, with white space behind it, be it the newline.
pub(super) fn is_null(field: &[u8]) -> bool {
    let rest = field.strip_prefix(b"/dev/null");
    rest.is_some_and(|rest| rest.first().is_none_or(is_space))
}

/// Whether the field begins with a quote that it does not close: git reads on in the
/// next line.
pub(super) fn is_open(field: &[u8]) -> bool {
    let mut escaped = false;
    let closes = |byte: &u8| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    };
    field
        .strip_prefix(b"\"")
        .is_some_and(|rest| !rest.iter().any(closes))
}

/// What git calls a space (its ctype.c): less than C does.
pub(super) fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The name in a field of a git diff, without its first `strip` folders.
pub(super) fn name(field: &[u8], strip: usize, end: End) -> Option<Vec<u8>> {
    if let Some(name) = unquoted(field, strip) {
        return Some(name);
    }
    let ends = |byte: &u8| match end {
        End::Tab => is_space(byte) && *byte != b' ',
        End::Line => is_space(byte) && !matches!(byte, b' ' | b'\t'),
    };
    let length = field.iter().position(ends).unwrap_or(field.len());
    below(&field[..length], strip).map(squashed)
}

/// The name in a `---` or `+++` line of a diff that git did not make. Of a name and the
/// same with something behind it, such as `x.c` and `x.c.orig`, the `shorter` one counts.
pub(super) fn plain(field: &[u8], strip: usize, shorter: Option<&[u8]>) -> Option<Vec<u8>> {
    if let Some(name) = unquoted(field, strip) {
        return Some(name);
    }
    let time = timestamp::length(field);
    let name = if time > 0 {
        &field[..field.len() - time]
    } else {
        let ends = |byte: &u8| is_space(byte) && *byte != b' ';
        &field[..field.iter().position(ends).unwrap_or(field.len())]
    };
    let Some(own) = below(name, strip) else {
        return shorter.map(squashed);
    };
    match shorter {
        Some(other) if other.len() < own.len() && own.starts_with(other) => Some(squashed(other)),
        _ => Some(squashed(own)),
    }
}

/// How many folders a plain name asks to be taken off: none if it has none.
pub(super) fn asks_for_none(field: &[u8]) -> bool {
    !is_null(field) && plain(field, 0, None).is_some_and(|name| !name.contains(&b'/'))
}

/// What is below the first `strip` folders; `None` if nothing is.
fn below(name: &[u8], strip: usize) -> Option<&[u8]> {
    let mut rest = name;
    for _ in 0..strip {
        rest = &rest[memchr::memchr(b'/', rest)? + 1..];
    }
    (!rest.is_empty()).then_some(rest)
}

/// The name with one slash for several.
fn squashed(name: &[u8]) -> Vec<u8> {
    let mut squashed: Vec<u8> = Vec::with_capacity(name.len());
    for &byte in name {
        if byte != b'/' || squashed.last() != Some(&b'/') {
            squashed.push(byte);
        }
    }
    squashed
}

/// A quoted name; `None` if the field has none that can be read.
fn unquoted(field: &[u8], strip: usize) -> Option<Vec<u8>> {
    let (name, _) = quoted(field)?;
    let mut rest = name.as_slice();
    for _ in 0..strip {
        rest = &rest[memchr::memchr(b'/', rest)? + 1..];
    }
    Some(squashed(rest))
}

/// Reads a C-quoted string at the start of `field`; gives it and what follows.
fn quoted(field: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = field.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (byte, tail) = escape(rest)?;
                name.push(byte);
                rest = tail;
            }
            0 => return None,
            _ => name.push(byte),
        }
    }
}

/// Reads what follows a backslash: a letter, or three octal digits (git's quote.c).
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&byte, tail) = rest.split_first()?;
    let byte = match byte {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'"' | b'\\' => byte,
        b'0'..=b'3' => {
            let digits = rest.get(..3)?;
            let is_octal = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
            let value = digits.iter().fold(0_u8, |value, digit| {
                value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))
            });
            return is_octal.then_some((value, &rest[3..]));
        }
        _ => return None,
    };
    Some((byte, tail))
}

/// The name in what follows `diff --git `, which has to do where no other line has one:
/// both sides are the same then. `None` if they are not.
pub(super) fn of_git_line(rest: &[u8], strip: usize) -> Option<Vec<u8>> {
    if rest.starts_with(b"\"") {
        return of_quoted_line(rest, strip);
    }
    let name = in_tree(rest, strip)?;
    if let Some(at) = memchr::memchr(b'"', name) {
        let (second, _) = quoted(&name[at..])?;
        let second = in_tree(&second, strip)?;
        let first = name[..at].strip_prefix(second)?;
        return first.first().is_some_and(is_space).then(|| second.to_vec());
    }
    for at in memchr::memchr2_iter(b' ', b'\t', name) {
        let (first, tail) = (&name[..at], &name[at + 1..]);
        if tail.is_empty() {
            return None;
        }
        if in_tree(tail, strip) == Some(first) {
            return Some(first.to_vec());
        }
    }
    None
}

/// As [`of_git_line`] if the first name is quoted.
fn of_quoted_line(rest: &[u8], strip: usize) -> Option<Vec<u8>> {
    let (first, tail) = quoted(rest)?;
    let first = in_tree(&first, strip)?;
    let start = tail.iter().position(|byte| !is_space(byte))?;
    let tail = &tail[start..];
    let agrees = if tail.starts_with(b"\"") {
        in_tree(&quoted(tail)?.0, strip) == Some(first)
    } else {
        in_tree(tail, strip) == Some(first)
    };
    agrees.then(|| first.to_vec())
}

/// The path below the first `strip` folders; `None` if it would be an absolute one.
fn in_tree(path: &[u8], strip: usize) -> Option<&[u8]> {
    if path.starts_with(b"/") {
        return None;
    }
    let mut rest = path;
    for _ in 0..strip {
        rest = &rest[memchr::memchr(b'/', rest)? + 1..];
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: Option<Vec<u8>>) -> Option<String> {
        name.map(|name| String::from_utf8_lossy(&name).into_owned())
    }

    fn git(field: &str) -> Option<String> {
        text(name(field.as_bytes(), 1, End::Tab))
    }

    #[test]
    fn one_folder_comes_off_whatever_it_is() {
        assert_eq!(git("a/fs/x.c").as_deref(), Some("fs/x.c"));
        assert_eq!(git("kernel/sched/core.c").as_deref(), Some("sched/core.c"));
        assert_eq!(git("/etc/passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(git("a//fs///x.c").as_deref(), Some("/fs/x.c"));
        assert_eq!(git("a/fs//x.c").as_deref(), Some("fs/x.c"));
        assert_eq!(git("x.c"), None);
        assert_eq!(git("a/"), None);
    }

    #[test]
    fn what_ends_a_name() {
        assert_eq!(git("a/x y.c\t2024").as_deref(), Some("x y.c"));
        assert_eq!(git("a/x.c  ").as_deref(), Some("x.c  "));
        assert_eq!(git("a/x.c\r").as_deref(), Some("x.c"));
        assert_eq!(git("a/x.c\x0c").as_deref(), Some("x.c\x0c"));
        let whole = name(b"x\ty.c\r", 0, End::Line);
        assert_eq!(text(whole).as_deref(), Some("x\ty.c"));
    }

    #[test]
    fn quotes() {
        let quoted = r#""a/\303\244\"\t.c" rest"#;
        assert_eq!(git(quoted).as_deref(), Some("ä\"\t.c"));
        // What cannot be read is a name as it stands.
        assert_eq!(git(r#""a/\xyz""#).as_deref(), Some(r#"\xyz""#));
        assert_eq!(git(r#""a/\400""#).as_deref(), Some(r#"\400""#));
        assert!(is_open(br#""a/x\""#) && is_open(b"\"") && !is_open(br#""\\" x"#));
    }

    #[test]
    fn plain_names() {
        let of = |field: &str, shorter: Option<&str>| {
            text(plain(field.as_bytes(), 1, shorter.map(str::as_bytes)))
        };
        let dated = "linux/x y.c\t2024-01-05 10:11:12.000000001 +0100";
        assert_eq!(of(dated, None).as_deref(), Some("x y.c"));
        let damaged = "linux/x.c   2024-01-05 10:11:12 +0100";
        assert_eq!(of(damaged, None).as_deref(), Some("x.c"));
        assert_eq!(of("b/x.c.orig", Some("x.c")).as_deref(), Some("x.c"));
        assert_eq!(of("b/y.c", Some("x.c")).as_deref(), Some("y.c"));
        assert_eq!(of("y.c", Some("x.c")).as_deref(), Some("x.c"));
        assert!(asks_for_none(b"y.c\t2024-01-05"));
        assert!(!asks_for_none(b"b/y.c"));
        assert!(!asks_for_none(b"/dev/null"));
    }

    #[test]
    fn the_git_line_is_split_where_both_halves_agree() {
        let of = |rest: &str| text(of_git_line(rest.as_bytes(), 1));
        assert_eq!(of("a/x y b/x y").as_deref(), Some("x y"));
        assert_eq!(of("fs/x fs/x").as_deref(), Some("x"));
        assert_eq!(of(r#""a/\t" "b/\t""#).as_deref(), Some("\t"));
        assert_eq!(of(r#"a/x "b/x""#).as_deref(), Some("x"));
        assert_eq!(of(r#""a/x" b/x"#).as_deref(), Some("x"));
        assert_eq!(of(r#""a/x" b/y"#), None);
        assert_eq!(of("nothing"), None);
        assert_eq!(of("a/x b/y"), None);
        assert_eq!(of("/a/x /b/x"), None);
    }
}
