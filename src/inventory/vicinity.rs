// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The part of a tree that decides about a patch.
//!
//! C sees no further than its includes: what a changed file declares, calls or
//! attaches to is declared in a header that it reaches. So it is enough to read
//! the folders of the changed files, all headers that the files there include,
//! directly or through others, and include/trace/. It may not know what the
//! patch does.

use super::includes::{self, folder};
use super::scan::is_source;
use crate::kernel::semantics::TRACEPOINT_H;
use crate::source::Tree;
use crate::syntax::directives::Directive;
use memchr::memmem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A part of a tree, held in memory.
#[derive(Debug, Default)]
pub struct Vicinity {
    files: BTreeMap<String, Arc<[u8]>>,
    /// Those of them that the tree has in part.
    partial: BTreeSet<String>,
    name: String,
}

impl Vicinity {
    /// The vicinity of the files `changed` in `tree`, and of `more`.
    ///
    /// # Errors
    /// A file of the tree could not be read; the message names it.
    pub fn of(
        tree: &dyn Tree,
        changed: &BTreeSet<&str>,
        more: &BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        let mut vicinity = Self {
            files: BTreeMap::new(),
            partial: BTreeSet::new(),
            name: tree.name(),
        };
        let mut next = vicinity.read_folders(tree, changed)?;
        next.extend(more.iter().cloned());
        next.insert(TRACEPOINT_H.to_owned());
        while !next.is_empty() {
            next = vicinity.read_more(tree, &next)?;
        }
        let partial = vicinity.files.keys().filter(|path| !tree.is_whole(path));
        vicinity.partial = partial.cloned().collect();
        Ok(vicinity)
    }

    /// Whether a file of it defines the macro `name`.
    pub fn defines(&self, name: &str) -> bool {
        let mut texts = self.files.values();
        texts.any(|text| includes::defines(text, name.as_bytes()))
    }

    /// Reads the folders of `changed` and include/trace/; gives what the files
    /// of the former include.
    fn read_folders(
        &mut self,
        tree: &dyn Tree,
        changed: &BTreeSet<&str>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let own: BTreeSet<&str> = changed
            .iter()
            .filter(|path| is_source(path))
            .filter_map(|path| path.rsplit_once('/'))
            .map(|(folder, _)| folder)
            .filter(|folder| *folder != "include" && !folder.starts_with("include/"))
            .collect();
        let folders: Vec<String> = own
            .iter()
            .copied()
            .chain(["include/trace"])
            .map(str::to_owned)
            .collect();
        let wanted = |path: &str| {
            is_source(path) && (path.starts_with("include/trace/") || own.contains(folder(path)))
        };
        let files: Mutex<BTreeMap<String, Arc<[u8]>>> = Mutex::default();
        tree.visit_below(&folders, &wanted, &|path, text| {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            files.insert(path.to_owned(), text.into());
        })?;
        self.files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut includes = BTreeSet::new();
        for (path, text) in self
            .files
            .iter()
            .filter(|(path, _)| own.contains(folder(path)))
        {
            included(path, text, &mut includes);
        }
        includes.extend(changed.iter().map(|path| (*path).to_owned()));
        Ok(includes)
    }

    /// Reads `paths` as far as they exist; gives what they include.
    fn read_more(
        &mut self,
        tree: &dyn Tree,
        paths: &BTreeSet<String>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let new: Vec<String> = paths
            .iter()
            .filter(|path| !self.files.contains_key(*path))
            .cloned()
            .collect();
        let read: Mutex<Vec<(String, Arc<[u8]>)>> = Mutex::default();
        tree.visit_these(&new, &|path, text| {
            read.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((path.to_owned(), text.into()));
        })?;
        let mut next = BTreeSet::new();
        for (path, text) in read.into_inner().unwrap_or_else(PoisonError::into_inner) {
            included(&path, &text, &mut next);
            self.files.insert(path, text);
        }
        // What does not exist is not asked for again.
        for path in new {
            next.remove(&path);
        }
        next.retain(|path| !self.files.contains_key(path));
        Ok(next)
    }
}

/// Adds the places that the includes of a file may mean.
pub fn included(path: &str, text: &[u8], places: &mut BTreeSet<String>) {
    let mut past = 0;
    while let Some(at) = memmem::find(&text[past..], b"include") {
        let start = memchr::memrchr(b'\n', &text[..past + at]).map_or(0, |newline| newline + 1);
        let line = &text[start..];
        let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
        past = start + end;
        let Directive::Include(target) = Directive::parse(line[..end].trim_ascii()) else {
            continue;
        };
        for (target, quoted) in includes::targets(text, &target) {
            let target = std::str::from_utf8(target).unwrap_or_default();
            if !target.is_empty() && !target.contains('\0') {
                places.extend(includes::places(path, target, quoted));
            }
        }
    }
}

impl Tree for Vicinity {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_whole(&self, path: &str) -> bool {
        !self.partial.contains(path)
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        Ok(self.files.get(path).cloned())
    }

    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        let paths: Vec<String> = self
            .files
            .keys()
            .filter(|path| wanted(path))
            .cloned()
            .collect();
        self.visit_these(&paths, visit)
    }

    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        Ok(self
            .files
            .keys()
            .filter(|path| wanted(path))
            .cloned()
            .collect())
    }
}
