// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree with some of its files replaced, added or taken away: what a series
//! makes of it. May not know patches, but for a series' files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::series::Series;
use super::{Tree, is_below};

/// A tree with files over it. Nothing is written.
pub struct OverlayTree<'t> {
    base: Option<&'t dyn Tree>,
    files: BTreeMap<String, Option<Arc<[u8]>>>,
    /// Those of them that are known in part.
    partial: BTreeSet<String>,
}

impl std::fmt::Debug for OverlayTree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "OverlayTree({}, {} files)",
            self.name(),
            self.files.len()
        )
    }
}

impl<'t> OverlayTree<'t> {
    /// `base` as it is after the first `count` patches of `series`; with 0,
    /// before all of them, be it that the base has them already.
    pub fn after(base: Option<&'t dyn Tree>, series: &Series, count: usize) -> Self {
        let mut tree = Self::of(base, BTreeMap::new());
        for (path, text) in series.files_after(count) {
            if text.as_ref().is_some_and(|text| text.partial) {
                tree.partial.insert(path.clone());
            }
            tree.files.insert(path, text.map(|text| text.bytes));
        }
        tree
    }

    /// `base` with `files` over it; a `None` takes a file away. Without a base,
    /// there is nothing but them.
    pub fn of(base: Option<&'t dyn Tree>, files: BTreeMap<String, Option<Arc<[u8]>>>) -> Self {
        Self {
            base,
            files,
            partial: BTreeSet::new(),
        }
    }

    /// The files that are laid over the base.
    pub fn files(&self) -> &BTreeMap<String, Option<Arc<[u8]>>> {
        &self.files
    }

    fn present(&self) -> impl Iterator<Item = (&String, &Arc<[u8]>)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path, text.as_ref()?)))
    }
}

impl Tree for OverlayTree<'_> {
    fn name(&self) -> String {
        self.base
            .map_or_else(|| "the patches alone".to_owned(), Tree::name)
    }

    fn is_link(&self, path: &str) -> bool {
        !self.files.contains_key(path) && self.base.is_some_and(|base| base.is_link(path))
    }

    fn is_whole(&self, path: &str) -> bool {
        !self.partial.contains(path)
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<Arc<[u8]>>> {
        match (self.files.get(path), self.base) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(base)) => base.read(path),
            (None, None) => Ok(None),
        }
    }

    fn visit(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        self.search(wanted, &|_| true, visit)
    }

    fn search(
        &self,
        wanted: &(dyn Fn(&str) -> bool + Sync),
        holds: &(dyn Fn(&[u8]) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        for (path, text) in self.present().filter(|(path, _)| wanted(path)) {
            visit(path, text);
        }
        let below = |path: &str| wanted(path) && !self.files.contains_key(path);
        self.base
            .map_or(Ok(()), |base| base.search(&below, holds, visit))
    }

    fn visit_below(
        &self,
        folders: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
        visit: &(dyn Fn(&str, &[u8]) + Sync),
    ) -> anyhow::Result<()> {
        for (path, text) in self.present() {
            if is_below(path, folders) && wanted(path) {
                visit(path, text);
            }
        }
        let below = |path: &str| wanted(path) && !self.files.contains_key(path);
        self.base
            .map_or(Ok(()), |base| base.visit_below(folders, &below, visit))
    }

    fn paths(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> anyhow::Result<Vec<String>> {
        let below = |path: &str| wanted(path) && !self.files.contains_key(path);
        let mut paths = self
            .base
            .map_or(Ok(Vec::new()), |base| base.paths(&below))?;
        paths.extend(
            self.present()
                .map(|(path, _)| path.clone())
                .filter(|path| wanted(path)),
        );
        paths.sort_unstable();
        Ok(paths)
    }
}
