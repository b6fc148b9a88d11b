// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What stands above a file's hunks: `diff --git` with its extended lines, or
//! `---` and `+++` alone. May not know hunks, but for how their header begins.

use super::super::patch::{ChangeKind, FileChange};
use super::super::paths;
use super::Lines;

/// The header of one file.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Its first line.
    pub at: usize,
    /// The line after it.
    pub body: usize,
    /// It begins with `diff --git`.
    pub git: bool,
    /// Its lines end in CR LF, so the mail's do: the CRs are no part of the text.
    pub cr: bool,
    git_line: Option<Vec<u8>>,
    /// `---` and `+++`; the inner `None` is `/dev/null`.
    sides: Option<Names>,
    renamed: Names,
    copied: Names,
    blobs: (Option<String>, Option<String>),
    mode: bool,
    /// It is a symbolic link or a submodule, whose text is where it points.
    link: bool,
    new_file: bool,
    deleted_file: bool,
    binary: bool,
    combined: bool,
}

impl Header {
    /// Reads a header that begins at line `at`; `None` if none does.
    pub(super) fn read(lines: &Lines<'_>, at: usize) -> Option<Self> {
        let mut header = Self {
            at,
            body: at + 1,
            ..Self::default()
        };
        if let Some(rest) = lines.after(at, b"diff --git ") {
            header.git = true;
            header.cr = rest.ends_with(b"\r");
            header.git_line = paths::git_line(rest);
            while header.extended(lines) {}
            header.read_sides(lines);
            let any = header.body > at + 1;
            return any.then_some(header);
        }
        if lines.after(at, b"diff --cc ").is_some()
            || lines.after(at, b"diff --combined ").is_some()
        {
            header.combined = true;
            return lines.after(at + 1, b"index ").is_some().then_some(header);
        }
        header.body = at;
        let plain = header.read_sides(lines) && lines.after(header.body, b"@@ -").is_some();
        plain.then_some(header)
    }

    /// Reads one extended line of git; false if the next is none.
    fn extended(&mut self, lines: &Lines<'_>) -> bool {
        let Some(line) = lines.get(self.body) else {
            return false;
        };
        let field = |prefix: &str| line.strip_prefix(prefix.as_bytes());
        if let Some(path) = field("rename from ") {
            self.renamed.0 = paths::name(path);
        } else if let Some(path) = field("rename to ") {
            self.renamed.1 = paths::name(path);
        } else if let Some(path) = field("copy from ") {
            self.copied.0 = paths::name(path);
        } else if let Some(path) = field("copy to ") {
            self.copied.1 = paths::name(path);
        } else if let Some(ids) = field("index ") {
            self.blobs = blob_ids(ids);
            self.link |= is_link(ids);
        } else if field("old mode ").is_some() || field("new mode ").is_some() {
            self.mode = true;
        } else if field("new file mode ").is_some() {
            self.new_file = true;
        } else if field("deleted file mode ").is_some() {
            self.deleted_file = true;
        } else if field("Binary files ").is_some() || field("GIT binary patch").is_some() {
            self.binary = true;
        } else if field("similarity index ").is_none() && field("dissimilarity index ").is_none() {
            return false;
        }
        self.body += 1;
        true
    }

    /// Reads `---` and `+++`.
    fn read_sides(&mut self, lines: &Lines<'_>) -> bool {
        let (Some(old), Some(new)) = (
            lines.after(self.body, b"--- "),
            lines.after(self.body + 1, b"+++ "),
        ) else {
            return false;
        };
        self.cr = new.ends_with(b"\r");
        self.sides = Some((paths::name(old), paths::name(new)));
        self.body += 2;
        true
    }

    /// What the header says of the file; its hunks are still to come.
    pub(super) fn change(&self, lines: &Lines<'_>) -> Result<FileChange, String> {
        if self.combined {
            return Err(
                "the diff of a merge cannot be checked; give the patches that it merges".into(),
            );
        }
        let (kind, old, new) = self.paths()?;
        let checked = |path: Option<Vec<u8>>| path.map(|raw| paths::checked(&raw)).transpose();
        Ok(FileChange {
            kind,
            old_path: checked(old)?,
            new_path: checked(new)?,
            old_blob: self.blobs.0.clone(),
            new_blob: self.blobs.1.clone(),
            line: lines.number(self.at),
            ..FileChange::default()
        })
    }

    fn paths(&self) -> Result<Sides, String> {
        for (kind, pair) in [
            (ChangeKind::Rename, &self.renamed),
            (ChangeKind::Copy, &self.copied),
        ] {
            if let (Some(from), Some(to)) = pair {
                let kind = if self.binary {
                    ChangeKind::Binary
                } else {
                    kind
                };
                return Ok((kind, Some(from.clone()), Some(to.clone())));
            }
        }
        match &self.sides {
            Some(sides) => self.paths_of_sides(sides),
            None => self.paths_of_git_line(),
        }
    }

    fn paths_of_sides(&self, sides: &Names) -> Result<Sides, String> {
        let own = |path: &[u8]| Some(paths::strip_one(path).to_vec());
        match sides {
            (None, None) => Err("both sides of the diff are /dev/null".into()),
            (None, Some(new)) => Ok((ChangeKind::Add, None, own(new))),
            (Some(old), None) => Ok((ChangeKind::Delete, own(old), None)),
            (Some(old), Some(_)) if self.deleted_file => Ok((ChangeKind::Delete, own(old), None)),
            (Some(_), Some(new)) if self.new_file => Ok((ChangeKind::Add, None, own(new))),
            (Some(old), Some(new)) => {
                let new = if paths::is_backup(new, old) { old } else { new };
                let old = if paths::is_backup(old, new) { new } else { old };
                let (old, new) = paths::strip_both(old, new);
                // `diff -ur . ../other`: patch(1) takes the side that lies in the tree.
                let path = if paths::is_inside(old) && !paths::is_inside(new) {
                    old
                } else {
                    new
                };
                let kind = match (self.binary, self.link) {
                    (true, _) => ChangeKind::Binary,
                    (false, true) => ChangeKind::ModeOnly,
                    (false, false) => ChangeKind::Modify,
                };
                Ok((kind, Some(path.to_vec()), Some(path.to_vec())))
            }
        }
    }

    fn paths_of_git_line(&self) -> Result<Sides, String> {
        let path = self
            .git_line
            .clone()
            .ok_or("the diff does not say which file it is about; make it again with git")?;
        Ok(match (self.new_file, self.deleted_file) {
            // A new binary file is no text that anyone could check.
            _ if self.binary => (ChangeKind::Binary, Some(path.clone()), Some(path)),
            (true, _) => (ChangeKind::Add, None, Some(path)),
            (_, true) => (ChangeKind::Delete, Some(path), None),
            _ if self.mode => (ChangeKind::ModeOnly, Some(path.clone()), Some(path)),
            _ => (ChangeKind::Modify, Some(path.clone()), Some(path)),
        })
    }

    /// Whether hunks have to follow.
    pub(super) fn wants_hunks(&self) -> bool {
        self.sides.is_some()
    }
}

/// The names of both sides.
type Names = (Option<Vec<u8>>, Option<Vec<u8>>);
type Sides = (ChangeKind, Option<Vec<u8>>, Option<Vec<u8>>);

/// Whether the mode in `0123abc..4567def 120000` is one that has no text.
fn is_link(field: &[u8]) -> bool {
    let field = field.trim_ascii_end();
    field.ends_with(b" 120000") || field.ends_with(b" 160000")
}

/// The ids in `0123abc..4567def 100644`; all zeroes means no blob.
fn blob_ids(field: &[u8]) -> (Option<String>, Option<String>) {
    let ids = field
        .split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default();
    let ids = std::str::from_utf8(ids).unwrap_or_default();
    let Some((old, new)) = ids.split_once("..") else {
        return (None, None);
    };
    let id = |id: &str| {
        let hex = (4..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
        let absent = id.bytes().all(|b| b == b'0');
        (hex && !absent).then(|| id.to_ascii_lowercase())
    };
    (id(old), id(new))
}
