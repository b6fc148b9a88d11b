// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The includes that a trace header needs for the fields of an event.

use super::edits::{Edits, line_around};
use crate::source::Tree;
use crate::syntax::directives::{Directive, IncludeTarget};
use crate::syntax::lexer::{Kind, lex};

/// An `#include <…>` of a text.
struct Included {
    target: String,
    offset: usize,
}

/// Adds an include of `header` to `text`, unless it has it, or what it includes has.
pub(super) fn add(edits: &mut Edits, tree: &dyn Tree, text: &[u8], header: &str, before: usize) {
    let included = includes(text);
    let is_there = |one: &Included| one.target == header || leads_to(tree, &one.target, header);
    if included.iter().any(is_there) {
        return;
    }
    let line = format!("#include <{header}>\n");
    let top: Vec<&Included> = included.iter().filter(|one| one.offset < before).collect();
    let later = top.iter().find(|one| one.target.as_str() > header);
    match (later, top.last()) {
        (Some(later), _) => edits.insert(line_around(text, later.offset).start, line),
        (None, Some(last)) => edits.insert(line_around(text, last.offset).end, line),
        (None, None) => edits.insert(line_around(text, before).start, format!("{line}\n")),
    }
}

/// Whether a header includes another itself.
fn leads_to(tree: &dyn Tree, from: &str, header: &str) -> bool {
    let text = tree.read(&format!("include/{from}")).ok().flatten();
    text.is_some_and(|text| includes(&text).iter().any(|one| one.target == header))
}

fn includes(text: &[u8]) -> Vec<Included> {
    let tokens = lex(text, true).tokens;
    let directives = tokens.iter().filter(|token| token.kind == Kind::Directive);
    directives
        .filter_map(|token| match Directive::parse(token.span.of(text)) {
            Directive::Include(IncludeTarget::Angled(target)) => Some(Included {
                target: String::from_utf8_lossy(target).into_owned(),
                offset: token.span.start as usize,
            }),
            _ => None,
        })
        .collect()
}

/// Whether `text` has `#include "name"`.
pub(super) fn includes_own(text: &[u8], name: &str) -> bool {
    let tokens = lex(text, true).tokens;
    let mut directives = tokens.iter().filter(|token| token.kind == Kind::Directive);
    directives.any(|token| {
        let directive = Directive::parse(token.span.of(text));
        directive == Directive::Include(IncludeTarget::Quoted(name.as_bytes()))
    })
}

/// Whether `__assign_str()` of this tree takes the source, too.
pub(super) fn assigns_source(tree: &dyn Tree) -> bool {
    const PLACES: [&str; 2] = [
        "include/trace/stages/stage6_event_callback.h",
        "include/trace/trace_events.h",
    ];
    let texts = PLACES
        .iter()
        .filter_map(|path| tree.read(path).ok().flatten());
    let mut counts = texts.filter_map(|text| parameters(&text, b"__assign_str"));
    counts.next() == Some(2)
}

/// How many parameters the last definition of a macro in `text` has.
fn parameters(text: &[u8], name: &[u8]) -> Option<usize> {
    let tokens = lex(text, true).tokens;
    let directives = tokens.iter().filter(|token| token.kind == Kind::Directive);
    let mut counts = directives.filter_map(|token| match Directive::parse(token.span.of(text)) {
        Directive::Define(define) if define.name == name => define.parameters.map(|all| all.len()),
        _ => None,
    });
    counts.next_back()
}
