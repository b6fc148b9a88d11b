// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A range of commits as one series, whatever merges lie in it.
//!
//! A way through the range, from what lies before it to its end, is a series whose
//! patches are the differences of the trees on it: what the whole range brings shows
//! there, whichever side it came by. What a merge on the way is charged with is looked
//! for in its other sides, each a range of its own; what none of them brings is the
//! merge's own.

use super::kept::Kept;
use super::path::{Graph, Path};
use super::series::{Ground, review};
use crate::inventory::facts::FactsByPath;
use crate::inventory::resolve::Inventory;
use crate::inventory::scan::{is_source, may_tell};
use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::rules::engine::{self, Look, Subject};
use crate::rules::finding::{Finding, Place};
use crate::rules::review::{Knowledge, Review, Sight};
use crate::rules::zones::Zones;
use crate::rules::{Check, Counts, changes, rule};
use crate::source::Tree;
use crate::source::commits::{History, Oid, Range};
use crate::source::git::GitBlobs;
use crate::source::overlay::OverlayTree;
use crate::source::patch::{Patch, Problem};
use crate::source::series::Series;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

const PROMOTION: &str = "promotion";
const NEW_EVENT: &str = "event-in-zone";

/// What DECLARE_TRACE() appends to a name, or a kernel's developers do.
const SUFFIX: &str = "_tp";

/// So many steps of a way are looked at at once, as many as a series may have patches.
const MOST_STEPS: usize = 160;

/// What findings become for who shows them, each in its place, with the series that brings
/// them and the tree at its end.
pub type Show<'a, E> = &'a dyn Fn(&Series, &dyn Tree, &[Finding]) -> Vec<E>;

/// A finding, and which commit brought it.
#[derive(Clone, Debug)]
pub struct Charged<E> {
    /// The commit; `None` if a ref was moved so that what was gone is back.
    pub commit: Option<Oid>,
    /// The finding.
    pub finding: Finding,
    /// What is shown of it.
    pub shown: E,
    /// Whether a later commit, be it the merge of its side, takes it away again.
    is_mended: bool,
}

/// What counts as before all of a range.
pub struct Rules<'a> {
    /// The zones.
    pub zones: &'a Zones,
    /// MAINTAINERS.
    pub maintainers: &'a Maintainers,
}

/// Reviews ranges of one repository.
pub struct Ranges<'a, E> {
    dir: &'a std::path::Path,
    show: Show<'a, E>,
    kept: Kept<'a>,
    /// What commits change, as far as that was looked at.
    read: BTreeMap<Oid, Changes>,
    problems: BTreeSet<Problem>,
}

/// What a commit changes.
struct Changes {
    /// How many lines were looked at.
    lines: usize,
    /// The source files.
    files: Vec<String>,
    /// Whether the lines themselves may say something of tracepoints.
    tell: bool,
}

impl Changes {
    fn of(patch: &Patch) -> Self {
        let changes = patch.changes.iter();
        let paths = changes.flat_map(|change| [&change.old_path, &change.new_path]);
        let lines = patch.changes.iter().flat_map(|change| &change.hunks);
        let mut lines = lines.flat_map(|hunk| &hunk.lines);
        Self {
            lines: patch.checked_lines(),
            files: paths
                .flatten()
                .filter(|path| is_source(path))
                .cloned()
                .collect(),
            tell: lines.any(|line| may_tell(&line.text)),
        }
    }
}

/// One range that is being reviewed.
struct Reviewing<'r, 'a, E> {
    ranges: &'r mut Ranges<'a, E>,
    range: &'r Range,
    graph: Graph<'r>,
    rules: &'r Rules<'r>,
}

/// A way from one tree to another.
struct Way {
    base: Oid,
    steps: Vec<Step>,
}

/// From the tree before to that of `end`.
struct Step {
    end: Oid,
    by: By,
}

enum By {
    /// A commit whose parent is before.
    Commit,
    /// A merge, one of whose parents is before. These are the others.
    Merge(Vec<Oid>),
    /// Commits of which each is a parent of the next.
    Commits(Vec<Oid>),
    /// No commit: a ref is moved.
    Move,
}

/// What makes two findings of one tree the same.
type Spot = (&'static str, Option<String>, Place);

fn spot(finding: &Finding) -> Spot {
    let tracepoint = finding.tracepoint.clone();
    (finding.rule, tracepoint, finding.place.clone())
}

impl<'a, E> Ranges<'a, E> {
    /// Of the repository that `dir` lies in.
    pub fn new(dir: &'a std::path::Path, show: Show<'a, E>) -> Self {
        Self {
            dir,
            show,
            kept: Kept::new(dir),
            read: BTreeMap::new(),
            problems: BTreeSet::new(),
        }
    }

    /// What of the ranges could not be read so far.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    /// How many lines of the commit `id` were looked at.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lines(&mut self, id: Oid) -> anyhow::Result<usize> {
        Ok(self.changes(id)?.lines)
    }

    /// What the commit `id` changes; of a root, which may be a whole kernel, nothing is said.
    fn changes(&mut self, id: Oid) -> anyhow::Result<&Changes> {
        let entry = match self.read.entry(id) {
            Entry::Occupied(entry) => return Ok(entry.into_mut()),
            Entry::Vacant(entry) => entry,
        };
        let history = History::open(self.dir)?;
        let parent = history.commit(id)?.parents.first().copied();
        let patch = match parent {
            Some(_) => history.patch(id, parent)?,
            None => Patch::default(),
        };
        Ok(entry.insert(Changes::of(&patch)))
    }

    /// What `range` brings that is there at its end.
    ///
    /// # Errors
    /// A commit or a tree cannot be read, or the macros of one cannot be understood.
    pub fn review(&mut self, range: &Range, rules: &Rules<'_>) -> anyhow::Result<Vec<Charged<E>>> {
        // A ref of what was there already, as most of many tags are.
        if range.commits.is_empty() && range.base == Some(range.tip) {
            return Ok(Vec::new());
        }
        if let Some(ground) = range.ground {
            self.kept.borrow_core(ground)?;
        }
        let graph = Graph::of(&range.commits);
        let path = graph.path(range.tip, range.base);
        let mut reviewing = Reviewing {
            ranges: self,
            range,
            graph,
            rules,
        };
        let mut charged = match range.base {
            Some(base) => {
                let way = reviewing.way(base, &path);
                reviewing.along(&way, &range.known)?
            }
            None => reviewing.beginning(&path)?,
        };
        // Sides that merge each other have the same commits.
        let mut known = BTreeSet::new();
        charged.retain(|one| {
            let finding = &one.finding;
            known.insert((one.commit, spot(finding), finding.message.clone()))
        });
        Ok(charged)
    }
}

impl<E> Reviewing<'_, '_, E> {
    /// The way from `base` along `path`, which need not begin there.
    fn way(&self, base: Oid, path: &Path) -> Way {
        let mut steps = Vec::new();
        let mut before = base;
        if let Some(below) = path.below.filter(|below| *below != base) {
            steps.push(Step {
                end: below,
                by: By::Move,
            });
            before = below;
        }
        let size = path.commits.len().div_ceil(MOST_STEPS - 1).max(1);
        for commits in path.commits.chunks(size) {
            let Some(&end) = commits.last() else { continue };
            let parents = self.graph.parents(end);
            let by = match commits {
                [_] if parents.len() < 2 => By::Commit,
                [_] => By::Merge(
                    parents
                        .iter()
                        .copied()
                        .filter(|parent| *parent != before)
                        .collect(),
                ),
                _ => By::Commits(commits.to_vec()),
            };
            steps.push(Step { end, by });
            before = end;
        }
        Way { base, steps }
    }

    /// What the way brings that is there at its end, but for what one of `known` has.
    fn along(&mut self, way: &Way, known: &[Oid]) -> anyhow::Result<Vec<Charged<E>>> {
        let Some(last) = way.steps.last() else {
            return Ok(Vec::new());
        };
        let git = self.ranges.kept.open(way.base)?;
        let base = self.ranges.kept.whole(&git)?;
        let series = self.series(way, &base)?;
        let states = self.states(way, &series, &base)?;
        let subject = Subject {
            series: &series,
            tree: Some(&base),
        };
        let ground = Ground {
            zones: self.rules.zones.clone(),
            maintainers: self.rules.maintainers.clone(),
        };
        let findings = review(&subject, &states, &ground, Knowledge::Whole).findings;
        // What passes has no place in the last tree.
        let (passing, mut findings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.passing);
        for &commit in known {
            self.retain_new(&mut findings, commit, last.end)?;
        }
        findings.extend(passing);
        let mut by_step: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for finding in findings {
            let step = finding.patch.unwrap_or(0);
            by_step.entry(step).or_default().push(finding);
        }
        let mut charged = Vec::new();
        let mut found = Vec::new();
        let mut before = way.base;
        for (number, step) in way.steps.iter().enumerate() {
            let own = by_step.remove(&number).unwrap_or_default();
            let mut own = self.without_known(own, step, known)?;
            let is_wanted = !own.is_empty() || has_new_event(&states, number);
            if step.is_deep() && (is_wanted || self.may_break(before, step, &states[number..])?) {
                let inner = self.inside(before, step)?;
                let inventory = &states[states.len() - 1].inventory;
                charged.extend(replaced(&mut own, inner, inventory));
                if self.range.is_counted {
                    for boundary in self.boundaries(before, step)? {
                        self.retain_new(&mut own, boundary, step.end)?;
                    }
                }
            }
            found.extend(own.into_iter().map(|finding| (step.commit(), finding)));
            before = step.end;
        }
        let after = OverlayTree::after(Some(&base), &series, way.steps.len());
        charged.extend(self.shown(&series, &after, found));
        Ok(charged)
    }

    /// What a step brings, but for what passes and was there before: in one of `known`, or in
    /// what a ref is moved to.
    fn without_known(
        &mut self,
        own: Vec<Finding>,
        step: &Step,
        known: &[Oid],
    ) -> anyhow::Result<Vec<Finding>> {
        let (mut passing, mut own): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|finding| finding.passing);
        if matches!(step.by, By::Move) {
            return Ok(own);
        }
        for &commit in known {
            self.retain_new(&mut passing, commit, step.end)?;
        }
        own.extend(passing);
        Ok(own)
    }

    /// Whether any commit that a step consists of touches what may keep a kernel from being
    /// built. `states` are those before the step, after it, and so on.
    fn may_break(&mut self, before: Oid, step: &Step, states: &[State]) -> anyhow::Result<bool> {
        for id in self.graph.between(before, step.end) {
            let changes = self.ranges.changes(id)?;
            let says = |file: &String| {
                let mut states = states.iter().take(2);
                states.any(|state| state.facts.contains_key(file.as_str()))
            };
            if changes.tell || changes.files.iter().any(says) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Findings with what is shown of them.
    fn shown(
        &self,
        series: &Series,
        after: &dyn Tree,
        found: Vec<(Option<Oid>, Finding)>,
    ) -> Vec<Charged<E>> {
        let (commits, findings): (Vec<Option<Oid>>, Vec<Finding>) = found.into_iter().unzip();
        let shown = (self.ranges.show)(series, after, &findings);
        let found = commits.into_iter().zip(findings).zip(shown);
        let charged = found.map(|((commit, finding), shown)| Charged {
            commit,
            is_mended: finding.passing,
            finding,
            shown,
        });
        charged.collect()
    }

    /// The steps of the way as patches.
    fn series(&mut self, way: &Way, base: &dyn Tree) -> anyhow::Result<Series> {
        let history = History::open(self.ranges.dir)?;
        let mut before = way.base;
        let mut patches = Vec::new();
        for step in &way.steps {
            let patch = match step.by {
                By::Move => history.difference(&self.range.name, before, step.end)?,
                By::Commits(_) => history.difference(&step.end.to_string(), before, step.end)?,
                By::Commit | By::Merge(_) => {
                    let patch = history.patch(step.end, Some(before))?;
                    let changes = Changes::of(&patch);
                    self.ranges.read.insert(step.end, changes);
                    patch
                }
            };
            if !matches!(step.by, By::Move) {
                self.ranges.problems.extend(unread(&patch));
            }
            patches.push(patch);
            before = step.end;
        }
        // Not open for longer: what it has mapped of a pack stays.
        drop(history);
        let blobs = GitBlobs::around(self.ranges.dir)?;
        let series = Series::resolve(patches, Some(base), Some(&blobs));
        self.ranges.problems.extend(series.problems.iter().cloned());
        Ok(series)
    }

    /// The states before the way and after each of its steps.
    fn states(
        &mut self,
        way: &Way,
        series: &Series,
        base: &dyn Tree,
    ) -> anyhow::Result<Vec<State>> {
        let mut states = vec![self.ranges.kept.state(way.base)?];
        for number in 0..way.steps.len() {
            let changes = changes::of_patch(series, number);
            let tree = OverlayTree::after(Some(base), series, number + 1);
            states.push(states[number].after(&changes, Some(&tree))?);
        }
        if let (Some(step), Some(state)) = (way.steps.last(), states.last()) {
            let tree = History::open(self.ranges.dir)?.tree(step.end)?;
            self.ranges.kept.keep(tree, state.clone());
        }
        Ok(states)
    }

    /// Takes those of `findings`, all of the tree of `end`, away that `commit` has, too.
    fn retain_new(
        &mut self,
        findings: &mut Vec<Finding>,
        commit: Oid,
        end: Oid,
    ) -> anyhow::Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        let (new, states) = self.at_once(commit, end)?;
        let new: BTreeSet<Spot> = new.iter().map(spot).collect();
        let (old, end) = (&states[0].inventory, &states[states.len() - 1].inventory);
        findings.retain(|finding| {
            // A hook that is promoted need not have been a hook there.
            let event = promoted(finding, end).filter(|_| finding.rule == PROMOTION);
            event.is_some_and(|name| !has_event(old, name)) || new.contains(&spot(finding))
        });
        Ok(())
    }

    /// What is new in the tree of `to` for who has that of `from`, and both states.
    fn at_once(&mut self, from: Oid, to: Oid) -> anyhow::Result<(Vec<Finding>, Vec<State>)> {
        let way = Way {
            base: from,
            steps: vec![Step {
                end: to,
                by: By::Move,
            }],
        };
        let git = self.ranges.kept.open(from)?;
        let base = self.ranges.kept.whole(&git)?;
        let series = self.series(&way, &base)?;
        let states = self.states(&way, &series, &base)?;
        let subject = Subject {
            series: &series,
            tree: Some(&base),
        };
        let ground = Ground {
            zones: self.rules.zones.clone(),
            maintainers: self.rules.maintainers.clone(),
        };
        let found = review(&subject, &states, &ground, Knowledge::Whole).findings;
        Ok((found, states))
    }

    /// What is brought by what a step consists of.
    fn inside(&mut self, before: Oid, step: &Step) -> anyhow::Result<Vec<Charged<E>>> {
        match &step.by {
            By::Commit | By::Move => Ok(Vec::new()),
            By::Commits(commits) => {
                let path = Path {
                    commits: commits.clone(),
                    below: Some(before),
                };
                let way = self.way(before, &path);
                self.along(&way, &[])
            }
            By::Merge(others) => {
                let mut charged = Vec::new();
                for &other in others {
                    let path = self.side(before, other)?;
                    charged.extend(match path.below {
                        Some(below) => {
                            let way = self.way(below, &path);
                            let mut side = self.along(&way, &[])?;
                            self.find_mended(&mut side, (below, other), step.end)?;
                            side
                        }
                        None => self.beginning(&path)?,
                    });
                }
                Ok(charged)
            }
        }
    }

    /// Finds what breaks on a side that left `below`, and is mended by nothing but the merge
    /// `end` of that side.
    fn find_mended(
        &mut self,
        charged: &mut [Charged<E>],
        (below, side): (Oid, Oid),
        end: Oid,
    ) -> anyhow::Result<()> {
        let may_break = |one: &Charged<E>| {
            let counts = rule(one.finding.rule).map(|rule| rule.counts);
            !one.is_mended && matches!(counts, Some(Counts::InEachState(_)))
        };
        if !charged.iter().any(may_break) {
            return Ok(());
        }
        let state = self.ranges.kept.state(side)?;
        let (left, _) = self.at_once(below, end)?;
        let left: BTreeSet<Name> = left.iter().map(name_of).collect();
        for one in charged.iter_mut().filter(|one| may_break(one)) {
            let finding = &one.finding;
            let breaks = rule(finding.rule).is_some_and(|rule| rule.breaks(&state, finding));
            one.is_mended = breaks && !left.contains(&name_of(finding));
        }
        Ok(())
    }

    /// The commits that a merge brings by its parent `other`, from where that left what
    /// is `before` the merge.
    fn side(&self, before: Oid, other: Oid) -> anyhow::Result<Path> {
        let bases = History::open(self.ranges.dir)?.merge_bases(other, before)?;
        Ok(self.graph.path(other, bases.first().copied()))
    }

    /// The commits before the range that the other sides of a merge go back to.
    fn boundaries(&self, before: Oid, step: &Step) -> anyhow::Result<Vec<Oid>> {
        let By::Merge(others) = &step.by else {
            return Ok(Vec::new());
        };
        let sides = others.iter().map(|&other| self.side(before, other));
        let below = sides.map(|side| Ok(side?.below));
        let below: Vec<Option<Oid>> = below.collect::<anyhow::Result<_>>()?;
        Ok(below.into_iter().flatten().collect())
    }

    /// What is brought by a path that begins with a root: everything.
    fn beginning(&mut self, path: &Path) -> anyhow::Result<Vec<Charged<E>>> {
        let Some((&root, rest)) = path.commits.split_first() else {
            return Ok(Vec::new());
        };
        let end = *path.commits.last().unwrap_or(&root);
        let git = self.ranges.kept.open(end)?;
        let tree = self.ranges.kept.whole(&git)?;
        let state = self.ranges.kept.state(end)?;
        let mut findings = self.all(root, &state, &tree)?;
        let rest = Path {
            commits: rest.to_vec(),
            below: Some(root),
        };
        let way = self.way(root, &rest);
        let mut charged = replaced(&mut findings, self.along(&way, &[])?, &state.inventory);
        let found = findings.into_iter().map(|finding| (Some(root), finding));
        charged.extend(self.shown(&Series::default(), &tree, found.collect()));
        Ok(charged)
    }

    /// Everything that is found in `tree`, whose state is `state`, as new.
    fn all(&self, root: Oid, state: &State, tree: &dyn Tree) -> anyhow::Result<Vec<Finding>> {
        let message = History::open(self.ranges.dir)?.message(root)?;
        let nothing = State::joined(state.semantics.clone(), FactsByPath::default());
        let states = [nothing, state.clone()];
        let series = Series::default();
        let review = Review {
            states: &states,
            patches: &[Patch {
                input: root.to_string(),
                message,
                commit: Some(root.to_string()),
                ..Patch::default()
            }],
            zones: self.rules.zones,
            maintainers: self.rules.maintainers,
            knowledge: Knowledge::Whole,
            introduced: &|_, _| Some(0),
        };
        let subject = Subject {
            series: &series,
            tree: Some(tree),
        };
        let mut findings = engine::check_series(&review, &subject, Look::Affected);
        // Some rules look at the files that a series touches, which here are all.
        let known: BTreeSet<Spot> = findings.iter().map(spot).collect();
        let whole = engine::check_state(&Sight::of_tree(state, tree, self.rules.zones));
        findings.extend(
            whole
                .into_iter()
                .filter(|finding| !known.contains(&spot(finding))),
        );
        Ok(findings)
    }
}

impl Step {
    /// Whether there is more to it than a commit.
    fn is_deep(&self) -> bool {
        matches!(self.by, By::Merge(_) | By::Commits(_))
    }

    fn commit(&self) -> Option<Oid> {
        (!matches!(self.by, By::Move)).then_some(self.end)
    }
}

/// What of a commit leads elsewhere, where the kernel is built from it.
fn unread(patch: &Patch) -> impl Iterator<Item = Problem> {
    let all = patch.changes.iter();
    let unread = all.filter(|one| one.is_link() && one.is_of_the_kernel());
    unread.map(|change| Problem {
        input: patch.input.clone(),
        line: None,
        message: format!(
            "{} is a symbolic link or a submodule, and what it leads to is not in the commit: \
             check the tree that it makes",
            change.path()
        ),
    })
}

/// Whether an event is there after step `number` that was not before it: on the way to it
/// it may have been a bare tracepoint.
fn has_new_event(states: &[State], number: usize) -> bool {
    let [before, after] = [number, number + 1].map(|at| states.get(at).map(|one| &one.inventory));
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let names = before.names_that_differ(after);
    names
        .iter()
        .any(|name| has_event(after, name) && !has_event(before, name))
}

fn has_event(inventory: &Inventory, name: &str) -> bool {
    inventory.named(name).any(|one| !one.is_bare())
}

/// What of `inner` takes the place of one of `found`, each of which it takes away, as it
/// says the same with more knowledge of who brought it; and what it knows of how an event
/// came to be one, and of what did not build on the way.
fn replaced<E>(
    found: &mut Vec<Finding>,
    inner: Vec<Charged<E>>,
    inventory: &Inventory,
) -> Vec<Charged<E>> {
    let with_use = |one: Charged<E>| {
        let is_used = one.is_mended;
        (one, is_used)
    };
    let mut inner: Vec<(Charged<E>, bool)> = inner.into_iter().map(with_use).collect();
    let mut by_name: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    for (number, (one, _)) in inner.iter().enumerate() {
        let name = name_of(&one.finding);
        by_name.entry(name).or_default().push(number);
    }
    // Lines may have moved, but where they have not they tell which is which.
    for has_to_be_near in [true, false] {
        found.retain(|finding| {
            let Some(numbers) = by_name.get_mut(&name_of(finding)) else {
                return true;
            };
            let same = numbers.iter().position(|&number| {
                let one = &inner[number].0.finding;
                let is_near = one.place == finding.place || !has_to_be_near;
                is_near && is_weighed_alike(one, finding)
            });
            match same {
                Some(at) => {
                    inner[numbers.swap_remove(at)].1 = true;
                    false
                }
                None => true,
            }
        });
    }
    // A hook that came bare and became an event is one that is promoted.
    for (one, is_used) in &mut inner {
        if !*is_used
            && one.finding.rule == PROMOTION
            && let Some(event) = promoted(&one.finding, inventory)
        {
            *is_used = true;
            found.retain(|finding| {
                finding.rule != NEW_EVENT || finding.tracepoint.as_deref() != Some(event)
            });
        }
    }
    let used = inner.into_iter().filter(|(_, is_used)| *is_used);
    used.map(|(one, _)| one).collect()
}

/// What findings have in common that say the same at two moments.
type Name = (&'static str, Option<String>, String);

fn name_of(finding: &Finding) -> Name {
    let tracepoint = finding.tracepoint.clone();
    (finding.rule, tracepoint, finding.place.file.clone())
}

/// Whether `inner`, found on a side, may stand for `outer`, found in the whole. Where a
/// comment decides about the level, it has to be the same; where approval does, the
/// commit's own message has it.
fn is_weighed_alike(inner: &Finding, outer: &Finding) -> bool {
    let is_weighed = || {
        let kind = rule(inner.rule).map(|rule| rule.check);
        matches!(kind, Some(Check::Change(_) | Check::Input(_)))
    };
    inner.level == outer.level || is_weighed()
}

/// The event that took the place of a hook, as far as it is there.
fn promoted<'i>(finding: &Finding, inventory: &'i Inventory) -> Option<&'i str> {
    let hook = finding.tracepoint.as_deref()?;
    let stem = hook.strip_suffix(SUFFIX);
    let long = format!("{hook}{SUFFIX}");
    let mut names = [Some(hook), stem, Some(&long)].into_iter().flatten();
    names.find_map(|name| {
        let mut named = inventory.named(name);
        let event = named.find(|one| !one.is_bare() && *one.file == *finding.place.file);
        event.map(|event| event.name())
    })
}
