// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The lexer: every token and comment lies in the text, in order, none over another.

use barepoint::syntax::lexer::{Lexed, Span, lex};
use barepoint::syntax::lines::Lines;

fn in_order(text: &[u8], spans: impl Iterator<Item = Span>) {
    let mut end = 0;
    for span in spans {
        assert!(span.start >= end && span.start < span.end, "{span:?}");
        end = span.end;
    }
    assert!(end as usize <= text.len());
}

pub fn fuzz(text: &[u8]) {
    for directives in [false, true] {
        let Lexed { tokens, comments } = lex(text, directives);
        in_order(text, tokens.iter().map(|token| token.span));
        in_order(text, comments.iter().copied());
        let lines = Lines::of(text);
        for token in tokens {
            assert!(lines.line(token.span.start) <= text.len() as u32 + 1);
            assert!(lines.column(token.span.start) >= 1);
        }
    }
}
