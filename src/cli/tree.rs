// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which tree is meant, and what stands beside its sources.

use crate::kernel::maintainers::Maintainers;
use crate::kernel::version;
use crate::output::list::TreeName;
use crate::rules::approval::Approvals;
use crate::rules::zones::{CONFIGURATION, Zones};
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::input;
use crate::source::kernel_root::{check_kernel, kernel_root_above};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};

/// The tree in `given`, or the one around the current directory.
///
/// # Errors
/// `given` is no kernel tree.
pub(super) fn open(given: Option<&Path>) -> anyhow::Result<Option<DiskTree>> {
    let directory = match given {
        Some(directory) => Some(directory.to_path_buf()),
        None => around_here(),
    };
    let Some(directory) = directory else {
        return Ok(None);
    };
    let tree = DiskTree::open(&directory)?;
    check_kernel(&tree)?;
    Ok(Some(tree))
}

/// As [`open`], where there has to be one.
///
/// # Errors
/// As [`open`], or there is none.
pub(super) fn needed(given: Option<&Path>) -> anyhow::Result<DiskTree> {
    open(given)?.context("no kernel tree here: give one with --tree DIR")
}

fn around_here() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    kernel_root_above(&here)
}

/// How output names the tree.
pub(super) fn name(tree: &dyn Tree) -> TreeName {
    TreeName {
        path: tree.name(),
        // What cannot be read has been complained about by others.
        version: text(tree, "Makefile")
            .ok()
            .flatten()
            .and_then(|text| version::of_makefile(&text)),
    }
}

/// The tree's MAINTAINERS.
///
/// # Errors
/// It cannot be read.
pub(super) fn maintainers(tree: &dyn Tree) -> anyhow::Result<Maintainers> {
    no_link(tree, "MAINTAINERS")?;
    let text = text(tree, "MAINTAINERS")?;
    Ok(text.map_or_else(Maintainers::default, |text| Maintainers::parse(&text)))
}

/// What of the command line decides what the gate goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gate<'a> {
    /// Zones that change the tree's.
    pub zones: Option<&'a Path>,
    /// Findings that are known.
    pub baseline: Option<&'a Path>,
    /// What lowers a finding.
    pub approvals: Approvals,
}

impl Gate<'_> {
    /// Where the files that were named lie in the tree at `root`.
    ///
    /// # Errors
    /// One is a link there, which the tree may turn elsewhere.
    fn paths(&self, root: &Path) -> anyhow::Result<Vec<(&Path, String)>> {
        let mut paths = Vec::new();
        for file in self.zones.iter().chain(&self.baseline) {
            if let Some(path) = path_in(root, file)? {
                paths.push((*file, path));
            }
        }
        Ok(paths)
    }

    /// The zones before an input that makes `after` of `before`, trees at `root`. None of
    /// it may change the files that were named, which count as they were before it, too.
    ///
    /// # Errors
    /// As [`zones`], or such a file is not here as it was before the input.
    pub(super) fn zones_before(
        self,
        root: &Path,
        before: Option<&dyn Tree>,
        after: &dyn Tree,
    ) -> anyhow::Result<Zones> {
        let mut zones = zones(before, self)?;
        for (file, path) in self.paths(root)? {
            let old = before.map(|tree| tree.read(&path)).transpose()?.flatten();
            let is_changed = old != after.read(&path)?;
            let is_old = || {
                let here = input::read_text(file).ok();
                here.as_deref().map(str::as_bytes) == old.as_deref()
            };
            ensure!(
                !is_changed || is_old(),
                "{} is changed by what is to be checked, and counts as it was before: give it \
                 so, from outside of the tree",
                file.display()
            );
            zones = zones.going_by(path);
        }
        Ok(zones)
    }
}

/// The path in the tree at `root` of a file that was named; `None` if it lies elsewhere.
fn path_in(root: &Path, file: &Path) -> anyhow::Result<Option<String>> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // What is not there is told by who reads it.
    let (Ok(root), Ok(folder)) = (root.canonicalize(), folder.canonicalize()) else {
        return Ok(None);
    };
    let whole = folder.join(file.file_name().unwrap_or_default());
    let Ok(path) = whole.strip_prefix(&root) else {
        return Ok(None);
    };
    ensure!(
        !whole.is_symlink(),
        "{} is a link in the tree, which may lead elsewhere before or after: name the file",
        file.display()
    );
    Ok(path.to_str().map(str::to_owned))
}

/// Refuses what the gate would have to go by through a link: in one tree it is followed,
/// and in another it is not.
fn no_link(tree: &dyn Tree, path: &str) -> anyhow::Result<()> {
    ensure!(
        !tree.is_link(path),
        "{}/{path} is a link: what the gate goes by has to be a file",
        tree.name()
    );
    Ok(())
}

fn text(tree: &dyn Tree, path: &str) -> anyhow::Result<Option<String>> {
    let bytes = tree.read(path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The built-in zones, with those of the tree's `.barepoint.toml` and of the command line.
///
/// # Errors
/// One of the files cannot be read or is not of the form.
pub(super) fn zones(tree: Option<&dyn Tree>, gate: Gate<'_>) -> anyhow::Result<Zones> {
    let mut zones = Zones::built_in()?.approved_by(gate.approvals);
    if let Some(tree) = tree {
        no_link(tree, CONFIGURATION)?;
        if let Some(own) = text(tree, CONFIGURATION)? {
            zones = zones.with(&own, CONFIGURATION)?;
        }
    }
    if let Some(path) = gate.zones {
        let origin = path.display().to_string();
        let own = input::read_text(path).with_context(|| format!("cannot read {origin}"))?;
        zones = zones.with(&own, &origin)?;
    }
    Ok(zones)
}
