// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The paths that diffs name: quoting, `a/` and `b/`, and whether they stay
//! inside the tree. May not look at any file.

/// Folders that stand at the top of a kernel tree; they tell `-p0` from `-p1`.
const TOP: &[&str] = &[
    "Documentation",
    "LICENSES",
    "arch",
    "block",
    "certs",
    "crypto",
    "drivers",
    "fs",
    "include",
    "init",
    "io_uring",
    "ipc",
    "kernel",
    "lib",
    "mm",
    "net",
    "rust",
    "samples",
    "scripts",
    "security",
    "sound",
    "tools",
    "usr",
    "virt",
];

/// What git puts before the paths of the two sides, `diff.mnemonicPrefix` too.
const GIT_PREFIXES: &[&[u8]] = &[b"a", b"b", b"c", b"i", b"o", b"w"];

/// Checks that `path` is one that a tree can hold, relative and inside it.
///
/// # Errors
/// It is not; the message says why, and names it.
pub(crate) fn inside(path: &str) -> Result<(), String> {
    match misfit(path) {
        Some(why) => Err(format!("the path {why}: \"{}\"", path.escape_debug())),
        None => Ok(()),
    }
}

fn misfit(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.contains('\0') {
        return Some("holds a NUL byte");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    path.split('/').find_map(|part| match part {
        ".." => Some("leaves the tree"),
        "" | "." => Some("has an empty part"),
        _ => None,
    })
}

/// Whether [`checked`] has nothing against the path.
pub(crate) fn is_inside(raw: &[u8]) -> bool {
    checked(raw).is_ok()
}

/// [`inside`] for the raw bytes of a diff.
pub(crate) fn checked(raw: &[u8]) -> Result<String, String> {
    let shown = String::from_utf8_lossy(raw);
    let path =
        std::str::from_utf8(raw).map_err(|_| format!("the path \"{shown}\" is not UTF-8"))?;
    // "./kernel/x.c" is what `diff -ur . ../other` writes.
    let path = path.strip_prefix("./").unwrap_or(path);
    inside(path)?;
    Ok(path.to_owned())
}

/// The name in a `---` or `+++` line, or in `rename from`: without timestamp
/// and quotes. `None` for `/dev/null`.
pub(crate) fn name(field: &[u8]) -> Option<Vec<u8>> {
    let field = field.strip_suffix(b"\r").unwrap_or(field);
    let name = match quoted(field) {
        Some((name, _)) => name,
        None => {
            let end = memchr::memchr(b'\t', field).unwrap_or(field.len());
            field
                .get(..end)
                .unwrap_or_default()
                .trim_ascii_end()
                .to_vec()
        }
    };
    let null = name == b"/dev/null" || name.starts_with(b"/dev/null ");
    (!null).then_some(name)
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
            _ => name.push(byte),
        }
    }
}

/// Reads what follows a backslash.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    if let Some(octal) = rest.get(..3)
        && octal.iter().all(|digit| (b'0'..=b'7').contains(digit))
    {
        let value = octal
            .iter()
            .fold(0_u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
        return Some((u8::try_from(value).ok()?, rest.get(3..)?));
    }
    let (&byte, rest) = rest.split_first()?;
    let byte = match byte {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'"' | b'\\' => byte,
        _ => return None,
    };
    Some((byte, rest))
}

/// Splits at the first `/`.
fn split_first(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'/', path)?;
    Some((path.get(..at)?, path.get(at + 1..)?))
}

fn is_top(part: &[u8]) -> bool {
    TOP.iter().any(|top| top.as_bytes() == part)
}

/// Strips the prefix of the only side that a diff names.
pub(crate) fn strip_one(path: &[u8]) -> &[u8] {
    let Some((first, rest)) = split_first(path) else {
        return path;
    };
    if GIT_PREFIXES.contains(&first) {
        return rest;
    }
    let below = split_first(rest).is_some_and(|(second, _)| is_top(second));
    if !is_top(first) && below { rest } else { path }
}

/// Strips the prefixes of both sides: `a/x b/x`, `linux.orig/x linux/x`, and
/// `x x`, which is `-p0`.
pub(crate) fn strip_both<'p>(old: &'p [u8], new: &'p [u8]) -> (&'p [u8], &'p [u8]) {
    if let (Some((o, old_rest)), Some((n, new_rest))) = (split_first(old), split_first(new)) {
        let git = GIT_PREFIXES.contains(&o) && GIT_PREFIXES.contains(&n);
        if git || (o != n && old_rest == new_rest && !is_top(n)) {
            return (old_rest, new_rest);
        }
    }
    (strip_one(old), strip_one(new))
}

/// The two names in what follows `diff --git `, which has to do when there are
/// no `---` and `+++` lines. Both are the same file: renames have lines of
/// their own.
pub(crate) fn git_line(rest: &[u8]) -> Option<Vec<u8>> {
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    if let Some((old, tail)) = quoted(rest) {
        return Some(
            strip_both(&old, tail.strip_prefix(b" ").unwrap_or_default())
                .0
                .to_vec(),
        );
    }
    let mut best = None;
    for at in memchr::memchr_iter(b' ', rest) {
        let (old, new) = (rest.get(..at)?, rest.get(at + 1..)?);
        if old == new {
            return Some(strip_one(old).to_vec());
        }
        if best.is_none() && old.len() == new.len() {
            let (old, new) = strip_both(old, new);
            best = (old == new && !old.is_empty()).then(|| old.to_vec());
        }
    }
    best
}

/// Whether `old` is the copy that an editor or `patch` leaves of `new`.
pub(crate) fn is_backup(old: &[u8], new: &[u8]) -> bool {
    [&b".orig"[..], b".old", b"~", b".bak"]
        .iter()
        .any(|end| old.strip_suffix(*end) == Some(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            "kernel/../../x",
            "a\0b",
            "a//b",
            ".",
        ] {
            assert!(inside(path).is_err(), "{path:?}");
        }
        assert!(inside("kernel/sched/core.c").is_ok());
        assert!(inside("a..b/..c").is_ok());
    }

    #[test]
    fn names_lose_timestamps_and_quotes() {
        assert_eq!(name(b"a/x.c\t2024-01-01").as_deref(), Some(&b"a/x.c"[..]));
        assert_eq!(name(b"a/x y.c\t\r").as_deref(), Some(&b"a/x y.c"[..]));
        assert_eq!(
            name(br#""a/\303\244\"\t.c""#).as_deref(),
            Some("a/ä\"\t.c".as_bytes())
        );
        assert_eq!(name(b"/dev/null"), None);
        assert_eq!(name(b"/dev/null\t1970-01-01"), None);
    }

    #[test]
    fn prefixes_go_and_p0_is_known() {
        let strip = |old: &str, new: &str| {
            let (old, new) = strip_both(old.as_bytes(), new.as_bytes());
            [old, new].map(|path| String::from_utf8_lossy(path).into_owned())
        };
        assert_eq!(strip("a/fs/x.c", "b/fs/x.c"), ["fs/x.c", "fs/x.c"]);
        assert_eq!(strip("a/fs/x.c", "b/mm/y.c"), ["fs/x.c", "mm/y.c"]);
        assert_eq!(strip("fs/x.c", "fs/x.c"), ["fs/x.c", "fs/x.c"]);
        assert_eq!(
            strip("linux.orig/fs/x.c", "linux/fs/x.c"),
            ["fs/x.c", "fs/x.c"]
        );
        assert_eq!(strip("linux/fs/x.c", "linux/fs/x.c"), ["fs/x.c", "fs/x.c"]);
        assert_eq!(strip("a/Makefile", "b/Makefile"), ["Makefile", "Makefile"]);
    }

    #[test]
    fn the_git_line_is_split_where_both_halves_agree() {
        let of = |rest: &str| {
            git_line(rest.as_bytes()).map(|p| String::from_utf8_lossy(&p).into_owned())
        };
        assert_eq!(of("a/x y b/x y").as_deref(), Some("x y"));
        assert_eq!(of("fs/x fs/x").as_deref(), Some("fs/x"));
        assert_eq!(of(r#""a/\t" "b/\t""#).as_deref(), Some("\t"));
        assert_eq!(of("nothing"), None);
    }
}
