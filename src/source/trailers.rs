// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The trailers of a commit message, as `git interpret-trailers --parse` finds them with
//! nothing configured. May not know which of them mean anything, nor who wrote them.
//!
//! What holds is written down in git's Documentation/git-interpret-trailers.adoc and done
//! by its trailer.c and commit.c (`ignored_log_message_bytes()`), of 2.47.

/// A trailer: `Acked-by: Name <address>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// What stands before the colon.
    pub key: String,
    /// What stands behind it, in one line.
    pub value: String,
}

/// What git writes itself: one such line makes a block of trailers of a paragraph of which
/// a quarter is trailers.
const BY_GIT: [&str; 2] = ["Signed-off-by: ", "(cherry picked from commit "];

/// The line below which `git commit --verbose` shows the diff.
const SCISSORS: &str = "# ------------------------ >8 ------------------------\n";

/// Begins a list of paths, each behind a tab, that old versions of git left in messages.
const CONFLICTS: &str = "Conflicts:\n";

/// The trailers of `message`, which need not end with a newline.
pub fn trailers(message: &str) -> Vec<Trailer> {
    // To git, as to C, a text ends at its first NUL.
    let text = message.split('\0').next().unwrap_or_default();
    let text = if text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let lines = &lines[..end_of_message(&lines)];
    unfolded(&lines[start_of_block(lines)..])
}

/// How many lines are the message's own: without a patch below `---`, what is below the
/// scissors, and the comments, empty lines and conflicts at the end.
fn end_of_message(lines: &[&str]) -> usize {
    let is_divider = |line: &&str| {
        let rest = line.strip_prefix("---");
        rest.is_some_and(|rest| rest.starts_with(is_space))
    };
    let end = lines.iter().position(is_divider).unwrap_or(lines.len());
    let scissors = lines.iter().position(|line| *line == SCISSORS);
    let end = end.min(scissors.unwrap_or(end));
    let mut ignored_from = None;
    let mut in_conflicts = false;
    for (at, line) in lines[..end].iter().enumerate() {
        if is_comment(line) || *line == "\n" {
            ignored_from = ignored_from.or(Some(at));
        } else if *line == CONFLICTS {
            in_conflicts = true;
            ignored_from = ignored_from.or(Some(at));
        } else if !(in_conflicts && line.starts_with('\t')) && ignored_from.is_some() {
            ignored_from = None;
            in_conflicts = false;
        }
        // To git, what begins with the message is not at its end.
        ignored_from = ignored_from.filter(|&at| at > 0);
    }
    ignored_from.unwrap_or(end)
}

/// Where the block of trailers begins; at the end if there is none. It is the last
/// paragraph, and never the first, which is the title.
fn start_of_block(lines: &[&str]) -> usize {
    let ends_title = |line: &&str| !is_comment(line) && is_blank(line);
    let Some(title) = lines.iter().position(ends_title) else {
        return lines.len();
    };
    let mut count = Count::default();
    let mut is_below = true;
    for (at, line) in lines.iter().enumerate().skip(title).rev() {
        if is_comment(line) {
            count.end_of_fold();
        } else if !is_blank(line) {
            is_below = false;
            count.add(line);
        } else if !is_below {
            count.end_of_fold();
            return if count.is_block() {
                at + 1
            } else {
                lines.len()
            };
        }
    }
    lines.len()
}

/// What lines a paragraph has, which is read from its end.
#[derive(Default)]
struct Count {
    by_git: bool,
    trailers: usize,
    others: usize,
    /// Lines that begin with a space: the rest of a trailer, if one is above.
    folded: usize,
}

impl Count {
    fn add(&mut self, line: &str) {
        if BY_GIT.iter().any(|prefix| line.starts_with(prefix)) {
            self.by_git = true;
            self.trailers += 1;
            self.folded = 0;
        } else if line.starts_with(is_space) {
            self.folded += 1;
        } else if separator(line).is_some() {
            self.trailers += 1;
            self.folded = 0;
        } else {
            self.others += 1;
            self.end_of_fold();
        }
    }

    fn end_of_fold(&mut self) {
        self.others += self.folded;
        self.folded = 0;
    }

    fn is_block(&self) -> bool {
        let enough = self.by_git && self.trailers * 3 >= self.others;
        enough || self.trailers > 0 && self.others == 0
    }
}

/// The trailers among the lines of a block, each with those that begin with a space below.
fn unfolded(block: &[&str]) -> Vec<Trailer> {
    let mut trailers: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in block {
        if is_open && line.starts_with(is_space) {
            if let Some(last) = trailers.last_mut() {
                last.push_str(line);
            }
        } else {
            is_open = separator(line).is_some();
            if is_open {
                trailers.push((*line).to_owned());
            }
        }
    }
    let split = trailers.iter().filter_map(|trailer| {
        let (key, value) = trailer.split_at_checked(separator(trailer)?)?;
        Some(Trailer {
            key: key.trim_matches(is_space).to_owned(),
            value: in_one_line(value.strip_prefix(':')?),
        })
    });
    split.collect()
}

/// A newline and the spaces behind it become one space.
fn in_one_line(value: &str) -> String {
    let mut lines = value.trim_matches(is_space).split('\n');
    let mut one = lines.next().unwrap_or_default().to_owned();
    let mut is_open = false;
    for line in lines {
        let line = line.trim_start_matches(is_space);
        if !is_open {
            one.push(' ');
        }
        one.push_str(line);
        // Of several newlines in a row, the first takes the others along.
        is_open = line.is_empty();
    }
    one.trim_matches(is_space).to_owned()
}

/// Where the colon of `Key:` or `Key :` is.
fn separator(line: &str) -> Option<usize> {
    let mut is_over = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b':' => return Some(at).filter(|&at| at > 0),
            b' ' | b'\t' if at > 0 => is_over = true,
            _ if !is_over && (byte.is_ascii_alphanumeric() || byte == b'-') => {}
            _ => return None,
        }
    }
    None
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#')
}

fn is_blank(line: &str) -> bool {
    line.chars().all(is_space)
}

/// What is a space to git, which has its own idea of it (ctype.c).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Vec<String> {
        let all = trailers(message).into_iter();
        all.map(|one| format!("{}: {}", one.key, one.value))
            .collect()
    }

    #[test]
    fn the_last_paragraph_alone() {
        assert_eq!(found("t\n\nA-by: x\n\nB: y\n c\n"), ["B: y c"]);
        assert_eq!(found("t\n\nA-by: x\n\nprose\n"), [""; 0]);
        assert_eq!(found("A-by: x\n"), [""; 0]);
        assert_eq!(found("t\n\nA-by: x\n---\nB: y"), ["A-by: x"]);
        assert_eq!(found("t\n\n---\n\nB: y"), [""; 0]);
        assert_eq!(
            found(&format!("t\n\nA-by: x\n\n{SCISSORS}\nB: y")),
            ["A-by: x"]
        );
    }

    #[test]
    fn a_quarter_is_enough_with_a_line_of_gits() {
        let prose = "one\ntwo\nthree\n";
        assert_eq!(
            found(&format!("t\n\n{prose}Signed-off-by: x")),
            ["Signed-off-by: x"]
        );
        assert_eq!(
            found(&format!("t\n\n{prose}four\nSigned-off-by: x")),
            [""; 0]
        );
        assert_eq!(found(&format!("t\n\n{prose}Acked-by: x")), [""; 0]);
        assert_eq!(
            found("t\n\nAcked-by : x\n[y: z]\n(cherry picked from commit 1)\n"),
            ["Acked-by: x"]
        );
    }

    #[test]
    fn what_is_left_at_the_end_goes() {
        let end = "Conflicts:\n\ta.c\n\tb.c\n# c\n\n";
        assert_eq!(found(&format!("t\n\nA: x\n\n{end}")), ["A: x"]);
        assert_eq!(found(&format!("t\n\nA: x\n\n{end}prose\n")), [""; 0]);
        assert_eq!(found("t\n\nA: x\n#b\n\0\n\nB: y"), ["A: x"]);
        assert_eq!(found("t\n\nA: x\n#b\n c\n"), [""; 0]);
    }
}
