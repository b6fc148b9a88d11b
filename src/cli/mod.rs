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
mod watch;

use crate::output::printable;
use crate::output::printable::is_obeyed;
use crate::output::problems::{MOST_SAID, Told};
use crate::source::patch::Problem;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;
use std::sync::Once;
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
    static FIRST: Once = Once::new();
    // Other threads may meet the same.
    panic::set_hook(Box::new(|bug| {
        FIRST.call_once(|| complain(&bug_in_words(bug)))
    }));
    panic::catch_unwind(run).unwrap_or(NOT_DONE)
}

fn bug_in_words(bug: &PanicHookInfo<'_>) -> String {
    let payload = bug.payload();
    let words = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("no reason given");
    let place = bug
        .location()
        .map(|at| format!("{at}: "))
        .unwrap_or_default();
    format!(
        "the job was given up, nothing is said about what was read ({place}{words}). This is \
         a bug in barepoint"
    )
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && std::env::args_os().any(|one| is_odd(&one.to_string_lossy())) {
                complain(&error.render().to_string());
                return NOT_DONE;
            }
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
    watch::start();
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

/// Whether an argument, such as the name of a file that a stranger chose, cannot be
/// printed as it is.
fn is_odd(argument: &str) -> bool {
    argument.contains(is_obeyed)
}

/// The most characters of a complaint: a path has 4096.
const LONGEST: usize = 6000;

/// Says in one line what went wrong. Where nobody can be told, the status has to do.
fn complain(message: &str) {
    let line = printable(message.trim_end());
    let end = line.char_indices().nth(LONGEST).map(|(at, _)| at);
    let (line, cut) = match end {
        Some(end) => (&line[..end], "…"),
        None => (&*line, ""),
    };
    let _ = writeln!(io::stderr(), "barepoint: {line}{cut}");
}

/// Says in a few lines what could not be checked.
fn complain_of(problems: &[Problem]) {
    Told::of(problems, MOST_SAID)
        .lines()
        .for_each(|line| complain(&line));
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
