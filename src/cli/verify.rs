// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint verify`.

use super::check::entries::{Lines, entry_of_file};
use super::check::{Format, write_as};
use super::stream::Output;
use super::tree;
use crate::elf::{modules, open};
use crate::inventory::state::State;
use crate::output::checkpatch;
use crate::output::report::{Report, Subject};
use crate::output::status::{Counts, exit_status};
use crate::source::Tree;
use crate::tracefs;
use crate::verify::declared::Declared;
use crate::verify::evidence::{Evidence, Folder, Image, Origin, Tracefs};
use crate::verify::{self, summary};
use anyhow::bail;
use clap::Args;
use std::path::{Path, PathBuf};

const HELP: &str = "\
What a kernel has is read from the tables that it goes through itself: the tracepoints,
the trace events with the tracepoints that they hand on, the BPF raw tracepoints and the
exports. So an event that shows a bare tracepoint under another name is found, too.

A bare tracepoint with an event is an error, be it in the vmlinux, in a module or in
tracefs. So are a tracepoint of a binary that the source has not (a warning for a module
of another tree), an entry for BPF that the source does not make, and a wider export
than the source's. What a binary lacks is a warning where it is built but for that; a
tracepoint that is not built at all is only counted, as no binary says which options
it was configured with. An event that runs has to be in the vmlinux or a module if
both are given, and in the source or one of them otherwise; those of the vmlinux have to
run. Events of root's own making (kprobes, tprobes, synthetic and user events) are no
leaks; a tprobe on a bare tracepoint makes a note.

vmlinux is the ELF file with symbols: that of a build's top folder, or of a debug
package, such as /usr/lib/debug/boot/vmlinux-* of Debian's linux-image-*-dbg; no bzImage.
Modules may be packed (.ko.xz, .ko.zst, .ko.gz). Links are followed to modules outside of
the folder, not to folders. Of a tracefs only names of events, available_events and
dynamic_events are read.

Exit status: 0 if all agrees, 1 if there is an error (--strict: or a warning), 2 if
something could not be read.";

/// The command line of `verify`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// Kernel tree that it was built from; the one around the current directory if not
    /// given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// The kernel that was built, with symbols
    #[arg(long, value_name = "FILE")]
    vmlinux: Option<PathBuf>,
    /// Its modules: a folder, such as /lib/modules/RELEASE, or one module
    #[arg(long, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// A tracefs, such as /sys/kernel/tracing, a copy of one, or its available_events
    #[arg(long, value_name = "DIR")]
    tracefs: Option<PathBuf>,
    /// Shape of the output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
}

/// Holds a tree against what is given.
pub(super) fn run(arguments: &Arguments, out: &mut Output) -> anyhow::Result<u8> {
    if arguments.vmlinux.is_none() && arguments.modules.is_none() && arguments.tracefs.is_none() {
        bail!("nothing to verify: give --vmlinux FILE, --modules DIR or --tracefs DIR");
    }
    let Some(tree) = tree::open(arguments.tree.as_deref())? else {
        bail!("no kernel tree here: give the one it was built from with --tree DIR");
    };
    let evidence = evidence(arguments)?;
    let state = State::of(&tree)?;
    let name = tree::name(&tree);
    let declared = Declared::of(&state.inventory, name.version.clone());
    let findings = verify::findings(&declared, &evidence);
    let mut lines = Lines::of(&tree);
    let entries = findings
        .into_iter()
        .map(|finding| entry_of_file(&mut lines, finding));
    let report = Report {
        subjects: vec![Subject {
            name: tree.name(),
            called: tree.name(),
            findings: entries.collect(),
            ..Subject::default()
        }],
        is_whole: true,
        verified: Some(summary::of(&declared, &evidence, &name.path)),
        tree: Some(name),
        ..Report::default()
    };
    let counts = Counts::of(report.entries().map(|entry| &entry.finding));
    let status = exit_status(counts, arguments.strict, false);
    let options = checkpatch::Options {
        strict: arguments.strict,
        files: true,
        ..checkpatch::Options::default()
    };
    let pages = verify::pages()?;
    write_as(arguments.format, out, &report, options, &pages, status)?;
    Ok(status)
}

fn evidence(arguments: &Arguments) -> anyhow::Result<Evidence> {
    let mut evidence = Evidence::default();
    if let Some(path) = &arguments.vmlinux {
        evidence.images.push(Image {
            name: shown(path),
            origin: Origin::Vmlinux,
            binary: open::vmlinux(path)?,
        });
    }
    if let Some(path) = &arguments.modules {
        let found = modules::modules(path)?;
        evidence.modules = Some(Folder {
            name: shown(path),
            count: found.count,
        });
        evidence.images.extend(found.traced.into_iter().map(image));
    }
    if let Some(path) = &arguments.tracefs {
        evidence.tracefs = Some(Tracefs {
            name: shown(path),
            running: tracefs::read(path)?,
        });
    }
    Ok(evidence)
}

fn image(module: modules::Module) -> Image {
    Image {
        name: shown(&module.path),
        origin: if module.is_in_tree {
            Origin::InTree
        } else {
            Origin::OutOfTree
        },
        binary: module.binary,
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
