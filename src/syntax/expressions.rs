// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `#if` expressions: parsing and three-valued evaluation.
//!
//! A name's value may be unknown, and then so is what depends on it, unless the
//! rest decides: `0 && X` is false whatever X is. It may not know which names
//! are set.

use super::groups::closing;
use super::lexer::{Kind, Token, lex};

/// How deep parentheses and operators may nest; deeper ones are unknown. Each operator
/// of `a || b || c` puts those before it one level deeper.
const DEEPEST: usize = 256;

/// An `#if` expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// An integer.
    Number(i64),
    /// `defined(X)`.
    Defined(String),
    /// A name used as a value.
    Name(String),
    /// A function-like macro on one name, such as `IS_ENABLED(CONFIG_X)`.
    Call(String, String),
    /// `!`.
    Not(Box<Expression>),
    /// `&&`.
    And(Box<Expression>, Box<Expression>),
    /// `||`.
    Or(Box<Expression>, Box<Expression>),
    /// Any other binary operator.
    Binary(&'static str, Box<Expression>, Box<Expression>),
    /// What is not understood, as its text.
    Opaque(String),
}

impl Expression {
    /// Parses the text of an expression. What cannot be parsed is opaque.
    pub fn parse(text: &[u8]) -> Self {
        let tokens = lex(text, false).tokens;
        let mut parser = Parser {
            text,
            tokens: &tokens,
            at: 0,
            depth: 0,
        };
        match parser.binary(0) {
            Some(expression) if parser.at == tokens.len() => expression,
            _ => Self::Opaque(super::groups::joined(text, &tokens)),
        }
    }

    /// The value, where `known` gives those of [`Self::Defined`], [`Self::Name`]
    /// and [`Self::Call`] as far as they are known.
    pub fn value(&self, known: &dyn Fn(&Self) -> Option<i64>) -> Option<i64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Defined(_) | Self::Name(_) | Self::Call(..) => known(self),
            Self::Opaque(_) => None,
            Self::Not(one) => one.value(known).map(|value| i64::from(value == 0)),
            Self::And(a, b) => match (a.value(known), b.value(known)) {
                (Some(0), _) | (_, Some(0)) => Some(0),
                (Some(_), Some(_)) => Some(1),
                _ => None,
            },
            Self::Or(a, b) => match (a.value(known), b.value(known)) {
                (Some(0), Some(0)) => Some(0),
                (Some(0), None) | (None, Some(0) | None) => None,
                _ => Some(1),
            },
            Self::Binary(operator, a, b) => binary(operator, a.value(known)?, b.value(known)?),
        }
    }

    /// The text, in the kernel's spelling.
    pub fn render(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Defined(name) if name.starts_with("CONFIG_") => name.clone(),
            Self::Defined(name) => format!("defined({name})"),
            Self::Name(name) | Self::Opaque(name) => name.clone(),
            Self::Call(name, argument) => match name.as_str() {
                "IS_ENABLED" | "IS_REACHABLE" => argument.clone(),
                _ => format!("{name}({argument})"),
            },
            Self::Not(one) => format!("!{}", one.in_parentheses()),
            Self::And(a, b) => format!("{} && {}", a.in_parentheses(), b.in_parentheses()),
            Self::Or(a, b) => format!("{} || {}", a.in_parentheses(), b.in_parentheses()),
            Self::Binary(operator, a, b) => {
                format!("{} {operator} {}", a.in_parentheses(), b.in_parentheses())
            }
        }
    }

    fn in_parentheses(&self) -> String {
        match self {
            Self::And(..) | Self::Or(..) | Self::Binary(..) => format!("({})", self.render()),
            _ => self.render(),
        }
    }
}

fn binary(operator: &str, a: i64, b: i64) -> Option<i64> {
    Some(match operator {
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<=" => i64::from(a <= b),
        ">=" => i64::from(a >= b),
        "<" => i64::from(a < b),
        ">" => i64::from(a > b),
        "<<" => a.checked_shl(u32::try_from(b).ok()?)?,
        ">>" => a.checked_shr(u32::try_from(b).ok()?)?,
        "+" => a.checked_add(b)?,
        "-" => a.checked_sub(b)?,
        "*" => a.checked_mul(b)?,
        "/" => a.checked_div(b)?,
        "%" => a.checked_rem(b)?,
        "&" => a & b,
        "|" => a | b,
        "^" => a ^ b,
        _ => return None,
    })
}

/// Binary operators with their precedence; longer ones first.
const OPERATORS: [(&str, u8); 18] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

struct Parser<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn word(&self, index: usize) -> String {
        self.tokens.get(index).map_or_else(String::new, |token| {
            String::from_utf8_lossy(token.span.of(self.text)).into_owned()
        })
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.peek()?.is(byte).then(|| self.at += 1)
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        let start = self.peek()?.span.start as usize;
        let rest = &self.text[start..];
        OPERATORS
            .into_iter()
            .find(|(operator, _)| rest.starts_with(operator.as_bytes()))
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    fn binary(&mut self, least: u8) -> Option<Expression> {
        let outer = self.depth;
        self.deeper()?;
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = self.operator().filter(|(_, one)| *one > least) {
            self.deeper()?;
            self.at += operator.len();
            let right = Box::new(self.binary(precedence)?);
            let boxed = Box::new(left);
            left = match operator {
                "&&" => Expression::And(boxed, right),
                "||" => Expression::Or(boxed, right),
                _ => Expression::Binary(operator, boxed, right),
            };
        }
        self.depth = outer;
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression> {
        let token = *self.peek()?;
        match token.kind {
            Kind::Punctuator(b'!') => {
                let inner = self.operand()?;
                Some(Expression::Not(Box::new(inner)))
            }
            Kind::Punctuator(b'-') => match self.operand()? {
                Expression::Number(value) => Some(Expression::Number(value.checked_neg()?)),
                _ => None,
            },
            Kind::Punctuator(b'(') => {
                self.at += 1;
                let inner = self.binary(0)?;
                self.eat(b')')?;
                Some(inner)
            }
            Kind::Number => {
                self.at += 1;
                number(&self.word(self.at - 1)).map(Expression::Number)
            }
            Kind::Identifier => self.name(),
            _ => None,
        }
    }

    /// What stands behind a unary operator.
    fn operand(&mut self) -> Option<Expression> {
        self.at += 1;
        self.deeper()?;
        let operand = self.unary()?;
        self.depth -= 1;
        Some(operand)
    }

    fn name(&mut self) -> Option<Expression> {
        let name = self.word(self.at);
        self.at += 1;
        if name == "defined" {
            return self.defined();
        }
        if !self.peek().is_some_and(|token| token.is(b'(')) {
            return Some(Expression::Name(name));
        }
        let open = self.at;
        let close = closing(self.text, self.tokens, open)?;
        self.at = close + 1;
        let argument = super::groups::joined(self.text, &self.tokens[open + 1..close]);
        Some(Expression::Call(name, argument))
    }

    fn defined(&mut self) -> Option<Expression> {
        let parenthesis = self.eat(b'(').is_some();
        let name = self.word(self.at);
        self.peek().filter(|token| token.is_word())?;
        self.at += 1;
        if parenthesis {
            self.eat(b')')?;
        }
        Some(Expression::Defined(name))
    }
}

fn number(word: &str) -> Option<i64> {
    let digits = word.trim_end_matches(['u', 'U', 'l', 'L']);
    let lower = digits.to_ascii_lowercase();
    if let Some(hexadecimal) = lower.strip_prefix("0x") {
        i64::from_str_radix(hexadecimal, 16).ok()
    } else if lower.len() > 1 && lower.starts_with('0') {
        i64::from_str_radix(&lower, 8).ok()
    } else {
        lower.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<i64> {
        Expression::parse(text.as_bytes()).value(&|_| None)
    }

    #[test]
    fn what_is_known_decides() {
        assert_eq!(value("0"), Some(0));
        assert_eq!(value("0 && defined(X)"), Some(0));
        assert_eq!(value("X || 1"), Some(1));
        assert_eq!(value("X && 1"), None);
        assert_eq!(value("1 + 2 * 3 == 7 && !0"), Some(1));
        assert_eq!(value("(1 << 3) > 0x7"), Some(1));
        assert_eq!(value("!defined X"), None);
        assert_eq!(value(""), None);
        assert_eq!(value("1 +"), None);
        assert_eq!(value(&"(".repeat(100_000)), None);
        assert_eq!(value(&"!".repeat(100_000)), None);
    }

    #[test]
    fn depth_is_bounded() {
        let minus = "-".repeat(100_000) + "1";
        let sum = "1+".repeat(100_000) + "1";
        let any = "defined(A) || ".repeat(100_000) + "1";
        for text in [&minus, &sum, &any] {
            assert_eq!(value(text), None);
        }
        assert_eq!(value("--1"), Some(1));
        assert_eq!(value(&("1+".repeat(100) + "1")), Some(101));
        assert_eq!(value("(1)+".repeat(100).trim_end_matches('+')), Some(100));
    }

    #[test]
    fn rendering() {
        let render = |text: &str| Expression::parse(text.as_bytes()).render();
        assert_eq!(
            render("IS_ENABLED(CONFIG_A) && !defined(B)"),
            "CONFIG_A && !defined(B)"
        );
        assert_eq!(render("CONFIG_N > 2"), "CONFIG_N > 2");
    }
}
