// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint list`.

use super::tree;
use crate::globs::Globs;
use crate::inventory::profiles;
use crate::inventory::resolve::Tracepoint;
use crate::inventory::scan::is_source;
use crate::inventory::state::State;
use crate::output::list;
use crate::rules::zones::Zones;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

const HELP: &str = "\
Every tracepoint that the tree's sources declare, whatever its configuration: how user
space can see it, by which macro it is made, and where it is defined, exported, called
and attached to. What is printed as JSON, `barepoint diff` takes for a tree.

Exit status: 0 if the list is whole, also if nothing matches, 2 if the tree or a part of
it could not be read.";

/// The command line of `list`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// Kernel tree; the one around the current directory if not given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Only tracepoints without a trace event of their own
    #[arg(long, conflicts_with = "event")]
    bare: bool,
    /// Only trace events
    #[arg(long)]
    event: bool,
    /// Only those declared in files that match, or below a folder; `*` does not cross a
    /// slash
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
    /// Only those whose real name matches
    #[arg(long, value_name = "GLOB")]
    name: Option<String>,
    /// Read the kernel copies and tests below tools/, too
    #[arg(long)]
    tools: bool,
    /// Shape of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: how visible each is, and where
    Table,
    /// All that is known, for programs (schema 1)
    Json,
    /// For spreadsheets
    Csv,
    /// What rules/kernels/ has of a release
    #[value(hide = true)]
    Profile,
}

/// Lists the tracepoints of a tree.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<u8> {
    let tree = tree::needed(arguments.tree.as_deref())?;
    let path = arguments.path.as_deref().map(paths).transpose()?;
    let name = arguments.name.as_deref().map(Globs::of_name).transpose()?;
    let tools = arguments.tools;
    let state = State::of_where(&tree, &|path| {
        is_source(path) || tools && path.strip_prefix("tools/").is_some_and(is_source)
    })?;
    // The process ends; to give its memory back piece by piece takes a while.
    let state = ManuallyDrop::new(state);
    let wanted = |one: &&Tracepoint| {
        (!arguments.bare || one.is_bare())
            && (!arguments.event || !one.is_bare())
            && path.as_ref().is_none_or(|globs| globs.is_match(&one.file))
            && name.as_ref().is_none_or(|glob| glob.is_match(one.name()))
    };
    let found: Vec<&Tracepoint> = state
        .inventory
        .tracepoints
        .iter()
        .map(|one| &**one)
        .filter(wanted)
        .collect();
    match arguments.format {
        Format::Table => list::table(out, &found)?,
        Format::Json => list::json(out, Some(&tree::name(&tree)), &found)?,
        Format::Csv => list::csv(out, &found)?,
        Format::Profile => {
            let zones = Zones::built_in()?;
            let sections: Vec<&str> = zones.iter().map(|zone| zone.section.as_str()).collect();
            let version = tree::name(&tree).version.unwrap_or_default();
            let profile =
                profiles::profile(&state, &version, &tree::maintainers(&tree)?, &sections);
            writeln!(out, "{}", profile.to_json()?)?;
        }
    }
    Ok(0)
}

/// What `--path` means: a path as the shell completes it, `./include/trace/events/`, is
/// all that is below it.
fn paths(pattern: &str) -> anyhow::Result<Globs> {
    let path = pattern.trim_start_matches("./").trim_end_matches('/');
    let is_folder = pattern.ends_with('/') || !path.contains(['*', '?', '[', '{', '\\']);
    let below = match path {
        "" | "." if is_folder && !pattern.is_empty() => "**".to_owned(),
        _ => format!("{path}/**"),
    };
    Globs::of_paths(std::iter::once(path).chain(is_folder.then_some(below.as_str())))
}
