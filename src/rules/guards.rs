// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a call is reached only where its tracepoint was asked for.
//!
//! Follows the statements around the call and the conditions that lead to it:
//! `if` with its `else`, ways out of the function before it, `&&`, `?:`, and
//! variables that hold the answer.

use super::sites::Around;
use crate::syntax::groups::closing;
use crate::syntax::lexer::Kind;
use std::collections::BTreeSet;
use std::ops::Range;

/// How deep statements may nest: nobody writes more.
const DEPTH: usize = 64;

/// A condition that leads to the call, and whether it must hold for that.
struct Condition {
    words: Range<usize>,
    holds: bool,
}

/// Whether the call in `around` is under a guard of the tracepoint `name`.
pub(super) fn is_guarded(around: &Around<'_>, name: &str) -> bool {
    let walk = Walk::to_call(around);
    let guards = Guards::of(around, name);
    guards.hold(&walk)
}

/// The tracepoints one of which is on wherever the call in `around` is reached, where
/// the tracepoint `name` itself is not asked for. What is asked for need not be a
/// tracepoint.
pub(super) fn asked_instead<'a>(around: &Around<'a>, name: &str) -> BTreeSet<&'a [u8]> {
    let walk = Walk::to_call(around);
    let guards = Guards::of(around, name);
    if guards.hold(&walk) {
        return BTreeSet::new();
    }
    let is_asked = |index| asked(around, index).is_some();
    let instead = walk
        .conditions
        .iter()
        .find(|one| guards.lead_to(one, &is_asked));
    let words = instead.map_or(0..0, |condition| condition.words.clone());
    words.filter_map(|index| asked(around, index)).collect()
}

/// Follows the statements down to the one of the call.
struct Walk<'a> {
    around: &'a Around<'a>,
    conditions: Vec<Condition>,
    /// The innermost statement with the call.
    statement: Range<usize>,
}

impl<'a> Walk<'a> {
    /// Follows the function around a call.
    fn to_call(around: &'a Around<'a>) -> Self {
        let mut walk = Self {
            around,
            conditions: Vec::new(),
            statement: 0..0,
        };
        let start = if around.is_macro {
            0
        } else {
            around.body().map_or(0, |body| body + 1)
        };
        walk.block(start, DEPTH);
        walk
    }

    fn is(&self, index: usize, word: &[u8]) -> bool {
        self.around.word(index) == word
    }

    /// Reads the statements from `at` on, up to the one with the call.
    fn block(&mut self, mut at: usize, depth: usize) {
        while at < self.around.tokens.len() && at <= self.around.call {
            at = self.statement(at, depth).max(at + 1);
        }
    }

    /// Reads a statement; gives the index past it.
    fn statement(&mut self, at: usize, depth: usize) -> usize {
        let Some(depth) = depth.checked_sub(1) else {
            return self.around.tokens.len();
        };
        match self.around.word(at) {
            b"{" => self.braces(at, depth),
            b"if" => self.branch(at, depth),
            b"for" | b"while" | b"switch" => match self.parentheses(at + 1) {
                Some(close) => self.body(close + 1, depth),
                None => at + 1,
            },
            b"do" | b"else" => self.body(at + 1, depth),
            b"case" | b"default" => self.label(at),
            _ if self.is_directive(at) => at + 1,
            word if is_loop(word) => match self.parentheses(at + 1) {
                Some(close) if self.is(close + 1, b"{") => self.body(close + 1, depth),
                _ => self.expression(at),
            },
            _ if self.is(at + 1, b":") => at + 2,
            _ => self.expression(at),
        }
    }

    fn is_directive(&self, at: usize) -> bool {
        let token = self.around.tokens.get(at);
        token.is_some_and(|token| token.kind == Kind::Directive)
    }

    fn close(&self, open: usize) -> Option<usize> {
        closing(self.around.text, self.around.tokens, open)
    }

    fn parentheses(&self, open: usize) -> Option<usize> {
        self.is(open, b"(").then(|| self.close(open)).flatten()
    }

    fn braces(&mut self, at: usize, depth: usize) -> usize {
        let Some(close) = self.close(at) else {
            self.block(at + 1, depth);
            return self.around.tokens.len();
        };
        if (at..=close).contains(&self.around.call) {
            self.block(at + 1, depth);
        }
        close + 1
    }

    fn body(&mut self, at: usize, depth: usize) -> usize {
        self.statement(at, depth)
    }

    fn label(&self, at: usize) -> usize {
        let after = (at..self.around.tokens.len()).find(|&index| self.is(index, b":"));
        after.map_or(self.around.tokens.len(), |colon| colon + 1)
    }

    fn branch(&mut self, at: usize, depth: usize) -> usize {
        let Some(close) = self.parentheses(at + 1) else {
            return at + 1;
        };
        let call = self.around.call;
        let words = at + 2..close;
        if words.contains(&call) {
            self.statement = words;
            return close + 1;
        }
        let known = self.conditions.len();
        self.conditions.push(Condition {
            words: words.clone(),
            holds: true,
        });
        let then = self.body(close + 1, depth);
        if (close + 1..then).contains(&call) {
            return then;
        }
        self.conditions.truncate(known);
        let leaves = self.leaves(close + 1..then);
        let otherwise = self.is(then, b"else");
        if !otherwise && !leaves {
            return then;
        }
        self.conditions.push(Condition {
            words,
            holds: false,
        });
        if !otherwise {
            return then;
        }
        let end = self.body(then + 1, depth);
        if !(then..end).contains(&call) && !leaves {
            self.conditions.truncate(known);
        }
        end
    }

    /// Whether a statement ends by going elsewhere, whatever holds.
    fn leaves(&self, range: Range<usize>) -> bool {
        let in_braces = self.is(range.start, b"{");
        let mut end = range.end.saturating_sub(usize::from(in_braces));
        while end > range.start && self.is(end - 1, b";") {
            end -= 1;
        }
        let starts = |index: usize| {
            index == range.start || matches!(self.around.word(index - 1), b";" | b"{" | b"}" | b":")
        };
        let words = (range.start..end).rev();
        let mut last =
            words.take_while(|&index| !matches!(self.around.word(index), b";" | b"{" | b"}"));
        last.any(|index| self.goes(index) && starts(index))
    }

    fn goes(&self, index: usize) -> bool {
        matches!(
            self.around.word(index),
            b"return" | b"goto" | b"break" | b"continue"
        )
    }

    /// Reads up to the semicolon, past all that is in parentheses or braces.
    fn expression(&mut self, at: usize) -> usize {
        let mut index = at;
        while index < self.around.tokens.len() {
            let token = &self.around.tokens[index];
            match token.kind {
                Kind::Punctuator(b'(' | b'{' | b'[') => {
                    let Some(close) = self.close(index) else {
                        break;
                    };
                    index = close;
                }
                Kind::Punctuator(b';') => break,
                Kind::Punctuator(b'}') => {
                    index = index.saturating_sub(1);
                    break;
                }
                _ => {}
            }
            index += 1;
        }
        if (at..=index).contains(&self.around.call) {
            self.statement = at..index;
        }
        index + 1
    }
}

/// Macros over `for`.
fn is_loop(word: &[u8]) -> bool {
    word.windows(8).any(|part| part == b"for_each")
        || word.starts_with(b"scoped_")
        || word == b"guard"
}

/// Variables that are given the answer.
fn answers<'a>(around: &Around<'a>, name: &str) -> BTreeSet<&'a [u8]> {
    let mut answers = BTreeSet::new();
    for index in 2..around.call {
        if !asks(around, index, name) {
            continue;
        }
        let assigned = (index.saturating_sub(8)..index)
            .rev()
            .take_while(|&at| !matches!(around.word(at), b";" | b"{" | b"}" | b"if" | b"?"))
            .find(|&at| around.word(at) == b"=");
        if let Some(assigned) = assigned
            && assigned > 0
            && !matches!(around.word(assigned - 1), b"=" | b"!" | b"<" | b">")
        {
            answers.insert(around.word(assigned - 1));
        }
    }
    answers
}

/// Whether the word at `index` asks whether the tracepoint `name` is on.
fn asks(around: &Around<'_>, index: usize, name: &str) -> bool {
    asked(around, index) == Some(name.as_bytes())
}

/// The tracepoint that the word at `index` asks for.
fn asked<'a>(around: &Around<'a>, index: usize) -> Option<&'a [u8]> {
    let word = around.word(index);
    if word == b"tracepoint_enabled" {
        return Some(around.word(index + 2));
    }
    let rest = word
        .strip_prefix(b"__trace_")
        .or_else(|| word.strip_prefix(b"trace_"))?;
    rest.strip_suffix(b"_enabled")
}

/// Helpers around the question: foo_trace_enabled(), static_branch_unlikely().
fn asks_by_helper(word: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(word, part).is_some();
    let is_helper = holds(b"trace") && (word.ends_with(b"enabled") || word.ends_with(b"_on"));
    is_helper
        || word.starts_with(b"static_branch_")
        || word.starts_with(b"static_key_")
        || word == b"tracepoint_enabled"
}

struct Guards<'a> {
    around: &'a Around<'a>,
    name: &'a str,
    answers: BTreeSet<&'a [u8]>,
}

impl<'a> Guards<'a> {
    fn of(around: &'a Around<'a>, name: &'a str) -> Self {
        Self {
            around,
            name,
            answers: answers(around, name),
        }
    }

    /// Whether the call is reached only where the tracepoint is on.
    fn hold(&self, walk: &Walk<'_>) -> bool {
        walk.conditions.iter().any(|one| self.leads(one))
            || self.within(walk.statement.start..self.around.call)
    }

    fn is_guard(&self, index: usize) -> bool {
        asks(self.around, index, self.name)
            || self.answers.contains(self.around.word(index))
            || asks_by_helper(self.around.word(index))
    }

    fn is_denied(&self, index: usize) -> bool {
        let mut before = index;
        while before > 0 && matches!(self.around.word(before - 1), b"(" | b"unlikely" | b"likely") {
            before -= 1;
        }
        before > 0 && self.around.word(before - 1) == b"!"
    }

    /// Whether a condition, as it must be for the call, has the tracepoint on.
    fn leads(&self, condition: &Condition) -> bool {
        let is_of_others =
            |index| asked(self.around, index).is_some_and(|name| name != self.name.as_bytes());
        self.lead_to(condition, &|index| self.is_guard(index))
            && condition
                .words
                .clone()
                .any(|index| self.is_guard(index) && !is_of_others(index))
    }

    /// Whether one of the questions that `is_question` knows is answered with yes,
    /// wherever a condition is as it must be for the call.
    fn lead_to(&self, condition: &Condition, is_question: &dyn Fn(usize) -> bool) -> bool {
        let (every, denied): (&[u8], bool) = if condition.holds {
            (b"|", false)
        } else {
            (b"&", true)
        };
        self.split(condition.words.clone(), every)
            .into_iter()
            .all(|mut part| part.any(|index| is_question(index) && self.is_denied(index) == denied))
    }

    /// The operands of `||` or `&&` in a condition.
    fn split(&self, words: Range<usize>, operator: &[u8]) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = words.start;
        for index in words.clone() {
            let both =
                self.around.word(index) == operator && self.around.word(index + 1) == operator;
            if both {
                parts.push(start..index);
                start = index + 2;
            }
        }
        parts.push(start..words.end);
        parts
    }

    /// Whether a guard stands before the call in its own statement, with `&&` or
    /// `?` between.
    fn within(&self, words: Range<usize>) -> bool {
        words.clone().any(|index| {
            self.is_guard(index) && !self.is_denied(index) && {
                let mut between = index..words.end;
                between.any(|at| {
                    self.around.word(at) == b"?"
                        || self.around.word(at) == b"&" && self.around.word(at + 1) == b"&"
                })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sites::Source;
    use super::*;

    fn guarded(body: &str) -> bool {
        let text = format!("static void f(struct rq *rq)\n{{\n{body}\n}}\n");
        let source = Source::of(text.as_bytes());
        let at = text.find("trace_a(").unwrap_or_default() as u32;
        source.around(at).is_some_and(|one| is_guarded(&one, "a"))
    }

    #[test]
    fn forms_of_guards() {
        for body in [
            "if (trace_a_enabled()) trace_a(g());",
            "if (unlikely(trace_a_enabled()) && x) { y(); trace_a(g()); }",
            "if (tracepoint_enabled(a)) { if (x) z(); else trace_a(g()); }",
            "if (!trace_a_enabled()) return; trace_a(g());",
            "if (!trace_a_enabled() || !x) { y(); return -1; } trace_a(g());",
            "if (!trace_a_enabled()) { y(); } else { trace_a(g()); }",
            "bool on = trace_a_enabled(); x(); if (on) trace_a(g());",
            "x && trace_a_enabled() && (trace_a(g()), 1);",
            "trace_a_enabled() ? trace_a(g()) : (void)0;",
            "for (;;) { if (!trace_a_enabled()) continue; trace_a(g()); }",
            "if (!trace_a_enabled()) { x(); goto out; } trace_a(g());",
            "if (!trace_a_enabled()) return f(x, y); trace_a(g());",
            "switch (x) { case 1: if (trace_a_enabled()) trace_a(g()); }",
            "if (trace_a_enabled() || trace_b_enabled()) trace_a(g());",
            "if (rq_trace_enabled(rq)) trace_a(g());",
            "list_for_each_entry(p, q, r) { if (trace_a_enabled()) trace_a(g()); }",
        ] {
            assert!(guarded(body), "{body}");
        }
    }

    #[test]
    fn what_is_asked_for_instead() {
        for (body, expected) in [
            ("trace_a(g());", ""),
            ("if (trace_b_enabled()) trace_a(x);", "b"),
            ("if (y && trace_b_enabled()) { if (z) trace_a(x); }", "b"),
            (
                "if (trace_b_enabled() || tracepoint_enabled(c)) trace_a(x);",
                "b c",
            ),
            ("if (!trace_b_enabled()) return; trace_a(x);", "b"),
            ("if (trace_b_enabled() || y) trace_a(x);", ""),
            (
                "if (trace_b_enabled() || trace_a_enabled()) trace_a(x);",
                "",
            ),
            (
                "if (trace_b_enabled()) { if (trace_a_enabled()) trace_a(x); }",
                "",
            ),
            ("if (trace_b_enabled()) trace_b(x); trace_a(x);", ""),
            ("if (!trace_b_enabled()) trace_a(x);", ""),
            ("if (b_trace_enabled(x)) trace_a(x);", ""),
        ] {
            let text = format!("static void f(void)\n{{\n{body}\n}}\n");
            let source = Source::of(text.as_bytes());
            let at = text.find("trace_a(").unwrap_or_default() as u32;
            let around = source.around(at).expect("a function");
            let asked = asked_instead(&around, "a")
                .into_iter()
                .map(String::from_utf8_lossy);
            assert_eq!(asked.collect::<Vec<_>>().join(" "), expected, "{body}");
        }
    }

    #[test]
    fn forms_that_guard_nothing() {
        for body in [
            "trace_a(g());",
            "if (x) trace_a(g());",
            "if (trace_a_enabled()) x(); trace_a(g());",
            "if (!trace_a_enabled()) trace_a(g());",
            "if (!trace_a_enabled()) x(); trace_a(g());",
            "if (trace_b_on(x)) y(); else trace_a(g());",
            "if (trace_b_enabled()) trace_a(g());",
            "if (x || trace_a_enabled()) trace_a(g());",
            "if (trace_a_enabled()) return; trace_a(g());",
            "if (trace_a_enabled()) { x(); } else { trace_a(g()); }",
            "{ if (!trace_a_enabled()) x(); } trace_a(g());",
            "if (!trace_a_enabled()) { if (y) return; } trace_a(g());",
            "if (!trace_a_enabled()) if (y) return; trace_a(g());",
            "if (!trace_a_enabled()) { if (y) { return; } } trace_a(g());",
            "if (!trace_a_enabled() && y) return; trace_a(g());",
            "{ if (!trace_a_enabled()) break; } trace_a(g());",
        ] {
            assert!(!guarded(body), "{body}");
        }
    }
}
