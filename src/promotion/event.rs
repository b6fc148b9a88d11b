// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The text of a `TRACE_EVENT()`, in the kernel's style.

use super::fields::{Field, Record};
use std::fmt::Write;

/// Where the kernel's lines end.
const WIDTH: usize = 80;
const TAB: usize = 8;

/// What an event is made of.
pub(super) struct Event<'a> {
    /// `TRACE_EVENT` or one of its kin.
    pub(super) framework: &'a str,
    pub(super) name: &'a str,
    /// The arguments of the macro after the name, as they are to stand: prototype,
    /// arguments and condition.
    pub(super) clauses: Vec<String>,
    pub(super) records: &'a [Record],
}

impl Event<'_> {
    /// The whole declaration, up to the semicolon.
    pub(super) fn render(&self) -> String {
        let mut out = format!("{}({},\n\n", self.framework, self.name);
        for clause in &self.clauses {
            let _ = write!(out, "\t{clause},\n\n");
        }
        out.push_str(&self.entry());
        out.push_str(",\n\n");
        out.push_str(&self.assignments());
        out.push_str(",\n\n");
        out.push_str(&self.print());
        out.push_str("\n);");
        out
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.records.iter().flat_map(|record| &record.fields)
    }

    fn entry(&self) -> String {
        let mut lines = String::new();
        for record in self.records {
            for decision in &record.decisions {
                lines.push_str(&comment(decision, 2));
            }
            for field in &record.fields {
                let _ = writeln!(lines, "\t\t{}", field.declare);
            }
        }
        group("TP_STRUCT__entry", &lines)
    }

    fn assignments(&self) -> String {
        let mut lines = String::new();
        for field in self.fields() {
            lines.push_str(&statement(&field.assign));
        }
        group("TP_fast_assign", &lines)
    }

    fn print(&self) -> String {
        let format = self
            .fields()
            .map(|field| format!("{}={}", field.name, field.format));
        let format: Vec<String> = format.collect();
        let shown: Vec<String> = self.fields().flat_map(|field| field.show.clone()).collect();
        if shown.is_empty() {
            return "\tTP_printk(\"%s\", \"\")".to_owned();
        }
        let head = format!("\tTP_printk(\"{}\",", format.join(" "));
        let short = format!("{head} {})", shown.join(", "));
        if columns(&short) <= WIDTH {
            return short;
        }
        let indent = TAB + "TP_printk(".len();
        format!("{head}\n{}{})", spaces(indent), wrapped(&shown, indent))
    }
}

fn group(name: &str, lines: &str) -> String {
    format!("\t{name}(\n{lines}\t)")
}

/// A macro call over as many lines as it takes: `TP_PROTO(a,\n\t\t b)`.
pub(super) fn clause(name: &str, items: &[String]) -> String {
    let indent = TAB + name.len() + 1;
    format!("{name}({})", wrapped(items, indent))
}

/// `items` with commas between, in lines that start at `indent` and leave room for
/// what closes the group.
fn wrapped(items: &[String], indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for (index, item) in items.iter().enumerate() {
        let last = index + 1 == items.len();
        let length = item.chars().count();
        if index > 0 {
            if column + 1 + length + if last { 2 } else { 1 } > WIDTH {
                let _ = write!(out, "\n{}", spaces(indent));
                column = indent;
            } else {
                out.push(' ');
                column += 1;
            }
        }
        out.push_str(item);
        column += length;
        if !last {
            out.push(',');
            column += 1;
        }
    }
    out
}

/// An assignment, on two lines if one is too long.
fn statement(text: &str) -> String {
    let line = format!("\t\t{text}\n");
    match text.split_once(" = ") {
        Some((left, right)) if columns(line.trim_end()) > WIDTH => {
            format!("\t\t{left} =\n\t\t\t{right}\n")
        }
        _ => line,
    }
}

/// A comment for the maintainer, `depth` tabs deep.
pub(super) fn comment(decision: &str, depth: usize) -> String {
    let tabs = "\t".repeat(depth);
    let text = format!("Maintainer: {}", decision.replace("*/", "* /"));
    let short = format!("{tabs}/* {text} */");
    if columns(&short) <= WIDTH {
        return format!("{short}\n");
    }
    let mut out = format!("{tabs}/*\n");
    for line in filled(&text, WIDTH - depth * TAB - 3) {
        let _ = writeln!(out, "{tabs} * {line}");
    }
    let _ = writeln!(out, "{tabs} */");
    out
}

/// `text` in lines of `width` characters, where its words let it.
fn filled(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// White space up to a column, with as many tabs as fit.
fn spaces(column: usize) -> String {
    "\t".repeat(column / TAB) + &" ".repeat(column % TAB)
}

fn columns(line: &str) -> usize {
    line.chars().fold(0, |column, c| match c {
        '\t' => (column / TAB + 1) * TAB,
        _ => column + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_clauses_are_aligned() {
        let items: Vec<String> = (0..6).map(|n| format!("unsigned long number{n}")).collect();
        let text = format!("\t{}", clause("TP_PROTO", &items));
        assert!(text.lines().all(|line| columns(line) <= WIDTH), "{text}");
        assert!(text.contains(",\n\t\t unsigned"), "{text}");
    }

    #[test]
    fn a_decision_cannot_end_its_comment() {
        assert_eq!(comment("a */ b", 1), "\t/* Maintainer: a * / b */\n");
        let long = comment(&"word ".repeat(40), 2);
        assert!(long.lines().all(|line| columns(line) <= WIDTH), "{long}");
        assert!(
            long.starts_with("\t\t/*\n\t\t * Maintainer: word"),
            "{long}"
        );
    }

    #[test]
    fn nothing_to_record() {
        let event = Event {
            framework: "TRACE_EVENT",
            name: "foo",
            clauses: vec!["TP_PROTO(void *x)".to_owned(), "TP_ARGS(x)".to_owned()],
            records: &[Record::default()],
        };
        assert_eq!(
            event.render(),
            "TRACE_EVENT(foo,\n\n\tTP_PROTO(void *x),\n\n\tTP_ARGS(x),\n\n\
             \tTP_STRUCT__entry(\n\t),\n\n\tTP_fast_assign(\n\t),\n\n\
             \tTP_printk(\"%s\", \"\")\n);"
        );
    }
}
