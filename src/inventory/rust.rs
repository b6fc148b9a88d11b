// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Rust callers: `declare_trace!` (rust/kernel/tracepoint.rs) and the functions
//! that it makes.
//!
//! The macro gives a tracepoint a function of the same name; a call of that
//! function is a call of the tracepoint.

use super::facts::{At, Facts, Mention, Use};
use crate::syntax::conditions::Condition;
use crate::syntax::lexer::{is_word_byte, nested_comment};
use crate::syntax::lines::Lines;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Reads a Rust file.
pub fn read(text: &[u8]) -> Facts {
    let words = words(text);
    let lines = Lines::of(text);
    let blocks = declaring_blocks(text, &words);
    let names: BTreeSet<&[u8]> = blocks
        .iter()
        .flat_map(|block| declared(text, &words, block.clone()))
        .collect();
    let mut facts = Facts::default();
    let mut called = BTreeSet::new();
    let mut function: Option<Arc<str>> = None;
    let mut next = blocks.iter().peekable();
    for (index, word) in words.iter().enumerate() {
        let bytes = &text[word.clone()];
        if bytes == b"fn" {
            function = words
                .get(index + 1)
                .map(|name| String::from_utf8_lossy(&text[name.clone()]).into());
        }
        while next.next_if(|block| block.end <= index).is_some() {}
        let inside = next.peek().is_some_and(|block| block.contains(&index));
        if !inside
            && names.contains(bytes)
            && text.get(word.end) == Some(&b'(')
            && !is_fn_name(text, &words, index)
        {
            called.insert(bytes);
            facts.mentions.push(mention(
                bytes,
                Use::Call,
                function.clone(),
                at(&lines, word),
            ));
        }
    }
    // A declaration that this file does not call is an entry point for others.
    for block in &blocks {
        for index in block.clone() {
            let word = &words[index];
            let bytes = &text[word.clone()];
            if is_fn_name(text, &words, index) && !called.contains(bytes) {
                facts
                    .mentions
                    .push(mention(bytes, Use::Pointer, None, at(&lines, word)));
            }
        }
    }
    facts.mentions.sort_by_key(|mention| mention.at);
    facts
}

fn at(lines: &Lines<'_>, word: &Range<usize>) -> At {
    let offset = word.start as u32;
    At {
        line: lines.line(offset),
        column: lines.column(offset),
        offset,
    }
}

fn mention(name: &[u8], usage: Use, function: Option<Arc<str>>, at: At) -> Mention {
    Mention {
        identifier: format!("trace_{}", String::from_utf8_lossy(name)).into(),
        usage,
        function,
        at,
        condition: Condition::default(),
        pasted: false,
    }
}

fn is_fn_name(text: &[u8], words: &[Range<usize>], index: usize) -> bool {
    index
        .checked_sub(1)
        .and_then(|before| words.get(before))
        .is_some_and(|word| &text[word.clone()] == b"fn")
}

/// The names after `fn` in a block.
fn declared<'a>(
    text: &'a [u8],
    words: &'a [Range<usize>],
    block: Range<usize>,
) -> impl Iterator<Item = &'a [u8]> {
    block
        .filter(|&index| is_fn_name(text, words, index))
        .map(|index| &text[words[index].clone()])
}

/// The words inside each `declare_trace! { … }`.
fn declaring_blocks(text: &[u8], words: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let inside = blocks
            .last()
            .is_some_and(|last: &Range<usize>| index < last.end);
        let named = &text[word.clone()] == b"declare_trace" && text.get(word.end) == Some(&b'!');
        if inside || !named {
            continue;
        }
        // Declarations hold no braces of their own.
        let end =
            memchr::memchr(b'}', &text[word.end..]).map_or(text.len(), |length| word.end + length);
        let past = words.partition_point(|word| word.start < end);
        blocks.push(index + 1..past);
    }
    blocks
}

/// The identifiers of a Rust text, outside of comments and strings.
fn words(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        if rest.starts_with(b"//") {
            at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        } else if rest.starts_with(b"/*") {
            at += nested_comment(rest);
        } else if rest.starts_with(b"'\"'") {
            at += 3;
        } else if byte == b'"' {
            at += string(rest);
        } else if byte == b'r' && raw_string(rest) > 0 {
            at += raw_string(rest);
        } else if is_word_byte(byte) {
            let length = rest
                .iter()
                .position(|&byte| !is_word_byte(byte))
                .unwrap_or(rest.len());
            words.push(at..at + length);
            at += length;
        } else {
            at += 1;
        }
    }
    words
}

fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Length of the raw string that `text` starts with, or 0.
fn raw_string(text: &[u8]) -> usize {
    let hashes = text[1..].iter().take_while(|&&byte| byte == b'#').count();
    if text.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.extend(std::iter::repeat_n(b'#', hashes));
    let start = hashes + 2;
    memchr::memmem::find(&text[start..], &end)
        .map_or(text.len(), |length| start + length + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_declared_functions_are_call_sites() {
        let text = "declare_trace! {\n    unsafe fn a_b(x: u32);\n    unsafe fn unused();\n}\n\
                    // a_b(1)\nfn go<'a>(s: &'a str) {\n    let _ = (\"a_b(2)\", '\"');\n    unsafe { a_b(3) }\n}\n";
        let facts = read(text.as_bytes());
        let found: Vec<_> = facts
            .mentions
            .iter()
            .map(|mention| {
                (
                    mention.identifier.as_ref(),
                    mention.at.line,
                    mention.usage,
                    mention.function.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("trace_unused", 3, Use::Pointer, None),
                ("trace_a_b", 8, Use::Call, Some("go")),
            ]
        );
    }

    #[test]
    fn a_block_that_never_ends_is_one() {
        let text = "declare_trace! ".repeat(1000) + &"fn a(); ".repeat(1000);
        assert_eq!(read(text.as_bytes()).mentions.len(), 1000);
    }
}
