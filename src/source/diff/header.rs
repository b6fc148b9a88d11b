// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What stands above a file's hunks: `diff --git` with the lines below it, or `---` and
//! `+++` alone. It is read as `git apply` reads it (find_header() and
//! parse_git_diff_header() in git's apply.c): what git refuses is a flaw. May not know
//! hunks, but for how their headers look.

use super::super::patch::{ChangeKind, FileChange};
use super::super::paths;
use super::names::{self, End};
use super::{Flaw, Lines, hunk, timestamp};

/// No header has less bytes behind any of its lines: `@@ -1 +1 @@` has more.
const LEAST: usize = 6;

/// The header of one file.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Its first line.
    pub at: usize,
    /// The line after it.
    pub body: usize,
    /// The name that the `diff --git` line has for both sides.
    default: Option<Vec<u8>>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    /// Whether the file is new; `None` if only the hunks can tell.
    pub is_new: Option<bool>,
    /// Whether the file goes; `None` if only the hunks can tell.
    pub is_deleted: Option<bool>,
    is_rename: bool,
    is_copy: bool,
    modes: (Option<Mode>, Option<Mode>),
    blobs: (Option<String>, Option<String>),
    pub is_binary: bool,
}

/// What a file is, as far as git keeps it (canon_mode() in its object.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    File {
        executable: bool,
    },
    Link,
    /// A submodule, or nothing that a tree can hold.
    Other,
}

/// How many folders git takes off the names in what it reads, which a header may change
/// for all that follow.
#[derive(Debug)]
pub(super) struct Strip {
    folders: usize,
    is_known: bool,
}

impl Default for Strip {
    fn default() -> Self {
        Self {
            folders: 1,
            is_known: false,
        }
    }
}

impl Header {
    /// The first header from line `from` on. `strict`: hunks above it have lost theirs.
    ///
    /// # Errors
    /// Something on the way for which git refuses the whole patch.
    pub(super) fn find(
        lines: &Lines<'_>,
        from: usize,
        strip: &mut Strip,
        strict: bool,
    ) -> Result<Option<Self>, Flaw> {
        // What a line leaves here that turns out to be no header counts for the next.
        let mut header = Self::default();
        for at in from..lines.len() {
            let Some(line) = lines.get(at).filter(|line| line.len() + 1 >= LEAST) else {
                continue;
            };
            if let Some(ranges) = line.strip_prefix(b"@@ -") {
                if strict && lines.is_ended(at) && hunk::is_header(ranges) {
                    return Err(Flaw::new(
                        at,
                        "a hunk without a file above it, so git refuses the whole patch; \
                         make it again with git format-patch",
                    ));
                }
                continue;
            }
            if lines.left(at + 1) < LEAST {
                break;
            }
            refuse_others(lines, at, line)?;
            if let Some(rest) = line.strip_prefix(b"diff --git ") {
                header.at = at;
                header.read_git(lines, rest, strip.folders)?;
                if header.body > at + 1 {
                    return Ok(Some(header));
                }
            } else if let Some(old) = line.strip_prefix(b"--- ")
                && let Some(new) = lines.after(at + 1, b"+++ ")
                && lines.after(at + 2, b"@@ -").is_some()
            {
                header.at = at;
                header.body = at + 2;
                header.read_plain(old, new, strip)?;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Reads `---` and `+++` of a diff that git did not make.
    fn read_plain(&mut self, old: &[u8], new: &[u8], strip: &mut Strip) -> Result<(), Flaw> {
        for field in [old, new] {
            sound(field, self.at)?;
        }
        if !strip.is_known && names::asks_for_none(new) {
            (strip.folders, strip.is_known) = (0, true);
        }
        let folders = strip.folders;
        let name = if names::is_null(old) {
            (self.is_new, self.is_deleted) = (Some(true), Some(false));
            self.new = names::plain(new, folders, None);
            &self.new
        } else if names::is_null(new) {
            (self.is_new, self.is_deleted) = (Some(false), Some(true));
            self.old = names::plain(old, folders, None);
            &self.old
        } else {
            let first = names::plain(old, folders, None);
            let name = names::plain(new, folders, first.as_deref());
            if timestamp::is_epoch(old) {
                (self.is_new, self.is_deleted) = (Some(true), Some(false));
                self.new = name;
                &self.new
            } else if timestamp::is_epoch(new) {
                (self.is_new, self.is_deleted) = (Some(false), Some(true));
                self.old = name;
                &self.old
            } else {
                self.new = name;
                self.old = self.new.clone();
                &self.new
            }
        };
        match name {
            Some(_) => Ok(()),
            None => Err(Flaw::new(
                self.at,
                "git takes the first folder off the names of a diff, and nothing is left of \
                 these; make the patch again with git format-patch",
            )),
        }
    }

    /// Reads what belongs to the `diff --git` line at `self.at`, with the two names in
    /// `rest`.
    fn read_git(&mut self, lines: &Lines<'_>, rest: &[u8], strip: usize) -> Result<(), Flaw> {
        sound_line(rest, self.at)?;
        (self.is_new, self.is_deleted) = (Some(false), Some(false));
        self.default = names::of_git_line(rest, strip);
        self.body = self.at + 1;
        while let Some(line) = lines.get(self.body).filter(|_| lines.is_ended(self.body)) {
            let goes_on = self.extended(line, strip)?;
            let said = [
                self.is_new == Some(true),
                self.is_deleted == Some(true),
                self.is_rename,
                self.is_copy,
            ];
            if said.into_iter().filter(|said| *said).count() > 1 {
                return Err(self.flaw("the header says two different things of its file"));
            }
            if !goes_on {
                break;
            }
            self.body += 1;
        }
        if self.old.is_none() && self.new.is_none() {
            (self.old, self.new) = (self.default.clone(), self.default.clone());
        }
        let lacks_new = self.new.is_none() && self.is_deleted != Some(true);
        let lacks_old = self.old.is_none() && self.is_new != Some(true);
        if lacks_new || lacks_old {
            return Err(Flaw::new(
                self.at,
                "the diff does not say which file it is about, so git refuses the whole \
                 patch; make it again with git format-patch",
            ));
        }
        Ok(())
    }

    /// A flaw in the line that is read.
    fn flaw(&self, what: &str) -> Flaw {
        Flaw::new(
            self.body,
            format!("{what}, so git refuses the whole patch; make it again with git format-patch"),
        )
    }

    /// Reads one line below `diff --git`; false if it is none of the header's.
    fn extended(&mut self, line: &[u8], strip: usize) -> Result<bool, Flaw> {
        let Some((key, rest)) = KEYS.iter().find_map(|(text, key)| {
            let rest = line.strip_prefix(text.as_bytes())?;
            Some((*key, rest))
        }) else {
            return Ok(false);
        };
        sound_line(rest, self.body)?;
        let whole = || names::name(rest, strip.saturating_sub(1), End::Line);
        match key {
            Key::OldName => self.agree(rest, strip, false)?,
            Key::NewName => self.agree(rest, strip, true)?,
            Key::OldMode => self.modes.0 = Some(self.mode(rest)?),
            Key::NewMode => self.modes.1 = Some(self.mode(rest)?),
            Key::Deleted => {
                self.is_deleted = Some(true);
                self.old = self.default.clone();
                self.modes.0 = Some(self.mode(rest)?);
            }
            Key::NewFile => {
                self.is_new = Some(true);
                self.new = self.default.clone();
                self.modes.1 = Some(self.mode(rest)?);
            }
            Key::CopyFrom => (self.is_copy, self.old) = (true, whole()),
            Key::CopyTo => (self.is_copy, self.new) = (true, whole()),
            Key::RenameFrom => (self.is_rename, self.old) = (true, whole()),
            Key::RenameTo => (self.is_rename, self.new) = (true, whole()),
            Key::Similarity => {}
            Key::Index => {
                let (blobs, mode) = index(rest);
                self.blobs = blobs;
                if let Some(mode) = mode {
                    self.modes.0 = Some(self.mode(mode)?);
                }
            }
        }
        if matches!(
            key,
            Key::OldName
                | Key::NewName
                | Key::CopyFrom
                | Key::CopyTo
                | Key::RenameFrom
                | Key::RenameTo
        ) {
            sound(rest, self.body)?;
        }
        Ok(true)
    }

    /// Takes a `---` or `+++` line, which has to agree with what other lines say.
    fn agree(&mut self, field: &[u8], strip: usize, is_new_side: bool) -> Result<(), Flaw> {
        let (known, absent) = if is_new_side {
            (&mut self.new, self.is_deleted == Some(true))
        } else {
            (&mut self.old, self.is_new == Some(true))
        };
        let fits = match (&known, absent) {
            (None, true) => names::is_null(field),
            (Some(_), true) => false,
            (None, false) => {
                *known = names::name(field, strip, End::Tab);
                true
            }
            (Some(known), false) => names::name(field, strip, End::Tab).as_ref() == Some(known),
        };
        if fits {
            Ok(())
        } else {
            Err(self.flaw("the lines of the header name different files"))
        }
    }

    /// An octal number with white space behind it.
    fn mode(&self, field: &[u8]) -> Result<Mode, Flaw> {
        let start = field.iter().position(|byte| *byte != b' ');
        let field = &field[start.unwrap_or(field.len())..];
        let is_octal = |byte: &u8| (b'0'..=b'7').contains(byte);
        let digits = field.iter().take_while(|byte| is_octal(byte)).count();
        let ends = field.get(digits).is_none_or(names::is_space);
        let number = std::str::from_utf8(&field[..digits]).ok();
        let number = number.and_then(|digits| u32::from_str_radix(digits, 8).ok());
        match number.filter(|_| ends) {
            Some(number) => Ok(Mode::of(number)),
            None => Err(self.flaw("the mode is no octal number")),
        }
    }

    /// What the header says of the file; its hunks are still to come.
    ///
    /// # Errors
    /// A path that no tree can hold, or a change that cannot be told from its text.
    pub(super) fn change(&self, lines: &Lines<'_>) -> Result<FileChange, String> {
        let path = |name: &Option<Vec<u8>>| name.as_deref().map(paths::checked).transpose();
        let (old, new) = (path(&self.old)?, path(&self.new)?);
        let kind = self.kind()?;
        let named = new.as_deref().or(old.as_deref()).unwrap_or_default();
        let is_link = |mode: Option<Mode>| mode.is_some_and(|mode| !mode.is_file());
        if kind != ChangeKind::Binary && (is_link(self.modes.0) || is_link(self.modes.1)) {
            return self.change_of_link(lines, named);
        }
        Ok(FileChange {
            kind,
            old_path: old,
            new_path: new,
            old_blob: self.blobs.0.clone(),
            new_blob: self.blobs.1.clone(),
            line: lines.number(self.at),
            ..FileChange::default()
        })
    }

    fn kind(&self) -> Result<ChangeKind, String> {
        let strange = match (self.is_new, self.is_deleted) {
            (Some(true), _) => self.old.is_some(),
            (_, Some(true)) => self.new.is_some(),
            _ => (self.is_rename || self.is_copy) && self.old == self.new,
        };
        if strange {
            return Err(
                "the lines of the header contradict each other; make the patch again with git \
                 format-patch"
                    .to_owned(),
            );
        }
        Ok(match (self.is_new, self.is_deleted) {
            _ if self.is_binary => ChangeKind::Binary,
            (Some(true), _) => ChangeKind::Add,
            (_, Some(true)) => ChangeKind::Delete,
            _ if self.is_rename => ChangeKind::Rename,
            _ if self.is_copy => ChangeKind::Copy,
            _ => ChangeKind::Modify,
        })
    }

    /// A symbolic link has no text of its own. What it leads to has, under another name.
    fn change_of_link(&self, lines: &Lines<'_>, path: &str) -> Result<FileChange, String> {
        let modes = [self.modes.0, self.modes.1];
        if modes.contains(&Some(Mode::Other)) {
            return Err(format!(
                "{path} is a submodule, whose files the patch does not show: check the tree that \
                 it makes"
            ));
        }
        if !paths::is_beside_the_kernel(path) {
            return Err(format!(
                "{path} is a symbolic link, and what it leads to is not in the patch: check the \
                 tree that it makes"
            ));
        }
        if let (Some(old), Some(new)) = self.modes
            && old.is_file() != new.is_file()
        {
            return Err(format!("{path}: no diff turns a file into a symbolic link"));
        }
        Ok(FileChange {
            kind: ChangeKind::ModeOnly,
            new_path: Some(path.to_owned()),
            may_be_new: self.is_new == Some(true),
            line: lines.number(self.at),
            ..FileChange::default()
        })
    }

    /// Whether the header alone changes something (metadata_changes() in apply.c).
    pub(super) fn changes_without_hunks(&self) -> bool {
        let is_mode = self.modes.0.is_some() && self.modes.1.is_some();
        self.is_rename
            || self.is_copy
            || self.is_new == Some(true)
            || self.is_deleted != Some(false)
            || is_mode && self.modes.0 != self.modes.1
    }
}

/// What a line below `diff --git` says.
#[derive(Clone, Copy)]
enum Key {
    OldName,
    NewName,
    OldMode,
    NewMode,
    Deleted,
    NewFile,
    CopyFrom,
    CopyTo,
    RenameFrom,
    RenameTo,
    Similarity,
    Index,
}

/// The lines of a header, in any order.
const KEYS: [(&str, Key); 15] = [
    ("--- ", Key::OldName),
    ("+++ ", Key::NewName),
    ("old mode ", Key::OldMode),
    ("new mode ", Key::NewMode),
    ("deleted file mode ", Key::Deleted),
    ("new file mode ", Key::NewFile),
    ("copy from ", Key::CopyFrom),
    ("copy to ", Key::CopyTo),
    ("rename old ", Key::RenameFrom),
    ("rename new ", Key::RenameTo),
    ("rename from ", Key::RenameFrom),
    ("rename to ", Key::RenameTo),
    ("similarity index ", Key::Similarity),
    ("dissimilarity index ", Key::Similarity),
    ("index ", Key::Index),
];

impl Mode {
    fn of(number: u32) -> Self {
        match number & 0o170_000 {
            0o100_000 => Self::File {
                executable: number & 0o100 != 0,
            },
            0o120_000 => Self::Link,
            _ => Self::Other,
        }
    }

    fn is_file(self) -> bool {
        matches!(self, Self::File { .. })
    }
}

/// The ids of a file's text before and after.
type Ids = (Option<String>, Option<String>);

/// The ids in `0123abc..4567def 100644`, and the mode.
fn index(field: &[u8]) -> (Ids, Option<&[u8]>) {
    let Some(dots) = memchr::memmem::find(field, b"..") else {
        return ((None, None), None);
    };
    let rest = &field[dots + 2..];
    let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    let ids = (id(&field[..dots]), id(&rest[..end]));
    (ids, rest.get(end + 1..))
}

/// A blob's id, whole or its start; all zeroes means no blob.
fn id(field: &[u8]) -> Option<String> {
    let is_hex = (4..=64).contains(&field.len()) && field.iter().all(u8::is_ascii_hexdigit);
    let is_absent = field.iter().all(|byte| *byte == b'0');
    (is_hex && !is_absent).then(|| String::from_utf8_lossy(field).to_ascii_lowercase())
}

/// Refuses what git reads on in the next line.
fn sound(field: &[u8], at: usize) -> Result<(), Flaw> {
    if names::is_open(field) {
        return Err(Flaw::new(at, "the name has a quote that is not closed"));
    }
    sound_line(field, at)
}

/// Refuses what ends amid the line for git, and not for others.
fn sound_line(field: &[u8], at: usize) -> Result<(), Flaw> {
    if field.contains(&0) {
        return Err(Flaw::new(at, "there is a NUL byte in the header of a diff"));
    }
    Ok(())
}

/// Diffs that git passes over, and that whoever sends them means to be applied.
fn refuse_others(lines: &Lines<'_>, at: usize, line: &[u8]) -> Result<(), Flaw> {
    let combined = [&b"diff --cc "[..], b"diff --combined "];
    if combined.iter().any(|start| line.starts_with(start))
        && lines.after(at + 1, b"index ").is_some()
    {
        return Err(Flaw::new(
            at,
            "the diff of a merge cannot be checked; give the patches that it merges",
        ));
    }
    Ok(())
}
