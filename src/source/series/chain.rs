// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The patches that touch one file, in order, and how their texts are found.
//!
//! What a patch does is what `git apply` would make of the tree, if it fits. An `index`
//! line, which anyone can write, may name another text; if that was in the file once, the
//! patch may well be meant for it, and then both are given. May not know hunks, but that
//! some did not fit.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::git::blob_id;
use super::super::patch::{ChangeKind, FileChange, Patch, Problem};
use super::super::{Blobs, Tree};
use super::steps::{Files, Limits, Miss, Source, is_blob};
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
    /// The text before is the one that the `index` line names, if any.
    pub is_named: bool,
    /// How the change fits the tree; `None` if that does not matter.
    pub fits: Option<Fits>,
}

/// How a change fits a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fits {
    /// It can be put onto it.
    Forward,
    /// The tree has it.
    Backward,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            how: How::Forward { offset: 0 },
            places: Vec::new(),
            is_named: true,
            fits: None,
        }
    }
}

/// The changes of a file, and of what it is renamed or copied from and to.
#[derive(Debug, Default)]
pub(super) struct Chain<'p> {
    links: Vec<Link<'p>>,
}

/// What the `index` lines of patches are worth.
#[derive(Clone, Copy)]
pub(super) enum Ids<'b> {
    /// Nothing is known of blobs.
    Unknown,
    /// Git wrote the patches itself, and these are all blobs.
    Certain(&'b dyn Blobs),
    /// Anyone did, and these are the blobs that a file had once.
    Claimed(&'b dyn Blobs),
}

/// What all chains of a series come to.
pub(super) struct Resolved {
    pub steps: Vec<Step>,
    /// Other steps for ranges of them.
    pub others: Vec<(Range<usize>, Vec<Step>)>,
    pub problems: Vec<Problem>,
    pub unfit: Option<usize>,
    /// For each patch, how its files fit, each way with a change for which it does.
    fits: BTreeMap<usize, BTreeMap<Fits, usize>>,
    /// A limit was reached: what comes after it is not read.
    is_full: bool,
    room: partial::Room,
    limits: Limits,
}

/// What the changes of a chain come to.
struct Found {
    outcomes: Vec<Outcome>,
    /// What they may be meant for as well.
    other: Option<Vec<Outcome>>,
    /// Why git would not take them.
    miss: Option<(usize, Miss)>,
}

impl Found {
    fn of(outcomes: Vec<Outcome>) -> Self {
        Self {
            outcomes,
            other: None,
            miss: None,
        }
    }
}

/// Sorts the changes of a series into chains.
pub(super) fn chains(patches: &[Patch]) -> Vec<Chain<'_>> {
    let mut groups = Groups::default();
    let mut links = Vec::new();
    for (patch, of) in patches.iter().enumerate() {
        for (change, file) in of.changes.iter().enumerate() {
            groups.join(file);
            links.push(Link {
                patch,
                change,
                file,
            });
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
        ids: Ids<'_>,
        resolved: &mut Resolved,
    ) {
        resolved.limits.begin();
        if let Ids::Certain(blobs) = ids
            && let Ok(outcomes) = self.by_blob(blobs, &resolved.limits)
        {
            resolved.steps.extend(self.steps(outcomes));
            return resolved.limits.end();
        }
        self.refuse_binary(patches, resolved);
        if resolved.is_full {
            return;
        }
        let found = self.find(tree, ids, &resolved.limits);
        resolved.limits.end();
        match found {
            Ok(found) => {
                if let Some((at, miss)) = found.miss {
                    self.refuse(at, &miss, tree, patches, resolved);
                }
                self.note(&found.outcomes, resolved);
                let start = resolved.steps.len();
                resolved.steps.extend(self.steps(found.outcomes));
                if let Some(other) = found.other {
                    let range = start..resolved.steps.len();
                    resolved.others.push((range, self.steps(other)));
                }
            }
            Err((at, miss)) => {
                self.refuse(at, &miss, tree, patches, resolved);
                // What is over a limit is not looked at any more.
                resolved.is_full |= miss.is_limit();
                if !miss.is_limit() {
                    self.stand_alone(patches, resolved);
                }
            }
        }
    }

    /// Leaves out what shows no lines.
    fn refuse_binary(&mut self, patches: &[Patch], resolved: &mut Resolved) {
        let is_binary = |link: &Link<'_>| link.file.kind == ChangeKind::Binary;
        for link in self.links.iter().filter(|link| is_binary(link)) {
            let path = link.file.path();
            let message = format!("the patch of {path} is binary and cannot be checked");
            resolved.problem(patches, link, link.file.line, message);
        }
        self.links.retain(|link| !is_binary(link));
    }

    /// Says why a change does not fit, which without a tree is no wonder.
    fn refuse(
        &self,
        at: usize,
        miss: &Miss,
        tree: Option<&dyn Tree>,
        patches: &[Patch],
        resolved: &mut Resolved,
    ) {
        let Some(link) = self.links.get(at) else {
            return;
        };
        let (line, why) = miss.explain(link.file);
        let message = match tree {
            _ if miss.is_limit() => why,
            Some(tree) => format!("does not fit {}: {why}", tree.name()),
            None => return,
        };
        resolved.problem(patches, link, line, message);
    }

    /// Takes the hunks for all that is known.
    fn stand_alone(&self, patches: &[Patch], resolved: &mut Resolved) {
        match (
            partial::resolve(&self.links, &mut resolved.room),
            self.links.first(),
        ) {
            (Some(outcomes), _) => resolved.steps.extend(self.steps(outcomes)),
            (None, Some(link)) => {
                let message = "where the hunks lie cannot be told by their line numbers, which \
                               are too large to be true, or overlap"
                    .to_owned();
                resolved.problem(patches, link, link.file.line, message);
            }
            (None, None) => {}
        }
    }

    /// Notes which way the changes fit.
    fn note(&self, outcomes: &[Outcome], resolved: &mut Resolved) {
        for (link, outcome) in self.links.iter().zip(outcomes) {
            if let Some(fits) = outcome.fits {
                let ways = resolved.fits.entry(link.patch).or_default();
                ways.entry(fits).or_insert(link.change);
            }
        }
    }

    fn steps(&self, outcomes: Vec<Outcome>) -> Vec<Step> {
        let pairs = self.links.iter().zip(outcomes);
        let changed = pairs.filter(|(link, _)| link.file.kind != ChangeKind::ModeOnly);
        let step = |(link, outcome): (&Link<'_>, Outcome)| {
            let Link {
                patch,
                change,
                file,
            } = *link;
            let path = |path: &Option<String>, text: &Option<Text>| {
                path.clone().filter(|_| text.is_some())
            };
            Step {
                patch,
                change,
                path: path(&file.new_path, &outcome.after),
                old_path: path(&file.old_path, &outcome.before),
                before: outcome.before,
                after: outcome.after,
                how: outcome.how,
                places: outcome.places,
            }
        };
        changed.map(step).collect()
    }

    /// Finds what the changes do to `tree`. The error is that of putting all of them onto
    /// it.
    fn find(
        &self,
        tree: Option<&dyn Tree>,
        ids: Ids<'_>,
        limits: &Limits,
    ) -> Result<Found, (usize, Miss)> {
        let past = match ids {
            Ids::Claimed(blobs) => Some(blobs),
            Ids::Unknown | Ids::Certain(_) => None,
        };
        let by_blob = || past.and_then(|past| self.by_blob(past, limits).ok());
        let miss = match self.split(tree, 0, limits) {
            Ok(outcomes) => {
                let named = outcomes.iter().all(|outcome| outcome.is_named);
                let other = || by_blob().or_else(|| self.applied_by_id(tree?, limits));
                let other = if named { None } else { other() };
                return Ok(Found::either(outcomes, other));
            }
            Err((at, miss)) if miss.is_limit() => return Err((at, miss)),
            Err(miss) => miss,
        };
        let by_blob = by_blob();
        if let (Some(outcomes), Some(past)) = (&by_blob, past)
            && self.is_history(outcomes, past)
        {
            return Ok(Found::of(outcomes.clone()));
        }
        match (self.applied(tree, limits), by_blob) {
            (Some(outcomes), other) => Ok(Found::either(outcomes, other)),
            (None, Some(outcomes)) => Ok(Found {
                miss: Some(miss),
                ..Found::of(outcomes)
            }),
            (None, None) => Err(miss),
        }
    }

    fn by_blob(&self, blobs: &dyn Blobs, limits: &Limits) -> Result<Vec<Outcome>, (usize, Miss)> {
        limits.unless_failed(|| {
            let files = Files::of(Source::Blobs(blobs), limits);
            onto(files, &self.links, 0)
        })
    }

    /// Whether the changes are a part of the history, so that they need not fit any more.
    fn is_history(&self, outcomes: &[Outcome], past: &dyn Blobs) -> bool {
        self.links.iter().zip(outcomes).all(|(link, outcome)| {
            let (path, id) = (link.file.new_path.as_deref(), link.file.new_blob.as_deref());
            let known = |text: &Text| {
                is_blob(&text.bytes, id)
                    && path
                        .zip(id)
                        .and_then(|(path, id)| past.blob(path, id))
                        .is_some()
            };
            outcome.after.as_ref().is_none_or(known)
        })
    }

    /// Takes the first patches of the chain for applied, the others not, and
    /// tries which number fits.
    fn applied(&self, tree: Option<&dyn Tree>, limits: &Limits) -> Option<Vec<Outcome>> {
        let tree = tree?;
        if let Some(outcomes) = self.applied_by_id(tree, limits) {
            return Some(outcomes);
        }
        let all = self.patches();
        let most = if all <= MAX_SPLITS { 1 } else { all };
        (most..=all)
            .rev()
            .find_map(|applied| self.split(Some(tree), applied, limits).ok())
    }

    /// How many patches the chain has.
    fn patches(&self) -> usize {
        self.links.chunk_by(same_patch).count()
    }

    /// As [`Chain::applied`], if the ids of the tree's blobs tell how many it has.
    fn applied_by_id(&self, tree: &dyn Tree, limits: &Limits) -> Option<Vec<Outcome>> {
        let applied = self.applied_ids(tree)?;
        let links = self.links.get(..applied)?;
        let applied = links.chunk_by(same_patch).count();
        self.split(Some(tree), applied, limits).ok()
    }

    /// How many of the changes the tree has by the ids of its blobs.
    fn applied_ids(&self, tree: &dyn Tree) -> Option<usize> {
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

    /// Takes the first `applied` patches off the tree's texts, and puts the others onto
    /// them.
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
        let source = tree.map_or(Source::Nothing, Source::Tree);
        let done = self.links.chunk_by(same_patch).take(applied);
        let mut end: usize = done.clone().map(<[Link<'_>]>::len).sum();
        let open = self.links.get(end..).unwrap_or_default();
        let done: Vec<_> = done.collect();
        let mut outcomes = Vec::with_capacity(self.links.len());
        let mut files = Files::of(source, limits);
        for links in done.into_iter().rev() {
            end -= links.len();
            let made = files
                .backward(links)
                .map_err(|(at, miss)| (end + at, miss))?;
            outcomes.extend(made.into_iter().rev());
        }
        outcomes.reverse();
        outcomes.extend(onto(Files::of(source, limits), open, outcomes.len())?);
        Ok(outcomes)
    }
}

impl Found {
    /// Two answers, unless they are the same.
    fn either(outcomes: Vec<Outcome>, other: Option<Vec<Outcome>>) -> Self {
        let same = |(one, other): (&Outcome, &Outcome)| {
            one.before == other.before && one.after == other.after
        };
        let other = other.filter(|other| !outcomes.iter().zip(other).all(same));
        Self {
            other,
            ..Self::of(outcomes)
        }
    }
}

impl Resolved {
    pub(super) fn of(ids: Ids<'_>) -> Self {
        Self {
            steps: Vec::new(),
            others: Vec::new(),
            problems: Vec::new(),
            unfit: None,
            fits: BTreeMap::new(),
            is_full: false,
            room: partial::Room::default(),
            limits: Limits::of(matches!(ids, Ids::Certain(_))),
        }
    }

    /// Leaves nothing to be looked at of what is over a limit: that would have one, too.
    pub(super) fn refuse_rest(&mut self) {
        if self.is_full {
            self.steps.clear();
            self.others.clear();
        }
    }

    /// Refuses patches of which the tree has some files and not the others: git takes the
    /// whole of a patch, or nothing.
    pub(super) fn refuse_halves(&mut self, patches: &[Patch]) {
        for (patch, ways) in std::mem::take(&mut self.fits) {
            let changes = patches.get(patch).map(|patch| patch.changes.as_slice());
            let halves: Vec<_> = ways.values().copied().collect();
            let [open, done] = halves.as_slice() else {
                continue;
            };
            let change = |at: usize| changes.and_then(|changes| changes.get(at));
            if let (Some(open), Some(done)) = (change(*open), change(*done)) {
                let message = format!(
                    "the tree has what the patch does to {}, and not what it does to {}, so git \
                     refuses it",
                    done.path(),
                    open.path()
                );
                let link = Link {
                    patch,
                    change: 0,
                    file: done,
                };
                self.problem(patches, &link, done.line, message);
            }
        }
    }

    fn problem(&mut self, patches: &[Patch], link: &Link<'_>, line: u32, message: String) {
        let patch = link.patch;
        self.unfit = Some(self.unfit.map_or(patch, |first| first.min(patch)));
        self.problems.push(Problem {
            input: patches
                .get(patch)
                .map(|patch| patch.input.clone())
                .unwrap_or_default(),
            line: Some(line),
            message,
        });
    }
}

/// Whether two changes are of one patch.
fn same_patch(one: &Link<'_>, other: &Link<'_>) -> bool {
    one.patch == other.patch
}

/// Puts the patches onto the files, one after the other. The error has the number of the
/// change, counted from `first`.
fn onto(
    mut files: Files<'_>,
    links: &[Link<'_>],
    first: usize,
) -> Result<Vec<Outcome>, (usize, Miss)> {
    let mut outcomes = Vec::with_capacity(links.len());
    for links in links.chunk_by(same_patch) {
        let start = first + outcomes.len();
        let made = files
            .forward(links)
            .map_err(|(at, miss)| (start + at, miss))?;
        outcomes.extend(made);
    }
    Ok(outcomes)
}
