// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A change of a file as git shows it, with true blob ids, for `git am`.

use crate::source::git::blob_id;
use anyhow::Context;
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};
use std::io::Write;

/// Lines around a change.
const CONTEXT: usize = 3;
/// How much of a blob's id an `index` line has.
const ABBREVIATION: usize = 12;
/// How much of a function's line a hunk's heading has, in bytes, as in git.
const HEADING: usize = 80;
/// How wide the diffstat is, and the least that its bars may be.
const STAT_WIDTH: usize = 72;
const STAT_BAR: usize = 10;

/// How many lines came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// Writes the change of the file at `path`, and counts its lines.
///
/// # Errors
/// `out` cannot be written to.
pub fn write(out: &mut dyn Write, path: &str, old: &[u8], new: &[u8]) -> anyhow::Result<Counts> {
    let id = |text| {
        let id = blob_id(text).with_context(|| format!("cannot hash {path}"))?;
        anyhow::Ok(id.chars().take(ABBREVIATION).collect::<String>())
    };
    writeln!(out, "diff --git a/{path} b/{path}")?;
    writeln!(out, "index {}..{} 100644", id(old)?, id(new)?)?;
    writeln!(out, "--- a/{path}\n+++ b/{path}")?;
    let old_lines: Vec<&[u8]> = old.split_inclusive(|&byte| byte == b'\n').collect();
    let new_lines: Vec<&[u8]> = new.split_inclusive(|&byte| byte == b'\n').collect();
    // Headers are full of lines that are alike: what is there once has to match first.
    let ops = capture_diff_slices(Algorithm::Patience, &old_lines, &new_lines);
    let mut counts = Counts::default();
    for group in group_diff_ops(ops, CONTEXT) {
        heading(out, &group, &old_lines)?;
        for change in group
            .iter()
            .flat_map(|op| op.iter_changes(&old_lines, &new_lines))
        {
            let sign = match change.tag() {
                ChangeTag::Equal => b' ',
                ChangeTag::Insert => b'+',
                ChangeTag::Delete => b'-',
            };
            counts.added += usize::from(sign == b'+');
            counts.removed += usize::from(sign == b'-');
            out.write_all(&[sign])?;
            out.write_all(change.value())?;
            if !change.value().ends_with(b"\n") {
                out.write_all(b"\n\\ No newline at end of file\n")?;
            }
        }
    }
    Ok(counts)
}

/// `@@ -1,7 +1,8 @@ function`.
fn heading(out: &mut dyn Write, group: &[DiffOp], old_lines: &[&[u8]]) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(());
    };
    let old = first.old_range().start..last.old_range().end;
    let new = first.new_range().start..last.new_range().end;
    write!(out, "@@ -{} +{} @@", lines(&old), lines(&new))?;
    let before = old_lines.get(..old.start).unwrap_or_default();
    if let Some(line) = before.iter().rev().find(|line| is_heading(line)) {
        let line = &line[..line.len().min(HEADING)];
        out.write_all(b" ")?;
        out.write_all(line.trim_ascii_end())?;
    }
    Ok(writeln!(out)?)
}

fn lines(range: &std::ops::Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        length => format!("{},{length}", range.start + 1),
    }
}

/// Whether git's driver for C takes a line for the start of a function: it starts
/// with a word and is no label.
fn is_heading(line: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if !line
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
    {
        return false;
    }
    let rest = &line[line.iter().take_while(|byte| is_word(byte)).count()..];
    let label = rest.strip_prefix(b":").map(<[u8]>::trim_ascii);
    !label.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// The diffstat, as `git format-patch` has it.
///
/// # Errors
/// `out` cannot be written to.
pub fn stat(out: &mut dyn Write, files: &[(&str, Counts)]) -> anyhow::Result<()> {
    let total = |count: Counts| count.added + count.removed;
    let most = files
        .iter()
        .map(|(_, count)| total(*count))
        .max()
        .unwrap_or(0);
    let digits = most.to_string().len();
    let widest = files.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    let name = widest.min(STAT_WIDTH - STAT_BAR - digits - 5);
    let bar = STAT_WIDTH.saturating_sub(name + digits + 5).max(STAT_BAR);
    let (mut added, mut removed) = (0, 0);
    for (path, count) in files {
        added += count.added;
        removed += count.removed;
        let (plus, minus) = scaled(*count, most, bar);
        writeln!(
            out,
            " {:name$} | {:digits$} {}{}",
            shortened(path, name),
            total(*count),
            "+".repeat(plus),
            "-".repeat(minus)
        )?;
    }
    let of = |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    write!(out, " {} changed", of(files.len(), "file", "files"))?;
    if added > 0 {
        write!(out, ", {}", of(added, "insertion(+)", "insertions(+)"))?;
    }
    if removed > 0 {
        write!(out, ", {}", of(removed, "deletion(-)", "deletions(-)"))?;
    }
    Ok(writeln!(out)?)
}

/// The lengths of a bar's two parts.
fn scaled(count: Counts, most: usize, width: usize) -> (usize, usize) {
    if most <= width {
        return (count.added, count.removed);
    }
    let scale = |lines: usize| match lines {
        0 => 0,
        _ => (lines * (width - 1) / most).max(1),
    };
    (scale(count.added), scale(count.removed))
}

/// The end of a path that is too long.
fn shortened(path: &str, width: usize) -> String {
    let length = path.chars().count();
    if length <= width {
        return path.to_owned();
    }
    let tail: String = path.chars().skip(length - (width - 3)).collect();
    let tail = tail.find('/').map_or(tail.as_str(), |at| &tail[at..]);
    format!("...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, "a.c", old.as_bytes(), new.as_bytes()).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn hunks_name_their_functions() {
        let old = "int f(void)\n{\nout:\n1;\n2;\n3;\n4;\n}\n";
        let text = shown(old, &old.replace("4;", "5;"));
        assert!(text.contains("\n@@ -4,5 +4,5 @@ int f(void)\n"), "{text}");
        assert!(text.contains("\n-4;\n+5;\n"), "{text}");
    }

    #[test]
    fn ends_without_a_newline() {
        let text = shown("a\nb", "a\nb\nc\n");
        assert!(
            text.ends_with("-b\n\\ No newline at end of file\n+b\n+c\n"),
            "{text}"
        );
    }

    #[test]
    fn blobs_are_named_as_git_names_them() {
        let text = shown("hello\n", "bye\n");
        assert!(text.contains("\nindex ce013625030b.."), "{text}");
    }

    #[test]
    fn a_diffstat() {
        let counts = |added, removed| Counts { added, removed };
        let mut out = Vec::new();
        stat(
            &mut out,
            &[("a.c", counts(2, 1)), ("fs/b.c", counts(0, 10))],
        )
        .expect("written");
        assert_eq!(
            String::from_utf8_lossy(&out),
            " a.c    |  3 ++-\n fs/b.c | 10 ----------\n \
             2 files changed, 2 insertions(+), 11 deletions(-)\n"
        );
    }
}
