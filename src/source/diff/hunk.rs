// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The hunks of one file, counted as `git apply` counts them (parse_fragment() in git's
//! apply.c). May not know what stands above them.

use super::super::patch::{DiffLine, Hunk, LineKind};
use super::{Flaw, Lines};

const REMAKE: &str =
    "make the patch again with git format-patch, or mend the header with recountdiff";

/// The least bytes of `\ No newline at end of file` in any language, with its newline.
const SHORTEST_MARK: usize = 12;

/// Reads the hunks from line `at` on, which may be none; gives the line after them.
/// `room` is how many lines all hunks may still have.
pub(super) fn read_all(
    lines: &Lines<'_>,
    mut at: usize,
    room: &mut usize,
) -> Result<(Vec<Hunk>, usize), Flaw> {
    let mut hunks = Vec::new();
    while let Some(rest) = lines.after(at, b"@@ -") {
        let mut reader = Reader {
            lines,
            header: at,
            at: at + 1,
            left: (0, 0),
        };
        let hunk = reader.hunk(rest, room)?;
        hunks.push(hunk);
        at = reader.at;
    }
    if !hunks.is_empty() {
        excess(lines, at)?;
    }
    Ok((hunks, at))
}

/// A hunk that is longer than its header says goes on after its end. Git passes over the
/// rest, which whoever wrote it meant to be there.
fn excess(lines: &Lines<'_>, mut at: usize) -> Result<(), Flaw> {
    while lines.after(at, b" ").is_some() {
        at += 1;
    }
    let Some(line) = lines.get(at) else {
        return Ok(());
    };
    // Signatures, the next diff, and boundaries of mails, which no line of C looks like.
    let is_other = line.starts_with(b"--");
    if line.starts_with(b"+") || (line.starts_with(b"-") && !is_other) {
        let message = format!("the hunk goes on after its end; {REMAKE}");
        return Err(Flaw::new(at, message));
    }
    Ok(())
}

struct Reader<'l, 't> {
    lines: &'l Lines<'t>,
    header: usize,
    at: usize,
    /// Lines still to come, before and after.
    left: (u32, u32),
}

impl Reader<'_, '_> {
    fn hunk(&mut self, rest: &[u8], room: &mut usize) -> Result<Hunk, Flaw> {
        let Some(mut hunk) = header(rest) else {
            let message = format!("the hunk's header cannot be read; {REMAKE}");
            return Err(Flaw::new(self.header, message));
        };
        hunk.line = self.lines.number(self.header);
        self.left = (hunk.old_len, hunk.new_len);
        while self.left != (0, 0) {
            if self.end_of_file_mark(&mut hunk)? {
                continue;
            }
            let (old, new) = self.left;
            let mut line = self.line()?;
            line.above = (hunk.old_len - old, hunk.new_len - new);
            *room = room.checked_sub(1).ok_or_else(|| {
                let most = super::MOST_LINES;
                let message = format!("the patch has more than {most} lines: check it in parts");
                Flaw::new(self.header, message)
            })?;
            hunk.lines.push(line);
            self.at += 1;
        }
        // Of what is too short git takes no notice here.
        if self.lines.left(self.at) > SHORTEST_MARK {
            self.end_of_file_mark(&mut hunk)?;
        }
        if hunk.lines.iter().all(|line| line.kind == LineKind::Context) {
            let message = format!(
                "the hunk changes nothing, so git refuses the whole patch as corrupt; {REMAKE}"
            );
            return Err(Flaw::new(self.header, message));
        }
        self.check_ends(&hunk)?;
        Ok(hunk)
    }

    /// Reads `\ No newline at end of file`, in whatever language; false if there is none.
    fn end_of_file_mark(&mut self, hunk: &mut Hunk) -> Result<bool, Flaw> {
        let Some(line) = self.lines.get(self.at) else {
            return Ok(false);
        };
        let is_in_hunk = self.left != (0, 0);
        if !line.starts_with(b"\\ ") || is_in_hunk && line.len() + 1 < SHORTEST_MARK {
            return Ok(false);
        }
        if is_in_hunk && !self.lines.is_ended(self.at) {
            return Err(self.cut_off());
        }
        if let Some(last) = hunk.lines.last_mut() {
            // Git counts an empty line as one of context, and then has none.
            let is_bare = self.lines.get(self.at - 1) == Some(b"");
            if is_bare {
                return Err(self.joined());
            }
            last.no_newline = true;
        }
        self.at += 1;
        Ok(true)
    }

    /// Only the last line of a side may lack its newline: git would glue the next one to
    /// it, so that the patch would read otherwise than it shows.
    fn check_ends(&self, hunk: &Hunk) -> Result<(), Flaw> {
        for missing in [LineKind::Removed, LineKind::Added] {
            let mut side = hunk.lines.iter().filter(|line| line.kind != missing).rev();
            side.next();
            if side.any(|line| line.no_newline) {
                return Err(self.joined());
            }
        }
        Ok(())
    }

    fn joined(&self) -> Flaw {
        Flaw::new(
            self.header,
            "a line amid the hunk is said to be the file's last, without a newline: git glues \
             the next one to it; make the patch again with git format-patch",
        )
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
            None => (LineKind::Context, line),
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
        Flaw::corrupt(
            self.header,
            format!(
                "the patch ends inside this hunk, which still wants {old} old and {new} new \
                 lines: it is cut off; get it again"
            ),
        )
    }

    fn too_short(&self) -> Flaw {
        let line = self.lines.number(self.at);
        Flaw::corrupt(
            self.header,
            format!("the hunk's lines do not add up to its header (seen at line {line}); {REMAKE}"),
        )
    }
}

/// Whether what follows `@@ -` is the header of a hunk for git.
pub(super) fn is_header(rest: &[u8]) -> bool {
    ranges(rest).is_some()
}

/// Reads `1,2 +3,4 @@ section`.
fn header(rest: &[u8]) -> Option<Hunk> {
    let ((old_start, old_len), (new_start, new_len), section) = ranges(rest)?;
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u32>().ok();
    let hunk = Hunk {
        old_start: number(old_start)?,
        old_len: number(old_len)?,
        new_start: number(new_start)?,
        new_len: number(new_len)?,
        section: section.strip_prefix(b" ").unwrap_or(section).into(),
        ..Hunk::default()
    };
    // The last line has to have a number, too.
    hunk.old_start.checked_add(hunk.old_len)?;
    hunk.new_start.checked_add(hunk.new_len)?;
    Some(hunk)
}

/// The digits of a range's start and length.
type Range<'t> = (&'t [u8], &'t [u8]);

/// Both ranges, and what follows them.
fn ranges(rest: &[u8]) -> Option<(Range<'_>, Range<'_>, &[u8])> {
    let (old, rest) = range(rest)?;
    let (new, rest) = range(rest.strip_prefix(b" +")?)?;
    Some((old, new, rest.strip_prefix(b" @@")?))
}

fn range(rest: &[u8]) -> Option<(Range<'_>, &[u8])> {
    let (start, rest) = digits(rest)?;
    match rest.strip_prefix(b",") {
        Some(rest) => {
            let (len, rest) = digits(rest)?;
            Some(((start, len), rest))
        }
        None => Some(((start, b"1"), rest)),
    }
}

fn digits(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| rest.split_at(count))
}
