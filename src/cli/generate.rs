// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint completions` and `barepoint man`: from the one tree of clap's.

use super::manual;
use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The command line of `completions`.
#[derive(Args)]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

/// The command line of `man`.
#[derive(Args)]
pub(super) struct Man {
    /// Folder that the pages are written to; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the completions of a shell.
pub(super) fn completions(
    arguments: &Completions,
    command: &mut Command,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    // The library panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "barepoint", &mut script);
    out.write_all(&script)?;
    Ok(0)
}

/// Writes a page for barepoint and one for each of its commands.
pub(super) fn man(arguments: &Man, command: Command) -> anyhow::Result<u8> {
    let folder = &arguments.folder;
    pages(command, folder)
        .with_context(|| format!("cannot write man pages to {}", folder.display()))?;
    Ok(0)
}

fn pages(command: Command, folder: &Path) -> io::Result<()> {
    let mut top = command.disable_help_subcommand(true);
    top.build();
    fs::create_dir_all(folder)?;
    for command in top.get_subcommands().chain([&top]) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let mut page = Vec::new();
        manual::page(&mut page, command, &top)?;
        fs::write(folder.join(format!("{name}.1")), page)?;
    }
    Ok(())
}
