// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a patch says, however it came: by mail, as a bare diff, or as a commit.
//! Plain data; may not know mail, git or trees.

use std::fmt;

/// One patch of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Where it was read from: a file as it was named, `-`, or a commit's id.
    pub input: String,
    /// Which mail of `input` it is, counted from 1, if that holds several.
    pub mail: Option<usize>,
    /// Subject as it was sent, with its `[PATCH n/m]`.
    pub subject: String,
    /// Who wrote it.
    pub author: Person,
    /// Commit message: the subject without its brackets, an empty line, and the
    /// body up to `---`, trailers and all.
    pub message: String,
    /// Id of the commit, in full, where it is known.
    pub commit: Option<String>,
    /// The files that it changes.
    pub changes: Vec<FileChange>,
    /// What else the same input says to those who read it in another way; `self` is what
    /// git makes of it. Both are checked, by `Series::alternatives`.
    pub other: Option<Box<Patch>>,
}

impl Patch {
    /// How the patch is named in output: `x.patch`, `x.mbox (mail 3)`, `-`.
    pub fn name(&self) -> String {
        match self.mail {
            Some(mail) => format!("{} (mail {mail})", self.input),
            None => self.input.clone(),
        }
    }

    /// How many lines of it are looked at, as checkpatch counts: a hunk's up to the last
    /// one that the patch leaves.
    pub fn checked_lines(&self) -> usize {
        let hunks = self.changes.iter().flat_map(|change| &change.hunks);
        let lines = hunks.map(|hunk| {
            let mut lines = hunk.lines.iter();
            let last = lines.rposition(|line| line.kind != LineKind::Removed);
            last.map_or(0, |last| last + 1)
        });
        lines.sum()
    }

    /// The subject without `Re:` and the brackets before it.
    pub fn title(&self) -> &str {
        Tags::of(&self.subject).title
    }
}

/// The start of a commit's id, as long as the kernel's messages cite it.
pub fn short_id(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A name and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Name; empty if only an address was given.
    pub name: String,
    /// Address, without `<` and `>`.
    pub email: String,
}

impl Person {
    /// Reads `Name <address>`, `"Name" <address>` or `address`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.rsplit_once('<') {
            Some((name, email)) => Self {
                name: name.trim().trim_matches('"').trim().to_owned(),
                email: email
                    .split('>')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned(),
            },
            None if text.contains('@') => Self {
                name: String::new(),
                email: text.to_owned(),
            },
            None => Self {
                name: text.to_owned(),
                email: String::new(),
            },
        }
    }
}

/// What stands before the title of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tags<'s> {
    /// The subject without them.
    pub title: &'s str,
    /// It answers another mail.
    pub reply: bool,
    /// A bracket says PATCH, or RFC.
    pub patch: bool,
    /// `n/m`.
    pub number: Option<(u32, u32)>,
    /// 2 for `v2`; 1 if there is none.
    pub version: u32,
}

impl<'s> Tags<'s> {
    /// Takes a subject apart.
    pub(crate) fn of(subject: &'s str) -> Self {
        let mut tags = Self {
            title: subject.trim(),
            reply: false,
            patch: false,
            number: None,
            version: 1,
        };
        loop {
            let rest = tags.title;
            if rest
                .get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case("re:"))
            {
                tags.reply = true;
                tags.title = rest.get(3..).unwrap_or_default().trim_start();
            } else if let Some((tag, after)) =
                rest.strip_prefix('[').and_then(|r| r.split_once(']'))
            {
                tags.bracket(tag);
                tags.title = after.trim_start();
            } else {
                return tags;
            }
        }
    }

    fn bracket(&mut self, tag: &str) {
        for word in tag.split_ascii_whitespace() {
            self.patch |= word.starts_with("PATCH") || word.starts_with("RFC");
            let version = word.strip_prefix(['v', 'V']).and_then(|v| v.parse().ok());
            self.version = version.unwrap_or(self.version);
            if let Some((n, m)) = word.split_once('/')
                && let (Ok(n), Ok(m)) = (n.parse(), m.parse())
            {
                self.number = Some((n, m));
            }
        }
    }
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangeKind {
    /// Its text changes.
    #[default]
    Modify,
    /// It is new.
    Add,
    /// It goes.
    Delete,
    /// It moves, perhaps with changes.
    Rename,
    /// A copy of another file, perhaps with changes.
    Copy,
    /// Only its mode changes, or it is a symbolic link or, of a commit, a submodule, and then
    /// only `new_path` says which.
    ModeOnly,
    /// Its content changes in a way that the patch does not show as lines.
    Binary,
}

/// How a patch changes one file. Paths are relative to the tree's root, and
/// have been checked not to leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    /// Path before; `None` for a new file.
    pub old_path: Option<String>,
    /// Path after; `None` for a deleted file.
    pub new_path: Option<String>,
    /// What happens.
    pub kind: ChangeKind,
    /// Id of the blob before, in hex, mostly abbreviated; `None` if unknown or
    /// absent.
    pub old_blob: Option<String>,
    /// Id of the blob after.
    pub new_blob: Option<String>,
    /// The hunks, in the order in which they are applied; in a `Series`, that in which
    /// they lie in the file.
    pub hunks: Vec<Hunk>,
    /// If there is no such file, it is new: `diff -N` says no more of it. A symbolic link
    /// is new, and there may be no such file.
    pub may_be_new: bool,
    /// Line of the input where the file's diff begins, counted from 1.
    pub line: u32,
}

impl FileChange {
    /// Whether it is a symbolic link or a submodule, and not a file that is made executable.
    pub fn is_link(&self) -> bool {
        self.kind == ChangeKind::ModeOnly && self.old_path.is_none()
    }

    /// Whether the kernel may be built from it as C.
    pub fn is_of_the_kernel(&self) -> bool {
        !super::paths::is_beside_the_kernel(self.path())
    }

    /// The path to name it by: after, else before.
    pub fn path(&self) -> &str {
        self.new_path
            .as_deref()
            .or(self.old_path.as_deref())
            .unwrap_or_default()
    }
}

/// One hunk. Its lines add up to the lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// First line before, counted from 1; if `old_len` is 0, the line before it.
    pub old_start: u32,
    /// Lines before.
    pub old_len: u32,
    /// First line after; if `new_len` is 0, the line before it.
    pub new_start: u32,
    /// Lines after.
    pub new_len: u32,
    /// What stands behind the second `@@`.
    pub section: Box<[u8]>,
    /// Line of the input that holds the `@@`.
    pub line: u32,
    /// Its lines.
    pub lines: Vec<DiffLine>,
}

/// What a line of a hunk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// It stands before and after.
    Context,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// What it does.
    pub kind: LineKind,
    /// Its text, without its sign and its newline.
    pub text: Box<[u8]>,
    /// The last line of its side, and no newline behind it.
    pub no_newline: bool,
    /// Line of the input, counted from 1.
    pub line: u32,
    /// How many lines of the hunk stand above it before and after.
    pub above: (u32, u32),
}

impl DiffLine {
    /// The line as the diff has it, with its sign.
    pub fn verbatim(&self) -> String {
        let sign = match self.kind {
            LineKind::Context => ' ',
            LineKind::Added => '+',
            LineKind::Removed => '-',
        };
        format!("{sign}{}", String::from_utf8_lossy(&self.text))
    }
}

/// Something of the input that could not be used. The rest can; the exit status
/// has to say that the job was not done in whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The input, as [`Patch::input`].
    pub input: String,
    /// Line of the input, counted from 1.
    pub line: Option<u32>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.input, self.message),
            None => write!(f, "{}: {}", self.input, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_taken_apart() {
        let tags = Tags::of("Re: [RFC][PATCH v3 02/11] sched: x [y]");
        assert_eq!(tags.title, "sched: x [y]");
        assert_eq!(
            (tags.reply, tags.patch, tags.number),
            (true, true, Some((2, 11)))
        );
        assert_eq!(tags.version, 3);
        assert_eq!(Tags::of("[PATCH] v2").version, 1);
        assert_eq!(Tags::of("[unclosed").title, "[unclosed");
        assert_eq!(Tags::of("é").title, "é");
    }

    #[test]
    fn people_are_taken_apart() {
        let person = |name: &str, email: &str| Person {
            name: name.into(),
            email: email.into(),
        };
        assert_eq!(Person::parse("\"A, B\" <a@b.c>"), person("A, B", "a@b.c"));
        assert_eq!(Person::parse(" a@b.c "), person("", "a@b.c"));
        assert_eq!(Person::parse("A <a@b.c"), person("A", "a@b.c"));
    }
}
