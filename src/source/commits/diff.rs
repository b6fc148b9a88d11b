// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is changed from one tree to another: git finds the hunks, and nothing is
//! parsed that a commit's message could fake. May not know ranges.

use std::collections::BTreeSet;

use git2::{
    Commit, Delta, Diff, DiffDelta, DiffFindOptions, DiffOptions, DiffStatsFormat, FileMode,
    ObjectType, Oid, Repository, Tree,
};

use super::super::patch::{ChangeKind, DiffLine, FileChange, Hunk, LineKind};
use super::super::{SIZE_LIMIT, differing, paths};

/// The changes from the tree of `from`, or from nothing, to that of `to`, their lines
/// numbered as in the mail of `commit`.
pub(super) fn changes(
    repository: &Repository,
    from: Option<Oid>,
    to: Oid,
    commit: Option<&Commit<'_>>,
) -> Result<Vec<FileChange>, git2::Error> {
    let from = from.map(|id| tree(repository, id)).transpose()?;
    let options = || {
        let mut options = DiffOptions::new();
        // What is larger is not read by anyone, and counts as binary.
        options.max_size(i64::try_from(SIZE_LIMIT).unwrap_or(i64::MAX));
        options
    };
    let to = tree(repository, to)?;
    let mut diff = differing::diff(repository, from.as_ref(), &to, options)?;
    diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
    let above = commit.map_or(Ok(0), |commit| preamble(commit, &diff))?;
    let mut line = above.saturating_add(1);
    let mut changes = Vec::new();
    for index in 0..diff.deltas().len() {
        if let Some(patch) = git2::Patch::from_diff(&diff, index)? {
            let (change, lines) = one(patch, line)?;
            line = line.saturating_add(lines);
            changes.extend(change);
        }
    }
    Ok(changes)
}

/// The paths of what differs between the trees of `from` and `to`.
pub(super) fn paths(
    repository: &Repository,
    from: Oid,
    to: Oid,
) -> Result<BTreeSet<Vec<u8>>, git2::Error> {
    let (from, to) = (tree(repository, from)?, tree(repository, to)?);
    differing::paths(repository, from.id(), to.id())
}

fn tree(repository: &Repository, id: Oid) -> Result<Tree<'_>, git2::Error> {
    let object = repository.find_object(id, None)?;
    object.peel(ObjectType::Tree)?.peel_to_tree()
}

/// The change of one file whose diff begins at `line`, and how many lines that
/// diff has.
fn one(mut patch: git2::Patch<'_>, line: u32) -> Result<(Option<FileChange>, u32), git2::Error> {
    let text = patch.to_buf()?;
    let lines = count(memchr::memchr_iter(b'\n', &text).count());
    let body = memchr::memmem::find(&text, b"\n@@ ").map_or(text.len(), |at| at + 1);
    let above = text.get(..body).unwrap_or_default();
    let mut next = line.saturating_add(count(memchr::memchr_iter(b'\n', above).count()));
    let delta = patch.delta();
    let Some(mut change) = header(&delta, line).map_err(|why| git2::Error::from_str(&why))? else {
        return Ok((None, lines));
    };
    for index in 0..patch.num_hunks() {
        let hunk = hunk(&patch, index, &mut next)?;
        change.hunks.push(hunk);
    }
    if delta.flags().is_binary() && change.kind != ChangeKind::Delete {
        change.kind = ChangeKind::Binary;
    } else if change.kind == ChangeKind::Modify && change.hunks.is_empty() {
        let same = change.old_blob == change.new_blob;
        change.kind = if same {
            ChangeKind::ModeOnly
        } else {
            ChangeKind::Binary
        };
    }
    Ok((Some(change), lines))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// `None` if neither side is a file.
///
/// # Errors
/// A path that no tree could be asked for: passed over, it would hide what its file
/// holds.
fn header(delta: &DiffDelta<'_>, line: u32) -> Result<Option<FileChange>, String> {
    let side = |file: git2::DiffFile<'_>| {
        let is_file = matches!(
            file.mode(),
            FileMode::Blob | FileMode::BlobExecutable | FileMode::BlobGroupWritable
        );
        match file.path_bytes() {
            Some(path) if is_file && !file.id().is_zero() => {
                Ok(Some((paths::checked(path)?, file.id().to_string())))
            }
            _ => Ok::<_, String>(None),
        }
    };
    let old = side(delta.old_file())?.filter(|_| delta.status() != Delta::Added);
    let new = side(delta.new_file())?.filter(|_| delta.status() != Delta::Deleted);
    let is_link =
        |file: git2::DiffFile<'_>| matches!(file.mode(), FileMode::Link | FileMode::Commit);
    let (old, new) = match (old, new) {
        (None, None) if is_link(delta.old_file()) || is_link(delta.new_file()) => {
            return link(delta, line).map(Some);
        }
        sides => sides,
    };
    let kind = match (&old, &new, delta.status()) {
        (None, None, _) => return Ok(None),
        (None, Some(_), _) => ChangeKind::Add,
        (Some(_), None, _) => ChangeKind::Delete,
        (_, _, Delta::Renamed) => ChangeKind::Rename,
        (_, _, Delta::Copied) => ChangeKind::Copy,
        _ => ChangeKind::Modify,
    };
    let (old_path, old_blob) = old.unzip();
    let (new_path, new_blob) = new.unzip();
    Ok(Some(FileChange {
        old_path,
        new_path,
        kind,
        old_blob,
        new_blob,
        line,
        ..FileChange::default()
    }))
}

/// Where a symbolic link points, or what a submodule is at, which is no text.
fn link(delta: &DiffDelta<'_>, line: u32) -> Result<FileChange, String> {
    let path = delta
        .new_file()
        .path_bytes()
        .map(paths::checked)
        .transpose()?;
    Ok(FileChange {
        new_path: path,
        kind: ChangeKind::ModeOnly,
        line,
        ..FileChange::default()
    })
}

/// Reads a hunk whose header is line `next`, and moves that behind it.
fn hunk(patch: &git2::Patch<'_>, index: usize, next: &mut u32) -> Result<Hunk, git2::Error> {
    let (header, lines) = patch.hunk(index)?;
    let section = header.header();
    let section = memchr::memmem::find(section, b" @@ ").and_then(|at| section.get(at + 4..));
    let section = section.unwrap_or_default().trim_ascii_end();
    let mut hunk = Hunk {
        old_start: header.old_start(),
        old_len: header.old_lines(),
        new_start: header.new_start(),
        new_len: header.new_lines(),
        section: section.into(),
        line: *next,
        lines: Vec::with_capacity(lines),
    };
    *next = next.saturating_add(1);
    let mut above = (0_u32, 0_u32);
    for at in 0..lines {
        let line = patch.line_in_hunk(index, at)?;
        let number = *next;
        *next = next.saturating_add(1);
        let kind = match line.origin() {
            ' ' => LineKind::Context,
            '+' => LineKind::Added,
            '-' => LineKind::Removed,
            // "\ No newline at end of file"
            _ => continue,
        };
        let content = line.content();
        let text = content.strip_suffix(b"\n");
        let (no_newline, text) = (text.is_none(), text.unwrap_or(content).into());
        hunk.lines.push(DiffLine {
            kind,
            text,
            no_newline,
            line: number,
            above,
        });
        above.0 = above.0.saturating_add(u32::from(kind != LineKind::Added));
        above.1 = above.1.saturating_add(u32::from(kind != LineKind::Removed));
    }
    Ok(hunk)
}

/// How many lines `git format-patch` writes above the first diff.
fn preamble(commit: &Commit<'_>, diff: &Diff<'_>) -> Result<u32, git2::Error> {
    let message = commit.message_bytes().trim_ascii();
    let end = memchr::memmem::find(message, b"\n\n").unwrap_or(message.len());
    let (subject, body) = message.split_at_checked(end).unwrap_or((message, &[]));
    let body = body.trim_ascii_start();
    // From, From:, Date:, Subject:, an empty line; the header of what is no ASCII.
    let mime = if message.is_ascii() { 0 } else { 3 };
    let header = 4 + folded(subject) + mime;
    let body = if body.is_empty() {
        0
    } else {
        body.split(|&byte| byte == b'\n').count()
    };
    let format = DiffStatsFormat::FULL | DiffStatsFormat::INCLUDE_SUMMARY;
    let stats = diff.stats()?.to_buf(format, 80)?;
    let stats = memchr::memchr_iter(b'\n', &stats).count();
    // libgit2 leaves renames out of the summary.
    let moved = |delta: &DiffDelta<'_>| matches!(delta.status(), Delta::Renamed | Delta::Copied);
    let moves = diff.deltas().filter(moved).count();
    // `---` above the statistics, an empty line below them.
    Ok(count(header + body + 1 + stats + moves + 1))
}

/// Lines that a subject takes in a mail's header.
fn folded(subject: &[u8]) -> usize {
    let (mut lines, mut width) = (1, "Subject: [PATCH]".len());
    for word in subject
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
    {
        if width + 1 + word.len() > 78 {
            lines += 1;
            width = 0;
        }
        width += 1 + word.len();
    }
    lines
}
