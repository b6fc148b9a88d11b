// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The hook's declaration in its header, and the event in its place.

use super::edits::{Edits, line_around};
use super::event;
use super::hook::Hook;
use crate::inventory::facts::Declaration;
use crate::inventory::headings::Headings;
use crate::inventory::state::State;
use crate::syntax::groups::{arguments, closing};
use crate::syntax::lexer::{Kind, Lexed, Token, lex};
use anyhow::bail;
use std::ops::Range;

/// The call that declares the hook.
pub(super) struct Call<'t> {
    text: &'t [u8],
    lexed: Lexed,
    /// From the macro's name to the semicolon.
    pub(super) whole: Range<usize>,
    /// Its arguments, as ranges of tokens.
    arguments: Vec<Range<usize>>,
}

impl<'t> Call<'t> {
    /// Finds it.
    pub(super) fn of(text: &'t [u8], hook: &Hook<'_>) -> anyhow::Result<Self> {
        let lexed = lex(text, true);
        let found = Self::spans(text, &lexed.tokens, &hook.tracepoint.declaration);
        let Some((whole, arguments)) = found else {
            bail!(
                "the declaration of {} cannot be taken apart, {}",
                hook.tracepoint.name(),
                super::hook::place(hook.tracepoint)
            );
        };
        Ok(Self {
            text,
            lexed,
            whole,
            arguments,
        })
    }

    fn spans(
        text: &[u8],
        tokens: &[Token],
        declaration: &Declaration,
    ) -> Option<(Range<usize>, Vec<Range<usize>>)> {
        let at = declaration.at.offset;
        let name = tokens
            .binary_search_by_key(&at, |token| token.span.start)
            .ok()?;
        if tokens[name].span.of(text) != declaration.framework.as_bytes() {
            return None;
        }
        let close = closing(text, tokens, name + 1)?;
        let found = arguments(text, tokens, name + 1, close);
        let last = match tokens.get(close + 1) {
            Some(next) if next.is(b';') => close + 1,
            _ => close,
        };
        let whole = at as usize..tokens[last].span.end as usize;
        (found.len() >= 3).then_some((whole, found))
    }

    /// Prototype, arguments and what follows them, as they are to stand in the event.
    pub(super) fn clauses(&self, declaration: &Declaration) -> Vec<String> {
        let lists = [&declaration.prototype, &declaration.arguments];
        let clauses = self.arguments.iter().skip(1).enumerate();
        clauses
            .map(|(index, range)| match lists.get(index) {
                Some(list) if self.is_plain(range) => {
                    let name = self
                        .tokens(range)
                        .first()
                        .map(|token| token.span.of(self.text));
                    let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
                    let items: Vec<String> = list.iter().map(|item| item.to_string()).collect();
                    event::clause(&name, &items)
                }
                _ => self.source(range),
            })
            .collect()
    }

    fn tokens(&self, range: &Range<usize>) -> &[Token] {
        self.lexed.tokens.get(range.clone()).unwrap_or_default()
    }

    fn bytes(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let tokens = self.tokens(range);
        Some(tokens.first()?.span.start as usize..tokens.last()?.span.end as usize)
    }

    fn source(&self, range: &Range<usize>) -> String {
        let bytes = self.bytes(range).and_then(|range| self.text.get(range));
        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
    }

    /// Whether nothing would be lost if the list was written anew.
    fn is_plain(&self, range: &Range<usize>) -> bool {
        let Some(bytes) = self.bytes(range) else {
            return false;
        };
        let inside = |at: u32| bytes.contains(&(at as usize));
        let tokens = self.tokens(range);
        tokens.iter().all(|token| token.kind != Kind::Directive)
            && !self.lexed.comments.iter().any(|one| inside(one.start))
    }

    /// Where the event goes, if not into the hook's place.
    pub(super) fn comments(&self) -> &[crate::syntax::lexer::Span] {
        &self.lexed.comments
    }
}

/// What stands above a declaration.
#[derive(Debug, Default)]
pub(super) struct Above {
    /// The comment that speaks of it; empty without one.
    pub(super) comment: String,
    /// Where that starts.
    pub(super) start: Option<usize>,
    /// Whether it heads other declarations, too.
    pub(super) is_shared: bool,
    /// Whether a conditional stands between the two.
    pub(super) is_apart: bool,
}

impl Above {
    pub(super) fn of(state: &State, call: &Call<'_>, hook: &Hook<'_>) -> Self {
        let file = &hook.tracepoint.file;
        let Some(facts) = state.facts.get(file) else {
            return Self::default();
        };
        let all = facts.declarations.iter();
        let declared: Vec<_> = all.clone().map(|one| one.at).collect();
        let events = all.filter(|one| one.makes.event).map(|one| one.at);
        let headings = Headings::of(call.text, declared.clone())
            .with_alone(events.collect())
            .past_macros_of(&state.semantics);
        let at = hook.tracepoint.declaration.at;
        let Some(gap) = headings.gap_above(at) else {
            return Self::default();
        };
        let others = declared.iter().filter(|&&other| other != at);
        let is_shared = others
            .clone()
            .any(|&other| headings.gap_above(other).as_ref() == Some(&gap));
        let between = call
            .text
            .get(gap.end..at.offset as usize)
            .unwrap_or_default();
        Self {
            comment: headings.above(at).unwrap_or_default(),
            start: last_comment(call.comments(), &gap),
            is_shared,
            is_apart: between.starts_with(b"#") || memchr::memmem::find(between, b"\n#").is_some(),
        }
    }
}

/// The start of the last comment in `gap`.
fn last_comment(comments: &[crate::syntax::lexer::Span], gap: &Range<usize>) -> Option<usize> {
    let mut inside = comments
        .iter()
        .filter(|one| gap.contains(&(one.start as usize)));
    inside.next_back().map(|one| one.start as usize)
}

/// Puts the event in the hook's place or, out of a group whose comment would then be
/// wrong about it, above that comment. `before` goes in front of the event.
pub(super) fn place(edits: &mut Edits, call: &Call<'_>, above: &Above, before: &str, event: &str) {
    match above.start {
        Some(start) if above.is_shared && !above.is_apart => {
            edits.insert(start, format!("{before}{event}\n\n"));
            edits.replace(with_blank_line(call.text, &call.whole), "");
        }
        start => {
            let top = start.filter(|_| !above.is_apart && !above.is_shared);
            let top = top.unwrap_or(call.whole.start);
            if top == call.whole.start {
                edits.replace(call.whole.clone(), format!("{before}{event}"));
            } else {
                if !before.is_empty() {
                    edits.insert(top, before);
                }
                edits.replace(call.whole.clone(), event);
            }
        }
    }
}

/// A range of whole lines with the empty line below.
fn with_blank_line(text: &[u8], range: &Range<usize>) -> Range<usize> {
    let mut end = line_around(text, range.end.saturating_sub(1)).end;
    if text.get(end) == Some(&b'\n') {
        end += 1;
    }
    range.start..end
}
