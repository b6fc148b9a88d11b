// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Comments of the form `/* barepoint: allow(rule, rule): reason */`.
//!
//! Which rules there are, and whether anything is left to allow, is not known here.

use super::facts::{Allowance, At};
use crate::syntax::lexer::{Kind, Token};
use crate::syntax::lines::Lines;
use memchr::memmem;

/// What every such comment holds.
pub const MARK: &str = "barepoint:";

/// How far from the mark a comment may reach; no reason is that long.
const FARTHEST: usize = 1 << 12;

/// The allowances in a file that was lexed with its directives.
pub fn of(text: &[u8], tokens: &[Token]) -> Vec<Allowance> {
    let places = Places {
        own: Lines::of(text),
        before: Lines::of(text),
        behind: Lines::of(text),
    };
    memmem::find_iter(text, MARK)
        .filter_map(|offset| allowance(text, tokens, &places, u32::try_from(offset).ok()?))
        .collect()
}

/// The lines of comments, of the tokens before and of those behind them: many comments
/// may stand between two tokens, and each of the three is asked for in order.
struct Places<'t> {
    own: Lines<'t>,
    before: Lines<'t>,
    behind: Lines<'t>,
}

fn allowance(text: &[u8], tokens: &[Token], places: &Places<'_>, offset: u32) -> Option<Allowance> {
    let lines = &places.own;
    // Between tokens there is nothing but space and comments.
    let next = tokens.partition_point(|token| token.span.end <= offset);
    let inside = tokens.get(next).filter(|token| token.span.start <= offset);
    if inside.is_some_and(|token| token.kind != Kind::Directive) {
        return None;
    }
    let comment = comment_at(text, offset as usize)?;
    let own = lines.line(offset);
    let before = next.checked_sub(1).and_then(|before| tokens.get(before));
    let start = offset as usize - comment.before.len();
    let opens = lines.line(u32::try_from(start).ok()?);
    let ends = |token: &Token| places.before.line(token.span.end.saturating_sub(1));
    let shares = before.is_some_and(|token| ends(token) == opens);
    let behind = tokens.get(next);
    let behind = behind.map(|token| places.behind.line(token.span.start));
    let (rules, reason) = parsed(&comment.rest);
    Some(Allowance {
        rules,
        reason: reason.into(),
        line: if shares || inside.is_some() {
            opens
        } else {
            behind.unwrap_or(own)
        },
        at: At {
            line: own,
            column: lines.column(offset),
            offset,
        },
    })
}

/// A comment, cut at the mark.
struct Comment<'t> {
    before: &'t [u8],
    /// What follows the mark, in one line.
    rest: String,
}

/// The comment around `offset`.
fn comment_at(text: &[u8], offset: usize) -> Option<Comment<'_>> {
    let head = text.get(offset.saturating_sub(FARTHEST)..offset)?;
    let line = head
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let slashes = memmem::rfind(&head[line..], b"//").map(|at| line + at);
    let block = memmem::rfind(head, b"/*").filter(|&at| memmem::find(&head[at..], b"*/").is_none());
    let rest = text.get(offset + MARK.len()..)?;
    let rest = &rest[..rest.len().min(FARTHEST)];
    let rest = &rest[..memmem::find(rest, MARK.as_bytes()).unwrap_or(rest.len())];
    let (start, end) = match (slashes, block) {
        (_, Some(block)) => (block, memmem::find(rest, b"*/")),
        (Some(slashes), None) => (slashes, memchr::memchr(b'\n', rest)),
        (None, None) => return None,
    };
    let rest = String::from_utf8_lossy(rest.get(..end.unwrap_or(rest.len()))?).into_owned();
    let words = rest.split_whitespace().filter(|&word| word != "*");
    Some(Comment {
        before: &head[start..],
        rest: words.collect::<Vec<_>>().join(" "),
    })
}

/// The rules and the reason of ` allow(rule, rule): reason`; no rule if it is not of
/// that form.
fn parsed(rest: &str) -> (Vec<Box<str>>, &str) {
    let inner = rest.trim_start().strip_prefix("allow(");
    let Some((rules, reason)) = inner.and_then(|inner| inner.split_once(')')) else {
        return (Vec::new(), "");
    };
    let rules = rules.split(',').map(|rule| rule.trim().into());
    let reason = reason.trim_start().strip_prefix(':').unwrap_or_default();
    (rules.collect(), reason.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::lexer::lex;

    fn found(text: &str) -> Vec<(Vec<String>, String, u32)> {
        let text = text.as_bytes();
        let all = of(text, &lex(text, true).tokens);
        all.into_iter()
            .map(|one| {
                let rules = one.rules.iter().map(|rule| rule.to_string()).collect();
                (rules, one.reason.to_string(), one.line)
            })
            .collect()
    }

    #[test]
    fn of_the_same_line_or_the_next() {
        let one = |line| vec![(vec!["suffix".to_owned()], "old name".to_owned(), line)];
        assert_eq!(
            found("f(a); /* barepoint: allow(suffix): old name */\ng();"),
            one(1)
        );
        assert_eq!(
            found("// barepoint: allow(suffix): old name\n\ng();"),
            one(3)
        );
        assert_eq!(
            found("x;\n/*\n * barepoint: allow(suffix): old\n * name\n */\ng();"),
            one(6)
        );
        assert_eq!(
            found("#define A b /* barepoint: allow(suffix): old name */\ng();"),
            one(1)
        );
    }

    #[test]
    fn what_is_none_or_wrong() {
        assert_eq!(found("f(\"/* barepoint: allow(suffix): x */\");"), []);
        assert_eq!(
            found("/* barepoint: keep */ f();"),
            [(vec![], String::new(), 1)]
        );
        let two = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            found("/* barepoint: allow(a, b) */ f();"),
            [(two, String::new(), 1)]
        );
    }

    #[test]
    fn each_mark_has_a_reason_of_its_own() {
        let many = "barepoint: allow(a): why ".repeat(50_000);
        let all = found(&format!("/* {many} */ f();"));
        assert!(all.iter().take(100).all(|one| one.1 == "why"));
        let lines = "// barepoint: allow(a): why\n".repeat(50_000);
        assert_eq!(found(&lines).len(), 50_000);
    }
}
