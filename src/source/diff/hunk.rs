// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The hunks of one file, counted. May not know what stands above them.

use super::super::patch::{DiffLine, FileChange, Hunk, LineKind};
use super::Lines;
use super::header::Header;

const REMAKE: &str =
    "make the patch again with git format-patch, or mend the header with recountdiff";

/// Why a file's hunks cannot be used.
pub(super) struct Flaw {
    /// Line that is wrong.
    pub at: usize,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// Reads the hunks below `header` into `change`; gives the line after them.
pub(super) fn read_all(
    lines: &Lines<'_>,
    header: &Header,
    change: &mut FileChange,
) -> Result<usize, Flaw> {
    let mut at = header.body;
    while let Some(rest) = lines.after(at, b"@@ -") {
        let mut reader = Reader {
            lines,
            cr: header.cr,
            header: at,
            at: at + 1,
            left: (0, 0),
        };
        let hunk = reader.hunk(rest)?;
        if let Some(last) = change.hunks.last()
            && (hunk.old_start < last.old_start.saturating_add(last.old_len)
                || hunk.new_start < last.new_start.saturating_add(last.new_len))
        {
            return Err(Flaw {
                at,
                message: format!("the hunk overlaps the one before it; {REMAKE}"),
            });
        }
        change.hunks.push(hunk);
        at = reader.at;
    }
    if change.hunks.is_empty() && header.wants_hunks() {
        return Err(Flaw {
            at: header.at,
            message: match lines.get(at) {
                None => format!(
                    "the diff of {} is cut off; get the patch again",
                    change.path()
                ),
                Some(_) => format!("the diff of {} has no hunk; {REMAKE}", change.path()),
            },
        });
    }
    if !change.hunks.is_empty() {
        excess(lines, at)?;
    }
    Ok(at)
}

/// A hunk that is longer than its header says goes on after its end.
fn excess(lines: &Lines<'_>, mut at: usize) -> Result<(), Flaw> {
    while lines.after(at, b" ").is_some() {
        at += 1;
    }
    let Some(line) = lines.get(at) else {
        return Ok(());
    };
    let signature = matches!(line.trim_ascii_end(), b"--" | b"---") || line.starts_with(b"--- ");
    if line.starts_with(b"+") || line.starts_with(b"@@ -") || (line.starts_with(b"-") && !signature)
    {
        let message = format!("the hunk goes on after its end; {REMAKE}");
        return Err(Flaw { at, message });
    }
    Ok(())
}

struct Reader<'l, 't> {
    lines: &'l Lines<'t>,
    cr: bool,
    header: usize,
    at: usize,
    /// Lines still to come, before and after.
    left: (u32, u32),
}

impl Reader<'_, '_> {
    fn hunk(&mut self, rest: &[u8]) -> Result<Hunk, Flaw> {
        let mut hunk = header(rest, self.cr).ok_or_else(|| Flaw {
            at: self.header,
            message: format!("the hunk's header cannot be read; {REMAKE}"),
        })?;
        hunk.line = self.lines.number(self.header);
        self.left = (hunk.old_len, hunk.new_len);
        while self.left != (0, 0) {
            let (old, new) = self.left;
            let mut line = self.line()?;
            line.above = (hunk.old_len - old, hunk.new_len - new);
            hunk.lines.push(line);
            self.at += 1;
            self.end_of_file_mark(&mut hunk);
        }
        Ok(hunk)
    }

    /// `\ No newline at end of file`, in whatever language.
    fn end_of_file_mark(&mut self, hunk: &mut Hunk) {
        if self.lines.after(self.at, b"\\ ").is_some()
            && let Some(last) = hunk.lines.last_mut()
        {
            last.no_newline = true;
            self.at += 1;
        }
    }

    fn line(&mut self) -> Result<DiffLine, Flaw> {
        let line = self
            .lines
            .get(self.at)
            .filter(|_| self.lines.is_ended(self.at));
        let Some(line) = line else {
            return Err(self.cut_off());
        };
        let (kind, text) = match line.split_first() {
            Some((b' ', text)) => (LineKind::Context, text),
            Some((b'+', text)) => (LineKind::Added, text),
            Some((b'-', text)) => (LineKind::Removed, text),
            // Mailers strip the blank of an empty context line.
            None | Some((b'\r', [])) => (LineKind::Context, line),
            _ => return Err(self.too_short()),
        };
        let left = match kind {
            LineKind::Context => (self.left.0.checked_sub(1), self.left.1.checked_sub(1)),
            LineKind::Added => (Some(self.left.0), self.left.1.checked_sub(1)),
            LineKind::Removed => (self.left.0.checked_sub(1), Some(self.left.1)),
        };
        let (Some(old), Some(new)) = left else {
            return Err(self.too_short());
        };
        self.left = (old, new);
        let text = if self.cr {
            text.strip_suffix(b"\r").unwrap_or(text)
        } else {
            text
        };
        Ok(DiffLine {
            kind,
            text: text.into(),
            no_newline: false,
            line: self.lines.number(self.at),
            above: (0, 0),
        })
    }

    fn cut_off(&self) -> Flaw {
        let (old, new) = self.left;
        let message = format!(
            "the patch ends inside this hunk, which still wants {old} old and {new} new lines: \
             it is cut off; get it again"
        );
        Flaw {
            at: self.header,
            message,
        }
    }

    fn too_short(&self) -> Flaw {
        let line = self.lines.number(self.at);
        let message =
            format!("the hunk's lines do not add up to its header (seen at line {line}); {REMAKE}");
        Flaw {
            at: self.header,
            message,
        }
    }
}

/// Reads `1,2 +3,4 @@ section`.
fn header(rest: &[u8], cr: bool) -> Option<Hunk> {
    let end = memchr::memmem::find(rest, b" @@")?;
    let ranges = std::str::from_utf8(rest.get(..end)?).ok()?;
    let section = rest.get(end + 3..)?;
    let section = section.strip_prefix(b" ").unwrap_or(section);
    let section = if cr {
        section.strip_suffix(b"\r").unwrap_or(section)
    } else {
        section
    };
    let (old, new) = ranges.split_once(" +")?;
    let (old_start, old_len) = range(old)?;
    let (new_start, new_len) = range(new)?;
    Some(Hunk {
        old_start,
        old_len,
        new_start,
        new_len,
        section: section.into(),
        ..Hunk::default()
    })
}

fn range(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (start, len) = match text.split_once(',') {
        Some((start, len)) => (number(start)?, number(len)?),
        None => (number(text)?, 1),
    };
    // Lines count from 1, and the last one has to have a number, too.
    let sane = (start > 0 || len == 0) && start.checked_add(len).is_some();
    sane.then_some((start, len))
}
