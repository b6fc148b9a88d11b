// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint check`.

mod choice;
mod commits;
pub(super) mod entries;
mod patches;
mod united;

use super::stream::Output;
use super::tree::Gate;
use super::{complain, complain_of, tree, watch};
use crate::inventory::state::State;
use crate::output::report::{Report, Subject};
use crate::output::status::{Counts, exit_status};
use crate::output::{b4, checkpatch, github, gitlab, human, json, sarif};
use crate::rules::approval::Approvals;
use crate::rules::engine::check_state;
use crate::rules::page::Page;
use crate::rules::pages;
use crate::rules::review::Sight;
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::input::{self, Loaded};
use anyhow::bail;
use choice::Chosen;
use clap::{ArgAction, Args, ValueEnum};
use commits::Commits;
use entries::{Lines, entry_of_file};
use patches::patches;
use std::io::{self, Write};
use std::path::PathBuf;

const USAGE: &str = "\
barepoint check [OPTIONS] [--tree DIR] PATCH...
       barepoint check [OPTIONS] [--tree DIR] --git REV
       barepoint check [OPTIONS] [--tree DIR]";

const HELP: &str = "\
Patches are linted as one series, in the order in which they are given: a finding is one
that the series brings, and is said of the patch that does. They may be mails, mboxes or
plain diffs, applied already or not. Without a tree, they are held against the embedded
profile of the release that fits best. Commits are a series, too: what is there at the end
of a range and was not before it is said of the commit that brings it, a merge if none of
its parents does, and of a root everything is new. Without patches and commits, the whole
tree is linted, as it stands.

The rules are listed by barepoint explain, which says of each why it is there and how to
mend what it found. Where a finding is meant to stay, a comment with the reason allows it:
  /* barepoint: allow(missing-export): only RV attaches to it */

Files:
  .barepoint.toml   at the tree's top: zones that override or add to the built-in ones,
                    and [levels] that make a rule \"error\", \"warning\", \"note\" or \"off\".
                    For patches and commits it counts as it was before all of them, and
                    for a push as in the receiver's HEAD before it. Files of --zones and
                    --baseline in the tree do, too. A change of any needs approval.

Examples:
  barepoint check *.patch
  git show --format=email | barepoint check --terse --showfile -
  barepoint check --tree ~/linux --git v7.3..HEAD --format sarif
  barepoint check --tree linux.git --push - --strict    (in a pre-receive hook)
  barepoint check --tree ~/linux --types promotion,event-in-zone --strict

Exit status: 0 if there is no error (--strict: and no warning), 1 if there are, 2 if
something could not be checked, be it one patch of many.";

/// The command line of `check`.
#[derive(Args)]
#[command(override_usage = USAGE, after_long_help = HELP)]
pub(super) struct Arguments {
    /// Patches, folders of patches, mboxes, or - for standard input
    #[arg(value_name = "PATCH")]
    inputs: Vec<PathBuf>,
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
    /// What lowers a finding to a note: trailers of maintainers, which are claims, or
    /// nothing, for mail from strangers
    #[arg(long, value_enum, value_name = "WHAT", default_value = "trailers")]
    approvals: Counted,
    /// Read the whole tree for patches, too, and not only what the changed files
    /// can see: name clashes with unrelated drivers need it
    #[arg(long)]
    whole_tree: bool,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    commits: Commits,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    shape: Shape,
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

/// What counts as an approval.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Counted {
    /// Acked-by, Reviewed-by and Signed-off-by of a maintainer
    Trailers,
    /// Nothing
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: the source line with a caret
    Human,
    /// What scripts/checkpatch.pl prints
    Checkpatch,
    /// Schema 1 of barepoint's own
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// Code quality report of GitLab
    Gitlab,
    /// What b4 review reads from its check commands
    B4,
}

/// Writes `report`, of a run that ends with `status`, whose findings `pages` are about.
pub(super) fn write_as(
    format: Format,
    out: &mut Output,
    report: &Report,
    options: checkpatch::Options,
    pages: &[Page],
    status: u8,
) -> anyhow::Result<()> {
    match format {
        Format::Human => human::write(&mut out.styled(), report, options.strict)?,
        Format::Checkpatch => checkpatch::write(&mut out.styled(), report, options)?,
        Format::Json => json::write(out, report)?,
        Format::Sarif => sarif::write(out, report, pages, status)?,
        Format::Github => github::write(out, report)?,
        Format::Gitlab => gitlab::write(out, report)?,
        Format::B4 => b4::write(out, report, options.strict)?,
    }
    Ok(())
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

    /// Reads the patches.
    fn load(&self) -> Loaded {
        let mut loaded = input::load(&self.inputs, &mut io::stdin());
        // b4 gives the command for a series its cover letter alone.
        if loaded.only_covers && self.format() == Format::B4 {
            loaded.problems.clear();
        }
        loaded
    }

    /// Lints what is to be linted.
    fn review(&self) -> anyhow::Result<Report> {
        let gate = Gate {
            zones: self.zones.as_deref(),
            baseline: self.chosen.baseline(),
            approvals: match self.approvals {
                Counted::Trailers => Approvals::Trailers,
                Counted::None => Approvals::None,
            },
        };
        if self.commits.are_meant() {
            return self.commits.check(self.tree.as_deref(), gate);
        }
        match tree::open(self.tree.as_deref())? {
            Some(tree) if self.inputs.is_empty() => whole(&tree, gate),
            None if self.inputs.is_empty() => {
                bail!("nothing to check: give patches, or a kernel tree with --tree DIR")
            }
            tree => {
                let loaded = self.load();
                watch::allow_patches(loaded.patches.len());
                patches(tree.as_ref(), loaded, gate, self.whole_tree)
            }
        }
    }

    fn write(&self, out: &mut Output, report: &Report, status: u8) -> anyhow::Result<()> {
        let files = !self.commits.are_meant() && self.inputs.is_empty();
        let options = self.options(files);
        write_as(self.format(), out, report, options, &pages()?, status)
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
pub(super) fn run(arguments: &Arguments, out: &mut Output) -> anyhow::Result<u8> {
    let choice = arguments.chosen.read()?;
    let mut report = arguments.review()?;
    choice.apply(&mut report)?;
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    let status = exit_status(counts, arguments.strict, report.is_incomplete());
    arguments.write(out, &report, status)?;
    out.flush()?;
    for notice in &report.notices {
        complain(notice);
    }
    complain_of(&report.problems);
    Ok(status)
}

/// A whole tree as it stands.
fn whole(tree: &DiskTree, gate: Gate<'_>) -> anyhow::Result<Report> {
    let zones = tree::zones(Some(tree), gate)?;
    let state = State::of(tree)?;
    let findings = check_state(&Sight::of_tree(&state, tree, &zones));
    let mut lines = Lines::of(tree);
    let entries = findings
        .into_iter()
        .map(|finding| entry_of_file(&mut lines, finding));
    let subject = Subject {
        name: tree.name(),
        called: tree.name(),
        lines: 0,
        findings: entries.collect(),
        title: String::new(),
    };
    Ok(Report {
        tree: Some(tree::name(tree)),
        is_whole: true,
        subjects: vec![subject],
        ..Report::default()
    })
}
