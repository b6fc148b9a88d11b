// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The patches that touch one file, in order, and how their texts are found.
//! May not know hunks, but that some did not fit.

use std::collections::BTreeMap;

use super::super::apply::BUDGET;
use super::super::git::blob_id;
use super::super::patch::{ChangeKind, FileChange, Patch, Problem};
use super::super::{Blobs, Tree};
use super::steps::{Files, Limits, Miss};
use super::{How, Place, Step, Text, partial};

/// Longest chain of which every split into applied and not applied is tried.
const MAX_SPLITS: usize = 64;

/// One change of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'p> {
    pub patch: usize,
    pub change: usize,
    pub file: &'p FileChange,
}

/// What a change does to its texts.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub before: Option<Text>,
    pub after: Option<Text>,
    pub how: How,
    pub places: Vec<Place>,
}

/// The changes of a file, and of what it is renamed or copied from and to.
#[derive(Debug, Default)]
pub(super) struct Chain<'p> {
    links: Vec<Link<'p>>,
}

/// What all chains of a series come to.
#[derive(Default)]
pub(super) struct Resolved {
    pub steps: Vec<Step>,
    pub problems: Vec<Problem>,
    pub unfit: Option<usize>,
    room: partial::Room,
    limits: Limits,
}

/// Sorts the changes of a series into chains.
pub(super) fn chains(patches: &[Patch]) -> Vec<Chain<'_>> {
    let mut groups = Groups::default();
    let mut links = Vec::new();
    for (patch, of) in patches.iter().enumerate() {
        for (change, file) in of.changes.iter().enumerate() {
            if file.kind != ChangeKind::ModeOnly {
                groups.join(file);
                links.push(Link {
                    patch,
                    change,
                    file,
                });
            }
        }
    }
    let mut chains: BTreeMap<usize, Chain<'_>> = BTreeMap::new();
    for link in links {
        chains
            .entry(groups.of(link.file.path()))
            .or_default()
            .links
            .push(link);
    }
    chains.into_values().collect()
}

/// Paths that belong together: a union-find.
#[derive(Default)]
struct Groups<'p> {
    number: BTreeMap<&'p str, usize>,
    parent: Vec<usize>,
}

impl<'p> Groups<'p> {
    fn of(&mut self, path: &'p str) -> usize {
        let next = self.parent.len();
        let number = *self.number.entry(path).or_insert(next);
        if number == next {
            self.parent.push(next);
        }
        self.root(number)
    }

    fn root(&mut self, mut number: usize) -> usize {
        while let Some(&up) = self.parent.get(number).filter(|&&up| up != number) {
            let above = self.parent.get(up).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(number) {
                *slot = above;
            }
            number = up;
        }
        number
    }

    fn join(&mut self, file: &'p FileChange) {
        let one = self.of(file.path());
        let other = file.old_path.as_deref().map_or(one, |path| self.of(path));
        if let Some(slot) = self.parent.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }
}

impl<'p> Chain<'p> {
    /// Finds the texts; appends the steps and what went wrong.
    pub(super) fn resolve(
        mut self,
        patches: &[Patch],
        tree: Option<&dyn Tree>,
        blobs: Option<&dyn Blobs>,
        Resolved {
            steps,
            problems,
            unfit,
            room,
            limits,
        }: &mut Resolved,
    ) {
        let mut problem = |link: &Link<'_>, line: u32, message: String| {
            let input = patches
                .get(link.patch)
                .map(|patch| patch.input.clone())
                .unwrap_or_default();
            *unfit = Some(unfit.map_or(link.patch, |first| first.min(link.patch)));
            problems.push(Problem {
                input,
                line: Some(line),
                message,
            });
        };
        limits.comparisons.set(BUDGET);
        if let Some(outcomes) = blobs.and_then(|blobs| self.by_blob(blobs, limits)) {
            return self.finish(outcomes, steps);
        }
        self.links.retain(|link| {
            let binary = link.file.kind == ChangeKind::Binary;
            if binary && is_source(link.file.path()) {
                let path = link.file.path();
                let message = format!("the patch of {path} is binary and cannot be checked");
                problem(link, link.file.line, message);
            }
            !binary
        });
        let outcomes = match self.by_tree(tree, limits) {
            Ok(outcomes) => Some(outcomes),
            Err((at, miss)) => {
                if let (Some(tree), Some(link)) = (tree, self.links.get(at)) {
                    let (line, why) = miss.explain(link.file);
                    let message = match miss {
                        Miss::TooMuch => why,
                        _ => format!("does not fit {}: {why}", tree.name()),
                    };
                    problem(link, line, message);
                }
                partial::resolve(&self.links, room)
            }
        };
        match (outcomes, self.links.first()) {
            (Some(outcomes), _) => self.finish(outcomes, steps),
            (None, Some(link)) => {
                let message = "the hunks' line numbers are too large to be true".to_owned();
                problem(link, link.file.line, message);
            }
            (None, None) => {}
        }
    }

    fn finish(&self, outcomes: Vec<Outcome>, steps: &mut Vec<Step>) {
        steps.extend(self.links.iter().zip(outcomes).map(|(link, outcome)| {
            Step {
                patch: link.patch,
                change: link.change,
                path: link
                    .file
                    .new_path
                    .clone()
                    .filter(|_| outcome.after.is_some()),
                old_path: link
                    .file
                    .old_path
                    .clone()
                    .filter(|_| outcome.before.is_some()),
                before: outcome.before,
                after: outcome.after,
                how: outcome.how,
                places: outcome.places,
            }
        }));
    }

    fn by_blob(&self, blobs: &dyn Blobs, limits: &Limits) -> Option<Vec<Outcome>> {
        limits
            .unless_failed(|| {
                let mut files = Files::of(None, limits);
                let links = self.links.iter();
                links
                    .map(|link| files.by_blob(link.file, blobs).ok_or(()))
                    .collect::<Result<_, ()>>()
            })
            .ok()
    }

    /// Takes the first patches of the chain for applied, the others not, and
    /// tries which number fits. The error is that of none applied.
    fn by_tree(
        &self,
        tree: Option<&dyn Tree>,
        limits: &Limits,
    ) -> Result<Vec<Outcome>, (usize, Miss)> {
        let all = self.links.len();
        if let Some(applied) = tree.and_then(|tree| self.applied_by_id(tree))
            && let Ok(outcomes) = self.split(tree, applied, limits)
        {
            return Ok(outcomes);
        }
        let error = match self.split(tree, 0, limits) {
            Ok(outcomes) => return Ok(outcomes),
            Err((at, Miss::TooMuch)) => return Err((at, Miss::TooMuch)),
            Err(error) => error,
        };
        let most = if all <= MAX_SPLITS { 1 } else { all };
        let fits = (most..=all)
            .rev()
            .find_map(|applied| self.split(tree, applied, limits).ok());
        fits.ok_or(error)
    }

    /// How many patches the tree has by the ids of its blobs.
    fn applied_by_id(&self, tree: &dyn Tree) -> Option<usize> {
        let mut ids: BTreeMap<&str, Option<String>> = BTreeMap::new();
        let mut is_blob = |path: &'p Option<String>, id: &Option<String>| {
            let (Some(path), Some(id)) = (path, id) else {
                return false;
            };
            let own = ids.entry(path).or_insert_with(|| {
                let text = tree.read(path).ok().flatten();
                text.and_then(|text| blob_id(&text))
            });
            own.as_ref().is_some_and(|own| own.starts_with(id.as_str()))
        };
        let after = |link: &Link<'p>| is_blob(&link.file.new_path, &link.file.new_blob);
        if let Some(last) = self.links.iter().rposition(after) {
            return Some(last + 1);
        }
        let before = |link: &Link<'p>| is_blob(&link.file.old_path, &link.file.old_blob);
        self.links.iter().position(before)
    }

    fn split(
        &self,
        tree: Option<&dyn Tree>,
        applied: usize,
        limits: &Limits,
    ) -> Result<Vec<Outcome>, (usize, Miss)> {
        limits.unless_failed(|| self.split_at(tree, applied, limits))
    }

    fn split_at(
        &self,
        tree: Option<&dyn Tree>,
        applied: usize,
        limits: &Limits,
    ) -> Result<Vec<Outcome>, (usize, Miss)> {
        let (done, open) = self
            .links
            .split_at_checked(applied)
            .unwrap_or((&self.links, &[]));
        let mut outcomes = Vec::with_capacity(self.links.len());
        let mut files = Files::of(tree, limits);
        for (index, link) in done.iter().enumerate().rev() {
            outcomes.push(files.backward(link.file).map_err(|miss| (index, miss))?);
        }
        outcomes.reverse();
        let mut files = Files::of(tree, limits);
        for (index, link) in open.iter().enumerate() {
            outcomes.push(
                files
                    .forward(link.file)
                    .map_err(|miss| (applied + index, miss))?,
            );
        }
        Ok(outcomes)
    }
}

/// Whether a file's text would be looked at.
fn is_source(path: &str) -> bool {
    [".c", ".h", ".S", ".rs"]
        .iter()
        .any(|end| path.ends_with(end))
}
