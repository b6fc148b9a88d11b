// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A folder of modules, such as `/lib/modules/RELEASE`.
//!
//! Links to folders are not followed: `build` and `source` there lead to whole trees.
//! Links to modules are if they lead out of the folder, as those of `weak-updates` do;
//! what a link leads to in the folder is found anyway.

use super::bounded::{Kept, MOST as KEPT, Whole};
use super::image::Image;
use super::unpack::{MOST, MOST_PACKED, Room, unpacked};
use super::{Binary, tables};
use crate::budget::Budget;
use crate::parallel;
use anyhow::{Context, bail};
use object::read::ReadRef;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How deep folders of modules nest, with room to spare.
const DEEPEST: usize = 64;
/// More modules than any kernel has.
const MOST_MODULES: usize = 200_000;
/// A module with debug information may be larger than memory is for; of those that are
/// not packed, no more is read than is needed.
const LARGE: u64 = 8 << 20;
/// The most bytes of all modules that are packed: eight times Debian's.
const MOST_UNPACKED: u64 = 8 << 30;
/// The most tracepoints and events of all modules: forty times a kernel's.
const MOST_TRACED: u64 = 400_000;
const MAGIC: &[u8; 4] = b"\x7fELF";
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
    let mut found = Found::default();
    let of = || folder.display().to_string();
    let metadata = folder.metadata().with_context(of)?;
    if metadata.is_dir() {
        found.below(folder, 0)?;
        found.add_outside(folder);
    } else if metadata.is_file() {
        found.paths.push(folder.to_owned());
    } else {
        // A pipe would never end.
        bail!("{} is no ordinary file", of());
    }
    let mut paths = found.paths;
    if paths.is_empty() {
        bail!("{}: no modules (.ko, .ko.xz, .ko.zst, .ko.gz) in it", of());
    }
    paths.sort();
    let mut traced = Vec::new();
    let reader = Reader::default();
    let read = parallel::map(paths.len(), |number| match paths.get(number) {
        Some(path) => reader.module(path),
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

/// What a folder has.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    /// Links to files that are called as modules are.
    links: Vec<PathBuf>,
}

impl Found {
    fn below(&mut self, folder: &Path, depth: usize) -> anyhow::Result<()> {
        let of = || folder.display().to_string();
        if depth > DEEPEST {
            bail!("{}: folders nest deeper than {DEEPEST}", of());
        }
        for entry in fs::read_dir(folder).with_context(of)? {
            let entry = entry.with_context(of)?;
            let kind = entry.file_type().with_context(of)?;
            let is_module = is_module(&entry.file_name().to_string_lossy());
            if kind.is_dir() {
                self.below(&entry.path(), depth + 1)?;
            } else if kind.is_file() && is_module {
                self.paths.push(entry.path());
            } else if kind.is_symlink() && is_module {
                self.links.push(entry.path());
            }
            if self.paths.len() + self.links.len() > MOST_MODULES {
                bail!("{}: more than {MOST_MODULES} modules", of());
            }
        }
        Ok(())
    }

    /// Adds the links that lead out of `folder`, none twice: what they lead to is
    /// loaded, too, and not found otherwise.
    fn add_outside(&mut self, folder: &Path) {
        let Ok(top) = folder.canonicalize() else {
            return;
        };
        self.links.sort();
        let mut known = BTreeSet::new();
        for link in self.links.drain(..) {
            // One that leads nowhere is loaded by nobody.
            let Ok(target) = link.canonicalize() else {
                continue;
            };
            if target.is_file() && !target.starts_with(&top) && known.insert(target) {
                self.paths.push(link);
            }
        }
    }
}

fn is_module(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// What all threads have in common that read modules.
struct Reader {
    unpacked: Budget,
    traced: Budget,
    /// Who has it may unpack a large one.
    large: Mutex<()>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            unpacked: Budget::new("MiB of unpacked modules", MOST_UNPACKED),
            traced: Budget::new("tracepoints and events of modules", MOST_TRACED),
            large: Mutex::default(),
        }
    }
}

impl Reader {
    fn module(&self, path: &Path) -> anyhow::Result<Option<Module>> {
        self.read(path).with_context(|| path.display().to_string())
    }

    fn read(&self, path: &Path) -> anyhow::Result<Option<Module>> {
        let mut file = File::open(path)?;
        let mut start = [0; MAGIC.len()];
        let is_plain = file.read_exact(&mut start).is_ok() && start == *MAGIC;
        file.rewind()?;
        let read = if is_plain && file.metadata()?.len() > LARGE {
            of_file(file)?
        } else {
            self.packed(file)?
        };
        let Some((is_in_tree, binary)) = read else {
            return Ok(None);
        };
        let events = binary.events.as_ref().map_or(0, Vec::len);
        let traced = binary.tracepoints.len() + events;
        self.traced.charge(traced as u64)?;
        Ok(Some(Module {
            path: path.to_owned(),
            is_in_tree,
            binary,
        }))
    }

    /// Of a file that is read whole, and may be packed.
    fn packed(&self, file: File) -> anyhow::Result<Option<(bool, Binary)>> {
        let lock = || self.large.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alone = (file.metadata()?.len() > LARGE).then(lock);
        let mut bytes = Vec::new();
        file.take(MOST_PACKED + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_PACKED {
            bail!("more than {} MB are no packed module", MOST_PACKED >> 20);
        }
        let unpacked = match unpacked(&bytes, Room::SMALL) {
            Ok(unpacked) => unpacked,
            Err(_) => {
                alone = alone.or_else(|| Some(lock()));
                unpacked(&bytes, Room::LARGE).with_context(|| {
                    format!(
                        "a packed module may have {} MB: unpack larger ones",
                        MOST >> 20
                    )
                })?
            }
        };
        self.unpacked.charge(unpacked.len() as u64)?;
        let read = of_bytes(&unpacked);
        drop(alone);
        read
    }
}

/// As [`of_bytes`], of a file that is not read whole.
fn of_file(file: File) -> anyhow::Result<Option<(bool, Binary)>> {
    let kept = Kept::new(file);
    let read = Image::open(&kept).and_then(of_image);
    if kept.is_full() {
        bail!("its symbols and tables have more than {} MB", KEPT >> 20);
    }
    read
}

/// What the module of these bytes has, and whether it is of the kernel's own tree;
/// `None` if it has nothing to do with tracepoints.
///
/// # Errors
/// It is no module, or a broken one.
pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Option<(bool, Binary)>> {
    if bytes.starts_with(MAGIC) && bytes.len() < 64 {
        bail!("it ends within its header");
    }
    of_image(Image::open(Whole(bytes))?)
}

fn of_image<'data, R: ReadRef<'data>>(
    image: Image<'data, R>,
) -> anyhow::Result<Option<(bool, Binary)>> {
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
