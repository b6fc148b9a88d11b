// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which tree is meant, and what stands beside its sources.

use crate::kernel::maintainers::Maintainers;
use crate::kernel::version;
use crate::output::list::TreeName;
use crate::rules::zones::Zones;
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::input;
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
    let text = text(tree, "MAINTAINERS")?;
    Ok(text.map_or_else(Maintainers::default, |text| Maintainers::parse(&text)))
}

fn text(tree: &dyn Tree, path: &str) -> anyhow::Result<Option<String>> {
    let bytes = tree.read(path)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The built-in zones, with those of the tree's `.barepoint.toml` and of `given`.
///
/// # Errors
/// One of the files cannot be read or is not of the form.
pub(super) fn zones(tree: Option<&dyn Tree>, given: Option<&Path>) -> anyhow::Result<Zones> {
    let mut zones = Zones::built_in()?;
    let own = tree.map(|tree| text(tree, ".barepoint.toml")).transpose()?;
    if let Some(own) = own.flatten() {
        zones = zones.with(&own, ".barepoint.toml")?;
    }
    if let Some(path) = given {
        let origin = path.display().to_string();
        let own = input::read_text(path).with_context(|| format!("cannot read {origin}"))?;
        zones = zones.with(&own, &origin)?;
    }
    Ok(zones)
}
