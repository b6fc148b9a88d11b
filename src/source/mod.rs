// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! "Give me the text of this path, before and after."
//!
//! Trees on disk and in git, patches and the mails that carry them, and the
//! overlay that puts patches onto a tree. What lives here knows bytes and paths
//! and may not know what the bytes mean. Nothing here ever writes.
//!
//! ```text
//! input (files, folders, mboxes, stdin) -> mailsplit -> mailinfo -> diff -> Patch ─┐
//! git (commits) ───────────────────────────────────────> Patch ─┤
//! disk, git (trees, blobs) ─────────────────────────────> Tree ──┴> series -> overlay
//! ```

use crate::budget::Budget;
use crate::parallel;
use std::fmt;
use std::sync::Arc;

mod apply;
mod checkout;
mod diff;
mod folders;
mod loose;
mod mail;
mod mailinfo;
mod mailsplit;
mod paths;
mod quarantine;
mod special;
mod versions;

pub mod commits;
pub mod differing;
pub mod disk;
pub mod git;
pub mod input;
pub mod kernel_root;
pub mod overlay;
pub mod past;
pub mod patch;
pub mod series;
pub mod trailers;

/// Files larger than this are refused: no source file of a kernel is near it.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// What one look at all files of a tree may read, in bytes: five times a kernel's.
const TREE_LIMIT: u64 = 8 << 30;

/// The budget of one such look.
fn budget_of_a_tree() -> Budget {
    Budget::new("MiB of sources", TREE_LIMIT)
}

/// By how many bytes the parts of a file overlap in which something is looked for.
pub const OVERLAP: usize = 64;

/// A kernel source tree. Paths are relative to its root, `/` between parts.
pub trait Tree: Sync {
    /// How the tree is named in messages: a directory, or `REV in DIRECTORY`.
    fn name(&self) -> String;

    /// The content of the file at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// The file is there but cannot be read; the message names it.
    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>>;

    /// Whether `path` is a symbolic link.
    fn is_link(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Whether the file at `path` is known from its start to its end. Of one that no patch
    /// of a series fits, there is what the patches show.
    fn is_whole(&self, path: &str) -> bool {
        let _ = path;
        true
    }

    /// Hands every file for which `wanted` holds to `visit`, from several
    /// threads and in no order.
    ///
    /// # Errors
    /// A folder or file could not be read: an [`Unreadable`], which lists them
    /// all. All others were still visited.
    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()>;

    /// As [`Tree::visit`], but a large file may be left out if `holds` for none of its
    /// parts, which overlap by [`OVERLAP`].
    ///
    /// # Errors
    /// As [`Tree::visit`].
    fn search(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let _ = holds;
        self.visit(wanted, visit)
    }

    /// As [`Tree::visit`], for the files below `folders` only.
    ///
    /// # Errors
    /// As [`Tree::visit`].
    fn visit_below(
        &self,
        folders: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let below = |path: &str| is_below(path, folders) && wanted(path);
        self.visit(&below, visit)
    }

    /// Hands those of the files `paths` that exist to `visit`, from several
    /// threads and in no order.
    ///
    /// # Errors
    /// One is there but cannot be read; the message names it.
    fn visit_these(
        &self,
        paths: &[String],
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let read = parallel::map(paths.len(), |number| -> anyhow::Result<()> {
            if let Some(path) = paths.get(number)
                && let Some(text) = self.read(path)?
            {
                visit(path, &text);
            }
            Ok(())
        });
        read.into_iter().collect()
    }

    /// The paths for which `wanted` holds, in order.
    ///
    /// # Errors
    /// As [`Tree::visit`].
    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>>;
}

/// Gives blobs by id.
pub trait Blobs {
    /// The content of the only blob whose id starts with `id` in hex, if it can be that of
    /// the file at `path`.
    fn blob(&self, path: &str, id: &str) -> Option<Arc<[u8]>>;
}

/// Whether `path` is in one of `folders` or deeper.
fn is_below(path: &str, folders: &[String]) -> bool {
    let mut tails = folders
        .iter()
        .filter_map(|folder| path.strip_prefix(folder.as_str()));
    tails.any(|tail| tail.starts_with('/'))
}

/// What of a tree could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// One message for each folder or file, in the order of their paths.
    pub messages: Vec<String>,
}

impl Unreadable {
    /// An error if there is any message.
    fn check(mut messages: Vec<String>) -> anyhow::Result<()> {
        messages.sort_unstable();
        messages.dedup();
        if messages.is_empty() {
            Ok(())
        } else {
            Err(Self { messages }.into())
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.messages.first().map_or("", String::as_str))?;
        match self.messages.len() {
            0 | 1 => Ok(()),
            n => write!(f, " (and {} more)", n - 1),
        }
    }
}

impl std::error::Error for Unreadable {}
