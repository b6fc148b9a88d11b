// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What follows from an expression being true, or false, or from a place in it being
//! come to.

use super::super::sites::Around;
use super::walk::Walk;
use super::{Answer, Question, asked, is_helper};
use crate::syntax::groups::{closing, items};
use crate::syntax::lexer::Kind;
use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

/// How deep expressions may nest, and how many variables may hand an answer on.
const DEPTH: usize = 64;
const VARIABLES: usize = 3;

/// How many expressions are looked into for one call, and how many values of a variable.
const EXPRESSIONS: usize = 1 << 12;
const VALUES: usize = 16;

/// A question, and what is known of its answer in a function.
pub(super) struct Guards<'a> {
    around: &'a Around<'a>,
    question: &'a Question<'a>,
    /// Whether anything is asked for at all.
    asks: bool,
    /// How many variables may still be looked into.
    variables: usize,
    /// How many expressions may: a stranger's may be such that each is looked into
    /// from several others.
    expressions: Rc<Cell<usize>>,
}

/// The operands of an expression, and what is between them.
enum Shape {
    Or(Vec<Range<usize>>),
    And(Vec<Range<usize>>),
    Choice([Range<usize>; 3]),
    /// An expression that is compared with a constant, and what it is if the comparison
    /// is true.
    Compared(Range<usize>, bool),
    Not(Range<usize>),
    /// The same as another expression.
    Same(Range<usize>),
    Leaf,
}

impl<'a> Guards<'a> {
    pub(super) fn of(around: &'a Around<'a>, question: &'a Question<'a>) -> Self {
        let mut guards = Self {
            around,
            question,
            asks: false,
            variables: VARIABLES,
            expressions: Rc::new(Cell::new(EXPRESSIONS)),
        };
        let mut words = 0..around.tokens.len();
        guards.asks = words.any(|index| guards.question(index) != Answer::None);
        guards
    }

    fn may_go_on(&self) -> bool {
        let left = self.expressions.get();
        self.expressions.set(left.saturating_sub(1));
        left > 0
    }

    /// What is known at the target of `walk`.
    pub(super) fn hold(&self, walk: &Walk<'_>) -> Answer {
        self.held(walk, DEPTH)
    }

    fn held(&self, walk: &Walk<'_>, depth: usize) -> Answer {
        if !self.asks {
            return Answer::None;
        }
        let conditions = walk.conditions.iter();
        let known = conditions.map(|one| self.implied(one.words.clone(), one.holds));
        let reached = self.reached(walk.expression.clone(), walk.target, depth);
        any(known).max(reached)
    }

    /// What follows if the expression `words` is `truth`.
    pub(super) fn implied(&self, words: Range<usize>, truth: bool) -> Answer {
        self.implies(words, truth, DEPTH)
    }

    fn implies(&self, words: Range<usize>, truth: bool, depth: usize) -> Answer {
        let Some(depth) = depth.checked_sub(1).filter(|_| self.may_go_on()) else {
            return Answer::None;
        };
        let implies = |words: &Range<usize>, truth| self.implies(words.clone(), truth, depth);
        match self.shape(&words) {
            Shape::Or(parts) if truth => every(parts.iter().map(|part| implies(part, true))),
            Shape::And(parts) if !truth => every(parts.iter().map(|part| implies(part, false))),
            Shape::Or(parts) | Shape::And(parts) => {
                any(parts.iter().map(|part| implies(part, truth)))
            }
            Shape::Choice([condition, yes, no]) => every([
                implies(&condition, true).max(implies(&yes, truth)),
                implies(&condition, false).max(implies(&no, truth)),
            ]),
            Shape::Compared(words, same) => implies(&words, truth == same),
            Shape::Not(words) => implies(&words, !truth),
            Shape::Same(words) => implies(&words, truth),
            Shape::Leaf => self.leaf(words, truth),
        }
    }

    /// What is known where the word at `target` is come to in an expression.
    fn reached(&self, words: Range<usize>, target: usize, depth: usize) -> Answer {
        let Some(depth) = depth.checked_sub(1).filter(|_| words.contains(&target)) else {
            return Answer::None;
        };
        let parts = items(self.around.text, self.around.tokens, words.clone());
        let own = parts.into_iter().find(|part| part.contains(&target));
        let words = self.behind_assignment(own.unwrap_or(words));
        let before = |parts: Vec<Range<usize>>, truth| {
            let mut known = Answer::None;
            for part in parts {
                if part.contains(&target) {
                    return known.max(self.reached(part, target, depth));
                }
                known = known.max(self.implied(part, truth));
            }
            known
        };
        match self.shape(&words) {
            Shape::Or(parts) => before(parts, false),
            Shape::And(parts) => before(parts, true),
            Shape::Choice([condition, yes, no]) => {
                let known = if yes.contains(&target) {
                    self.implied(condition.clone(), true)
                } else if no.contains(&target) {
                    self.implied(condition.clone(), false)
                } else {
                    Answer::None
                };
                let parts = [condition, yes, no].into_iter();
                any(parts.map(|part| self.reached(part, target, depth))).max(known)
            }
            _ => match self.group_with(words, target) {
                Some(inner) if self.is(inner.start, b"{") => {
                    let walk = Walk::within(self.around, inner.start + 1, target);
                    self.held(&walk, depth)
                }
                Some(inner) => self.reached(inner, target, depth),
                None => Answer::None,
            },
        }
    }

    /// What stands in the outermost parentheses or braces around the target.
    fn group_with(&self, words: Range<usize>, target: usize) -> Option<Range<usize>> {
        let mut index = words.start;
        while index < target {
            if self.opens(index) {
                let close = self.close(index)?;
                if close > target {
                    return Some(index + 1..close);
                }
                index = close;
            }
            index += 1;
        }
        None
    }

    fn word(&self, index: usize) -> &'a [u8] {
        self.around.word(index)
    }

    fn is(&self, index: usize, word: &[u8]) -> bool {
        self.word(index) == word
    }

    fn opens(&self, index: usize) -> bool {
        matches!(self.word(index), b"(" | b"[" | b"{")
    }

    fn close(&self, open: usize) -> Option<usize> {
        closing(self.around.text, self.around.tokens, open)
    }

    /// The indices of `words` that stand in no parentheses.
    fn top(&self, words: &Range<usize>) -> Vec<usize> {
        let mut top = Vec::new();
        let mut index = words.start;
        while index < words.end {
            top.push(index);
            if self.opens(index) {
                index = self.close(index).unwrap_or(words.end);
            }
            index += 1;
        }
        top
    }

    /// Whether a word ends an operand, so that an operator of two follows.
    fn ends_operand(&self, index: usize) -> bool {
        let kind = self.around.tokens.get(index).map(|token| token.kind);
        let is_name = matches!(kind, Some(Kind::Punctuator(b')' | b']')))
            || !matches!(kind, None | Some(Kind::Punctuator(_) | Kind::Directive));
        is_name && !self.is(index, b"return")
    }

    /// Whether the word at `index` is a `=` that assigns.
    fn assigns(&self, index: usize) -> bool {
        self.is(index, b"=")
            && !self.is(index + 1, b"=")
            && index
                .checked_sub(1)
                .is_some_and(|before| !matches!(self.word(before), b"=" | b"!" | b"<" | b">"))
    }

    /// What is assigned or returned, where an expression does that.
    fn behind_assignment(&self, words: Range<usize>) -> Range<usize> {
        let assigned = self.top(&words).into_iter().rfind(|&at| self.assigns(at));
        let start = assigned.map_or(words.start, |at| at + 1);
        start + usize::from(self.is(start, b"return"))..words.end
    }

    /// Splits an expression at the operator that binds least.
    fn shape(&self, words: &Range<usize>) -> Shape {
        let value = self.behind_assignment(words.clone());
        if value != *words {
            return Shape::Same(value);
        }
        let top = self.top(words);
        let comma = top.iter().rfind(|&&at| self.is(at, b","));
        if let Some(&comma) = comma {
            return Shape::Same(comma + 1..words.end);
        }
        if let Some(question) = top.iter().position(|&at| self.is(at, b"?")) {
            return self.choice(words, &top, question);
        }
        for (operator, shape) in [
            (&b"|"[..], Shape::Or as fn(_) -> _),
            (&b"&"[..], Shape::And as fn(_) -> _),
        ] {
            let parts = self.operands(words, &top, operator);
            if parts.len() > 1 {
                return shape(parts);
            }
        }
        self.comparison(words, &top)
            .or_else(|| self.prefixed(words))
            .unwrap_or(Shape::Leaf)
    }

    fn choice(&self, words: &Range<usize>, top: &[usize], question: usize) -> Shape {
        let mut depth = 0usize;
        let colon = top[question..].iter().find(|&&at| {
            depth += usize::from(self.is(at, b"?"));
            depth -= usize::from(self.is(at, b":") && depth > 0);
            depth == 0
        });
        let question = top[question];
        match colon {
            Some(&colon) => Shape::Choice([
                words.start..question,
                question + 1..colon,
                colon + 1..words.end,
            ]),
            None => Shape::Leaf,
        }
    }

    /// The operands of `||` or `&&`, or else of `|` or `&`, which come to the same
    /// between answers.
    fn operands(&self, words: &Range<usize>, top: &[usize], operator: &[u8]) -> Vec<Range<usize>> {
        let twice = |at: usize| self.is(at, operator) && self.is(at + 1, operator);
        let once = |at: usize| {
            self.is(at, operator)
                && !self.is(at + 1, operator)
                && !self.is(at + 1, b"=")
                && at > words.start
                && self.ends_operand(at - 1)
        };
        let split = |length: usize, is_one: &dyn Fn(usize) -> bool| {
            let mut parts = Vec::new();
            let mut start = words.start;
            for &at in top.iter().filter(|&&at| is_one(at)) {
                if at >= start {
                    parts.push(start..at);
                    start = at + length;
                }
            }
            parts.push(start..words.end);
            parts
        };
        let parts = split(2, &twice);
        let other = if operator == b"|" { &b"&"[..] } else { b"|" };
        let has_other = top
            .iter()
            .any(|&at| self.is(at, other) && self.is(at + 1, other));
        if parts.len() > 1 || has_other {
            return parts;
        }
        split(1, &once)
    }

    /// `x == 0`, `x != false` and the like.
    fn comparison(&self, words: &Range<usize>, top: &[usize]) -> Option<Shape> {
        let at = *top.iter().find(|&&at| {
            matches!(self.word(at), b"=" | b"!") && self.is(at + 1, b"=") && at > words.start
        })?;
        let (left, right) = (words.start..at, at + 2..words.end);
        let (other, constant) = match (self.constant(&left), self.constant(&right)) {
            (None, Some(constant)) => (left, constant),
            (Some(constant), None) => (right, constant),
            _ => return None,
        };
        let equal = self.is(at, b"=");
        Some(Shape::Compared(other, constant == equal))
    }

    fn constant(&self, words: &Range<usize>) -> Option<bool> {
        let only = (words.len() == 1).then(|| self.word(words.start))?;
        match only {
            b"0" | b"false" | b"NULL" => Some(false),
            b"1" | b"true" => Some(true),
            _ => None,
        }
    }

    /// `!x`, `(x)`, `likely(x)`, `(bool)x`.
    fn prefixed(&self, words: &Range<usize>) -> Option<Shape> {
        let start = words.start;
        if self.is(start, b"!") {
            return Some(Shape::Not(start + 1..words.end));
        }
        let is_hint = matches!(
            self.word(start),
            b"likely" | b"unlikely" | b"__builtin_expect"
        );
        let open = start + usize::from(is_hint);
        if !self.is(open, b"(") || self.is(open + 1, b"{") {
            return None;
        }
        let close = self.close(open)?;
        if close + 1 >= words.end {
            let inner = open + 1..close;
            let first = items(self.around.text, self.around.tokens, inner.clone());
            return Some(Shape::Same(match first.first() {
                Some(first) if is_hint => first.clone(),
                _ => inner,
            }));
        }
        let is_cast = !is_hint
            && (self.ends_operand(close + 1) || matches!(self.word(close + 1), b"(" | b"!"));
        is_cast.then_some(Shape::Same(close + 1..words.end))
    }

    fn leaf(&self, words: Range<usize>, truth: bool) -> Answer {
        match self.constant(&words) {
            Some(constant) if constant == truth => return Answer::None,
            Some(_) => return Answer::Never,
            None => {}
        }
        let asked = words.clone();
        let asked = asked.filter(|&index| truth && !self.is_denied(words.start, index));
        let known = any(asked.map(|index| self.question(index)));
        if known != Answer::None {
            return known;
        }
        any(self
            .names(&words, truth)
            .map(|name| self.variable(name, truth, words.start)))
    }

    /// The variables that an expression is made of; of one that is false, the one that
    /// it is.
    fn names(&self, words: &Range<usize>, truth: bool) -> impl Iterator<Item = &'a [u8]> {
        let only = words.clone().all(|at| {
            let kind = self.around.tokens.get(at).map(|token| token.kind);
            kind == Some(Kind::Identifier) || matches!(self.word(at), b"." | b"-" | b">")
        });
        let from = if truth {
            words.start
        } else if only {
            words.end.saturating_sub(1)
        } else {
            words.end
        };
        let names = from..words.end;
        names
            .filter(move |&at| {
                let kind = self.around.tokens.get(at).map(|token| token.kind);
                kind == Some(Kind::Identifier) && !self.is(at + 1, b"(")
            })
            .map(move |at| self.word(at))
    }

    /// What the word at `index` asks for.
    fn question(&self, index: usize) -> Answer {
        let word = self.word(index);
        match asked(self.around, index) {
            Some(name) if name == self.question.name.as_bytes() => Answer::Own,
            Some(name) if self.question.is_tracepoint(name) => Answer::Other,
            _ if is_helper(word) || self.question.is_predicate(word) => Answer::Own,
            _ => Answer::None,
        }
    }

    /// Whether a `!` stands before the word at `index` in an expression from `start` on.
    fn is_denied(&self, start: usize, index: usize) -> bool {
        let before = (start..index).rev();
        let mut before = before.map(|at| self.word(at));
        before.find(|word| !matches!(*word, b"(" | b"unlikely" | b"likely")) == Some(b"!")
    }

    /// What follows if a variable is `truth` at `index`: it must do so from whatever it
    /// was given before.
    fn variable(&self, name: &[u8], truth: bool, index: usize) -> Answer {
        let Some(variables) = self.variables.checked_sub(1) else {
            return Answer::None;
        };
        let inner = Self {
            variables,
            expressions: self.expressions.clone(),
            ..*self
        };
        let given = (1..index).filter(|&at| self.assigns(at) && self.is_given(at, name));
        let given: Vec<usize> = given.take(VALUES + 1).collect();
        if given.len() > VALUES {
            return Answer::None;
        }
        let answers = given.into_iter().map(|at| {
            let value = self.value(at + 1);
            let implied = inner.implied(value, truth);
            if implied == Answer::None && truth {
                return inner.hold(&Walk::to(self.around, at));
            }
            implied
        });
        let answers: Vec<Answer> = answers.collect();
        match every(answers) {
            // Nothing that is known gives it this value.
            Answer::Never => Answer::None,
            answer => answer,
        }
    }

    /// Whether the `=` at `at` gives `name` its value, if by `|=` or `&=`.
    fn is_given(&self, at: usize, name: &[u8]) -> bool {
        let combined = matches!(self.word(at - 1), b"|" | b"&");
        let before = at.checked_sub(if combined { 2 } else { 1 });
        before.is_some_and(|before| self.is(before, name))
    }

    /// The expression that starts at `from`.
    fn value(&self, from: usize) -> Range<usize> {
        let mut at = from;
        while at < self.around.tokens.len() && !matches!(self.word(at), b";" | b"," | b")" | b"}") {
            if self.opens(at) {
                at = self.close(at).unwrap_or(at);
            }
            at += 1;
        }
        from..at
    }
}

/// What is known if all of `answers` are.
fn any(answers: impl IntoIterator<Item = Answer>) -> Answer {
    answers.into_iter().max().unwrap_or(Answer::None)
}

/// What is known if one of `answers` is, and nobody can say which.
pub(super) fn every(answers: impl IntoIterator<Item = Answer>) -> Answer {
    let mut known = Answer::Never;
    for answer in answers {
        known = match (known, answer) {
            (_, Answer::None) => return Answer::None,
            (known, Answer::Never) => known,
            (Answer::Never, answer) => answer,
            (known, answer) => known.max(answer),
        };
    }
    known
}
