// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A man page of a command, from what `--help` says of it.
//!
//! The text below the options is taken apart: what is before the first heading of
//! [`HEADINGS`] belongs to the description, the rest to sections of their own. May not
//! know any command.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};

/// What paragraphs of their own may start with.
const HEADINGS: [&str; 4] = ["Files", "Environment", "Examples", "Exit status"];

/// Writes the page of `command`, which is `top` or one of its commands.
pub(super) fn page(out: &mut dyn Write, command: &Command, top: &Command) -> io::Result<()> {
    let version = top.get_version().unwrap_or_default();
    let usage = usage(command);
    let man = Man::new(command.clone().override_usage(usage))
        .source(format!("{} {version}", top.get_name()))
        .manual(format!("{} manual", top.get_name()));
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    let about = command.get_long_about().or(command.get_about());
    let more = command
        .get_after_long_help()
        .or(command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let paragraphs: Vec<&str> = more.split("\n\n").filter(|one| !one.is_empty()).collect();
    let (sections, description): (Vec<&str>, Vec<&str>) =
        paragraphs.into_iter().partition(|one| split(one).is_some());

    let mut page = Roff::new();
    page.control("SH", ["DESCRIPTION"]);
    let about = about.map(ToString::to_string).unwrap_or_default();
    for text in about.split("\n\n").chain(description) {
        paragraph(&mut page, text);
    }
    page.to_writer(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }

    let mut page = Roff::new();
    for (heading, text) in sections.iter().filter_map(|one| split(one)) {
        page.control("SH", [heading.to_uppercase().as_str()]);
        paragraph(&mut page, text);
    }
    see_also(&mut page, command, top);
    page.to_writer(out)
}

/// The forms of the command's line, without what introduces them in the help.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").trim().to_owned()
}

/// A paragraph's heading, if it has one, and what follows it.
fn split(paragraph: &str) -> Option<(&str, &str)> {
    let (heading, text) = paragraph.split_once(':')?;
    let text = text.strip_prefix(['\n', ' ']).unwrap_or(text);
    HEADINGS.contains(&heading).then_some((heading, text))
}

/// Lines as they flow; those that are indented, by two blanks, stay as they are.
fn paragraph(page: &mut Roff, text: &str) {
    page.control("PP", []);
    let mut literal = false;
    for line in text.lines() {
        if line.starts_with(' ') != literal {
            literal = !literal;
            page.control(if literal { "RS" } else { "fi" }, literal.then_some("4"));
            page.control(if literal { "nf" } else { "RE" }, []);
        }
        page.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    if literal {
        page.control("fi", []);
        page.control("RE", []);
    }
}

/// The other pages.
fn see_also(page: &mut Roff, command: &Command, top: &Command) {
    let name = top.get_name();
    let own = command.get_name();
    let others = top
        .get_subcommands()
        .map(Command::get_name)
        .filter(|one| *one != own);
    let mut pages: Vec<String> = others.map(|one| format!("{name}-{one}")).collect();
    if own != name {
        pages.push(name.to_owned());
    }
    pages.sort_unstable();
    page.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (index, one) in pages.into_iter().enumerate() {
        if index > 0 {
            line.push(roman(", "));
        }
        line.push(bold(one));
        line.push(roman("(1)"));
    }
    page.text(line);
}
