// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! "Give me the text of this path, before and after."
//!
//! Trees on disk and in git, patches and the mails that carry them, and the
//! overlay that puts patches onto a tree. What lives here knows bytes and paths
//! and may not know what the bytes mean. Nothing here ever writes.

pub mod disk;

use std::sync::Arc;

/// A kernel source tree. Paths are relative to its root, `/` between parts.
pub trait Tree: Sync {
    /// How the tree is named in messages: a directory, or `REV in DIRECTORY`.
    fn name(&self) -> String;

    /// The content of the file at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// The file is there but cannot be read; the message names it.
    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>>;

    /// Hands every file for which `wanted` holds to `visit`, from several
    /// threads and in no order.
    ///
    /// # Errors
    /// A folder or file could not be read; the message names the first by path.
    /// All others were still visited.
    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()>;

    /// As [`Tree::visit`], for the files below `folders` only, each of which
    /// ends with a slash.
    ///
    /// # Errors
    /// As [`Tree::visit`].
    fn visit_below(
        &self,
        folders: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()>;

    /// The paths for which `wanted` holds, in order.
    ///
    /// # Errors
    /// As [`Tree::visit`].
    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>>;
}
