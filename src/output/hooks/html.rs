// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The report as one HTML page that needs nothing else: no script, style, font or
//! picture from elsewhere, and a policy that lets none in.

use super::{Hooks, words};
use crate::output::printable;
use crate::report::{Evidence, Judgement, Verdict};
use std::fmt::Write as _;
use std::io::{self, Write};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes it.
///
/// # Errors
/// `out` fails.
pub fn write(out: &mut dyn Write, report: &Hooks<'_>) -> io::Result<()> {
    let tree = escaped(&report.tree.path);
    let version = report.tree.version.as_deref().map(escaped);
    let title = match version {
        Some(version) => format!("Bare hooks of Linux {version}"),
        None => "Bare hooks".to_owned(),
    };
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p class=\"dim\">{tree}. History: {}. {}</p>\n",
        escaped(&report.history.source),
        given(report.consumers)
    )?;
    out.write_all(summary(report).as_bytes())?;
    out.write_all(table(report).as_bytes())?;
    out.write_all(timeline(report).as_bytes())?;
    writeln!(out, "<h2>Evidence</h2>")?;
    for (evidence, judgement) in &report.hooks {
        out.write_all(details(evidence, judgement).as_bytes())?;
    }
    write!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

fn given(consumers: &[String]) -> String {
    match consumers {
        [] => "No consumers outside of the kernel were given (--consumers DIR).".to_owned(),
        folders => format!("Consumers: {}.", escaped(&folders.join(", "))),
    }
}

fn summary(report: &Hooks<'_>) -> String {
    let mut text = "<p>".to_owned();
    for verdict in Verdict::ALL {
        let count = report
            .hooks
            .iter()
            .filter(|(_, one)| one.verdict == verdict)
            .count();
        let _ = write!(text, "{}: {count}. ", marked(verdict));
    }
    text.push_str("</p>\n<details><summary>How the verdicts come about</summary>\n<ol>\n");
    for clause in report.thresholds.formula() {
        let _ = writeln!(text, "<li>{}</li>", escaped(&clause));
    }
    text.push_str("</ol>\n<p>The first that is true decides; the numbers are those of rules/report.toml.</p>\n</details>\n");
    text
}

fn table(report: &Hooks<'_>) -> String {
    let columns = [
        "Hook",
        "Verdict",
        "In kernel",
        "Outside",
        "Since",
        "Same in",
        "Changes",
    ];
    let mut text =
        "<h2>Hooks</h2>\n<div class=\"scroll\"><table id=\"hooks\">\n<thead><tr>".to_owned();
    for column in columns {
        let _ = write!(
            text,
            "<th scope=\"col\"><button type=\"button\">{column}</button></th>"
        );
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for (evidence, judgement) in &report.hooks {
        let name = escaped(&evidence.name);
        let inside = Evidence::consumers(&evidence.in_kernel).len();
        let outside = evidence
            .outside
            .as_deref()
            .map(|all| Evidence::consumers(all).len());
        let since = evidence.life.as_ref().map(|life| words::since(&life.since));
        let _ = writeln!(
            text,
            "<tr><td class=\"name\"><a href=\"#{name}\">{name}</a></td><td data-key=\"{}\">{}</td>\
             <td>{inside}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Verdict::ALL
                .iter()
                .position(|&one| one == judgement.verdict)
                .unwrap_or_default(),
            marked(judgement.verdict),
            number(outside),
            escaped(&since.unwrap_or_else(|| "?".to_owned())),
            number(evidence.stable_releases),
            escaped(&words::changes(evidence)),
        );
    }
    text.push_str(
        "</tbody>\n</table></div>\n<p class=\"dim\">In kernel, outside: independent consumers. \
         Same in: releases with this name and these arguments. Changes: of the name / the \
         arguments / the callers.</p>\n",
    );
    text
}

fn number(number: Option<usize>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

/// Hooks by releases: where there was one, and what changed with which.
fn timeline(report: &Hooks<'_>) -> String {
    let releases = &report.history.releases;
    if releases.is_empty() {
        return String::new();
    }
    let mut text = "<h2>Timeline</h2>\n<div class=\"scroll\"><table class=\"time\">\n<thead><tr><th scope=\"col\">Hook</th>".to_owned();
    for release in releases {
        let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(release));
    }
    text.push_str("<th scope=\"col\">this tree</th></tr></thead>\n<tbody>\n");
    for (evidence, _) in &report.hooks {
        let _ = write!(
            text,
            "<tr><th scope=\"row\" class=\"name\">{}</th>",
            escaped(&evidence.name)
        );
        let there = evidence.releases.unwrap_or(0);
        let columns = releases.iter().map(Some).chain([None]);
        for (number, release) in columns.enumerate() {
            let is_there = release.is_none() || number + there >= releases.len();
            text.push_str(&cell(evidence, release, is_there));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table></div>\n<p class=\"dim\">A bar: the release has the hook. Below it, what changed since the one before.</p>\n");
    text
}

fn cell(evidence: &Evidence, release: Option<&String>, is_there: bool) -> String {
    if !is_there {
        return "<td></td>".to_owned();
    }
    let steps = evidence.life.iter().flat_map(|life| &life.steps);
    let turns: Vec<String> = steps
        .filter(|step| step.release.as_ref() == release)
        .map(|step| words::turn(&step.turn))
        .collect();
    if turns.is_empty() {
        return "<td><div class=\"bar\" role=\"img\" aria-label=\"there\"></div></td>".to_owned();
    }
    let kinds: Vec<&str> = turns
        .iter()
        .filter_map(|turn| turn.split([',', ' ']).next())
        .collect();
    format!(
        "<td title=\"{}\"><div class=\"bar\"></div><span class=\"change\">{}</span></td>",
        escaped(&turns.join("; ")),
        escaped(&kinds.join(", "))
    )
}

fn details(evidence: &Evidence, judgement: &Judgement) -> String {
    let name = escaped(&evidence.name);
    let mut text = format!(
        "<details id=\"{name}\"><summary><span class=\"name\">{name}</span> {}</summary>\n<ul>\n",
        marked(judgement.verdict)
    );
    let mut item = |label: &str, what: &str| {
        let _ = writeln!(text, "<li>{label}: {}</li>", escaped(what));
    };
    for reason in &judgement.reasons {
        item("Verdict", reason);
    }
    for missing in &judgement.missing {
        item("No evidence", missing);
    }
    item("Declared", &format!("{}:{}", evidence.file, evidence.line));
    for call in &evidence.calls {
        let function = call.function.as_deref().unwrap_or("?");
        item(
            "Called",
            &format!("{function}(), {}:{}", call.file, call.line),
        );
    }
    if let Some(context) = &evidence.context {
        item("Context", context);
    }
    for argument in &evidence.arguments {
        item("Would freeze", &words::frozen(argument));
    }
    for event in &evidence.overlaps {
        item("Event in the same function", event);
    }
    for used in words::uses(&evidence.in_kernel) {
        item("Used in the kernel", &used);
    }
    for used in words::uses(evidence.outside.as_deref().unwrap_or_default()) {
        item("Used by", &used);
    }
    for used in words::uses(&evidence.gated) {
        item("Built for other kernels only", &used);
    }
    if let Some(life) = &evidence.life {
        item("Since", &words::since(&life.since));
        for step in &life.steps {
            item("Changed in", &words::step(step));
        }
    }
    text.push_str("</ul>\n</details>\n");
    text
}

fn marked(verdict: Verdict) -> String {
    let name = verdict.name();
    let class = name.split(' ').next().unwrap_or_default();
    format!("<span class=\"verdict {class}\">{name}</span>")
}

/// Text of a stranger as text, also within the quotes of an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for one in printable(text).chars() {
        match one {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(one),
        }
    }
    safe
}
