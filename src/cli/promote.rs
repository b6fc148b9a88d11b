// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint promote`.

use super::tree;
use crate::inventory::state::State;
use crate::output::draft::{self, Letter};
use crate::promotion::{self, Exports, Mapping, Promotion, evidence};
use crate::source::git;
use anyhow::ensure;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

const HELP: &str = "\
Writes a mail that `git am` takes: the event in the place of the hook, with what can be
recorded safely of its arguments, all uses renamed, and the people of MAINTAINERS. What
a tool cannot decide is marked by comments that start with Maintainer:, and listed below
the message. Nothing is written to the tree. Nothing is signed off: that is yours to do.

Exit status: 0 if a draft was written, 2 if not.";

/// The command line of `promote`.
#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Arguments {
    /// Bare tracepoint, with or without its _tp
    name: String,
    /// Kernel tree; the one around the current directory if not given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// What becomes of the hook's export to modules
    #[arg(long, value_enum, default_value_t = Export::Keep)]
    export: Export,
    /// Who the mail is from, as `Name <address>`; git's user if not given
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Export {
    /// The tracepoint stays exported, under the event's name
    Keep,
    /// It is no longer exported: whoever attached to it is to use the event
    Drop,
}

/// Stands for whoever sends the draft, where nobody is known.
const NOBODY: &str = "Your Name <you@example.org>";

/// Drafts the patch.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<u8> {
    let tree = tree::needed(arguments.tree.as_deref())?;
    let from = arguments.from.clone().or_else(|| git::identity(tree.dir()));
    let from = from.unwrap_or_else(|| NOBODY.to_owned());
    ensure!(
        from.contains('<') && from.ends_with('>'),
        "--from {from} is not of the form \"Name <address>\""
    );
    let exports = match arguments.export {
        Export::Keep => Exports::Keep,
        Export::Drop => Exports::Drop,
    };
    let state = State::of(&tree)?;
    let mapping = Mapping::built_in()?;
    let promotion = promotion::draft(&tree, &state, &mapping, &arguments.name, exports)?;
    let mut message = vec![introduction(&promotion)];
    message.extend(evidence::paragraphs(&promotion, &state.inventory)?);
    message.push(evidence::promise(&promotion));
    message.push(evidence::exports(&promotion));
    let contacts = tree::maintainers(&tree)?.contacts(&covered(&promotion));
    let letter = Letter {
        from: &from,
        contacts: &contacts,
        message: &message,
    };
    draft::write(out, &promotion, &letter)?;
    Ok(0)
}

fn introduction(promotion: &Promotion) -> String {
    format!(
        "{} is a bare tracepoint: a hook without a trace event. Make it the trace event {}, \
         which tracefs and perf show.",
        promotion.hook.name(),
        promotion.event
    )
}

/// The files whose maintainers have a say: those that change, and the one that makes
/// the tracepoint.
fn covered(promotion: &Promotion) -> BTreeSet<&str> {
    let changed = promotion.files.keys().map(String::as_str);
    let made = promotion.hook.definitions.iter().map(|one| &*one.file);
    changed.chain(made).collect()
}
