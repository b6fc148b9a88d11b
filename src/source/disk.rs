// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A kernel tree in a directory.
//!
//! Ignore files are never honoured: Debian's tree carries one that hides
//! everything. Symbolic links are not followed, and nothing but regular files
//! is opened, so that a fifo cannot stop a run.

use super::Tree;
use anyhow::{Context, anyhow, bail};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Larger files are no source, and an error.
const LARGEST: u64 = 64 << 20;

/// A tree on disk.
#[derive(Clone, Debug)]
pub struct DiskTree {
    root: PathBuf,
}

impl DiskTree {
    /// Opens the tree in `root`.
    ///
    /// # Errors
    /// `root` is no directory, or not one of a kernel.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let metadata = fs::metadata(root).with_context(|| format!("{}", root.display()))?;
        if !metadata.is_dir() {
            bail!("{}: not a directory", root.display());
        }
        if !looks_like_kernel(root) {
            bail!(
                "{}: not the root of a kernel tree (no MAINTAINERS or no include/linux)",
                root.display()
            );
        }
        Ok(Self {
            root: root.to_path_buf(),
        })
    }

    /// The kernel tree around `start`, if there is one.
    pub fn around(start: &Path) -> Option<PathBuf> {
        start
            .ancestors()
            .find(|folder| looks_like_kernel(folder))
            .map(Path::to_path_buf)
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The place of `path` on disk, if that is inside the tree.
    fn place(&self, path: &str) -> anyhow::Result<Option<PathBuf>> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || path.is_empty() {
            bail!("{path}: leaves the tree");
        }
        let place = self.root.join(path);
        let Ok(real) = fs::canonicalize(&place) else {
            return Ok(None);
        };
        let root = fs::canonicalize(&self.root)?;
        if !real.starts_with(&root) {
            bail!("{path}: leads out of the tree through a symbolic link");
        }
        Ok(Some(real))
    }

    fn walk(
        &self,
        below: &[PathBuf],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &Path) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<()> {
        let Some((first, rest)) = below.split_first() else {
            return Ok(());
        };
        let mut builder = WalkBuilder::new(first);
        for more in rest {
            builder.add(more);
        }
        builder
            .standard_filters(false)
            .follow_links(false)
            .threads(threads())
            .filter_entry(|entry| entry.file_name() != ".git");
        let errors: Mutex<Vec<String>> = Mutex::default();
        let note = |error: String| {
            errors
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(error);
        };
        builder.build_parallel().run(|| {
            Box::new(|entry| {
                let result = entry.map_err(|error| error.to_string()).and_then(|entry| {
                    self.step(&entry, wanted, visit)
                        .map_err(|error| format!("{error:#}"))
                });
                if let Err(error) = result {
                    note(error);
                }
                WalkState::Continue
            })
        });
        let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        errors.sort();
        match errors.first() {
            None => Ok(()),
            Some(first) if errors.len() == 1 => Err(anyhow!("{first}")),
            Some(first) => Err(anyhow!("{first} (and {} more)", errors.len() - 1)),
        }
    }

    fn step(
        &self,
        entry: &DirEntry,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &Path) -> anyhow::Result<()> + Sync),
    ) -> anyhow::Result<()> {
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return Ok(());
        }
        let Ok(relative) = entry.path().strip_prefix(&self.root) else {
            return Ok(());
        };
        let relative = relative.to_string_lossy();
        if wanted(&relative) {
            visit(&relative, entry.path())?;
        }
        Ok(())
    }
}

/// Whether `folder` is the root of a kernel tree.
pub fn looks_like_kernel(folder: &Path) -> bool {
    ["MAINTAINERS", "Makefile", "include/linux"]
        .iter()
        .all(|name| folder.join(name).exists())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

thread_local! {
    /// Reading into the same memory again and again saves a third of the time.
    static BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn read_into(path: &Path, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > LARGEST {
        bail!(
            "{}: {size} bytes are too many for a source file",
            path.display()
        );
    }
    buffer.clear();
    buffer.reserve(size as usize + 1);
    file.by_ref()
        .take(LARGEST)
        .read_to_end(buffer)
        .with_context(|| path.display().to_string())?;
    Ok(())
}

impl Tree for DiskTree {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        let Some(place) = self.place(path)? else {
            return Ok(None);
        };
        if !fs::metadata(&place).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(None);
        }
        let mut buffer = Vec::new();
        read_into(&place, &mut buffer)?;
        Ok(Some(buffer.into()))
    }

    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.visit_in(&[self.root.clone()], wanted, visit)
    }

    fn visit_below(
        &self,
        folders: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let below: Vec<PathBuf> = folders
            .iter()
            .map(|folder| self.root.join(folder.trim_end_matches('/')))
            .filter(|folder| folder.is_dir())
            .collect();
        self.visit_in(&below, wanted, visit)
    }

    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        let paths: Mutex<Vec<String>> = Mutex::default();
        self.walk(&[self.root.clone()], wanted, &|path, _| {
            paths
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(path.to_owned());
            Ok(())
        })?;
        let mut paths = paths.into_inner().unwrap_or_else(PoisonError::into_inner);
        paths.sort();
        Ok(paths)
    }
}

impl DiskTree {
    fn visit_in(
        &self,
        below: &[PathBuf],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.walk(below, wanted, &|path, place| {
            BUFFER.with_borrow_mut(|buffer| {
                read_into(place, buffer)?;
                visit(path, buffer);
                Ok(())
            })
        })
    }
}
