// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which tree is meant, and what stands beside its sources.

use crate::kernel::maintainers::Maintainers;
use crate::kernel::version;
use crate::output::list::TreeName;
use crate::rules::zones::Zones;
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::kernel_root::{check_kernel, kernel_root_above};
use anyhow::Context;
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

fn around_here() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    kernel_root_above(&here)
}

/// How output names the tree.
pub(super) fn name(tree: &dyn Tree) -> TreeName {
    TreeName {
        path: tree.name(),
        version: text(tree, "Makefile").and_then(|text| version::of_makefile(&text)),
    }
}

/// The tree's MAINTAINERS.
pub(super) fn maintainers(tree: &dyn Tree) -> Maintainers {
    text(tree, "MAINTAINERS").map_or_else(Maintainers::default, |text| Maintainers::parse(&text))
}

fn text(tree: &dyn Tree, path: &str) -> Option<String> {
    let bytes = tree.read(path).ok().flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The built-in zones, with those of the tree's `.barepoint.toml` and of `given`.
///
/// # Errors
/// One of the files cannot be read or is not of the form.
pub(super) fn zones(tree: Option<&dyn Tree>, given: Option<&Path>) -> anyhow::Result<Zones> {
    let mut zones = Zones::built_in()?;
    if let Some(own) = tree.and_then(|tree| text(tree, ".barepoint.toml")) {
        zones = zones.with(&own, ".barepoint.toml")?;
    }
    if let Some(path) = given {
        let origin = path.display().to_string();
        let own = std::fs::read_to_string(path).with_context(|| origin.clone())?;
        zones = zones.with(&own, &origin)?;
    }
    Ok(zones)
}
