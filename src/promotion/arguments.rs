// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The parameters of a tracepoint taken apart: type and name.

use crate::syntax::lexer::{Kind, Token, lex};

/// One parameter with the argument that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// As it is declared: `const struct sock *sk`.
    pub(super) declared: String,
    /// The type without qualifiers and name: `struct sock *`.
    pub(super) of: String,
    /// The name in `TP_ARGS()`.
    pub(super) name: String,
}

impl Argument {
    /// Takes a parameter apart, whose name is `name`. What is no plain type and name,
    /// such as an array or a pointer to a function, keeps its whole text as its type,
    /// so that no mapping fits.
    pub(super) fn of(declared: &str, name: &str) -> Self {
        let text = declared.as_bytes();
        let tokens = lex(text, false).tokens;
        Self {
            declared: declared.to_owned(),
            of: plain(text, &tokens, name).unwrap_or_else(|| declared.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Whether it is a number whatever it is called: no pointer, no aggregate.
    pub(super) fn is_pointer(&self) -> bool {
        self.of.contains(['*', '[', '('])
    }
}

fn plain(text: &[u8], tokens: &[Token], name: &str) -> Option<String> {
    let (last, rest) = tokens.split_last()?;
    if last.span.of(text) != name.as_bytes() || rest.is_empty() {
        return None;
    }
    let mut of = String::new();
    let mut stars = String::new();
    for token in rest {
        let word = std::str::from_utf8(token.span.of(text)).ok()?;
        match token.kind {
            Kind::Identifier if matches!(word, "const" | "volatile" | "__maybe_unused") => {}
            Kind::Identifier if stars.is_empty() => {
                if !of.is_empty() {
                    of.push(' ');
                }
                of.push_str(word);
            }
            Kind::Punctuator(b'*') => stars.push('*'),
            _ => return None,
        }
    }
    if !stars.is_empty() {
        of.push(' ');
        of.push_str(&stars);
    }
    Some(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_qualifiers_and_names() {
        for (declared, name, of) in [
            ("const struct sock *sk", "sk", "struct sock *"),
            ("struct rq * const rq", "rq", "struct rq *"),
            ("unsigned long int x", "x", "unsigned long int"),
            ("char **argv", "argv", "char **"),
            ("const char __user *p", "p", "char __user *"),
            ("enum pid_type t", "t", "enum pid_type"),
            ("int a[2]", "a", "int a[2]"),
            ("void (*f)(int)", "f", "void (*f)(int)"),
            ("int", "x", "int"),
            ("", "x", ""),
        ] {
            assert_eq!(Argument::of(declared, name).of, of, "{declared}");
        }
    }
}
