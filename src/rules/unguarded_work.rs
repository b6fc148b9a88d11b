// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A call that works for its arguments even while nobody listens.

use super::finding::{Finding, Level};
use super::guards::is_guarded;
use super::review::{Sight, declared_here};
use super::sites::{Around, Given, Source, calls, given, is_our_business, text_of};
use crate::inventory::resolve::{CallSite, Tracepoint};
use crate::syntax::lexer::{Kind, lex};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};

/// What may be called for nothing.
const ACCESSORS: &str = include_str!("../../rules/accessors.toml");

/// Words that stand before a parenthesis and call nothing.
const NO_CALLS: [&str; 12] = [
    "sizeof",
    "typeof",
    "__typeof__",
    "typeof_member",
    "alignof",
    "_Alignof",
    "__alignof__",
    "_Generic",
    "if",
    "while",
    "for",
    "switch",
];

/// Functions of such names are called by those who have asked, also from files
/// that are not to be seen.
const OUT_OF_LINE: [&str; 4] = ["__trace_", "call_trace_", "do_trace_", "__do_trace_"];

/// Looks at each call with arguments that call something.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight.state.inventory.bare_names();
    let mut callers = Callers::default();
    let mut found = Vec::new();
    let wanted = |tracepoint: &Tracepoint, call: &CallSite| {
        !call.pasted && is_our_business(sight, &bare, tracepoint, call)
    };
    for (file, calls) in calls(sight, wanted) {
        let Some(text) = text_of(sight, &file) else {
            continue;
        };
        let mut source = None;
        for ((at, name), call) in calls {
            let Some(work) = given(&text, at.offset).and_then(|given| work_of(&given)) else {
                continue;
            };
            let source = source.get_or_insert_with(|| Source::of(&text));
            let Some(around) = source.around(at.offset) else {
                continue;
            };
            if is_guarded(&around, name) || callers.all_ask(sight, &around, name) {
                continue;
            }
            found.push(finding(sight, name, call, &work));
        }
    }
    found
}

fn finding(sight: &Sight<'_>, name: &str, call: &CallSite, work: &str) -> Finding {
    let function = call
        .function
        .as_deref()
        .map_or_else(String::new, |function| format!(" in {function}()"));
    Finding {
        rule: "unguarded-work",
        level: Level::Warning,
        tracepoint: Some(name.to_owned()),
        place: (&call.site).into(),
        message: format!(
            "{work}() is called for an argument of the tracepoint {name}{function} even when it \
             is off: ask trace_{name}_enabled() first"
        ),
        related: declared_here(sight, name),
        patch: None,
        fix: None,
    }
}

/// The first function that the arguments call, but for trivial ones. What
/// `trace_call__X()` is given was asked for before.
fn work_of(given: &Given<'_>) -> Option<String> {
    if given.name.starts_with(b"trace_call__") {
        return None;
    }
    given.arguments.iter().find_map(|words| {
        let pairs = words.iter().zip(words.iter().skip(1)).enumerate();
        pairs
            .filter(|(_, (_, open))| **open == b"(")
            .find_map(|(index, (word, _))| {
                let member = index > 0 && matches!(words[index - 1], b"." | b">");
                called(word, member)
            })
    })
}

fn called(word: &[u8], member: bool) -> Option<String> {
    let starts_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let name = word
        .first()
        .filter(|byte| starts_name(byte))
        .map(|_| word)?;
    let name = String::from_utf8_lossy(name).into_owned();
    let trivial = NO_CALLS.contains(&name.as_str())
        || name.starts_with("__builtin_")
        || !name.bytes().any(|byte| byte.is_ascii_lowercase())
        || is_accessor(&name);
    (member || !trivial).then_some(name)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Accessors {
    accessors: Vec<String>,
}

fn is_accessor(name: &str) -> bool {
    // A test holds the file against its form.
    static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
        toml::from_str(ACCESSORS).map_or_else(|_| Vec::new(), |known: Accessors| known.accessors)
    });
    KNOWN.iter().any(|known| match known.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => known == name,
    })
}

/// What the functions name that ask whether a tracepoint is on, by the tracepoint.
#[derive(Default)]
struct Callers {
    asking: BTreeMap<String, HashSet<Vec<u8>>>,
}

impl Callers {
    /// Whether the function around a call is one that others call under a guard:
    /// a function that asks for the tracepoint names it, or its name says so.
    fn all_ask(&mut self, sight: &Sight<'_>, around: &Around<'_>, name: &str) -> bool {
        let is_local = around.attributes().contains(&&b"static"[..]);
        if !is_local
            && OUT_OF_LINE
                .iter()
                .any(|start| around.name.starts_with(start))
        {
            return true;
        }
        let asking = self
            .asking
            .entry(name.to_owned())
            .or_insert_with(|| asking(sight, name));
        asking.contains(around.name.as_bytes())
    }
}

fn asking(sight: &Sight<'_>, name: &str) -> HashSet<Vec<u8>> {
    let named = sight.state.inventory.named(name);
    let guards = named.flat_map(|tracepoint| &tracepoint.guards);
    let mut places: BTreeMap<Arc<str>, BTreeSet<u32>> = BTreeMap::new();
    for guard in guards {
        places
            .entry(guard.site.file.clone())
            .or_default()
            .insert(guard.site.at.offset);
    }
    let mut words = HashSet::new();
    for (file, offsets) in places {
        let Some(text) = text_of(sight, &file) else {
            continue;
        };
        let source = Source::of(&text);
        for function in source.texts_around(&offsets) {
            words.extend(words_of_body(function).map(<[u8]>::to_vec));
        }
    }
    words
}

/// The words in a function, but for those of its head: there its name is no call.
fn words_of_body(function: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = memchr::memchr(b'{', function).unwrap_or_default();
    let tokens = lex(function, false).tokens.into_iter();
    tokens
        .filter(move |token| token.kind == Kind::Identifier && token.span.start as usize > body)
        .map(|token| token.span.of(function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_accessors_is_well_formed() {
        let known: Result<Accessors, _> = toml::from_str(ACCESSORS);
        assert!(known.is_ok_and(|known| known.accessors.len() > 10));
    }

    #[test]
    fn what_counts_as_work() {
        for (call, expected) in [
            ("trace_a(rq, cpu_of(rq))", None),
            ("trace_a((unsigned long)p, sizeof(*p))", None),
            ("trace_a(PFN_PHYS(pfn), READ_ONCE(x))", None),
            ("trace_a(cpu_of(busiest(rq)))", Some("busiest")),
            ("trace_a(rq,\n\tsum(rq))", Some("sum")),
            // A function of mm/backing-dev.c.
            ("trace_a(inode_to_bdi(inode))", Some("inode_to_bdi")),
            ("trace_a(p->ops->show(p))", Some("show")),
            ("trace_a(({ walk(p); 1; }))", Some("walk")),
            ("trace_call__a(sum(rq))", None),
        ] {
            let work = given(call.as_bytes(), 0).and_then(|given| work_of(&given));
            assert_eq!(work.as_deref(), expected, "{call}");
        }
    }
}
