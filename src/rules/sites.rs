// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The text of a call.
//!
//! Facts say where a tracepoint is called; some rules must see how. A place that
//! is not in the text, as where only the hunks of a patch are known, gives nothing.

use super::review::Sight;
use crate::inventory::facts::{At, Use};
use crate::inventory::resolve::{CallSite, Tracepoint};
use crate::syntax::groups::{arguments, closing};
use crate::syntax::lexer::{Kind, Token, lex};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far the arguments of a call may reach, tried one after the other.
const REACH: [usize; 2] = [1 << 11, 1 << 15];

/// A call with its arguments, each as its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<'t> {
    /// What is called.
    pub name: &'t [u8],
    /// The arguments.
    pub arguments: Vec<Vec<&'t [u8]>>,
    /// Whether an `#if` stands among them.
    pub branches: bool,
}

/// The call whose name is at `offset`.
pub fn given(text: &[u8], offset: u32) -> Option<Given<'_>> {
    let rest = text.get(offset as usize..)?;
    REACH
        .iter()
        .find_map(|&reach| given_within(&rest[..rest.len().min(reach)]))
}

fn given_within(text: &[u8]) -> Option<Given<'_>> {
    let tokens = lex(text, true).tokens;
    let name = tokens
        .first()
        .filter(|name| name.kind == Kind::Identifier)?;
    if !tokens.get(1)?.is(b'(') {
        return None;
    }
    let close = closing(text, &tokens, 1)?;
    let directive = |token: &Token| token.kind == Kind::Directive;
    let words = |range: std::ops::Range<usize>| {
        let tokens = tokens.get(range).unwrap_or_default();
        let words = tokens.iter().filter(|token| !directive(token));
        words.map(|token| token.span.of(text)).collect()
    };
    Some(Given {
        name: name.span.of(text),
        arguments: arguments(text, &tokens, 1, close)
            .into_iter()
            .map(words)
            .collect(),
        branches: tokens.iter().take(close).any(directive),
    })
}

/// The calls of `usage` in each file, each with its tracepoint, once.
pub fn calls<'s>(
    sight: &'s Sight<'_>,
    wanted: impl Fn(&Tracepoint, &CallSite) -> bool,
) -> BTreeMap<Arc<str>, BTreeMap<(At, &'s str), &'s CallSite>> {
    let mut calls: BTreeMap<Arc<str>, BTreeMap<(At, &str), &CallSite>> = BTreeMap::new();
    for tracepoint in &sight.state.inventory.tracepoints {
        for call in tracepoint
            .call_sites
            .iter()
            .filter(|call| call.usage == Use::Call && wanted(tracepoint, call))
        {
            calls
                .entry(call.site.file.clone())
                .or_default()
                .insert((call.site.at, tracepoint.name()), call);
        }
    }
    calls
}

/// The text of a file of the tree.
pub fn text_of(sight: &Sight<'_>, path: &str) -> Option<Arc<[u8]>> {
    // What cannot be read was reported by the scan of the tree.
    sight.tree.read(path).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str, word: &str) -> Option<(Vec<String>, bool)> {
        let given = given(text.as_bytes(), text.find(word)? as u32)?;
        let one = |words: &Vec<&[u8]>| String::from_utf8_lossy(&words.join(&b' ')).into_owned();
        Some((given.arguments.iter().map(one).collect(), given.branches))
    }

    #[test]
    fn arguments_of_a_call() {
        let text = "x(); trace_a(rq,\n\tf(b, c) /* , */,\n#ifdef X\n\t\"d,\"\n#endif\n);";
        let words = ["rq", "f ( b , c )", "\"d,\""].map(str::to_owned).to_vec();
        assert_eq!(spelled(text, "trace_a"), Some((words, true)));
        assert_eq!(spelled("trace_a()", "trace_a"), Some((Vec::new(), false)));
        assert_eq!(spelled("trace_a(b", "trace_a"), None);
        assert_eq!(spelled("p = trace_a;", "trace_a"), None);
    }
}
