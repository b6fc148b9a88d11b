// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Text of a stranger within Markdown: it comes out as text, whatever it holds. What
//! Markdown would not take for anything stays as it is, so that a report reads well in a
//! mail, too.

use crate::output::printable;
use std::borrow::Cow;

/// `text` without HTML, code, links, mentions and the bars of a table. Emphasis is let
/// through: C is full of `*` and `_`, and it forges nothing.
pub(super) fn text(text: &str) -> String {
    let shown = printable(text);
    let mut safe = String::with_capacity(shown.len());
    let mut before = None;
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        let tail = rest.as_str();
        let next = tail.chars().next();
        let is_letter = next.is_some_and(|next| next.is_alphanumeric());
        match c {
            '<' if is_letter || matches!(next, Some('/' | '!' | '?')) => safe.push_str("&lt;"),
            '&' if is_letter || next == Some('#') => safe.push_str("&amp;"),
            // GitHub makes a link of an address that just stands there.
            ':' if tail.starts_with("//") => safe.push_str("&#58;"),
            '.' if safe.to_ascii_lowercase().ends_with("www") => safe.push_str("&#46;"),
            '@' if is_letter && !before.is_some_and(char::is_alphanumeric) => {
                safe.push_str("&#64;");
            }
            ']' if matches!(next, Some('(' | '[' | ':')) => safe.push_str("\\]"),
            '\\' if next.is_some_and(|next| next.is_ascii_punctuation()) => {
                safe.push_str("\\\\");
            }
            '`' | '|' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
        before = Some(c);
    }
    safe
}

/// A line of a paragraph that begins nothing else, wherever the paragraph was broken.
pub(super) fn line(line: &str) -> Cow<'_, str> {
    let Some(first) = line.chars().next() else {
        return line.into();
    };
    let is_rule = line.len() > 1
        && line
            .chars()
            .all(|c| matches!(c, '-' | '=' | '*' | '_' | ' '));
    let behind = line.trim_start_matches('#');
    let is_heading = behind.len() < line.len() && (behind.is_empty() || behind.starts_with(' '));
    let is_item =
        matches!(first, '-' | '+' | '*') && matches!(line.as_bytes().get(1), None | Some(b' '));
    if is_rule || is_heading || is_item || first == '>' || line.starts_with("~~~") {
        return format!("\\{line}").into();
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.split_at_checked(digits) {
        Some((number, rest)) if digits > 0 && rest.starts_with(['.', ')']) => {
            format!("{number}\\{rest}").into()
        }
        _ => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_c_and_our_own_words_have_stays() {
        for same in [
            "struct cfs_rq *cfs_rq, char name[16], u64 *__x",
            "<= 6.1, a -> b, 0 + 1, x && y, [-int a-] {+int b+}",
            r"kernel/sched/core.c:72, printk(\n)",
            "A <= B <c",
        ] {
            let expected = same.replace("<c", "&lt;c");
            assert_eq!(text(same), expected);
        }
    }

    #[test]
    fn markup_comes_out_as_text() {
        for (from, to) in [
            ("<script>x</script>", "&lt;script>x&lt;/script>"),
            ("a|b `c`", r"a\|b \`c\`"),
            (r"\`x`", r"\\\`x\`"),
            ("[x](http://y)", r"[x\](http&#58;//y)"),
            ("![x][y]", r"![x\][y]"),
            ("WWW.evil.org", "WWW&#46;evil.org"),
            ("@all a@b.c", "&#64;all a@b.c"),
            ("&lt; &#60;", "&amp;lt; &amp;#60;"),
            ("a\n# b", r"a\n# b"),
        ] {
            assert_eq!(text(from), to, "{from}");
        }
    }

    #[test]
    fn a_line_begins_nothing() {
        for (from, to) in [
            ("# x", r"\# x"),
            ("> x", r"\> x"),
            ("- x", r"\- x"),
            ("===", r"\==="),
            ("1. x", r"1\. x"),
            ("~~~", r"\~~~"),
            ("*rq", "*rq"),
            ("-> b", "-> b"),
            ("#x 2 x", "#x 2 x"),
            ("", ""),
        ] {
            assert_eq!(line(from), to, "{from}");
        }
    }
}
