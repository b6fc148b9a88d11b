// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The calls that one call may be, where an `#if` decides on its name, on its first
//! argument, or on where it starts.
//!
//! Branches that stand behind the first argument, as in many a `TP_STRUCT__entry()`, are
//! left in: nobody has to choose. It may not know what is called.

use super::directives::Directive;
use super::groups::{Branch, Depths};
use super::lexer::{Kind, Token};

/// Of so many choices each is looked at.
const MOST: usize = 16;

/// A call in which more conditionals are met is none that anybody would write.
const MOST_MET: usize = 64;

/// What a call may be.
#[derive(Debug, Default)]
pub struct Alternatives {
    /// Each choice of branches that makes a call.
    pub calls: Vec<Alternative>,
    /// Where the code goes on: behind the call, or at the `#else` that ends the branch in
    /// which the call starts.
    pub resume: usize,
    /// Indices of the `#endif`s before that whose `#if`s stand before the call.
    pub crossed: Vec<usize>,
    /// How many tokens were looked at.
    pub passed: usize,
}

/// One choice of branches.
#[derive(Debug, Default)]
pub struct Alternative {
    /// The name, the parentheses, and what stands between them.
    pub tokens: Vec<Token>,
    /// Indices of the directives between the name and the end of the first argument: by
    /// these it is chosen.
    pub directives: Vec<usize>,
}

/// The calls that the one whose name is at `name` may be; `None` if there is nothing to
/// choose, or if none of them ends.
pub fn alternatives(text: &[u8], tokens: &[Token], name: usize) -> Option<Alternatives> {
    if !is_chosen(text, tokens, name) {
        return None;
    }
    let mut choices = Choices::default();
    let mut all = Alternatives::default();
    for _ in 0..MOST {
        let mut path = Path::new(text, tokens, &mut choices);
        let is_call = path.follow(name).is_some();
        all.passed += path.at.saturating_sub(name);
        if is_call {
            all.resume = path.resume.unwrap_or(path.at);
            path.crossed.retain(|&index| index < all.resume);
            all.crossed = path.crossed;
            all.calls.push(path.call);
        }
        if !choices.advance() {
            break;
        }
    }
    (!all.calls.is_empty()).then_some(all)
}

/// Whether a conditional stands before the end of the first argument of the call at
/// `name`, or one that does not start in the call changes branches in it.
fn is_chosen(text: &[u8], tokens: &[Token], name: usize) -> bool {
    let mut depths = Depths::default();
    let mut is_named = false;
    for token in tokens.iter().skip(name + 1) {
        if token.kind == Kind::Directive {
            let directive = token.span.of(text);
            match Branch::of(directive) {
                Some(_) if !is_named => return true,
                Some(Branch::Next) if !depths.is_inside() => return true,
                _ => depths.directive(directive),
            }
            continue;
        }
        depths.token(token);
        match depths.depth() {
            0 => return false,
            depth => is_named |= depth == 1 && token.is(b','),
        }
    }
    false
}

/// Which branch is taken of each conditional that is met, all of them in turn.
#[derive(Debug, Default)]
struct Choices {
    /// The branch, and how many there are.
    taken: Vec<(usize, usize)>,
    met: usize,
}

impl Choices {
    fn next(&mut self, count: usize) -> usize {
        if self.met == self.taken.len() {
            self.taken.push((0, count));
        }
        self.met += 1;
        self.taken[self.met - 1].0
    }

    /// Goes on to the next choice, if there is one.
    fn advance(&mut self) -> bool {
        self.met = 0;
        while let Some((branch, count)) = self.taken.pop() {
            if branch + 1 < count {
                self.taken.push((branch + 1, count));
                return true;
            }
        }
        false
    }
}

/// One way through the tokens of a call.
struct Path<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    choices: &'a mut Choices,
    at: usize,
    call: Alternative,
    /// How many of its directives the words of the first argument stand behind.
    decisive: usize,
    is_named: bool,
    depths: Depths,
    /// How many conditionals it is inside of of which a branch was taken.
    inside: usize,
    resume: Option<usize>,
    crossed: Vec<usize>,
}

impl<'a> Path<'a> {
    fn new(text: &'a [u8], tokens: &'a [Token], choices: &'a mut Choices) -> Self {
        Self {
            text,
            tokens,
            choices,
            at: 0,
            call: Alternative::default(),
            decisive: 0,
            is_named: false,
            depths: Depths::default(),
            inside: 0,
            resume: None,
            crossed: Vec::new(),
        }
    }

    /// Goes from the name to behind the parenthesis that ends the call; `None` if there is
    /// none, or if this is no call.
    fn follow(&mut self, name: usize) -> Option<()> {
        self.at = name;
        loop {
            let token = self.tokens.get(self.at)?;
            if self.choices.met > MOST_MET {
                return None;
            }
            if token.kind == Kind::Directive {
                self.directive();
            } else if self.token(token)? {
                self.call.directives.truncate(self.decisive);
                return Some(());
            }
        }
    }

    /// Takes a token; whether the call ends with it. `None` if this is no call.
    fn token(&mut self, token: &Token) -> Option<bool> {
        if self.call.tokens.len() == 1 && !token.is(b'(') {
            return None;
        }
        self.call.tokens.push(*token);
        self.at += 1;
        let is_name = self.call.tokens.len() == 1;
        self.depths.token(token);
        let ends = !is_name && self.depths.depth() == 0;
        self.is_named |= ends || self.depths.depth() == 1 && token.is(b',');
        if !self.is_named {
            self.decisive = self.call.directives.len();
        }
        Some(ends)
    }

    fn directive(&mut self) {
        let directive = self.tokens[self.at];
        let text = directive.span.of(self.text);
        match Branch::of(text) {
            None => self.at += 1,
            Some(branch)
                if self.is_named && (branch == Branch::Open || self.depths.is_inside()) =>
            {
                self.depths.directive(text);
                self.call.tokens.push(directive);
                self.at += 1;
            }
            Some(Branch::Open) => self.choose(),
            Some(Branch::Next) => {
                if self.inside == 0 {
                    self.resume.get_or_insert(self.at);
                }
                let ends = self.branches().pop();
                self.close(ends.unwrap_or(self.tokens.len()));
            }
            Some(Branch::Close) => self.close(self.at),
        }
    }

    /// Takes a branch of the conditional that opens here.
    fn choose(&mut self) {
        let ends = self.branches();
        let is_else =
            |&at: &usize| Directive::parse(self.tokens[at].span.of(self.text)) == Directive::Else;
        let count = ends.len() + usize::from(!ends.iter().any(is_else));
        let chosen = self.choices.next(count);
        let directives = std::iter::once(self.at).chain(ends.iter().copied());
        self.call.directives.extend(directives.take(chosen + 1));
        self.at = match chosen.checked_sub(1) {
            None => self.at + 1,
            Some(before) => ends.get(before).map_or(self.tokens.len(), |at| at + 1),
        };
        // Behind the `#endif`, none was taken.
        self.inside += usize::from(chosen < ends.len());
    }

    /// Moves behind the `#endif` at `end`.
    fn close(&mut self, end: usize) {
        if self.inside > 0 {
            self.inside -= 1;
            self.call.directives.push(end);
        } else {
            self.crossed.push(end);
        }
        self.at = end + 1;
    }

    /// Where the branches end that stand behind the directive here: at each `#else` and
    /// `#elif`, and at the `#endif`.
    fn branches(&self) -> Vec<usize> {
        let mut open = 0_usize;
        let mut ends = Vec::new();
        for (at, token) in self.tokens.iter().enumerate().skip(self.at + 1) {
            if token.kind != Kind::Directive {
                continue;
            }
            match Branch::of(token.span.of(self.text)) {
                Some(Branch::Open) => open += 1,
                Some(Branch::Close) if open > 0 => open -= 1,
                Some(Branch::Close) => {
                    ends.push(at);
                    break;
                }
                Some(Branch::Next) if open == 0 => ends.push(at),
                _ => {}
            }
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::joined;
    use super::super::lexer::lex;
    use super::*;

    /// Each call that the one of `f` may be, with the directives by which it is chosen, and
    /// what stands behind it.
    fn calls(text: &str) -> Option<(Vec<String>, String)> {
        let text = text.as_bytes();
        let tokens = lex(text, true).tokens;
        let name = tokens
            .iter()
            .position(|token| token.span.of(text) == b"f")?;
        let all = alternatives(text, &tokens, name)?;
        let spelled = |call: &Alternative| {
            let directives = call.directives.iter();
            let directives = directives.map(|&at| tokens[at].span.of(text));
            let directives = directives.map(|one| String::from_utf8_lossy(one).into_owned());
            let mut words: Vec<String> = directives.collect();
            words.push(joined(text, &call.tokens));
            words.join(" ")
        };
        let rest = joined(text, &tokens[all.resume..]);
        Some((all.calls.iter().map(spelled).collect(), rest))
    }

    fn is(text: &str, expected: &[&str], rest: &str) {
        let expected = expected.iter().map(|&one| one.to_owned()).collect();
        assert_eq!(calls(text), Some((expected, rest.to_owned())), "{text}");
    }

    #[test]
    fn nothing_to_choose() {
        for text in [
            "f(a, b);",
            "f(a,\n#ifdef X\n b\n#else\n c\n#endif\n);",
            "f(a,\n#define X\n b);",
            "#ifdef X\nf(a, b);\n#else\nf(c);\n#endif\n",
            "f x;\n#ifdef X\n#endif",
            "f(\n#ifdef X\n a",
            "f\n#ifdef X\n x(a);\n#endif",
        ] {
            assert_eq!(calls(text), None, "{text}");
        }
    }

    #[test]
    fn of_its_first_argument() {
        is(
            "f(\n#ifdef X\na\n#else\nb\n#endif\n, c); d;",
            &["#ifdef X f( a , c)", "#ifdef X #else f( b , c)"],
            "; d;",
        );
        is(
            "f(\n#ifdef X\na, 1,\n#elif Y\nb,\n#endif\nc); d;",
            &[
                "#ifdef X f( a, 1, c)",
                "#ifdef X #elif Y f( b, c)",
                "#ifdef X #elif Y #endif f( c)",
            ],
            "; d;",
        );
        is(
            "f(\n#if X\n#if Y\na\n#endif\n#endif\nb,\n#if Z\nc\n#endif\n)",
            &[
                "#if X #if Y #endif #endif f( a b, c )",
                "#if X #if Y #endif #endif f( b, c )",
                "#if X #endif f( b, c )",
            ],
            "",
        );
    }

    #[test]
    fn of_where_it_starts() {
        let text = "#ifdef X\nf(\n#else\ng(\n#endif\na, b); d;";
        is(text, &["f( a, b)"], "g( a, b); d;");
        let text = "#ifdef X\ng(\n#else\nf(\n#endif\na, b); d;";
        is(text, &["f( a, b)"], "; d;");
        let text = "#ifdef X\nf\n#else\ng\n#endif\n(a, b); d;";
        is(text, &["f (a, b)"], "g (a, b); d;");
        let text = "#ifdef X\nf(a, 1,\n#else\nf(a, 2,\n#endif\nb);";
        is(text, &["f(a, 1, b)"], "f(a, 2, b);");
    }
}
