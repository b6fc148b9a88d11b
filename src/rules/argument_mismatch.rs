// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Lists of a tracepoint's arguments that do not fit each other.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at, related};
use super::sites::{Given, calls, given, logical_line, text_of};
use crate::inventory::facts::Use;
use crate::inventory::resolve::{CallSite, Tracepoint, can_be_built_together};
use crate::syntax::lexer::{Kind, Token, is_in_capitals, is_word_byte, lex};
use memchr::memmem;
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Parts of the names of macros that stand for several arguments.
const GATHERING: [&[u8]; 4] = [b"ARG", b"PARAM", b"FIELD", b"LIST"];

/// Macros with arguments that come to one value.
const SINGLE: [&[u8]; 8] = [
    b"TPS",
    b"READ_ONCE",
    b"PTR_ERR",
    b"PTR_ERR_OR_ZERO",
    b"IS_ERR",
    b"IS_ENABLED",
    b"ARRAY_SIZE",
    b"PFN_PHYS",
];

/// How far before a call, in bytes, the macro may begin in whose body it stands.
const LONGEST_MACRO: usize = 1 << 14;

/// What a macro can make of an argument cannot be seen here: such lists are
/// never held against one another.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = lists(sight);
    found.extend(calls_that_differ(sight));
    found
}

/// Declarations whose TP_PROTO() and TP_ARGS() differ.
fn lists(sight: &Sight<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let all = sight.state.inventory.tracepoints.iter();
    for tracepoint in all.filter(|one| sight.examines(&one.file)) {
        let Some(names) = parameter_names(tracepoint) else {
            continue;
        };
        let arguments = &tracepoint.declaration.arguments;
        let plain = arguments.iter().all(|one| is_plain(one));
        let same = names.iter().eq(arguments.iter().map(AsRef::as_ref));
        if !plain || same || !is_written_out(sight, tracepoint) {
            continue;
        }
        found.push(Finding {
            rule: "argument-mismatch",
            level: Level::Error,
            tracepoint: Some(tracepoint.name().to_owned()),
            place: declared_at(tracepoint),
            message: format!(
                "TP_PROTO() of {} has ({}), but TP_ARGS() has ({})",
                tracepoint.name(),
                names.join(", "),
                arguments.join(", ")
            ),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        });
    }
    found
}

/// The names of the parameters, unless one is not to be seen.
fn parameter_names(tracepoint: &Tracepoint) -> Option<Vec<String>> {
    let prototype = &tracepoint.declaration.prototype;
    if is_void(prototype) {
        return Some(Vec::new());
    }
    let names: Option<Vec<String>> = prototype.iter().map(|one| name_of(one)).collect();
    names.filter(|names| !names.is_empty())
}

fn is_void(prototype: &[Box<str>]) -> bool {
    matches!(prototype, [only] if only.as_ref() == "void")
}

/// The name in `int (*fun)(int)`, `u8 a[N]`, `struct rq *rq`.
fn name_of(parameter: &str) -> Option<String> {
    let text = parameter.as_bytes();
    let tokens = lex(text, false).tokens;
    let word = |token: &Token| String::from_utf8_lossy(token.span.of(text)).into_owned();
    let identifiers = |tokens: &[Token]| {
        let all = tokens.iter().filter(|one| one.kind == Kind::Identifier);
        all.map(word).collect::<Vec<_>>()
    };
    if let Some(open) = tokens.iter().position(|token| token.is(b'(')) {
        let pointed = tokens.get(open + 1).is_some_and(|token| token.is(b'*'));
        let close = tokens.iter().skip(open).position(|token| token.is(b')'))? + open;
        return identifiers(tokens.get(open..close)?)
            .pop()
            .filter(|_| pointed);
    }
    let end = tokens.iter().position(|token| token.is(b'['));
    let before = identifiers(tokens.get(..end.unwrap_or(tokens.len()))?);
    let last_is_name = end.is_some() || tokens.last()?.kind == Kind::Identifier;
    // A single word is a type without a name, or a macro.
    (last_is_name && tokens.len() > 1)
        .then(|| before.last().cloned())
        .flatten()
        .filter(|name| !may_be_attribute(name))
}

/// Whether a last word may stand behind the name, as `__maybe_unused` does.
fn may_be_attribute(word: &str) -> bool {
    word.starts_with("__") && word.bytes().skip(2).any(|byte| byte == b'_')
}

/// One identifier that is not likely to be a macro.
fn is_plain(argument: &str) -> bool {
    let word = argument.as_bytes();
    let tokens = lex(word, false).tokens;
    matches!(tokens.as_slice(), [one] if one.kind == Kind::Identifier) && !is_in_capitals(word)
}

/// Whether the lists can be trusted: no `#if` stands in the declaration, and
/// where one list is empty, it is written so.
fn is_written_out(sight: &Sight<'_>, tracepoint: &Tracepoint) -> bool {
    let declaration = &tracepoint.declaration;
    let Some(text) = text_of(sight, &tracepoint.file) else {
        // Of a hunk that ends in the list, only its start is there.
        return declaration.arguments.len() >= declaration.prototype.len();
    };
    let Some(call) = given(&text, declaration.at.offset) else {
        return false;
    };
    let has_list = |call: &Given<'_>| {
        let mut words = call.arguments.iter().flatten();
        words.any(|word| *word == b"TP_ARGS")
    };
    !call.branches
        && one_meaning(sight, tracepoint)
        && (!declaration.arguments.is_empty() || has_list(&call))
}

/// Whether the wrapper that declares a tracepoint is defined once. Of several
/// definitions under `#if`s only one list is known.
fn one_meaning(sight: &Sight<'_>, tracepoint: &Tracepoint) -> bool {
    let Some(facts) = sight.state.facts.get(&tracepoint.file) else {
        return true;
    };
    tracepoint.declaration.via.iter().all(|wrapper| {
        let same = facts.wrappers.iter().filter(|one| one.name == *wrapper);
        same.count() <= 1
    })
}

/// Calls with another number of arguments than any prototype.
fn calls_that_differ(sight: &Sight<'_>) -> Vec<Finding> {
    let by_hand = defined_by_hand(sight);
    let mut found = Vec::new();
    let wanted = |_: &Tracepoint, call: &CallSite| !call.pasted && !call.site.file.ends_with(".rs");
    for (file, calls) in calls(sight, wanted) {
        let Some(text) = text_of(sight, &file) else {
            continue;
        };
        let macros = LazyCell::new(|| macros_of(&text));
        for ((at, name), call) in calls {
            let Some(given) = given(&text, at.offset).filter(|given| names(given, name)) else {
                continue;
            };
            let Some((expected, tracepoint)) = expected(sight, name, &file) else {
                continue;
            };
            let count = given.arguments.len();
            if expected.contains(&count)
                || given.branches
                || by_hand.contains(given.name)
                || takes_any_number(&text, at.offset)
                || may_be_others(&macros, &given, &expected)
                || macros.contains(given.name)
            {
                continue;
            }
            found.push(finding(tracepoint, call, &given));
        }
    }
    found
}

fn names(given: &Given<'_>, name: &str) -> bool {
    memmem::find(given.name, name.as_bytes()).is_some()
}

fn finding(tracepoint: &Tracepoint, call: &CallSite, given: &Given<'_>) -> Finding {
    let prototype = &tracepoint.declaration.prototype;
    let parameters = if is_void(prototype) {
        0
    } else {
        prototype.len()
    };
    let count = given.arguments.len();
    Finding {
        rule: "argument-mismatch",
        level: Level::Error,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: (&call.site).into(),
        message: format!(
            "{}() is given {count} argument{}, but TP_PROTO() of {} has {parameters}",
            String::from_utf8_lossy(given.name),
            if count == 1 { "" } else { "s" },
            tracepoint.name(),
        ),
        related: vec![related(
            declared_at(tracepoint),
            "the tracepoint is declared here",
        )],
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}

/// Functions with such names that are written by hand somewhere: stubs, or
/// others that happen to be called so.
fn defined_by_hand<'s>(sight: &'s Sight<'_>) -> HashSet<&'s [u8]> {
    let mentions = sight.state.facts.values().flat_map(|facts| &facts.mentions);
    mentions
        .filter(|mention| mention.usage == Use::Definition)
        .map(|mention| mention.identifier.as_bytes())
        .collect()
}

/// The numbers of arguments that the declarations of `name` ask for, if all of
/// them are to be seen, and one of the declarations.
fn expected<'s>(
    sight: &'s Sight<'_>,
    name: &str,
    file: &str,
) -> Option<(Vec<usize>, &'s Tracepoint)> {
    let mut counts = Vec::new();
    let mut first = None;
    for tracepoint in sight.state.inventory.named(name) {
        if !can_be_built_together(&tracepoint.file, file) {
            continue;
        }
        let names = parameter_names(tracepoint)?;
        let differ: BTreeMap<&String, ()> = names.iter().map(|name| (name, ())).collect();
        // The same name twice is of two branches of an `#if`.
        if differ.len() != names.len() || !one_meaning(sight, tracepoint) {
            return None;
        }
        if declared_with_branches(sight, tracepoint) {
            return None;
        }
        counts.push(names.len());
        first = first.or(Some(tracepoint));
    }
    Some((counts, first?))
}

fn declared_with_branches(sight: &Sight<'_>, tracepoint: &Tracepoint) -> bool {
    let declaration = &tracepoint.declaration;
    // Only an `#if` among the parameters makes a difference, and such a list is long.
    let may_differ = declaration.prototype.len() > 1 && declaration.via.is_empty();
    if !may_differ {
        return false;
    }
    let text: Option<Arc<[u8]>> = text_of(sight, &tracepoint.file);
    text.and_then(|text| given(&text, declaration.at.offset).map(|call| call.branches))
        .unwrap_or(false)
}

/// Whether a macro may make another number of arguments of those that are written.
/// `macros` are those of the file.
fn may_be_others(macros: &HashSet<&[u8]>, given: &Given<'_>, expected: &[usize]) -> bool {
    let too_few = expected
        .iter()
        .any(|&expected| given.arguments.len() < expected);
    let mut arguments = given.arguments.iter();
    arguments.any(|words| is_variadic(words) || too_few && may_be_several(macros, words))
}

/// Whether an argument may come to none.
fn is_variadic(words: &[&[u8]]) -> bool {
    words.is_empty()
        || words
            .iter()
            .any(|word| matches!(*word, b"__VA_ARGS__" | b"##" | b"#"))
}

/// Whether an argument may come to several: it is a macro that is defined beside
/// it, or looks like one that gathers arguments.
fn may_be_several(macros: &HashSet<&[u8]>, words: &[&[u8]]) -> bool {
    let gathers = |word: &[u8]| {
        let says_so = |part: &[u8]| memmem::find(word, part).is_some();
        is_in_capitals(word) && GATHERING.iter().any(|part| says_so(part))
    };
    match words {
        [word] => gathers(word) || macros.contains(word),
        [word, open, ..] if *open == b"(" => {
            is_in_capitals(word) && !SINGLE.contains(word) || macros.contains(word)
        }
        _ => false,
    }
}

/// The macros that `text` defines.
fn macros_of(text: &[u8]) -> HashSet<&[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    let defined = lines.filter_map(|line| {
        let directive = line.trim_ascii_start().strip_prefix(b"#")?;
        let name = directive.trim_ascii_start().strip_prefix(b"define")?;
        let name = name.trim_ascii_start();
        let length = name.iter().take_while(|&&byte| is_word_byte(byte)).count();
        Some(&name[..length])
    });
    defined.collect()
}

/// Whether the call stands in the body of a macro with `...`.
fn takes_any_number(text: &[u8], offset: u32) -> bool {
    let offset = (offset as usize).min(text.len());
    let near = &text[offset.saturating_sub(LONGEST_MACRO)..offset];
    let line = logical_line(near).trim_ascii_start();
    line.starts_with(b"#") && memmem::find(line, b"...").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters() {
        for (parameter, name) in [
            ("struct rq *rq", Some("rq")),
            ("int (*fun)(unsigned int)", Some("fun")),
            ("u8 a[N]", Some("a")),
            ("const char *const *v", Some("v")),
            ("struct rq *", None),
            ("int", None),
            ("FOO_PROTO(rq)", None),
            ("int w __maybe_unused", None),
            ("u8 __rcu *__p", Some("__p")),
        ] {
            assert_eq!(name_of(parameter).as_deref(), name, "{parameter}");
        }
    }

    #[test]
    fn macros_of_a_file() {
        let text = b"#define  both(a) a, a\n# define V(...) \\\n\ttrace_a(__VA_ARGS__)\n";
        assert_eq!(macros_of(text), HashSet::from([&b"both"[..], b"V"]));
        assert!(takes_any_number(text, text.len() as u32 - 5));
        assert!(!takes_any_number(text, 10));
    }
}
