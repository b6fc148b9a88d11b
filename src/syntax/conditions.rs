// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The conditions under which a place in a file is compiled.
//!
//! A [`Condition`] is a conjunction of clauses, each a disjunction of literals,
//! so that "can these two be built together" is a question of propagation. What
//! does not fit that form becomes a literal of its own, by its text. It may not
//! know which configurations exist.

use super::directives::Directive;
use super::expressions::Expression;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Conjunctions that would grow past this many clauses keep them as one literal.
const MOST_CLAUSES: usize = 16;

/// Something that holds or not in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Literal {
    text: Arc<str>,
    negated: bool,
    /// Whether the text is more than a name and needs parentheses.
    compound: bool,
}

impl Literal {
    fn negate(&self) -> Self {
        Self {
            negated: !self.negated,
            ..self.clone()
        }
    }

    fn render(&self, alone: bool) -> String {
        match (self.negated, self.compound) {
            (false, true) if !alone => format!("({})", self.text),
            (false, _) => self.text.to_string(),
            (true, true) => format!("!({})", self.text),
            (true, false) => format!("!{}", self.text),
        }
    }
}

type Clause = Vec<Literal>;

/// When a place is compiled. The default is always.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Condition {
    clauses: Option<Arc<[Clause]>>,
}

impl Condition {
    fn from_clauses(clauses: Vec<Clause>) -> Self {
        let mut kept: Vec<Clause> = Vec::new();
        for mut clause in clauses {
            clause.sort();
            clause.dedup();
            let tautology = clause.iter().any(|one| clause.contains(&one.negate()));
            if !tautology && !kept.contains(&clause) {
                kept.push(clause);
            }
        }
        Self {
            clauses: (!kept.is_empty()).then(|| kept.into()),
        }
    }

    fn clauses(&self) -> &[Clause] {
        self.clauses.as_deref().unwrap_or_default()
    }

    /// The condition that an expression holds.
    pub fn holds(expression: &Expression) -> Self {
        Self::from_clauses(clauses(expression, false))
    }

    /// The condition that it does not.
    pub fn fails(expression: &Expression) -> Self {
        Self::from_clauses(clauses(expression, true))
    }

    /// Both.
    pub fn and(&self, other: &Self) -> Self {
        match (&self.clauses, &other.clauses) {
            (_, None) => self.clone(),
            (None, _) => other.clone(),
            (Some(a), Some(b)) => Self::from_clauses(a.iter().chain(b.iter()).cloned().collect()),
        }
    }

    /// This and not the other.
    pub fn and_not(&self, other: &Self) -> Self {
        self.and(&other.negated())
    }

    fn negated(&self) -> Self {
        let clauses = self.clauses();
        if let [clause] = clauses {
            return Self::from_clauses(clause.iter().map(|one| vec![one.negate()]).collect());
        }
        if clauses.iter().all(|clause| clause.len() == 1) {
            return Self::from_clauses(vec![
                clauses.iter().flatten().map(Literal::negate).collect(),
            ]);
        }
        Self::from_clauses(vec![vec![Literal {
            text: self.render().unwrap_or_default().into(),
            negated: true,
            compound: true,
        }]])
    }

    /// Either, or something a little wider.
    pub fn or(&self, other: &Self) -> Self {
        if self.implies(other) {
            return other.clone();
        }
        if other.implies(self) {
            return self.clone();
        }
        let split = |from: &Self, by: &Self| -> (Vec<Clause>, Vec<Clause>) {
            from.clauses()
                .iter()
                .cloned()
                .partition(|clause| by.implies_clause(clause))
        };
        let (mut common, own) = split(self, other);
        let (shared, others) = split(other, self);
        common.extend(shared);
        if let ([a], [b]) = (own.as_slice(), others.as_slice()) {
            common.push(a.iter().chain(b).cloned().collect());
        }
        Self::from_clauses(common)
    }

    /// Whether the other holds wherever this does.
    pub fn implies(&self, other: &Self) -> bool {
        other
            .clauses()
            .iter()
            .all(|clause| self.implies_clause(clause))
    }

    fn implies_clause(&self, clause: &Clause) -> bool {
        let negated = clause.iter().map(|one| vec![one.negate()]);
        contradictory(self.clauses().iter().cloned().chain(negated).collect())
    }

    /// Whether no configuration has both.
    pub fn is_exclusive_with(&self, other: &Self) -> bool {
        if self.clauses.is_none() && other.clauses.is_none() {
            return false;
        }
        contradictory(
            self.clauses()
                .iter()
                .chain(other.clauses())
                .cloned()
                .collect(),
        )
    }

    /// Whether no configuration has it.
    pub fn is_contradictory(&self) -> bool {
        self.clauses.is_some() && contradictory(self.clauses().to_vec())
    }

    /// Without the clauses that speak of a name for which `neutral` holds.
    pub fn without(&self, neutral: &dyn Fn(&str) -> bool) -> Self {
        let speaks = |clause: &Clause| {
            clause.iter().any(|one| {
                let name = one.text.strip_prefix("defined(");
                neutral(
                    name.and_then(|name| name.strip_suffix(')'))
                        .unwrap_or(&one.text),
                )
            })
        };
        if !self.clauses().iter().any(speaks) {
            return self.clone();
        }
        let kept = self.clauses().iter().filter(|clause| !speaks(clause));
        Self::from_clauses(kept.cloned().collect())
    }

    /// For people: `CONFIG_X && !CONFIG_Y`; `None` for always.
    pub fn render(&self) -> Option<String> {
        let clauses = self.clauses.as_deref()?;
        let alone = clauses.len() == 1;
        let rendered: Vec<String> = clauses
            .iter()
            .map(|clause| {
                let literals: Vec<String> = clause
                    .iter()
                    .map(|one| one.render(alone && clause.len() == 1))
                    .collect();
                match literals.as_slice() {
                    [one] => one.clone(),
                    several if alone => several.join(" || "),
                    several => format!("({})", several.join(" || ")),
                }
            })
            .collect();
        Some(rendered.join(" && "))
    }
}

/// Unit propagation: whether the clauses cannot all hold.
fn contradictory(mut clauses: Vec<Clause>) -> bool {
    if clauses.iter().any(Vec::is_empty) {
        return true;
    }
    let mut units: BTreeSet<Literal> = BTreeSet::new();
    loop {
        let found: Vec<Literal> = clauses
            .iter()
            .filter(|clause| clause.len() == 1)
            .flatten()
            .filter(|one| !units.contains(one))
            .cloned()
            .collect();
        if found.is_empty() {
            return false;
        }
        for one in found {
            if units.contains(&one.negate()) {
                return true;
            }
            units.insert(one);
        }
        for clause in &mut clauses {
            clause.retain(|one| !units.contains(&one.negate()) || units.contains(one));
            if clause.is_empty() {
                return true;
            }
        }
    }
}

/// The clauses for `expression` holding, or failing if `negated`.
fn clauses(expression: &Expression, negated: bool) -> Vec<Clause> {
    match (expression, negated) {
        (Expression::Not(inner), _) => clauses(inner, !negated),
        (Expression::And(a, b), false) | (Expression::Or(a, b), true) => {
            let mut both = clauses(a, negated);
            both.extend(clauses(b, negated));
            both
        }
        (Expression::Or(a, b), false) | (Expression::And(a, b), true) => {
            let (a, b) = (clauses(a, negated), clauses(b, negated));
            if a.len() * b.len() > MOST_CLAUSES {
                return vec![vec![literal(expression, negated)]];
            }
            a.iter()
                .flat_map(|one| {
                    b.iter()
                        .map(|other| one.iter().chain(other).cloned().collect())
                })
                .collect()
        }
        _ => match expression.value(&|_| None) {
            Some(value) if (value != 0) != negated => Vec::new(),
            // No literal at all: never.
            Some(_) => vec![Vec::new()],
            None => vec![vec![literal(expression, negated)]],
        },
    }
}

fn literal(expression: &Expression, negated: bool) -> Literal {
    Literal {
        text: expression.render().into(),
        negated,
        compound: matches!(
            expression,
            Expression::Binary(..)
                | Expression::And(..)
                | Expression::Or(..)
                | Expression::Opaque(_)
        ),
    }
}

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
        without_multi_read(&if negated {
            Condition::fails(&self.expression)
        } else {
            Condition::holds(&self.expression)
        })
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
        let mut condition = Condition::default();
        for frame in &self.frames {
            for test in &frame.earlier {
                condition = condition.and(&test.fails());
            }
            if let Some(test) = &frame.current {
                condition = condition.and(&test.holds());
            }
        }
        condition
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

/// A trace header's guard lets it be read again and again
/// (include/trace/define_trace.h).
fn without_multi_read(condition: &Condition) -> Condition {
    condition.without(&|name| name == "TRACE_HEADER_MULTI_READ")
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

    fn of(text: &str) -> Condition {
        Condition::holds(&Expression::parse(text.as_bytes()))
    }

    #[test]
    fn logic() {
        let (a, not_a) = (of("defined(A)"), of("!defined(A)"));
        assert!(a.is_exclusive_with(&not_a));
        assert!(!a.is_exclusive_with(&of("defined(B)")));
        assert!(
            of("defined(A) || defined(B)").is_exclusive_with(&of("!defined(A) && !defined(B)"))
        );
        assert!(of("defined(A) && defined(B)").implies(&a));
        assert!(!a.implies(&of("defined(B)")));
        assert_eq!(a.or(&not_a), Condition::default());
        assert!(a.and_not(&a).is_contradictory());
        assert!(a.and_not(&Condition::default()).is_contradictory());
    }
}
