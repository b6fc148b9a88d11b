// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The command line: one file a subcommand, wiring only.
//!
//! Only here and in `output` is anything printed. Errors are one line on
//! standard error; what they mean for the exit status is decided in
//! [`crate::output::status`].

mod check;
mod diff;
mod explain;
mod generate;
mod list;
mod manual;
mod promote;
mod report;
mod stream;
mod tree;
mod verify;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use stream::Output;

/// Keep bare kernel tracepoints bare.
///
/// A bare tracepoint, DECLARE_TRACE() alone, has no trace event of its own: no
/// file in tracefs, nothing that perf opens. barepoint reads a kernel tree and
/// patches, and says when one leaks.
#[derive(Parser)]
#[command(name = "barepoint", version = env!("BAREPOINT_VERSION"), max_term_width = 100, after_long_help = HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

const HELP: &str = "\
Files:
  .barepoint.toml   at the top of a kernel tree: its zones, and the levels of rules

Environment:
  NO_COLOR          if set, no colour unless by --color=always

Examples:
  barepoint check 0001-sched-Add-a-hook.patch
  barepoint check --tree ~/linux --git v7.3..HEAD
  barepoint list --tree ~/linux --bare
  barepoint diff 6.1 6.12 --consumers ~/src/module

Exit status: 0 if nothing is wrong, 1 if there are findings or differences, 2 if the job
or a part of it could not be done; then one line on standard error says what.";

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

/// The status of a job that could not be done.
const NOT_DONE: u8 = 2;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    ExitCode::from(guarded(run))
}

/// What `run` returns. A gate knows three statuses: a bug that makes us panic is a job
/// that could not be done.
fn guarded(run: impl FnOnce() -> u8 + panic::UnwindSafe) -> u8 {
    panic::set_hook(Box::new(|bug| {
        complain(&format!(
            "{bug}. This is a bug in barepoint, not in what it read"
        ));
    }));
    panic::catch_unwind(run).unwrap_or(NOT_DONE)
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come here, too, and are no errors.
            let printed = error.print().and_then(|()| io::stdout().flush());
            return match printed {
                Ok(()) if !error.use_stderr() => 0,
                Err(why) if !error.use_stderr() && why.kind() != io::ErrorKind::BrokenPipe => {
                    complain(&stream::failure(&why.to_string()));
                    NOT_DONE
                }
                _ => NOT_DONE,
            };
        }
    };
    let mut out = match Output::new(cli.color) {
        Ok(out) => out,
        Err(why) => {
            complain(&stream::failure(&why.to_string()));
            return NOT_DONE;
        }
    };
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
        Ok(status) => status,
        Err(_) if out.is_closed() => NOT_DONE,
        Err(error) => {
            complain(&out.failure().unwrap_or_else(|| format!("{error:#}")));
            NOT_DONE
        }
    }
}

/// Says in one line what went wrong. Where nobody can be told, the status has to do.
fn complain(message: &str) {
    let line: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(io::stderr(), "barepoint: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_a_job_that_could_not_be_done() {
        assert_eq!(guarded(|| 1), 1);
        let bug = || crate::parallel::map(4, |number| assert!(number < 3, "a bug"));
        assert_eq!(guarded(|| u8::from(bug().is_empty())), 2);
        let _ = panic::take_hook();
    }
}
