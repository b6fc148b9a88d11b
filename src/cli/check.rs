// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check`.

use super::{complain, tree};
use crate::inventory::profiles;
use crate::inventory::state::State;
use crate::inventory::vicinity::Vicinity;
use crate::kernel::maintainers::Maintainers;
use crate::kernel::semantics::is_framework_header;
use crate::output::report::{Entry, Report, Shown, Subject};
use crate::output::status::{Counts, exit_status};
use crate::output::{checkpatch, human, json};
use crate::rules::engine::{self, check_series, check_state};
use crate::rules::finding::Finding;
use crate::rules::review::{Review, Sight};
use crate::rules::{changes, zones::Zones};
use crate::source::Tree;
use crate::source::commits::{CommitPatch, resolve_range};
use crate::source::disk::DiskTree;
use crate::source::git::{GitBlobs, GitTree};
use crate::source::input;
use crate::source::overlay::OverlayTree;
use crate::source::patch::{LineKind, Patch, Problem};
use crate::source::series::{Blobs, Series};
use anyhow::bail;
use clap::{ArgAction, Args, ValueEnum};
use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The command line of `check`.
#[derive(Args)]
pub(super) struct Arguments {
    /// Kernel tree; the one around the current directory if not given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Shape of the output: human on a terminal and checkpatch with one of its
    /// options, if not given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Zones that override or add to the built-in ones
    #[arg(long, value_name = "FILE")]
    zones: Option<PathBuf>,
    /// Read the whole tree for patches, too, and not only what the changed files
    /// can see: name clashes with unrelated drivers need it
    #[arg(long)]
    whole_tree: bool,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    /// Lint commits of the tree's repository: REV, A..B or REV-N, the last N of REV
    #[arg(long, value_name = "REV", conflicts_with = "inputs")]
    git: Option<String>,
    #[command(flatten)]
    shape: Shape,
    /// Patches, folders of patches, mboxes, or - for standard input
    #[arg(value_name = "PATCH")]
    inputs: Vec<PathBuf>,
}

/// checkpatch's options.
#[derive(Args)]
#[command(next_help_heading = "Options of scripts/checkpatch.pl")]
struct Shape {
    /// One line a finding
    #[arg(long)]
    terse: bool,
    /// Start each finding with the input's name and line
    #[arg(long)]
    emacs: bool,
    /// Start each finding with the kernel file's name and line
    #[arg(long)]
    showfile: bool,
    /// Name the rule
    #[arg(long)]
    show_types: bool,
    /// Say less
    #[arg(short, long, action = ArgAction::Count)]
    quiet: u8,
    /// Leave out the line that counts
    #[arg(long)]
    no_summary: bool,
    /// Print nothing for an input without findings
    #[arg(long)]
    mailback: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Checkpatch,
    Json,
}

impl Arguments {
    fn format(&self) -> Format {
        let shape = &self.shape;
        let shaped = shape.terse
            || shape.emacs
            || shape.showfile
            || shape.show_types
            || shape.mailback
            || shape.quiet > 0
            || shape.no_summary;
        self.format.unwrap_or(if shaped {
            Format::Checkpatch
        } else {
            Format::Human
        })
    }

    fn options(&self, files: bool) -> checkpatch::Options {
        let shape = &self.shape;
        checkpatch::Options {
            terse: shape.terse,
            emacs: shape.emacs,
            showfile: shape.showfile,
            show_types: shape.show_types,
            quiet: shape.quiet,
            no_summary: shape.no_summary,
            mailback: shape.mailback,
            strict: self.strict,
            files,
        }
    }
}

/// Lints what the command line names.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<u8> {
    let tree = tree::open(arguments.tree.as_deref())?;
    let zones = tree::zones(
        tree.as_ref().map(|tree| tree as &dyn Tree),
        arguments.zones.as_deref(),
    )?;
    let mut problems = Vec::new();
    let mut report = match (&arguments.git, &tree) {
        (Some(range), Some(tree)) => commits(tree, range, &zones)?,
        (Some(_), None) => bail!("--git needs a kernel tree: give one with --tree DIR"),
        (None, Some(tree)) if arguments.inputs.is_empty() => whole(tree, &zones)?,
        (None, None) if arguments.inputs.is_empty() => {
            bail!("nothing to check: give patches, or a kernel tree with --tree DIR")
        }
        (None, _) => patches(
            tree.as_ref(),
            &arguments.inputs,
            &zones,
            arguments.whole_tree,
            &mut problems,
        )?,
    };
    report.incomplete = !problems.is_empty();
    match arguments.format() {
        Format::Human => human::write(out, &report, arguments.strict)?,
        Format::Checkpatch => {
            let files = arguments.git.is_none() && arguments.inputs.is_empty();
            checkpatch::write(out, &report, arguments.options(files))?;
        }
        Format::Json => json::write(out, &report)?,
    }
    out.flush()?;
    for problem in &problems {
        complain(&problem.to_string());
    }
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    Ok(exit_status(counts, arguments.strict, !problems.is_empty()))
}

/// A whole tree as it stands.
fn whole(tree: &DiskTree, zones: &Zones) -> anyhow::Result<Report> {
    let state = State::of(tree)?;
    let sight = Sight {
        state: &state,
        tree,
        zones,
        touched: None,
    };
    let findings = check_state(&sight);
    let entries = findings
        .into_iter()
        .map(|finding| entry_of_file(tree, finding));
    let subject = Subject {
        name: tree.name(),
        called: tree.name(),
        lines: 0,
        findings: entries.collect(),
        title: String::new(),
    };
    Ok(Report {
        tree: Some(tree::name(tree)),
        subjects: vec![subject],
        ..Report::default()
    })
}

fn entry_of_file(tree: &dyn Tree, finding: Finding) -> Entry {
    let source = line_of(tree, &finding.place.file, finding.place.line);
    Entry {
        shown: source.clone().map(|text| Shown {
            input_line: finding.place.line,
            text,
        }),
        source,
        finding,
    }
}

fn line_of(tree: &dyn Tree, path: &str, line: u32) -> Option<String> {
    let text = tree.read(path).ok().flatten()?;
    let bytes = text
        .split(|&byte| byte == b'\n')
        .nth(line.checked_sub(1)? as usize)?;
    Some(
        String::from_utf8_lossy(bytes)
            .trim_end_matches('\r')
            .to_owned(),
    )
}

/// Patches as one series.
fn patches(
    tree: Option<&DiskTree>,
    inputs: &[PathBuf],
    zones: &Zones,
    whole_tree: bool,
    problems: &mut Vec<Problem>,
) -> anyhow::Result<Report> {
    let loaded = input::load(inputs, &mut io::stdin());
    problems.extend(loaded.problems);
    if loaded.patches.is_empty() {
        return Ok(Report::default());
    }
    let blobs = match tree {
        Some(tree) => GitBlobs::at(tree.dir())?,
        None => None,
    };
    let base = tree.map(|tree| tree as &dyn Tree);
    let series = Series::resolve(
        loaded.patches,
        base,
        blobs.as_ref().map(|blobs| blobs as &dyn Blobs),
    );
    problems.extend(series.problems.iter().cloned());
    let (first, maintainers, profile) = match tree {
        Some(tree) => {
            let first = first_state(tree, &series, whole_tree)?;
            (first, maintainers_before(tree, &series), None)
        }
        None => {
            let count = series.patches.len();
            let all: Vec<_> = (0..count)
                .map(|patch| changes::of_patch(&series, patch))
                .collect();
            let (profile, state) = profiles::fitting(&all)?;
            (state, profile.maintainers(), Some(profile.version))
        }
    };
    let first = first.after(&changes::before(&series), base)?;
    let mut report = review(&series, first, base, zones, &maintainers)?;
    report.tree = tree.map(|tree| tree::name(tree));
    report.profile = profile;
    Ok(report)
}

/// The state before the series, of the part of the tree that decides about it.
/// The tracing core means all files, and is read with them.
fn first_state(tree: &DiskTree, series: &Series, whole_tree: bool) -> anyhow::Result<State> {
    let before = OverlayTree::after(Some(tree), series, 0);
    let touched: BTreeSet<&str> = before.files().keys().map(String::as_str).collect();
    if whole_tree || touched.iter().any(|path| is_framework_header(path)) {
        return State::of(tree);
    }
    let names = profiles::files_that_declare(&declared_by(series))?;
    State::of(&Vicinity::of(&before, &touched, &names)?)
}

/// The words in lines that the series adds, some of which it declares: other
/// files may declare them, too.
fn declared_by(series: &Series) -> BTreeSet<String> {
    let changes = series.patches.iter().flat_map(|patch| &patch.changes);
    let lines = changes
        .flat_map(|change| &change.hunks)
        .flat_map(|hunk| &hunk.lines);
    let added = lines.filter(|line| line.kind == LineKind::Added);
    let mut words = BTreeSet::new();
    for line in added {
        let text = String::from_utf8_lossy(&line.text);
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.extend(split.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

/// MAINTAINERS as it was before the series, which may change it.
fn maintainers_before(tree: &dyn Tree, series: &Series) -> Maintainers {
    tree::maintainers(&OverlayTree::after(Some(tree), series, 0))
}

/// Lints one series from the state before it.
fn review(
    series: &Series,
    first: State,
    tree: Option<&dyn Tree>,
    zones: &Zones,
    maintainers: &Maintainers,
) -> anyhow::Result<Report> {
    let subject = engine::Subject { series, tree };
    let states = engine::states(first, &subject)?;
    let introduced = |path: &str, line: u32| {
        let (step, _) = series.introduced(path, line)?;
        series.steps.get(step).map(|step| step.patch)
    };
    let review = Review {
        states: &states,
        patches: &series.patches,
        zones,
        maintainers,
        introduced: &introduced,
    };
    let findings = check_series(&review, &subject);
    let after = OverlayTree::after(tree, series, series.patches.len());
    let mut subjects: Vec<Subject> = series.patches.iter().map(subject_of).collect();
    for finding in findings {
        let patch = finding.patch.unwrap_or(0);
        let entry = entry_of_patch(series, &after, finding);
        if let Some(subject) = subjects.get_mut(patch) {
            subject.findings.push(entry);
        }
    }
    Ok(Report {
        subjects,
        ..Report::default()
    })
}

fn subject_of(patch: &Patch) -> Subject {
    let title = patch.title().to_owned();
    let called = match &patch.commit {
        Some(id) if patch.input == *id => {
            format!("Commit {} (\"{title}\")", id.get(..12).unwrap_or(id))
        }
        _ if patch.input == "-" && !patch.subject.is_empty() => format!("\"{}\"", patch.subject),
        _ => patch.name(),
    };
    let hunks = patch.changes.iter().flat_map(|change| &change.hunks);
    Subject {
        name: patch.name(),
        called,
        lines: hunks.map(|hunk| hunk.lines.len()).sum(),
        findings: Vec::new(),
        title,
    }
}

fn entry_of_patch(series: &Series, after: &dyn Tree, finding: Finding) -> Entry {
    let place = &finding.place;
    let shown = series
        .introduced(&place.file, place.line)
        .map(|(_, line)| line)
        .or_else(|| nearest(series, &place.file, place.line))
        .map(|line| Shown {
            input_line: line.line,
            text: line.verbatim(),
        });
    Entry {
        source: line_of(after, &place.file, place.line),
        shown,
        finding,
    }
}

/// A line of a patch that shows line `line` of the final text.
fn nearest<'s>(
    series: &'s Series,
    path: &str,
    line: u32,
) -> Option<&'s crate::source::patch::DiffLine> {
    let last = series
        .steps
        .iter()
        .rposition(|step| step.path.as_deref() == Some(path))?;
    series.diff_line(last, line)
}

/// Commits, each against its first parent.
fn commits(tree: &DiskTree, spec: &str, zones: &Zones) -> anyhow::Result<Report> {
    let range = resolve_range(tree.dir(), spec)?;
    let progress = io::stderr().is_terminal();
    let total = range.commits.len();
    let mut report = Report {
        tree: Some(tree::name(tree)),
        ..Report::default()
    };
    let mut walk = Walk::new(tree.dir());
    for (index, commit) in range.commits.iter().enumerate() {
        if progress {
            eprint!("\r{}/{total} {} ", index + 1, commit.short_id);
        }
        report.subjects.extend(walk.check(commit, zones)?.subjects);
    }
    if progress {
        eprint!("\r\x1b[K");
    }
    report.skipped = range
        .merges
        .iter()
        .map(|merge| {
            format!(
                "{} (\"{}\")",
                merge.id.get(..12).unwrap_or(&merge.id),
                merge.subject
            )
        })
        .collect();
    Ok(report)
}

/// The state at one commit, from which the next is not far.
struct Walk<'a> {
    directory: &'a Path,
    at: Option<(String, State)>,
}

impl<'a> Walk<'a> {
    fn new(directory: &'a Path) -> Self {
        Self {
            directory,
            at: None,
        }
    }

    fn check(&mut self, commit: &CommitPatch, zones: &Zones) -> anyhow::Result<Report> {
        let Some(parent) = &commit.parent else {
            bail!(
                "commit {} has no parent to be checked against",
                commit.short_id
            );
        };
        let base = GitTree::open(self.directory, parent)?;
        let blobs = GitBlobs::around(self.directory)?;
        let series = Series::resolve(vec![commit.patch.clone()], Some(&base), Some(&blobs));
        let first = match self.at.take() {
            Some((id, state)) if id == *parent => state,
            _ => State::of(&base)?,
        };
        let maintainers = tree::maintainers(&base);
        let report = review(&series, first.clone(), Some(&base), zones, &maintainers)?;
        let after = OverlayTree::after(Some(&base), &series, 1);
        let next = first.after(&changes::of_patch(&series, 0), Some(&after))?;
        if let Some(id) = &commit.patch.commit {
            self.at = Some((id.clone(), next));
        }
        Ok(report)
    }
}
