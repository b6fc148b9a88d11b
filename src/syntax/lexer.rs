// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A lexer for kernel C that never fails.
//!
//! It yields the tokens that the finding of tracepoints needs: identifiers,
//! preprocessing numbers, literals, single punctuators and `##`. A preprocessor
//! directive is one token, the whole logical line, to be taken apart by
//! [`super::directives`]. Comments are set aside. Unterminated literals end at
//! their line, an unterminated comment at the end of the text.
//!
//! It may not know what any identifier means.

use memchr::{memchr, memmem};
use std::borrow::Cow;

/// A range of byte offsets into the text that was lexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes of `text` that the span covers; empty if it does not fit.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Moves a span of a slice to its place in the text that was sliced at `base`.
    pub fn shifted(self, base: u32) -> Self {
        Self {
            start: self.start + base,
            end: self.end + base,
        }
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Identifier,
    /// A preprocessing number, so also `9p_client_req`.
    Number,
    /// A string literal with its quotes, and without its encoding prefix.
    String,
    /// A character constant with its quotes.
    Character,
    /// `##` outside of a directive.
    Paste,
    /// Any other single byte.
    Punctuator(u8),
    /// A whole preprocessor directive, from its `#` to the end of its last line.
    Directive,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it is.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

impl Token {
    /// Whether the token is the punctuator `byte`.
    pub fn is(&self, byte: u8) -> bool {
        self.kind == Kind::Punctuator(byte)
    }

    /// Whether macro parameters and names can stand here: an identifier, or a
    /// number such as `9p_client_req`.
    pub fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Identifier | Kind::Number)
    }
}

/// The tokens of a text and its comments, both in order.
#[derive(Debug, Default)]
pub struct Lexed {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The comments outside of directives, with their delimiters.
    pub comments: Vec<Span>,
}

const SPACE: u8 = 1;
const WORD: u8 = 2;
const DIGIT: u8 = 4;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        table[byte] = match value {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => SPACE,
            b'0'..=b'9' => WORD | DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => WORD,
            0x80..=0xff => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// Whether `byte` can be part of an identifier.
pub fn is_word_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & WORD != 0
}

/// Whether `word` has no small letter, as the names of macros that declare or define.
pub fn is_in_capitals(word: &[u8]) -> bool {
    !word.iter().any(u8::is_ascii_lowercase)
}

/// What some editors put before a file; it would pass for a word.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A one in each byte, and the highest bit of each.
const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHEST: u64 = ONES << 7;

/// The highest bit of each of eight bytes that can be part of a word. Words are short
/// and of all lengths: a look at each byte in turn would be mispredicted at every end.
fn word_bits(bytes: u64) -> u64 {
    let low = bytes & !HIGHEST;
    let small = low | (ONES * 0x20);
    // Of bytes below 0x80, so that nothing is carried into the next.
    let from = |bytes: u64, least: u8| bytes + ONES * u64::from(0x80 - least);
    let between = |bytes, least, most: u8| from(bytes, least) & !from(bytes, most + 1);
    let is = |byte| !from(low ^ (ONES * byte), 1);
    let letter = between(small, b'a', b'z');
    let digit = between(low, b'0', b'9');
    (bytes | letter | digit | is(u64::from(b'_')) | is(u64::from(b'$'))) & HIGHEST
}

/// Length of the word that `text` starts with.
fn word_length(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&eight) = text.get(length..).and_then(<[u8]>::first_chunk) {
        let others = !word_bits(u64::from_le_bytes(eight)) & HIGHEST;
        if others != 0 {
            return length + others.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = text.get(length..).unwrap_or_default();
    let end = rest.iter().position(|&byte| !is_word_byte(byte));
    length + end.unwrap_or(rest.len())
}

/// Lexes a file, or the inside of a directive when `directives` is false (a `#`
/// at the start of a line is then a punctuator like any other).
///
/// Texts of 4 GiB and more are cut there: no kernel source comes near.
pub fn lex(text: &[u8], directives: bool) -> Lexed {
    let mut lexed = Lexed::default();
    lex_into(text, directives, &mut lexed);
    lexed
}

/// As [`lex`], into buffers that are used again.
pub fn lex_into(text: &[u8], directives: bool, lexed: &mut Lexed) {
    lexed.tokens.clear();
    lexed.comments.clear();
    let text = &text[..text.len().min(u32::MAX as usize)];
    let mut lexer = Lexer {
        text,
        at: 0,
        line_start: directives,
        directives,
        lexed,
    };
    if directives && text.starts_with(BYTE_ORDER_MARK) {
        lexer.at = BYTE_ORDER_MARK.len();
    }
    while lexer.at < text.len() {
        lexer.step();
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether only white space and comments stand before `at` on its line.
    line_start: bool,
    directives: bool,
    lexed: &'a mut Lexed,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let byte = self.text[self.at];
        let class = CLASSES[byte as usize];
        if class & WORD != 0 {
            self.word(class);
        } else if class & SPACE != 0 {
            self.space();
        } else {
            match byte {
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
                b'/' if self.peek(1) == Some(b'/') => self.line_comment(),
                b'"' => self.literal(b'"', Kind::String),
                b'\'' => self.literal(b'\'', Kind::Character),
                b'\\' if self.continuation() > 0 => self.at += self.continuation(),
                b'#' if self.line_start => self.directive(),
                // Another spelling of it.
                b'%' if self.line_start && self.peek(1) == Some(b':') => self.directive(),
                b'#' if self.peek(1) == Some(b'#') => self.push(2, Kind::Paste),
                _ => self.push(1, Kind::Punctuator(byte)),
            }
        }
    }

    fn space(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            if CLASSES[byte as usize] & SPACE == 0 {
                break;
            }
            self.line_start |= self.directives && byte == b'\n';
            self.at += 1;
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Length of the backslash-newline at the current place, or 0.
    fn continuation(&self) -> usize {
        spliced(&self.text[self.at..])
    }

    fn push(&mut self, length: usize, kind: Kind) {
        let start = self.at;
        self.at += length;
        self.line_start = false;
        self.lexed.tokens.push(Token {
            span: span(start, self.at),
            kind,
        });
    }

    fn word(&mut self, class: u8) {
        let length = word_length(&self.text[self.at..]);
        let kind = if class & DIGIT != 0 {
            Kind::Number
        } else {
            Kind::Identifier
        };
        self.push(length, kind);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let body = &self.text[start + 2..];
        let length = memmem::find(body, b"*/").map_or(body.len(), |end| end + 2);
        self.at = start + 2 + length;
        self.lexed.comments.push(span(start, self.at));
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.at = logical_line_end(self.text, start, false);
        self.lexed.comments.push(span(start, self.at));
    }

    fn literal(&mut self, quote: u8, kind: Kind) {
        let length = literal_length(&self.text[self.at..], quote);
        self.push(length, kind);
    }

    fn directive(&mut self) {
        let end = logical_line_end(self.text, self.at, true);
        self.push(end - self.at, Kind::Directive);
        // The newline that follows starts a line again.
    }
}

fn span(start: usize, end: usize) -> Span {
    Span {
        start: start as u32,
        end: end as u32,
    }
}

/// Length of the backslash-newline that `text` starts with, or 0. As for gcc, space
/// may stand between the two.
pub(super) fn spliced(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b"\\") else {
        return 0;
    };
    let space = rest
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
        .unwrap_or(rest.len());
    if rest.get(space) == Some(&b'\n') {
        space + 2
    } else {
        0
    }
}

/// `text` with every word that a backslash-newline cuts in two in one piece, the
/// backslash-newline behind it. Nothing else moves, and no line gets another number.
pub fn with_whole_words(text: &[u8]) -> Cow<'_, [u8]> {
    let mut whole = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(found) = memchr(b'\\', &whole[from..]) {
        let at = from + found;
        from = at + 1;
        if at == 0 || !is_word_byte(whole[at - 1]) {
            continue;
        }
        let mut past = at;
        while spliced(&whole[past..]) > 0 {
            past += spliced(&whole[past..]);
        }
        let rest = word_length(&whole[past..]);
        if past > at && rest > 0 {
            whole.to_mut()[at..past + rest].rotate_left(past - at);
            from = at + rest;
        }
    }
    whole
}

/// Length of the literal that `text` starts with, its quotes included. It ends
/// at an unescaped newline if it is not closed.
fn literal_length(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Offset of the end of the logical line that `start` is on: past the
/// backslash-newlines and, if `comments`, past block comments that span lines.
fn logical_line_end(text: &[u8], start: usize, comments: bool) -> usize {
    let mut at = start;
    let mut newline = None;
    loop {
        // A line may hold many comments; its end is looked for once.
        let known = newline.filter(|&newline| newline >= at);
        let Some(end) = known.or_else(|| Some(at + memchr(b'\n', &text[at..])?)) else {
            return text.len();
        };
        newline = Some(end);
        if comments && let Some(past) = comment_past(&text[at..], end - at) {
            at += past;
            continue;
        }
        let line = text[at..end].trim_ascii_end();
        if line.last() != Some(&b'\\') {
            return end;
        }
        at = end + 1;
    }
}

/// If a block comment opens in `rest[..newline]`, the offset past its end.
/// A line comment or a literal that opens first hides it.
fn comment_past(rest: &[u8], newline: usize) -> Option<usize> {
    let mut at = 0;
    while at < newline {
        at += memchr::memchr3(b'/', b'"', b'\'', &rest[at..newline])?;
        match (rest[at], rest.get(at + 1)) {
            (b'/', Some(b'*')) => {
                let body = &rest[at + 2..];
                let end = memmem::find(body, b"*/").map_or(body.len(), |end| end + 2);
                return Some(at + 2 + end);
            }
            (b'/', Some(b'/')) => return None,
            (b'/', _) => at += 1,
            (quote, _) => at += literal_length(&rest[at..newline], quote).max(1),
        }
    }
    None
}

/// Whether `text` holds a NUL in its first part, as a binary file does.
pub fn looks_binary(text: &[u8]) -> bool {
    memchr(0, &text[..text.len().min(1024)]).is_some()
}

/// Length of the comment of Rust that `text` starts with, which may hold others.
pub fn nested_comment(text: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with(b"*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        lex(text.as_bytes(), true)
            .tokens
            .iter()
            .map(|token| String::from_utf8_lossy(token.span.of(text.as_bytes())).into_owned())
            .collect()
    }

    #[test]
    fn tokens_directives_and_comments() {
        let text = "/* a */ #define X(a) a##_b \\\n  more /* c\n d */ tail\nfoo(9p_x, \"s\\\"t\", 'c'); // e\n#if 0";
        assert_eq!(
            words(text),
            [
                "#define X(a) a##_b \\\n  more /* c\n d */ tail",
                "foo",
                "(",
                "9p_x",
                ",",
                "\"s\\\"t\"",
                ",",
                "'c'",
                ")",
                ";",
                "#if 0"
            ]
        );
        assert_eq!(lex(text.as_bytes(), true).comments.len(), 2);
    }

    #[test]
    fn words_in_one_piece() {
        let whole = |text: &str| {
            let whole = with_whole_words(text.as_bytes()).into_owned();
            String::from_utf8_lossy(&whole).into_owned()
        };
        assert_eq!(
            whole("a TRA\\\nCE_EV\\ \nENT(x"),
            "a TRACE_EVENT\\\n\\ \n(x"
        );
        for text in ["a \\\nb", "a\\\n b", "\"a\\n\"", "a\\", "\\\na", "\\\r\n"] {
            assert_eq!(whole(text), text);
        }
    }

    #[test]
    fn odd_spellings_of_directives() {
        let text = "\u{feff}#define A \\ \n b\n%:define C\nd";
        let found = words(text);
        assert_eq!(found, ["#define A \\ \n b", "%:define C", "d"]);
    }

    #[test]
    fn unterminated_input_ends() {
        for text in [
            "\"abc",
            "'",
            "/* x",
            "#define A \\",
            "\\",
            "\"a\\",
            "#",
            "a // b \\",
        ] {
            let lexed = lex(text.as_bytes(), true);
            assert!(
                lexed
                    .tokens
                    .iter()
                    .all(|token| token.span.end as usize <= text.len())
            );
        }
    }

    #[test]
    fn words_of_all_bytes_and_lengths() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                let mut text = vec![b'x'; length];
                text.push(byte);
                text.extend(b"+++++++++");
                let wanted = length + usize::from(is_word_byte(byte));
                assert_eq!(word_length(&text), wanted, "{byte:#x} at {length}");
                assert_eq!(
                    word_length(&text[..=length]),
                    wanted,
                    "{byte:#x} at the end"
                );
            }
        }
    }

    #[test]
    fn apostrophe_in_a_directive_does_not_hide_its_end() {
        assert_eq!(
            words("#error don't\nint x;"),
            ["#error don't", "int", "x", ";"]
        );
    }
}
