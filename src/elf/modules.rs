// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A folder of modules, such as `/lib/modules/RELEASE`.
//!
//! Links are not followed: `build` and `source` there lead to whole trees, and what a
//! link leads to in the folder is found anyway.

use super::image::Image;
use super::unpack::{MOST, unpacked};
use super::{Binary, tables};
use crate::parallel;
use anyhow::{Context, bail};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How deep folders of modules nest, with room to spare.
const DEEPEST: usize = 64;
/// More modules than any kernel has.
const MOST_MODULES: usize = 200_000;
const SUFFIXES: [&str; 4] = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// A module that has tracepoints, events or BPF entries.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its path as found, below what was given.
    pub path: PathBuf,
    /// Whether it says `intree=Y`.
    pub is_in_tree: bool,
    /// What it has.
    pub binary: Binary,
}

/// The modules of a folder.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    /// How many there are.
    pub count: usize,
    /// Those that have anything to say, by path.
    pub traced: Vec<Module>,
}

/// Reads every module of `folder`, or the one that `folder` is.
///
/// # Errors
/// There is none, or one cannot be read; the message names it.
pub fn modules(folder: &Path) -> anyhow::Result<Modules> {
    let mut paths = Vec::new();
    let metadata = folder
        .metadata()
        .with_context(|| folder.display().to_string())?;
    if metadata.is_dir() {
        find(folder, 0, &mut paths)?;
    } else {
        paths.push(folder.to_owned());
    }
    if paths.is_empty() {
        bail!(
            "{}: no modules (.ko, .ko.xz, .ko.zst, .ko.gz) in it",
            folder.display()
        );
    }
    paths.sort();
    let mut traced = Vec::new();
    let read = parallel::map(paths.len(), |number| match paths.get(number) {
        Some(path) => module(path),
        None => Ok(None),
    });
    for module in read {
        traced.extend(module?);
    }
    Ok(Modules {
        count: paths.len(),
        traced,
    })
}

fn find(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let of = || folder.display().to_string();
    if depth > DEEPEST {
        bail!("{}: folders nest deeper than {DEEPEST}", of());
    }
    for entry in fs::read_dir(folder).with_context(of)? {
        let entry = entry.with_context(of)?;
        let kind = entry.file_type().with_context(of)?;
        if kind.is_dir() {
            find(&entry.path(), depth + 1, paths)?;
        } else if kind.is_file() && is_module(&entry.file_name().to_string_lossy()) {
            paths.push(entry.path());
        }
        if paths.len() > MOST_MODULES {
            bail!("{}: more than {MOST_MODULES} modules", of());
        }
    }
    Ok(())
}

fn is_module(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

fn module(path: &Path) -> anyhow::Result<Option<Module>> {
    read(path).with_context(|| path.display().to_string())
}

fn read(path: &Path) -> anyhow::Result<Option<Module>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        bail!("more than {} MB are no module", MOST >> 20);
    }
    Ok(
        of_bytes(&unpacked(bytes)?)?.map(|(is_in_tree, binary)| Module {
            path: path.to_owned(),
            is_in_tree,
            binary,
        }),
    )
}

/// What the module of these bytes has, and whether it is of the kernel's own tree;
/// `None` if it has nothing to do with tracepoints.
///
/// # Errors
/// It is no module, or a broken one.
pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Option<(bool, Binary)>> {
    if bytes.starts_with(b"\x7fELF") && bytes.len() < 64 {
        bail!("it ends within its header");
    }
    let image = Image::open(bytes)?;
    if !image.is_module() {
        bail!("linked: a vmlinux is given with --vmlinux");
    }
    if !tables::is_traced(&image) {
        return Ok(None);
    }
    let is_in_tree = image.section(".modinfo").is_some_and(|range| {
        let text = image.bytes(range.start, range.end - range.start);
        text.is_some_and(|text| text.split(|&byte| byte == 0).any(|one| one == b"intree=Y"))
    });
    Ok(Some((is_in_tree, tables::read(image)?)))
}
