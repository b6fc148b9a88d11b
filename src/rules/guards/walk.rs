// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The statements of a function on the way to a place in it.
//!
//! Knows which conditions hold there: those of the `if`s and loops around it, and of
//! the ways out before it, unless a label lets somebody in behind them. What the
//! conditions say is not known here.

use super::super::sites::Around;
use crate::syntax::groups::closing;
use crate::syntax::lexer::Kind;
use std::ops::Range;

/// How deep statements may nest: nobody writes more.
const DEPTH: usize = 64;

/// A condition on the way.
#[derive(Debug)]
pub(super) struct Condition {
    /// Its words.
    pub words: Range<usize>,
    /// Whether it holds there, or its opposite does.
    pub holds: bool,
    /// Where it begins to hold. Who jumps over that did not ask.
    from: usize,
}

/// The end of a statement.
#[derive(Clone, Copy)]
struct End {
    /// Index past it.
    past: usize,
    /// Whether it goes elsewhere, whatever holds.
    leaves: bool,
}

impl End {
    fn at(past: usize) -> Self {
        Self {
            past,
            leaves: false,
        }
    }
}

/// Follows the statements down to the one that holds the target.
pub(super) struct Walk<'a> {
    around: &'a Around<'a>,
    /// Index of the word that is gone to.
    pub target: usize,
    /// What holds there.
    pub conditions: Vec<Condition>,
    /// The innermost statement or condition with the target.
    pub expression: Range<usize>,
    /// The `switch`es around.
    switches: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// Follows the function around `target`.
    pub(super) fn to(around: &'a Around<'a>, target: usize) -> Self {
        let start = if around.is_macro {
            0
        } else {
            around.body().map_or(0, |body| body + 1)
        };
        Self::within(around, start, target)
    }

    /// Follows the statements from `start` on.
    pub(super) fn within(around: &'a Around<'a>, start: usize, target: usize) -> Self {
        let mut walk = Self {
            around,
            target,
            conditions: Vec::new(),
            expression: 0..0,
            switches: Vec::new(),
        };
        walk.block(start, around.tokens.len(), DEPTH);
        walk
    }

    fn is(&self, index: usize, word: &[u8]) -> bool {
        self.around.word(index) == word
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.around.tokens.get(index).map(|token| token.kind)
    }

    /// Reads the statements from `at` on, up to the one with the target, and says
    /// whether one of them leaves.
    fn block(&mut self, mut at: usize, end: usize, depth: usize) -> bool {
        let mut leaves = false;
        while at < end {
            let statement = self.statement(at, depth);
            if (at..statement.past).contains(&self.target) {
                return false;
            }
            leaves |= statement.leaves;
            at = statement.past.max(at + 1);
        }
        leaves
    }

    fn statement(&mut self, at: usize, depth: usize) -> End {
        let Some(depth) = depth.checked_sub(1) else {
            return End::at(self.around.tokens.len());
        };
        match self.around.word(at) {
            b"{" => self.braces(at, depth),
            b"if" => self.branch(at, depth),
            b"for" | b"while" => self.repeated(at, depth),
            b"switch" => self.switch(at, depth),
            b"do" => End::at(self.apart(at + 1, depth)),
            b"else" => self.body(at + 1, depth),
            b"case" | b"default" => self.case(at),
            b"return" | b"goto" | b"break" | b"continue" => End {
                leaves: true,
                ..self.expression(at)
            },
            _ if self.kind(at) == Some(Kind::Directive) => End::at(at + 1),
            _ if self.is(at + 1, b":") => self.label(at),
            _ => match self.head_of_macro(at) {
                Some(close) => End::at(self.apart(close + 1, depth)),
                None => self.expression(at),
            },
        }
    }

    /// Where the parentheses of `for_each_cpu(…)` and the like close: a statement
    /// follows and no semicolon.
    fn head_of_macro(&self, at: usize) -> Option<usize> {
        if self.kind(at)? != Kind::Identifier {
            return None;
        }
        let close = self.parentheses(at + 1)?;
        let follows = self.kind(close + 1) == Some(Kind::Identifier) || self.is(close + 1, b"{");
        (follows && !(at..=close).contains(&self.target)).then_some(close)
    }

    fn close(&self, open: usize) -> Option<usize> {
        closing(self.around.text, self.around.tokens, open)
    }

    fn parentheses(&self, open: usize) -> Option<usize> {
        self.is(open, b"(").then(|| self.close(open)).flatten()
    }

    fn braces(&mut self, at: usize, depth: usize) -> End {
        let close = self.close(at).unwrap_or(self.around.tokens.len());
        let known = self.conditions.len();
        let leaves = self.block(at + 1, close, depth);
        if !(at..close).contains(&self.target) {
            self.conditions.truncate(known);
        }
        End {
            past: close + 1,
            leaves,
        }
    }

    /// Reads a statement that another one holds, behind any `#if`s.
    fn body(&mut self, mut at: usize, depth: usize) -> End {
        while self.kind(at) == Some(Kind::Directive) {
            at += 1;
        }
        self.statement(at, depth)
    }

    /// Reads the body of a loop: what was found out in it is not known behind it.
    fn apart(&mut self, at: usize, depth: usize) -> usize {
        let known = self.conditions.len();
        let past = self.body(at, depth).past;
        if !(at..past).contains(&self.target) {
            self.conditions.truncate(known);
        }
        past
    }

    /// Reads a statement that is reached where a condition holds.
    fn under(&mut self, words: Range<usize>, holds: bool, from: usize, depth: usize) -> End {
        self.learn(words, holds, from);
        self.body(from, depth)
    }

    fn learn(&mut self, words: Range<usize>, holds: bool, from: usize) {
        self.conditions.push(Condition { words, holds, from });
    }

    fn repeated(&mut self, at: usize, depth: usize) -> End {
        let Some(close) = self.parentheses(at + 1) else {
            return End::at(at + 1);
        };
        let words = at + 2..close;
        let ends = words.clone().filter(|&index| self.is(index, b";"));
        let condition = match ends.collect::<Vec<_>>().as_slice() {
            [first, .., last] if self.is(at, b"for") => first + 1..*last,
            _ => words.clone(),
        };
        if words.contains(&self.target) {
            self.expression = if condition.contains(&self.target) {
                condition
            } else {
                words
            };
            return End::at(close + 1);
        }
        let known = self.conditions.len();
        let past = self.under(condition, true, close + 1, depth).past;
        if !(close..past).contains(&self.target) {
            self.conditions.truncate(known);
        }
        End::at(past)
    }

    fn switch(&mut self, at: usize, depth: usize) -> End {
        let Some(close) = self.parentheses(at + 1) else {
            return End::at(at + 1);
        };
        if (at..close).contains(&self.target) {
            self.expression = at + 2..close;
            return End::at(close + 1);
        }
        self.switches.push(at);
        let past = self.apart(close + 1, depth);
        self.switches.pop();
        End::at(past)
    }

    /// A `case` is come to from its `switch`.
    fn case(&mut self, at: usize) -> End {
        if let Some(&switch) = self.switches.last() {
            self.conditions.retain(|one| one.from <= switch);
        }
        let after = (at..self.around.tokens.len()).find(|&index| self.is(index, b":"));
        End::at(after.map_or(self.around.tokens.len(), |colon| colon + 1))
    }

    /// A label is come to from each `goto`, too.
    fn label(&mut self, at: usize) -> End {
        let name = self.around.word(at);
        let jumps = (1..at).filter(|&index| self.is(index, name) && self.is(index - 1, b"goto"));
        if let Some(jump) = jumps.min() {
            self.conditions.retain(|one| one.from <= jump);
        }
        End::at(at + 2)
    }

    fn branch(&mut self, at: usize, depth: usize) -> End {
        let Some(close) = self.parentheses(at + 1) else {
            return End::at(at + 1);
        };
        let words = at + 2..close;
        if words.contains(&self.target) {
            self.expression = words;
            return End::at(close + 1);
        }
        let known = self.conditions.len();
        let then = self.under(words.clone(), true, close + 1, depth);
        if (close + 1..then.past).contains(&self.target) {
            return then;
        }
        self.conditions.truncate(known);
        if !self.is(then.past, b"else") {
            if then.leaves {
                self.learn(words, false, then.past);
            }
            return End::at(then.past);
        }
        let otherwise = self.under(words.clone(), false, then.past + 1, depth);
        if (then.past..otherwise.past).contains(&self.target) {
            return otherwise;
        }
        if !then.leaves {
            self.conditions.truncate(known);
        }
        if otherwise.leaves {
            self.learn(words, true, otherwise.past);
        }
        End {
            past: otherwise.past,
            leaves: then.leaves && otherwise.leaves,
        }
    }

    /// Reads up to the semicolon, past all that is in parentheses or braces.
    fn expression(&mut self, at: usize) -> End {
        let mut index = at;
        while let Some(kind) = self.kind(index) {
            match kind {
                Kind::Punctuator(b'(' | b'{' | b'[') => match self.close(index) {
                    Some(close) => index = close,
                    None => break,
                },
                Kind::Punctuator(b';' | b'}') => break,
                _ => {}
            }
            index += 1;
        }
        if (at..index).contains(&self.target) {
            self.expression = at..index;
        }
        let past = index + usize::from(self.is(index, b";"));
        End::at(past.max(at + 1))
    }
}
