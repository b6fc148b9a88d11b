// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint report`.

use super::tree;
use crate::consumers::{self, Names, Use};
use crate::history::{self, History};
use crate::inventory::snapshot::{Knows, Snapshot};
use crate::inventory::state::State;
use crate::kernel::version::KernelVersion;
use crate::output::hooks::{self as output, Hooks};
use crate::report::{Sources, Thresholds, gather, judge};
use crate::source::disk::DiskTree;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
Says of every bare hook who uses it, since when it is there and how often it changed,
what a trace event would freeze, and what follows: promote, retire, watch or keep bare.
The formula and its inputs are printed with the verdicts; its numbers are data
(rules/report.toml). Where there is no evidence it says so, and does not guess.

A folder of --consumers is one consumer, by its name, or holds several: then each
repository in it is one. The past is read from git where the tree is a repository, by
the first parents and with tags as releases; otherwise from the embedded profiles.

Exit status: 0 if the report was written, 2 if not.";

/// The command line of `report`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// Kernel tree; the one around the current directory if not given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Look no further back in git than to this revision
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// Folder with modules, BPF programs or scripts that may use the hooks
    #[arg(long, value_name = "DIR")]
    consumers: Vec<PathBuf>,
    /// Shape of the output
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown, for a mail
    Md,
    /// One page that needs nothing else
    Html,
    /// For programs (schema 1)
    Json,
}

/// Reports on the bare hooks of a tree.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<u8> {
    let tree = tree::needed(arguments.tree.as_deref())?;
    let state = State::of(&tree)?;
    let name = tree::name(&tree);
    let history = past(
        &tree,
        &state,
        name.version.as_deref(),
        arguments.since.as_deref(),
    )?;
    let consumers = uses(arguments, &state)?;
    let evidence = gather(&Sources {
        tree: &tree,
        inventory: &state.inventory,
        version: name.version.as_deref().and_then(KernelVersion::parse),
        consumers: consumers.as_deref(),
        history: &history,
    })?;
    let thresholds = Thresholds::built_in()?;
    let folders = arguments.consumers.iter();
    let folders: Vec<String> = folders.map(|one| one.display().to_string()).collect();
    let report = Hooks {
        tree: name,
        consumers: &folders,
        history: &history,
        thresholds,
        hooks: evidence
            .into_iter()
            .map(|one| {
                let judgement = judge(&one, &thresholds);
                (one, judgement)
            })
            .collect(),
    };
    match arguments.format {
        Format::Md => output::markdown(out, &report)?,
        Format::Html => output::html(out, &report)?,
        Format::Json => output::json(out, &report)?,
    }
    Ok(0)
}

fn past(
    tree: &DiskTree,
    state: &State,
    version: Option<&str>,
    since: Option<&str>,
) -> anyhow::Result<History> {
    let names = || state.inventory.bare_names();
    if let Some(history) = history::of_git(tree.dir(), since, state, names())? {
        return Ok(history);
    }
    if let Some(since) = since {
        bail!(
            "--since {since}: {} is no git repository, or has no commit yet",
            tree.dir().display()
        );
    }
    let now = Snapshot::of(&state.inventory, Knows::default());
    history::of_profiles(&now, version, names())
}

/// The uses in all folders of consumers; `None` if there are no folders.
fn uses(arguments: &Arguments, state: &State) -> anyhow::Result<Option<Vec<Use>>> {
    if arguments.consumers.is_empty() {
        return Ok(None);
    }
    let names = Names::of(&state.inventory);
    let mut uses = Vec::new();
    for folder in &arguments.consumers {
        let found = consumers::read(folder, &names);
        uses.extend(found.with_context(|| format!("--consumers {}", folder.display()))?);
    }
    uses.sort();
    uses.dedup();
    Ok(Some(uses))
}
