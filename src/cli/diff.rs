// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint diff`.

use super::stream::Output;
use super::tree;
use crate::consumers::porting::Kernels;
use crate::consumers::{self, Names, Reading, Use};
use crate::inventory::difference::{self, Change};
use crate::inventory::snapshot::{Knows, Snapshot};
use crate::inventory::state::State;
use crate::inventory::{profiles, saved};
use crate::kernel::profile::Profile;
use crate::kernel::version::KernelVersion;
use crate::output::difference::{self as output, Side};
use crate::output::porting::{self, Consumer};
use crate::source::Tree;
use crate::source::disk::DiskTree;
use crate::source::git::GitTree;
use crate::source::input;
use crate::source::kernel_root::check_kernel;
use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const HELP: &str = "\
OLD and NEW are each one of these, in any mix; the first that fits counts:
  6.1, 6.12, 7.3   an embedded profile, which needs no tree (./6.12 is the folder)
  DIR              a kernel tree
  FILE             what `barepoint list --format json` wrote, not narrowed to a part
                   but for --bare: then only bare hooks are compared
  REV              a revision of the git repository of --tree or around here
  DIR@REV          a revision of the git repository of DIR

Real names are compared: foo_tp is the same whether the macro appended the _tp or the
declaration has it. A tracepoint counts as renamed if its prototype and its file (or
trace system) stayed and the names are alike; where the declaration before or after
it stayed as well, less alike will do. That is a guess: check it. Profiles know neither
conditions nor call sites; what only one side knows is no difference.

With --consumers, what is shown is what the author of a module, a BPF program or a
script has to mend: every use in DIR that will not compile, load or fire in NEW, and
what to write instead. A place that #if leaves out for NEW's version is none. DIR is one
consumer, or a folder of several: where it is no git repository but has some, each of
its subfolders is one.

Exit status: 0 if nothing differs (of what --bare lets through; with --consumers: if no
use breaks), 1 if something does, 2 if a side or a consumer could not be read.";

/// The command line of `diff`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// What to compare from
    old: String,
    /// What to compare to
    new: String,
    /// Repository that revisions are of; the one around the current directory if not
    /// given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Only hooks that are bare on one side at least
    #[arg(long)]
    bare: bool,
    /// Folder of what uses tracepoints: show what breaks in it, and how to mend it; may be
    /// given several times
    #[arg(long, value_name = "DIR", conflicts_with = "bare")]
    consumers: Vec<PathBuf>,
    /// Shape of the output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Compares the tracepoints of two kernels.
pub(super) fn run(arguments: &Arguments, out: &mut Output) -> anyhow::Result<u8> {
    let repository = arguments.tree.as_deref();
    let (old, before) = side(&arguments.old, repository)?;
    let (new, after) = side(&arguments.new, repository)?;
    let mut changes = difference::between(&before, &after)?;
    if !arguments.consumers.is_empty() {
        let sides = [(&old, &before), (&new, &after)];
        return port(arguments, sides, &changes, out);
    }
    if arguments.bare {
        changes.retain(Change::is_about_bare);
    }
    match arguments.format {
        Format::Human => output::human(&mut out.styled(), &old, &new, &changes)?,
        Format::Json => output::json(out, &old, &new, &changes)?,
    }
    Ok(u8::from(!changes.is_empty()))
}

/// Shows what the changes mean for consumers.
fn port(
    arguments: &Arguments,
    [(old, before), (new, after)]: [(&Side, &Snapshot); 2],
    changes: &[Change<'_>],
    out: &mut Output,
) -> anyhow::Result<u8> {
    let hooks = before.hooks.iter().chain(&after.hooks);
    let names = Names::exactly(hooks.map(|hook| hook.name.as_str()));
    let mut folders = Vec::new();
    for folder in &arguments.consumers {
        folders.push((folder, consumers::reading(folder, &names)?));
    }
    let version = new.version.as_deref().and_then(KernelVersion::parse);
    let kernels = Kernels::new(before, after, changes, version);
    let consumers: Vec<Consumer<'_>> = folders
        .iter()
        .flat_map(|(folder, reading)| in_folder(folder, reading, &kernels))
        .collect();
    match arguments.format {
        Format::Human => porting::human(&mut out.styled(), old, new, &consumers)?,
        Format::Json => porting::json(out, old, new, changes, &consumers)?,
    }
    Ok(u8::from(porting::breaks(&consumers)))
}

/// The consumers of one folder, by name. One that has no use is there, too.
fn in_folder<'a>(folder: &Path, reading: &'a Reading, kernels: &Kernels<'a>) -> Vec<Consumer<'a>> {
    let used = reading.uses.iter().map(|one| one.consumer.as_str());
    let skipped = reading.skipped.iter().map(|one| one.consumer.as_str());
    let mut names: BTreeSet<&str> = used.chain(skipped).collect();
    let given = folder.display().to_string();
    if names.is_empty() {
        names.insert(&given);
    }
    let consumer = |name: &str| {
        let uses: Vec<&Use> = reading
            .uses
            .iter()
            .filter(|one| one.consumer == name)
            .collect();
        Consumer {
            name: name.to_owned(),
            uses: uses.len(),
            porting: kernels.porting(&uses),
            skipped: reading
                .skipped
                .iter()
                .filter(|one| one.consumer == name)
                .collect(),
        }
    };
    names.into_iter().map(consumer).collect()
}

/// Reads what `given` means.
fn side(given: &str, repository: Option<&Path>) -> anyhow::Result<(Side, Snapshot)> {
    let path = Path::new(given);
    if Profile::names().any(|name| name == given) {
        embedded(given)
    } else if path.is_dir() {
        let tree = DiskTree::open(path)?;
        of_tree(given, "tree", &tree)
    } else if path.exists() {
        list(given)
    } else {
        let tree = revision(given, repository)?;
        of_tree(given, "revision", &tree)
    }
}

fn embedded(name: &str) -> anyhow::Result<(Side, Snapshot)> {
    let profile = Profile::embedded(name)?;
    let knows = Knows {
        conditions: false,
        call_sites: false,
        ..Knows::default()
    };
    let snapshot = Snapshot::of(&profiles::state(&profile).inventory, knows);
    Ok(with_origin(
        name,
        "profile",
        Some(profile.version),
        snapshot,
    ))
}

fn of_tree(given: &str, from: &'static str, tree: &dyn Tree) -> anyhow::Result<(Side, Snapshot)> {
    check_kernel(tree)?;
    let snapshot = Snapshot::of(&State::of(tree)?.inventory, Knows::default());
    Ok(with_origin(given, from, tree::name(tree).version, snapshot))
}

/// The most bytes of a saved list: three times that of a kernel.
const MOST: usize = 32 << 20;

fn list(given: &str) -> anyhow::Result<(Side, Snapshot)> {
    let text = input::read(Path::new(given)).with_context(|| format!("cannot read {given}"))?;
    if text.len() > MOST {
        bail!("{given}: more than {} MiB are no saved list", MOST >> 20);
    }
    let (version, snapshot) = saved::read(&text).with_context(|| given.to_owned())?;
    Ok(with_origin(given, "saved", version, snapshot))
}

fn with_origin(
    given: &str,
    from: &'static str,
    version: Option<String>,
    snapshot: Snapshot,
) -> (Side, Snapshot) {
    let side = Side {
        path: given.to_owned(),
        from,
        version,
        knows: snapshot.knows,
    };
    (side, snapshot)
}

/// `DIR@REV`, or a revision of `repository`. An `@` of git's own, as in `HEAD@{1}`,
/// has no folder before it.
fn revision(given: &str, repository: Option<&Path>) -> anyhow::Result<GitTree> {
    if let Some((folder, revision)) = given.split_once('@')
        && !folder.is_empty()
        && Path::new(folder).is_dir()
    {
        return GitTree::open(Path::new(folder), revision);
    }
    let folder = repository.unwrap_or(Path::new("."));
    GitTree::open(folder, given).map_err(|error| {
        let profiles = Profile::names().collect::<Vec<_>>().join(", ");
        anyhow!(
            "\"{given}\" is no folder, no file, no embedded profile ({profiles}) and no \
             revision: {error}"
        )
    })
}
