// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The conditions under which something is compiled.
//!
//! A [`Condition`] is a conjunction of clauses, each a disjunction of literals,
//! so that "can these two be built together" is a question of propagation. What
//! does not fit that form becomes a literal of its own, by its text. It may not
//! know which configurations exist, nor where in a file a condition counts.

use super::expressions::Expression;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Conjunctions that would grow past this many clauses keep them as one literal.
const MOST_CLAUSES: usize = 16;

/// A trace header's guard lets it be read again and again where this is defined
/// (include/trace/define_trace.h).
const MULTI_READ: [&str; 2] = [
    "TRACE_HEADER_MULTI_READ",
    "defined(TRACE_HEADER_MULTI_READ)",
];

/// Something that holds or not in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal {
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

/// Literals of which one holds.
pub(super) type Clause = Vec<Literal>;

/// When a place is compiled. The default is always.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Condition {
    clauses: Option<Arc<[Clause]>>,
}

impl Condition {
    pub(super) fn from_clauses(clauses: Vec<Clause>) -> Self {
        let mut kept: Vec<Clause> = Vec::new();
        for mut clause in clauses {
            clause.sort();
            clause.dedup();
            let negated = |one: &Literal| clause.binary_search(&one.negate()).is_ok();
            let tautology = clause.iter().any(negated);
            if !tautology && !kept.contains(&clause) {
                kept.push(clause);
            }
        }
        Self {
            clauses: (!kept.is_empty()).then(|| kept.into()),
        }
    }

    pub(super) fn clauses(&self) -> &[Clause] {
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
            (Some(a), Some(b)) => {
                let new = b.iter().filter(|clause| !a.contains(clause));
                Self {
                    clauses: Some(a.iter().chain(new).cloned().collect()),
                }
            }
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

    /// Without the clauses that speak of the guard of trace headers.
    pub(super) fn without_multi_read(self) -> Self {
        let speaks = |clause: &Clause| clause.iter().any(|one| MULTI_READ.contains(&&*one.text));
        if !self.clauses().iter().any(speaks) {
            return self;
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
            let (mut a, b) = (clauses(a, negated), clauses(b, negated));
            if a.len() * b.len() > MOST_CLAUSES {
                return vec![vec![literal(expression, negated)]];
            }
            if let ([one], [other]) = (a.as_mut_slice(), b.as_slice()) {
                one.extend_from_slice(other);
                return a;
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(of("defined(A) || X || !defined(A)"), Condition::default());
        assert_eq!(a.and(&of("defined(B) && defined(A)")).clauses().len(), 2);
    }
}
