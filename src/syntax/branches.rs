// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Under which condition each place of a file is compiled, by the directives before it.
//!
//! It may not know what stands at these places.

use super::conditions::Condition;
use super::directives::Directive;
use super::expressions::Expression;
use std::cell::RefCell;

/// So many literals and tests make up the condition of a place; of more, the outer and
/// earlier ones are left out. No place in a kernel has near as many.
const MOST_LITERALS: usize = 256;

/// What one branch of an `#if` asks.
#[derive(Clone, Debug)]
struct Test {
    expression: Expression,
    negated: bool,
}

impl Test {
    fn holds(&self) -> Condition {
        self.condition(self.negated)
    }

    fn fails(&self) -> Condition {
        self.condition(!self.negated)
    }

    fn condition(&self, negated: bool) -> Condition {
        let condition = if negated {
            Condition::fails(&self.expression)
        } else {
            Condition::holds(&self.expression)
        };
        condition.without_multi_read()
    }

    /// Whether it holds, as far as it is known.
    fn value(&self) -> Option<bool> {
        let value = self.expression.value(&|_| None)?;
        Some((value != 0) != self.negated)
    }
}

/// One open `#if`.
#[derive(Clone, Debug, Default)]
struct Frame {
    /// What the earlier branches asked.
    earlier: Vec<Test>,
    /// What the current branch asks; `None` for an `#else` and a guard.
    current: Option<Test>,
    /// Whether the place around it is dead.
    outer_dead: bool,
    /// Whether the current branch is never compiled.
    dead: bool,
    /// Whether an earlier branch always is.
    taken: bool,
    /// Whether a `#define` may show it to be an include guard.
    may_guard: bool,
}

/// Follows the directives of a file. Conditions are only worked out where they
/// are asked for.
#[derive(Clone, Debug, Default)]
pub struct ConditionStack {
    frames: Vec<Frame>,
    known: RefCell<Option<Condition>>,
}

impl ConditionStack {
    /// Moves past `directive`.
    pub fn directive(&mut self, directive: &Directive<'_>) {
        match directive {
            Directive::Define(define) => {
                self.confirm_guard(define.name);
                return;
            }
            Directive::If(text) => self.open(test(Expression::parse(text), false), false),
            Directive::Ifdef(name) => self.open(test(defined(name), false), false),
            Directive::Ifndef(name) => self.open(test(defined(name), true), true),
            Directive::Elif(text) => self.next(Some(test(Expression::parse(text), false))),
            Directive::Elifdef(name) => self.next(Some(test(defined(name), false))),
            Directive::Elifndef(name) => self.next(Some(test(defined(name), true))),
            Directive::Else => self.next(None),
            Directive::Endif => drop(self.frames.pop()),
            _ => {
                self.no_guard();
                return;
            }
        }
        self.known.replace(None);
    }

    /// An `#ifndef` with a `#define` of its name behind it is a guard.
    fn confirm_guard(&mut self, name: &[u8]) {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.may_guard) else {
            return;
        };
        frame.may_guard = false;
        let own = |test: &Test| matches!(&test.expression, Expression::Defined(guard) if guard.as_bytes() == name);
        if frame.current.as_ref().is_some_and(own) {
            frame.current = None;
            self.known.replace(None);
        }
    }

    fn no_guard(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.may_guard = false;
        }
    }

    /// Whether the place is never compiled: `#if 0`.
    pub fn is_dead(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| frame.dead || frame.outer_dead)
    }

    /// The condition at this place.
    pub fn condition(&self) -> Condition {
        self.known
            .borrow_mut()
            .get_or_insert_with(|| self.work_out())
            .clone()
    }

    fn work_out(&self) -> Condition {
        let tests = self.frames.iter().rev().flat_map(|frame| {
            let current = frame.current.iter().map(Test::holds);
            current.chain(frame.earlier.iter().rev().map(Test::fails))
        });
        let mut size = 0;
        let has_room = |condition: &Condition| {
            let has_room = size < MOST_LITERALS;
            size += 1 + condition.clauses().iter().map(Vec::len).sum::<usize>();
            has_room
        };
        let mut conditions: Vec<Condition> = tests.take_while(has_room).collect();
        conditions.reverse();
        let clauses = conditions.iter().flat_map(Condition::clauses);
        Condition::from_clauses(clauses.cloned().collect())
    }

    fn open(&mut self, test: Test, may_guard: bool) {
        self.no_guard();
        let mut frame = Frame {
            outer_dead: self.is_dead(),
            may_guard,
            ..Frame::default()
        };
        frame.take(Some(test));
        self.frames.push(frame);
    }

    fn next(&mut self, test: Option<Test>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.may_guard = false;
            frame.take(test);
        }
    }
}

fn test(expression: Expression, negated: bool) -> Test {
    Test {
        expression,
        negated,
    }
}

impl Frame {
    /// Goes on to the branch that asks `test`, or to the `#else`.
    fn take(&mut self, test: Option<Test>) {
        self.earlier.extend(self.current.take());
        let value = test.as_ref().map_or(Some(true), Test::value);
        self.dead = self.taken || value == Some(false);
        self.taken |= value == Some(true);
        self.current = test;
    }
}

fn defined(name: &[u8]) -> Expression {
    Expression::Defined(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{Kind, lex};
    use super::*;

    /// The condition at every `HERE`, and `dead` where nothing is compiled.
    fn conditions(text: &str) -> Vec<String> {
        let mut stack = ConditionStack::default();
        let mut found = Vec::new();
        for token in lex(text.as_bytes(), true).tokens {
            let word = token.span.of(text.as_bytes());
            if token.kind == Kind::Directive {
                stack.directive(&Directive::parse(word));
            } else if word == b"HERE" {
                found.push(if stack.is_dead() {
                    "dead".to_owned()
                } else {
                    stack
                        .condition()
                        .render()
                        .unwrap_or_else(|| "always".to_owned())
                });
            }
        }
        found
    }

    #[test]
    fn branches() {
        let text = "#ifdef CONFIG_A\nHERE\n#elif defined(CONFIG_B) || X > 1\nHERE\n#else\nHERE\n#endif\nHERE";
        assert_eq!(
            conditions(text),
            [
                "CONFIG_A",
                "!CONFIG_A && (CONFIG_B || (X > 1))",
                "!CONFIG_A && !CONFIG_B && !(X > 1)",
                "always"
            ]
        );
    }

    #[test]
    fn guards_and_dead_code() {
        assert_eq!(
            conditions("#ifndef _H\n#define _H\nHERE\n#endif"),
            ["always"]
        );
        assert_eq!(
            conditions(
                "#if !defined(_H) || defined(TRACE_HEADER_MULTI_READ)\n#define _H\nHERE\n#endif"
            ),
            ["always"]
        );
        assert_eq!(
            conditions("#if 0\nHERE\n#else\nHERE\n#endif"),
            ["dead", "always"]
        );
        assert_eq!(
            conditions("#if 1\nHERE\n#else\nHERE\n#endif"),
            ["always", "dead"]
        );
        assert_eq!(
            conditions("#if 0\n#if 1\nHERE\n#endif\n#endif\nHERE"),
            ["dead", "always"]
        );
        assert_eq!(conditions("#endif\n#else\nHERE"), ["always"]);
    }

    #[test]
    fn a_place_with_too_many_tests_has_the_inner_ones() {
        let branches = |count: usize| -> String {
            let elifs = (0..count).map(|number| format!("#elif A{number}\nHERE\n"));
            format!("#if A\n{}#endif", elifs.collect::<String>())
        };
        let few = conditions(&branches(100)).pop().unwrap_or_default();
        assert!(few.starts_with("!A && !A0 && "), "{few}");
        let many = conditions(&branches(5000)).pop().unwrap_or_default();
        assert!(many.ends_with(" && !A4998 && A4999"), "{many}");
        assert!(many.len() < 2000, "{many}");
        let nested = format!("{}HERE", "#ifdef A\n#ifdef B\n".repeat(5000));
        assert_eq!(conditions(&nested), ["defined(A) && defined(B)"]);
    }
}
