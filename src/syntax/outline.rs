// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which function a token stands in.
//!
//! Follows braces and parentheses through a file, taking the branches of an
//! `#if` as alternatives. Where a macro defines a function, its name is made up
//! from the macro's first argument. It may not know what functions do.

use super::groups::{Branch, closing};
use super::lexer::{Kind, Token, is_in_capitals};
use std::sync::Arc;

/// Where a walk over the tokens of a file has got to.
#[derive(Clone, Debug, Default)]
struct State {
    /// Open braces, but for those inside parentheses at file scope.
    braces: u32,
    /// Open parentheses at file scope.
    parentheses: u32,
    /// Index of the first token of the current declaration.
    start: usize,
    /// Whether an `=` was met in it.
    initialiser: bool,
    /// Name of the function whose body this is.
    function: Option<Arc<str>>,
}

/// One `#if` with the states that its branches start and end with.
#[derive(Debug)]
struct Frame {
    opened: State,
    /// The state at the end of the last branch that is not dead.
    ended: Option<State>,
}

/// Follows the tokens of one file.
#[derive(Debug)]
pub struct Outline<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    state: State,
    frames: Vec<Frame>,
}

impl<'a> Outline<'a> {
    /// Starts before the first of `tokens`.
    pub fn new(text: &'a [u8], tokens: &'a [Token]) -> Self {
        Self {
            text,
            tokens,
            state: State::default(),
            frames: Vec::new(),
        }
    }

    /// Whether the walk is outside of all bodies, initialisers and parentheses.
    pub fn at_file_scope(&self) -> bool {
        self.state.braces == 0 && self.state.parentheses == 0
    }

    /// Whether the current declaration has got as far as an initialiser.
    pub fn in_initialiser(&self) -> bool {
        self.state.initialiser
    }

    /// The function whose body this is.
    pub fn function(&self) -> Option<&Arc<str>> {
        self.state.function.as_ref()
    }

    /// Moves past the directive at `index`. `dead` says whether the branch that
    /// it ends was skipped.
    pub fn directive(&mut self, index: usize, dead: bool) {
        match Branch::of(self.tokens[index].span.of(self.text)) {
            Some(Branch::Open) => self.frames.push(Frame {
                opened: self.state.clone(),
                ended: None,
            }),
            Some(Branch::Next) => {
                if let Some(frame) = self.frames.last_mut() {
                    if !dead {
                        frame.ended = Some(self.state.clone());
                    }
                    self.state = frame.opened.clone();
                }
            }
            Some(Branch::Close) => {
                if let Some(frame) = self.frames.pop()
                    && dead
                {
                    self.state = frame.ended.unwrap_or(frame.opened);
                }
            }
            None => {}
        }
    }

    /// Moves past the token at `index`, which is no directive.
    pub fn token(&mut self, index: usize) {
        let Kind::Punctuator(byte) = self.tokens[index].kind else {
            return;
        };
        match byte {
            b'{' if self.state.braces > 0 => self.state.braces += 1,
            b'}' if self.state.braces > 0 => self.close_brace(index),
            _ if self.state.braces > 0 => {}
            b'(' => self.state.parentheses += 1,
            b')' => self.state.parentheses = self.state.parentheses.saturating_sub(1),
            _ if self.state.parentheses > 0 => {}
            b'{' => self.open_body(index),
            b';' => self.start_declaration(index + 1),
            b'=' => self.state.initialiser = true,
            _ => {}
        }
    }

    /// Moves on from `index` as long as that is inside a body: past all tokens but
    /// directives, the brace that ends it, and those that are `wanted`. Gives the index
    /// of that one.
    pub fn through_body(&mut self, mut index: usize, wanted: impl Fn(&Token) -> bool) -> usize {
        if self.state.braces == 0 {
            return index;
        }
        while let Some(token) = self.tokens.get(index) {
            match token.kind {
                Kind::Punctuator(b'{') => self.state.braces += 1,
                Kind::Punctuator(b'}') if self.state.braces > 1 => self.state.braces -= 1,
                Kind::Punctuator(b'}') | Kind::Directive => break,
                _ if wanted(token) => break,
                _ => {}
            }
            index += 1;
        }
        index
    }

    /// Whether a declaration starts with the token at `index`.
    pub fn starts_declaration(&self, index: usize) -> bool {
        self.state.start == index
    }

    /// Moves past a macro call at file scope that ends at `index`.
    pub fn skip_call(&mut self, index: usize) {
        self.start_declaration(index + 1);
    }

    fn start_declaration(&mut self, index: usize) {
        self.state.start = index;
        self.state.initialiser = false;
        self.state.function = None;
    }

    fn open_body(&mut self, index: usize) {
        self.state.braces = 1;
        if !self.state.initialiser {
            self.state.function = self.function_name(index);
        }
    }

    fn close_brace(&mut self, index: usize) {
        self.state.braces -= 1;
        if self.state.braces == 0 {
            let initialiser = self.state.initialiser;
            self.start_declaration(index + 1);
            // `= { … }, b = { … };` goes on.
            self.state.initialiser = initialiser;
        }
    }

    /// Name of the function whose body the brace at `body` opens.
    fn function_name(&self, body: usize) -> Option<Arc<str>> {
        let groups = self.call_like_groups(self.state.start, body);
        let mut chosen = groups.len().checked_sub(1)?;
        // Attributes with arguments follow the parameters: `f(x) __must_hold(y) {`.
        while chosen > 0
            && self.word(groups[chosen].0).starts_with(b"__")
            && (groups[chosen - 1].1 + 1..groups[chosen].0)
                .all(|index| self.word(index).starts_with(b"__"))
        {
            chosen -= 1;
        }
        let (name, _) = groups[chosen];
        Some(self.readable_name(name))
    }

    /// Every `identifier ( … )` outside of parentheses, as the index of its
    /// identifier and of its closing parenthesis.
    fn call_like_groups(&self, start: usize, end: usize) -> Vec<(usize, usize)> {
        let mut groups = Vec::new();
        let mut index = start;
        while index < end {
            if !self.tokens[index].is(b'(') {
                index += 1;
                continue;
            }
            let Some(close) = closing(self.text, &self.tokens[..end], index) else {
                break;
            };
            if index > start && self.tokens[index - 1].kind == Kind::Identifier {
                groups.push((index - 1, close));
            }
            index = close + 1;
        }
        groups
    }

    fn word(&self, index: usize) -> &'a [u8] {
        self.tokens[index].span.of(self.text)
    }

    /// The name itself, or for a defining macro such as `SYSCALL_DEFINE3(open, …)`
    /// the function that it defines.
    fn readable_name(&self, name: usize) -> Arc<str> {
        let word = String::from_utf8_lossy(self.word(name));
        let is_macro = is_in_capitals(word.as_bytes());
        let argument = self
            .tokens
            .get(name + 2)
            .filter(|token| is_macro && token.is_word())
            .map(|token| String::from_utf8_lossy(token.span.of(self.text)));
        match argument {
            Some(argument) if word.starts_with("SYSCALL_DEFINE") => {
                format!("sys_{argument}").into()
            }
            Some(argument) if word.starts_with("COMPAT_SYSCALL_DEFINE") => {
                format!("compat_sys_{argument}").into()
            }
            Some(argument) => argument.as_ref().into(),
            None => word.as_ref().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    /// The function around every `HERE` of `text`.
    fn functions(text: &str) -> Vec<Option<String>> {
        let text = text.as_bytes();
        let tokens = lex(text, true).tokens;
        let mut outline = Outline::new(text, &tokens);
        let mut found = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Directive {
                outline.directive(index, false);
                continue;
            }
            if token.span.of(text) == b"HERE" {
                found.push(outline.function().map(|name| name.to_string()));
            }
            outline.token(index);
        }
        found
    }

    fn one(text: &str) -> Option<String> {
        functions(text).into_iter().next().flatten()
    }

    #[test]
    fn names_of_functions() {
        assert_eq!(
            one("static int f(int (*g)(void)) { HERE }").as_deref(),
            Some("f")
        );
        assert_eq!(
            one("int f(x) __must_hold(y) __cold { HERE }").as_deref(),
            Some("f")
        );
        assert_eq!(
            one("__printf(1, 2) void f(x) { HERE }").as_deref(),
            Some("f")
        );
        assert_eq!(one("void __f(x) { HERE }").as_deref(), Some("__f"));
        assert_eq!(
            one("SYSCALL_DEFINE1(open, int, a) { HERE }").as_deref(),
            Some("sys_open")
        );
        assert_eq!(
            one("EXPORT_SYMBOL(g)\nint f(void) { { } HERE }").as_deref(),
            Some("f")
        );
        assert_eq!(one("struct s x = { .a = HERE };"), None);
        assert_eq!(one("struct s { int HERE; };"), None);
    }

    #[test]
    fn branches_start_at_the_same_depth() {
        let text = "int f(void)\n{\n#ifdef A\n if (x) {\n#else\n if (y) {\n#endif\n HERE }\n}\nint g(void) { HERE }";
        assert_eq!(
            functions(text),
            [Some("f".to_string()), Some("g".to_string())]
        );
    }
}
