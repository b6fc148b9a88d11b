// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Functions cut out of a file by the lexer, and what each of them names.
//!
//! tree-sitter loses its way in whole kernel files but reads a single function
//! well, so it is given slices. Where it still reports an error, the lexer's
//! coarser answer is added, so that nothing is lost. It may not know what the
//! functions that are named do.

use super::branches::ConditionStack;
use super::directives::Directive;
use super::lexer::{Kind, Span, Token, lex};
use super::outline::Outline;
use std::borrow::Cow;
use std::collections::BTreeSet;
use tree_sitter::{Node, Parser, TreeCursor};

/// A function, or a function-like macro, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// From the first token of its declaration to its closing brace; of a
    /// macro, its body.
    pub span: Span,
}

/// `text` with blanks in place of what is never built, such as the lines of an
/// `#if 0`. All that is left stands where it stood.
pub fn living(text: &[u8]) -> Cow<'_, [u8]> {
    let mut living = Cow::Borrowed(text);
    let mut conditions = ConditionStack::default();
    for token in lex(text, true).tokens {
        if token.kind == Kind::Directive {
            conditions.directive(&Directive::parse(token.span.of(text)));
        } else if conditions.is_dead() {
            let dead = &mut living.to_mut()[token.span.start as usize..token.span.end as usize];
            dead.iter_mut()
                .filter(|byte| **byte != b'\n')
                .for_each(|byte| *byte = b' ');
        }
    }
    living
}

/// The functions that `text` defines, and its function-like macros.
pub fn functions(text: &[u8]) -> Vec<Function> {
    let tokens = lex(text, true).tokens;
    let mut outline = Outline::new(text, &tokens);
    let mut found: Vec<Function> = Vec::new();
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Directive {
            outline.directive(index, false);
            found.extend(macro_function(text, token));
            continue;
        }
        let before = outline.function().cloned();
        outline.token(index);
        if let (Some(name), None) = (before, outline.function()) {
            found.push(Function {
                name: name.to_string(),
                span: Span {
                    start,
                    end: token.span.end,
                },
            });
        }
        if outline.at_file_scope() && matches!(token.kind, Kind::Punctuator(b';' | b'}')) {
            start = token.span.end;
        }
    }
    found
}

fn macro_function(text: &[u8], token: &Token) -> Option<Function> {
    match Directive::parse(token.span.of(text)) {
        Directive::Define(define) if define.parameters.is_some() => Some(Function {
            name: String::from_utf8_lossy(define.name).into_owned(),
            span: define.body.shifted(token.span.start),
        }),
        _ => None,
    }
}

/// The names that a function calls or passes on as arguments.
pub fn names_used(slice: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut parser = Parser::new();
    let tree = parser
        .set_language(&tree_sitter_c::LANGUAGE.into())
        .ok()
        .and_then(|()| parser.parse(slice, None));
    let sound = tree.is_some_and(|tree| {
        walk(&mut tree.walk(), slice, &mut names);
        !tree.root_node().has_error()
    });
    if !sound {
        names.extend(names_by_tokens(slice));
    }
    names
}

/// Visits every node below the cursor, without recursion: nesting is unbounded.
fn walk(cursor: &mut TreeCursor<'_>, slice: &[u8], names: &mut BTreeSet<String>) {
    // `Node::parent()` looks for it from the root, each time.
    let mut above = Vec::new();
    loop {
        let node = cursor.node();
        note(node, &above, slice, names);
        if cursor.goto_first_child() {
            above.push(node.kind());
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            above.pop();
        }
    }
}

/// Notes a node that is called or passed on; `above` are the kinds of those around it.
fn note(node: Node<'_>, above: &[&str], slice: &[u8], names: &mut BTreeSet<String>) {
    if node.kind() != "identifier" {
        return;
    }
    let named = matches!(
        above,
        [.., "call_expression" | "argument_list"] | [.., "argument_list", "pointer_expression"]
    );
    if named && let Some(bytes) = slice.get(node.byte_range()) {
        names.insert(String::from_utf8_lossy(bytes).into_owned());
    }
}

/// Every identifier that an opening parenthesis follows, or that stands as an
/// argument of its own.
fn names_by_tokens(slice: &[u8]) -> BTreeSet<String> {
    let tokens = lex(slice, true).tokens;
    let mut names = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Identifier {
            continue;
        }
        let next = tokens.get(index + 1);
        let previous = index.checked_sub(1).and_then(|at| tokens.get(at));
        let called = next.is_some_and(|next| next.is(b'('));
        let passed = next.is_some_and(|next| next.is(b',') || next.is(b')'))
            && previous.is_some_and(|token| token.is(b',') || token.is(b'(') || token.is(b'&'));
        if called || passed {
            names.insert(String::from_utf8_lossy(token.span.of(slice)).into_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_cut_out_whole() {
        let text = "static int a;\n#define M(x) g(x)\nint f(void)\n{\n\tg(1);\n}\nvoid h(void) { k(&m, n); }\n";
        let found = functions(text.as_bytes());
        let names: Vec<_> = found
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        assert_eq!(names, ["M", "f", "h"]);
        let body = String::from_utf8_lossy(found[1].span.of(text.as_bytes())).into_owned();
        assert!(
            body.trim().starts_with("int f") || body.contains("int f(void)"),
            "{body}"
        );
        assert!(body.ends_with('}'));
        let used = names_used(found[2].span.of(text.as_bytes()));
        assert!(used.contains("k") && used.contains("m") && used.contains("n"));
    }

    #[test]
    fn what_is_never_built_is_blank() {
        let text = "a();\n#if 0\nb();\n#else\nc();\n#endif\n";
        let living = living(text.as_bytes());
        assert_eq!(&*living, text.replace("b();", "    ").as_bytes());
    }

    #[test]
    fn a_function_that_tree_sitter_cannot_read_loses_nothing() {
        let text = "void f(void) { TRACE(a b) if (x { emit(1); guard(rcu)( h(2); }";
        let used = names_used(text.as_bytes());
        assert!(used.contains("emit") && used.contains("h"));
    }
}
