// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Just enough of a lexer for the languages other than C: where the comments are, and
//! where the strings.
//!
//! What is not closed ends with the text. It may not know what the words mean.

use super::files::Language;
use crate::syntax::lexer::{is_word_byte, nested_comment};
use memchr::memmem;

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a number.
    Word,
    /// A string; the piece is what is between its quotes.
    String,
    /// Any other byte.
    Other(u8),
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// A text without its comments.
#[derive(Debug, Default)]
pub(super) struct Masked {
    /// As long as the text, with spaces for comments.
    pub text: Vec<u8>,
    pub pieces: Vec<Piece>,
}

/// Takes a text apart.
pub(super) fn mask(text: &[u8], language: Language) -> Masked {
    let mut masker = Masker {
        text,
        language,
        at: 0,
        masked: Masked {
            text: text.to_vec(),
            pieces: Vec::new(),
        },
        here: Vec::new(),
    };
    while masker.at < text.len() {
        masker.step();
    }
    masker.masked
}

struct Masker<'a> {
    text: &'a [u8],
    language: Language,
    at: usize,
    masked: Masked,
    /// The here-documents that start on the next line, by what ends them.
    here: Vec<Vec<u8>>,
}

impl Masker<'_> {
    fn step(&mut self) {
        let byte = self.text[self.at];
        let rest = &self.text[self.at..];
        if let Some(length) = self.comment(rest) {
            self.blank(length);
        } else if let Some((before, content, after)) = self.literal(rest) {
            let start = self.at + before;
            self.push(Kind::String, start, start + content);
            self.at = start + content + after;
        } else if byte == b'\n' && !self.here.is_empty() {
            self.at += 1;
            self.documents();
        } else if self.language == Language::Shell && rest.starts_with(b"<<") {
            self.here_document(rest);
        } else if self.language == Language::Shell && byte == b'\\' {
            self.at += 2;
        } else if is_word_byte(byte) {
            let length = rest.iter().position(|&byte| !is_word_byte(byte));
            let end = self.at + length.unwrap_or(rest.len());
            self.push(Kind::Word, self.at, end);
            self.at = end;
        } else {
            if !byte.is_ascii_whitespace() {
                self.push(Kind::Other(byte), self.at, self.at + 1);
            }
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let end = end.min(self.text.len());
        self.masked.pieces.push(Piece {
            kind,
            start: start.min(end),
            end,
        });
    }

    fn blank(&mut self, length: usize) {
        let end = (self.at + length).min(self.text.len());
        for byte in &mut self.masked.text[self.at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        self.at = end;
    }

    fn comment(&self, rest: &[u8]) -> Option<usize> {
        let line = || memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let slashes = matches!(
            self.language,
            Language::C | Language::Rust | Language::Go | Language::Bpftrace | Language::SystemTap
        );
        if slashes && rest.starts_with(b"//") {
            return Some(line());
        }
        if slashes && rest.starts_with(b"/*") {
            return Some(match self.language {
                Language::Rust => nested_comment(rest),
                _ => memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4),
            });
        }
        let before = self.at.checked_sub(1).map(|at| self.text[at]);
        let at_word = before.is_none_or(|byte| byte.is_ascii_whitespace() || byte == b';');
        let hash = match self.language {
            Language::Python | Language::SystemTap => true,
            // ${#x}, $#, a#b
            Language::Shell | Language::Lines => at_word,
            // Its #include and #! are no more interesting.
            Language::Bpftrace => before.is_none_or(|byte| byte == b'\n'),
            _ => false,
        };
        (hash && rest.first() == Some(&b'#')).then(line)
    }

    /// Lengths of what opens a string, of what is in it, and of what closes it.
    fn literal(&self, rest: &[u8]) -> Option<(usize, usize, usize)> {
        let quote = *rest.first()?;
        match self.language {
            Language::Python => {
                for triple in [b"\"\"\"", b"'''"] {
                    if rest.starts_with(triple) {
                        let content = memmem::find(&rest[3..], triple);
                        return Some((3, content.unwrap_or(rest.len() - 3), 3));
                    }
                }
                matches!(quote, b'"' | b'\'').then(|| escaped(rest, quote, true))
            }
            Language::Shell => match quote {
                b'\'' => {
                    let content = memchr::memchr(b'\'', &rest[1..]);
                    Some((1, content.unwrap_or(rest.len() - 1), 1))
                }
                b'"' => Some(escaped(rest, b'"', false)),
                _ => None,
            },
            Language::Go => match quote {
                b'`' => {
                    let content = memchr::memchr(b'`', &rest[1..]);
                    Some((1, content.unwrap_or(rest.len() - 1), 1))
                }
                b'"' | b'\'' => Some(escaped(rest, quote, true)),
                _ => None,
            },
            Language::Rust => rust_literal(rest, self.at.checked_sub(1).map(|at| self.text[at])),
            Language::C | Language::Bpftrace | Language::SystemTap => {
                (quote == b'"').then(|| escaped(rest, b'"', true))
            }
            Language::Lines => None,
        }
    }

    /// `<<EOF`, `<<-'EOF'`, but not `<<<`.
    fn here_document(&mut self, rest: &[u8]) {
        if rest.starts_with(b"<<<") {
            self.at += 3;
            return;
        }
        let tail = &rest[2..];
        let skipped = tail
            .iter()
            .take_while(|byte| matches!(byte, b'-' | b' ' | b'\t' | b'\'' | b'"' | b'\\'))
            .count();
        let word = &tail[skipped..];
        let length = word.iter().position(|&byte| !is_word_byte(byte));
        let word = &word[..length.unwrap_or(word.len())];
        // A number is what is shifted: $((1 << 3)).
        if !word.is_empty() && !word[0].is_ascii_digit() {
            self.here.push(word.to_vec());
        }
        self.at += 2 + skipped + word.len();
        if matches!(self.text.get(self.at), Some(b'\'' | b'"')) && skipped > 0 {
            self.at += 1;
        }
    }

    fn documents(&mut self) {
        for end in std::mem::take(&mut self.here) {
            let start = self.at;
            let mut content = self.text.len();
            while self.at < self.text.len() {
                let rest = &self.text[self.at..];
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest[..length].trim_ascii();
                let line_start = self.at;
                self.at += (length + 1).min(rest.len());
                if line == end {
                    content = line_start;
                    break;
                }
            }
            self.push(Kind::String, start, content);
        }
    }
}

/// A string with backslashes. One that may not span lines ends with its line.
fn escaped(rest: &[u8], quote: u8, one_line: bool) -> (usize, usize, usize) {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' if one_line => return (1, at - 1, 0),
            byte if byte == quote => return (1, at - 1, 1),
            _ => at += 1,
        }
    }
    (1, rest.len() - 1, 0)
}

/// A string, a raw one or a character; a lifetime is none.
fn rust_literal(rest: &[u8], before: Option<u8>) -> Option<(usize, usize, usize)> {
    match rest.first()? {
        b'"' => Some(escaped(rest, b'"', false)),
        b'\'' if rest.get(1) == Some(&b'\\') => Some(escaped(rest, b'\'', true)),
        b'\'' if rest.get(2) == Some(&b'\'') => Some((1, 1, 1)),
        b'r' if !before.is_some_and(|byte| is_word_byte(byte) && byte != b'b' && byte != b'c') => {
            let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
            (rest.get(1 + hashes) == Some(&b'"')).then(|| {
                let end: Vec<u8> = std::iter::once(b'"')
                    .chain(std::iter::repeat_n(b'#', hashes))
                    .collect();
                let open = hashes + 2;
                let content = memmem::find(&rest[open..], &end);
                (
                    open,
                    content.unwrap_or(rest.len() - open),
                    if content.is_some() { end.len() } else { 0 },
                )
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str, language: Language) -> Vec<String> {
        let masked = mask(text.as_bytes(), language);
        let strings = masked.pieces.iter().filter(|one| one.kind == Kind::String);
        strings
            .map(|one| text[one.start..one.end].to_owned())
            .collect()
    }

    #[test]
    fn strings_of_each_language() {
        assert_eq!(
            strings(
                "a = 'x' # 'no'\nb = \"\"\"y\n# z\"\"\" + \"\\\"q\"\n",
                Language::Python
            ),
            ["x", "y\n# z", "\\\"q"]
        );
        assert_eq!(
            strings(
                "echo 'a\\' \"b'\" # 'no'\ncat <<EOF >x\n# it's c\nEOF\necho 'd' ${#x} $((1 << 3))\n",
                Language::Shell
            ),
            ["a\\", "b'", "# it's c\n", "d"]
        );
        assert_eq!(
            strings(
                "x(`a\"`, \"b\") // \"no\"\n/* \"no\" */ c['\"'] \"d\"",
                Language::Go
            ),
            ["a\"", "b", "\"", "d"]
        );
        assert_eq!(
            strings(
                "fn f<'a>() { r#\"a\"b\"#, \"c\" /* /* */ \"no\" */ '\"' '\\'' \"d\" }",
                Language::Rust
            ),
            ["a\"b", "c", "\"", "\\'", "d"]
        );
        assert_eq!(
            strings(
                "#!/x \"no\"\n// \"no\"\nrt:x { printf(\"a\") }",
                Language::Bpftrace
            ),
            ["a"]
        );
    }

    #[test]
    fn comments_are_blank() {
        let masked = mask(b"a # b\nc", Language::Shell);
        assert_eq!(masked.text, b"a    \nc");
    }

    #[test]
    fn unterminated_input_ends() {
        let all = [
            Language::C,
            Language::Rust,
            Language::Go,
            Language::Python,
            Language::Shell,
            Language::Bpftrace,
            Language::SystemTap,
            Language::Lines,
        ];
        for text in [
            "\"",
            "'",
            "'''",
            "\"\"\"",
            "`",
            "/*",
            "//",
            "#",
            "\\",
            "r#\"",
            "r",
            "<<",
            "<<E",
            "<<E\n",
            "<<'E'\n\nx",
            "\"\\",
            "'\\",
            "/* /* */",
            "\u{e9}'\u{e9}",
            "r##",
            "<<<",
        ] {
            for language in all {
                let masked = mask(text.as_bytes(), language);
                assert_eq!(masked.text.len(), text.len());
                let inside = |one: &Piece| one.start <= one.end && one.end <= text.len();
                assert!(masked.pieces.iter().all(inside), "{text} {language:?}");
            }
        }
    }
}
