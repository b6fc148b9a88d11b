// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check --git` and `--push`: commits, each against its parents.

use super::super::tree::{self, Gate};
use super::entries::{called, entries_of_patches};
use crate::kernel::maintainers::Maintainers;
use crate::output::list::TreeName;
use crate::output::report::{Entry, Report, Subject};
use crate::review::range::{Charged, Ranges, Rules};
use crate::rules::finding::Finding;
use crate::source::Tree;
use crate::source::commits::{self, Oid, Range};
use crate::source::git::{GitBlobs, GitTree, is_bare};
use crate::source::input;
use crate::source::kernel_root::check_kernel;
use crate::source::patch::Patch;
use crate::source::series::Series;
use anyhow::{Context, ensure};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Which commits are meant.
#[derive(Args)]
#[command(next_help_heading = "Commits")]
pub(super) struct Commits {
    /// Lint commits of the tree's repository, which may be a bare one: REV, A..B or
    /// REV-N, the last N of REV
    #[arg(long, value_name = "REV", conflicts_with = "inputs")]
    git: Option<String>,
    /// Lint what a push brings: FILE, or - for standard input, has a line for each ref as
    /// git gives them to a pre-receive hook, "OLD NEW REF"
    #[arg(long, value_name = "FILE", conflicts_with_all = ["inputs", "git"])]
    push: Option<PathBuf>,
    /// The commit whose .barepoint.toml and MAINTAINERS count, \"\" for none; if not given,
    /// the one before those of --git, and for --push the repository's HEAD
    #[arg(long, value_name = "REV")]
    ground: Option<String>,
}

impl Commits {
    /// Whether any are.
    pub(super) fn are_meant(&self) -> bool {
        self.git.is_some() || self.push.is_some() || self.ground.is_some()
    }

    /// Lints them, in the repository of the tree `given`, or of the one around the current
    /// directory; a repository needs no work tree.
    pub(super) fn check(&self, given: Option<&Path>, gate: Gate<'_>) -> anyhow::Result<Report> {
        let here = given.unwrap_or(Path::new("."));
        if is_bare(here)? {
            let ranges = self.ranges(here)?;
            let name = name_in_bare(here, &ranges)?;
            return each(here, &ranges, name, gate);
        }
        let tree = tree::needed(given)?;
        let ranges = self.ranges(tree.dir())?;
        ensure!(
            GitBlobs::at(tree.dir())?.is_some(),
            "{} is not the top of its repository, whose commits are of more than the kernel: check \
             patches of git format-patch --relative",
            tree.dir().display()
        );
        each(tree.dir(), &ranges, tree::name(&tree), gate)
    }

    fn ranges(&self, dir: &Path) -> anyhow::Result<Vec<Range>> {
        let ground = self.ground.as_deref();
        match (&self.git, &self.push) {
            (Some(spec), _) => commits::ranges(dir, spec, ground),
            (None, Some(file)) => commits::updates(dir, &updates(file)?, ground),
            (None, None) => {
                anyhow::bail!("--ground is for commits: give them with --git or --push")
            }
        }
    }
}

fn updates(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = io::stdin().read_to_string(&mut text);
        read.context("cannot read the push on standard input")?;
        return Ok(text);
    }
    let name = file.display();
    input::read_text(file).with_context(|| format!("cannot read the push in {name}"))
}

/// How the tree of a repository without a work tree is named: by the first of its commits
/// that are meant.
fn name_in_bare(dir: &Path, ranges: &[Range]) -> anyhow::Result<TreeName> {
    let Some(first) = ranges.first() else {
        return Ok(TreeName {
            path: dir.display().to_string(),
            version: None,
        });
    };
    let tree = GitTree::open(dir, &first.ground.unwrap_or(first.tip).to_string())?;
    check_kernel(&tree)?;
    Ok(TreeName {
        path: dir.display().to_string(),
        ..tree::name(&tree)
    })
}

/// Lints each of `ranges`, which are the repository's at `directory`.
fn each(
    directory: &Path,
    ranges: &[Range],
    tree: TreeName,
    gate: Gate<'_>,
) -> anyhow::Result<Report> {
    let show = |series: &Series, after: &dyn Tree, findings: &[Finding]| {
        entries_of_patches(series, after, findings.iter().cloned())
    };
    let mut review = Ranges::new(directory, &show);
    let mut all = Subjects::default();
    let mut last: Option<Before> = None;
    for range in ranges {
        // Mostly all are of one ground.
        let before = match last.take() {
            Some(before) if before.id == range.ground => before,
            _ => Before::read(directory, range.ground)?,
        };
        let before = last.insert(before);
        let ground = before.tree.as_ref().map(|tree| tree as &dyn Tree);
        let tip = GitTree::open(directory, &range.tip.to_string())?;
        let rules = Rules {
            zones: &gate.zones_before(directory, ground, &tip)?,
            maintainers: &before.maintainers,
        };
        let charged = review.review(range, &rules)?;
        for subject in subjects(&mut review, range, charged)? {
            all.add(subject);
        }
    }
    Ok(Report {
        tree: Some(tree),
        subjects: all.subjects,
        problems: review.problems().cloned().collect(),
        ..Report::default()
    })
}

/// The commit whose rules count, or none.
struct Before {
    id: Option<Oid>,
    tree: Option<GitTree>,
    maintainers: Maintainers,
}

impl Before {
    fn read(directory: &Path, id: Option<Oid>) -> anyhow::Result<Self> {
        let open = |id: Oid| GitTree::open(directory, &id.to_string());
        let tree = id.map(open).transpose()?;
        let maintainers = tree.as_ref().map(|tree| tree::maintainers(tree));
        Ok(Self {
            id,
            maintainers: maintainers.transpose()?.unwrap_or_default(),
            tree,
        })
    }
}

/// The commits of a range with what they brought, and the ref that was moved if that did.
fn subjects(
    review: &mut Ranges<'_, Entry>,
    range: &Range,
    charged: Vec<Charged<Entry>>,
) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for commit in &range.commits {
        let patch = Patch {
            input: commit.id.to_string(),
            subject: commit.subject.clone(),
            commit: Some(commit.id.to_string()),
            ..Patch::default()
        };
        subjects.push(Subject {
            name: patch.name(),
            called: called(&patch),
            title: patch.title().to_owned(),
            lines: review.lines(commit.id)?,
            findings: Vec::new(),
        });
    }
    let ids = range.commits.iter().map(|commit| commit.id);
    let places: BTreeMap<Oid, usize> = ids.zip(0..).collect();
    let mut moved = Vec::new();
    for one in charged {
        let place = one.commit.and_then(|id| places.get(&id));
        match place.and_then(|&place| subjects.get_mut(place)) {
            Some(subject) => subject.findings.push(one.shown),
            None => moved.push(one.shown),
        }
    }
    if !moved.is_empty() {
        subjects.push(Subject {
            name: range.name.clone(),
            called: range.name.clone(),
            title: "It is moved to what none of its commits brings".to_owned(),
            findings: moved,
            ..Subject::default()
        });
    }
    for subject in &mut subjects {
        let order = |one: &Entry, other: &Entry| one.finding.order().cmp(&other.finding.order());
        subject.findings.sort_by(order);
    }
    Ok(subjects)
}

/// What was checked, each once: a commit may be of several refs.
#[derive(Default)]
struct Subjects {
    subjects: Vec<Subject>,
    places: BTreeMap<String, usize>,
}

impl Subjects {
    fn add(&mut self, subject: Subject) {
        let next = self.subjects.len();
        let place = *self.places.entry(subject.name.clone()).or_insert(next);
        let Some(known) = self.subjects.get_mut(place) else {
            self.subjects.push(subject);
            return;
        };
        let told = |entry: &Entry| format!("{:?}", entry.finding);
        let all: BTreeSet<String> = known.findings.iter().map(told).collect();
        let new = subject.findings.into_iter();
        let new = new.filter(|entry| !all.contains(&told(entry)));
        known.findings.extend(new);
    }
}
