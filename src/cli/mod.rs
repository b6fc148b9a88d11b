// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The command line: one file a subcommand, wiring only.
//!
//! Only here and in `output` is anything printed. Errors are one line on
//! standard error; what they mean for the exit status is decided in
//! [`crate::output::status`].

#![allow(clippy::print_stderr)]

mod check;
mod diff;
mod explain;
mod generate;
mod list;
mod promote;
mod report;
mod stream;
mod tree;
mod verify;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;
use stream::Output;

/// Keep bare kernel tracepoints bare.
///
/// A bare tracepoint, DECLARE_TRACE() alone, has no trace event of its own: no
/// file in tracefs, nothing that perf opens. barepoint reads a kernel tree and
/// patches, and says when one leaks.
#[derive(Parser)]
#[command(name = "barepoint", version = env!("BAREPOINT_VERSION"), max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

const EXIT_STATUS: &str = "Exit status: 0 if nothing is wrong, 1 if there are findings \
or differences, 2 if the job or a part of it could not be done.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Lint patches, commits or a whole tree
    Check(check::Arguments),
    /// List the tracepoints of a tree
    List(list::Arguments),
    /// Say what differs between the tracepoints of two kernels
    Diff(diff::Arguments),
    /// Hold a tree against a built and a running kernel
    Verify(verify::Arguments),
    /// Say which bare tracepoints have earned a promotion, and which may go
    Report(report::Arguments),
    /// Draft the patch that turns a bare tracepoint into a trace event
    Promote(promote::Arguments),
    /// Say what a rule means, or list all
    Explain(explain::Arguments),
    /// Write the completions of a shell to standard output
    Completions(generate::Completions),
    /// Write the man pages to a folder
    Man(generate::Man),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come here, too, and are no errors.
            let status = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let mut out = Output::new(cli.color);
    let result = match cli.command {
        Command::Check(arguments) => check::run(&arguments, &mut out),
        Command::List(arguments) => list::run(&arguments, &mut out),
        Command::Diff(arguments) => diff::run(&arguments, &mut out),
        Command::Verify(arguments) => verify::run(&arguments, &mut out),
        Command::Report(arguments) => report::run(&arguments, &mut out),
        Command::Promote(arguments) => promote::run(&arguments, &mut out),
        Command::Explain(arguments) => explain::run(&arguments, &mut out),
        Command::Completions(arguments) => {
            generate::completions(&arguments, &mut Cli::command(), &mut out)
        }
        Command::Man(arguments) => generate::man(&arguments, Cli::command()),
    };
    let result = result.and_then(|status| {
        out.flush()?;
        Ok(status)
    });
    match result {
        Ok(status) => ExitCode::from(status),
        Err(_) if out.is_closed() => ExitCode::from(2),
        Err(error) => {
            complain(&out.failure().unwrap_or_else(|| format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

/// Says in one line what went wrong.
fn complain(message: &str) {
    let line: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    eprintln!("barepoint: {line}");
}
