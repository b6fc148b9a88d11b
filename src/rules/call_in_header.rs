// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tracepoint that an inline function of a header calls itself.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_here};
use super::sites::{Source, calls, is_our_business, text_of};
use memchr::memmem;

/// A macro's call stands where the macro is used. Headers that declare
/// tracepoints include what the calls need.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight.state.inventory.bare_names();
    let mut found = Vec::new();
    let wanted = |tracepoint: &_, call: &_| is_our_business(sight, &bare, tracepoint, call);
    for (file, calls) in calls(sight, wanted) {
        if !file.ends_with(".h") || declares(sight, &file) {
            continue;
        }
        let Some(text) = text_of(sight, &file).filter(|text| is_guarded(text)) else {
            continue;
        };
        let source = Source::of(&text);
        for ((at, name), call) in calls {
            let Some(around) = source.around(at.offset).filter(|one| !one.is_macro) else {
                continue;
            };
            found.push(Finding {
                rule: "call-in-header",
                level: Level::Warning,
                tracepoint: Some(name.to_owned()),
                place: (&call.site).into(),
                message: format!(
                    "{}() of a header calls the tracepoint {name} itself: test it by \
                     tracepoint_enabled() and call it out of line",
                    around.name
                ),
                related: declared_here(sight, name),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            });
        }
    }
    found
}

fn declares(sight: &Sight<'_>, file: &str) -> bool {
    let facts = sight.state.facts.get(file);
    facts.is_some_and(|facts| !facts.declarations.is_empty())
}

/// Whether a header keeps itself from being read twice. One that does not is a
/// part of a source file, as kernel/rcu/tree_plugin.h is.
fn is_guarded(text: &[u8]) -> bool {
    memmem::find(text, b"#pragma once").is_some()
        || memmem::find_iter(text, b"#ifndef").any(|at| {
            let mut words = text[at..]
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let name = words.nth(1);
            words.next() == Some(b"#define") && words.next() == name
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_read_once() {
        assert!(is_guarded(b"/* x */\n#ifndef _A_H\n#define _A_H\n#endif\n"));
        assert!(is_guarded(b"#pragma once\n"));
        assert!(!is_guarded(b"#ifndef CONFIG_X\n#define A 1\n#endif\n"));
        assert!(!is_guarded(b"static void f(void) {}\n"));
    }
}
