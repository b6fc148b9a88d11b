// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint in a function where nothing may be instrumented.

use super::finding::{Finding, Level, Place};
use super::review::{Sight, declared_here};
use super::sites::{Around, Source, calls, text_of};
use crate::syntax::lines::Lines;
use memchr::memmem;

/// Words that make a function `noinstr`: the macro, what it comes to
/// (include/linux/compiler_types.h), and the entry points of x86 that have it
/// (arch/x86/include/asm/idtentry.h).
const NOINSTR: [&[u8]; 4] = [
    b"noinstr",
    b"__noinstr_section",
    b"DEFINE_IDTENTRY_RAW",
    b"DEFINE_IDTENTRY_RAW_ERRORCODE",
];

/// Where `noinstr` puts functions.
const SECTION: &[u8] = b"\".noinstr.text\"";

const CPUIDLE: &[u8] = b"__cpuidle";

/// Where `__cpuidle` may be defined.
const DEFINING_CPUIDLE: [&str; 2] = ["include/linux/compiler_types.h", "include/linux/cpu.h"];

/// `notrace` keeps the function tracer out and no tracepoint: __schedule() has it.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut cpuidle = None;
    for (file, calls) in calls(sight, |_, call| !call.site.file.ends_with(".rs")) {
        let Some(text) = text_of(sight, &file).filter(|text| may_matter(text)) else {
            continue;
        };
        let source = Source::of(&text);
        let lines = Lines::of(&text);
        let marks = Marks::of(&source);
        for ((at, name), call) in calls {
            let Some(around) = source.around(at.offset) else {
                continue;
            };
            // A macro's call is made where the macro is used.
            let made: Vec<Around<'_>> = if around.is_macro {
                source.uses(around.name)
            } else {
                vec![around]
            };
            for around in made.iter().filter(|one| !one.is_macro) {
                let Some((attribute, level)) = marks.of_function(around) else {
                    continue;
                };
                if attribute == CPUIDLE
                    && !*cpuidle.get_or_insert_with(|| cpuidle_is_noinstr(sight))
                    || is_instrumentable(around)
                {
                    continue;
                }
                found.push(Finding {
                    rule: "uninstrumentable-call",
                    level,
                    tracepoint: Some(name.to_owned()),
                    place: if around.offset == at.offset {
                        (&call.site).into()
                    } else {
                        at_offset(&file, &lines, around.offset)
                    },
                    message: format!(
                        "the tracepoint {name} is called in {}(), which is {}, outside of \
                         instrumentation_begin() and instrumentation_end()",
                        around.name,
                        String::from_utf8_lossy(attribute)
                    ),
                    related: declared_here(sight, name),
                    patch: None,
                    fix: None,
                    approval: None,
                    passing: false,
                });
            }
        }
    }
    found
}

fn at_offset(file: &str, lines: &Lines<'_>, offset: u32) -> Place {
    Place {
        file: file.to_owned(),
        line: lines.line(offset),
        column: lines.column(offset),
    }
}

fn may_matter(text: &[u8]) -> bool {
    [&b"noinstr"[..], CPUIDLE, b"IDTENTRY_RAW"]
        .iter()
        .any(|word| memmem::find(text, word).is_some())
}

/// What forbids instrumentation in a file.
struct Marks<'s> {
    /// The words that do.
    words: Vec<&'s [u8]>,
    /// Functions of which a declaration does.
    declared: Vec<&'s [u8]>,
}

impl<'s> Marks<'s> {
    fn of(source: &'s Source<'s>) -> Self {
        let mut words = NOINSTR.to_vec();
        words.extend(source.other_names(&NOINSTR));
        Self {
            declared: source.declared_with(&words),
            words,
        }
    }

    /// What forbids instrumentation in a function. Only x86 is checked for the bodies
    /// of `__cpuidle` functions, and drivers of others have calls there while RCU still
    /// watches.
    fn of_function(&self, around: &Around<'s>) -> Option<(&'s [u8], Level)> {
        let words = around.attributes();
        let noinstr = words.iter().copied().find(|word| self.words.contains(word));
        let noinstr = noinstr.or_else(|| around.strings().find(|string| *string == SECTION));
        // A declaration counts for the definition, too.
        let is_declared = self.declared.contains(&around.name.as_bytes());
        let noinstr = noinstr.or_else(|| is_declared.then_some(NOINSTR[0]));
        let cpuidle = || words.iter().copied().find(|word| *word == CPUIDLE);
        noinstr
            .map(|word| (word, Level::Error))
            .or_else(|| Some((cpuidle()?, Level::Warning)))
    }
}

/// Up to 6.1 `__cpuidle` was no more than a section.
fn cpuidle_is_noinstr(sight: &Sight<'_>) -> bool {
    DEFINING_CPUIDLE.iter().any(|path| {
        text_of(sight, path).is_some_and(|text| {
            let mut lines = text.split(|&byte| byte == b'\n');
            lines.any(|line| {
                line.starts_with(b"#define __cpuidle") && memmem::find(line, b"noinstr").is_some()
            })
        })
    })
}

/// Whether the call stands between instrumentation_begin() and _end(). An end in
/// a block that is closed before the call belongs to another way out, a begin there
/// to each of several ways in.
fn is_instrumentable(around: &Around<'_>) -> bool {
    let mut allowed = false;
    let mut outside = Vec::new();
    for index in 0..around.call {
        match around.word(index) {
            b"{" => outside.push(allowed),
            b"}" => allowed |= outside.pop().unwrap_or(false),
            b"instrumentation_begin" => allowed = true,
            b"instrumentation_end" => allowed = false,
            _ => {}
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(body: &str) -> bool {
        let text = format!("noinstr void f(void)\n{{\n{body}\n}}\n");
        let source = Source::of(text.as_bytes());
        let at = text.find("trace_a").unwrap_or_default() as u32;
        source.around(at).is_some_and(|one| is_instrumentable(&one))
    }

    #[test]
    fn between_begin_and_end() {
        for (body, expected) in [
            ("trace_a();", false),
            ("instrumentation_begin(); trace_a();", true),
            (
                "instrumentation_begin(); instrumentation_end(); trace_a();",
                false,
            ),
            (
                "instrumentation_begin(); if (x) { instrumentation_end(); return; } trace_a();",
                true,
            ),
            (
                "if (x) { instrumentation_begin(); instrumentation_end(); } trace_a();",
                false,
            ),
            (
                "if (x) { instrumentation_begin(); } else { instrumentation_begin(); } trace_a();",
                true,
            ),
        ] {
            assert_eq!(allowed(body), expected, "{body}");
        }
    }
}
