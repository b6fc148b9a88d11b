// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A call that works for its arguments even while nobody listens.

use super::finding::{Finding, Level};
use super::guards::Asking;
use super::review::{Sight, declared_here};
use super::sites::{Given, Source, calls, given, is_our_business, text_of};
use crate::inventory::resolve::{CallSite, Tracepoint};
use crate::syntax::lexer::is_in_capitals;
use std::sync::LazyLock;

/// What may be called for nothing.
const ACCESSORS: &str = include_str!("../../rules/accessors.toml");

/// Words that stand before a parenthesis and call nothing.
const NO_CALLS: [&str; 6] = ["_Generic", "if", "while", "for", "switch", "return"];

/// Words whose parentheses hold what is looked at by the compiler alone.
const NOT_EVALUATED: [&[u8]; 10] = [
    b"sizeof",
    b"sizeof_field",
    b"typeof",
    b"__typeof__",
    b"typeof_member",
    b"alignof",
    b"_Alignof",
    b"__alignof__",
    b"offsetof",
    b"__same_type",
];

/// Looks at each call with arguments that call something.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let bare = sight.state.inventory.bare_names();
    let mut asking = Asking::default();
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
            if asking.before(sight, (&file, source), &around, name) {
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
        approval: None,
        passing: false,
    }
}

/// The first function that the arguments call, but for trivial ones. What
/// `trace_call__X()` is given was asked for before.
fn work_of(given: &Given<'_>) -> Option<String> {
    if given.name.starts_with(b"trace_call__") {
        return None;
    }
    given.arguments.iter().find_map(|words| work_among(words))
}

fn work_among(words: &[&[u8]]) -> Option<String> {
    let mut index = 0;
    while let Some(&word) = words.get(index) {
        if words.get(index + 1).is_none_or(|open| **open != *b"(") {
            index += 1;
            continue;
        }
        if NOT_EVALUATED.contains(&word) {
            index = closing(words, index + 1);
            continue;
        }
        let before = &words[..index];
        let member = matches!(before.last(), Some(&b"." | &b">"));
        let work = called(word, member).or_else(|| called_through(words, index));
        if work.is_some() {
            return work;
        }
        index += 1;
    }
    None
}

/// Where the parenthesis closes that opens at `open`.
fn closing(words: &[&[u8]], open: usize) -> usize {
    let mut depth = 0usize;
    let close = (open..words.len()).find(|&at| {
        depth += usize::from(words[at] == b"(");
        depth -= usize::from(words[at] == b")" && depth > 0);
        depth == 0
    });
    close.unwrap_or(words.len())
}

/// What is called through a pointer: `(*x->fun)(…)`, `x->funs[i](…)`. A name alone in
/// parentheses may be a type.
fn called_through(words: &[&[u8]], close: usize) -> Option<String> {
    let (open, shut): (&[u8], &[u8]) = match words[close] {
        b")" => (b"(", b")"),
        b"]" => (b"[", b"]"),
        _ => return None,
    };
    let mut depth = 0usize;
    let start = (0..=close).rev().find(|&at| {
        depth += usize::from(words[at] == shut);
        depth -= usize::from(words[at] == open && depth > 0);
        depth == 0
    })?;
    let is_name = |word: &&&[u8]| starts_name(word);
    if shut == b"]" {
        return text(words[..start].last().filter(is_name)?);
    }
    let inside = &words[start + 1..close];
    let points = inside.first().is_some_and(|word| **word == *b"*");
    text(inside.iter().rfind(is_name).filter(|_| points)?)
}

fn starts_name(word: &[u8]) -> bool {
    word.first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

fn text(word: &[u8]) -> Option<String> {
    Some(String::from_utf8_lossy(word).into_owned())
}

fn called(word: &[u8], member: bool) -> Option<String> {
    let name = text(Some(word).filter(|word| starts_name(word))?)?;
    let trivial = NO_CALLS.contains(&name.as_str())
        || name.starts_with("__builtin_")
        || is_in_capitals(name.as_bytes())
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
            ("trace_a(p->ops->show(p))", Some("show")),
            ("trace_a(({ walk(p); 1; }))", Some("walk")),
            ("trace_call__a(sum(rq))", None),
            ("trace_a(sizeof(sum(rq)), (typeof(sum(rq)))1)", None),
            ("trace_a(sizeof(sum(rq)) + count(rq))", Some("count")),
            (
                "trace_a(rcu_dereference_check(p, lockdep_is_held(&l)))",
                None,
            ),
            ("trace_a((struct rq *)(rq), (void *(*)(void))(f))", None),
            ("trace_a((*rq->sum)(rq))", Some("sum")),
            ("trace_a(rq->sums[1](rq))", Some("sums")),
            ("trace_a(&(struct a){ .b = sum(rq) })", Some("sum")),
            ("trace_a(rq->sums[1], (*rq)->sum)", None),
        ] {
            let work = given(call.as_bytes(), 0).and_then(|given| work_of(&given));
            assert_eq!(work.as_deref(), expected, "{call}");
        }
    }
}
