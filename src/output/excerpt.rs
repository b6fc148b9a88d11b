// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A source line for a terminal, and the column of it that a caret goes under.

use super::printable;

/// How many characters of a line are shown.
pub const MOST: usize = 200;

/// How many of them stand before the caret, where the line has to be cut.
const BEFORE: usize = 60;

/// As much of a line as is shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// How many columns are before what is meant.
    pub lead: usize,
}

impl Excerpt {
    /// What is to be shown of `line`, where what starts at the byte `at` is meant.
    pub fn of(line: &str, at: usize) -> Self {
        let before = characters(line.get(..at).unwrap_or_default());
        let all = characters(line);
        let start = if all.len() > MOST && before.len() > MOST - BEFORE {
            before.len() - BEFORE
        } else {
            0
        };
        let end = all.len().min(start + MOST);
        let mut text = String::new();
        text.extend((start > 0).then_some('…'));
        text.extend(&all[start..before.len()]);
        let lead = text.chars().map(width).sum();
        text.extend(&all[before.len()..end]);
        text.extend((end < all.len()).then_some('…'));
        Self { text, lead }
    }
}

/// The characters of a line, tabs as spaces.
fn characters(line: &str) -> Vec<char> {
    printable(&line.replace('\t', "        ")).chars().collect()
}

/// How many columns a terminal gives a character: two those of East Asia and
/// pictures, none the marks that combine with the one before.
fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(line: &str) -> usize {
        Excerpt::of(line, line.find("trace_").unwrap_or_default()).lead
    }

    #[test]
    fn a_caret_stands_under_what_is_meant() {
        assert_eq!(lead("trace_a();"), 0);
        assert_eq!(lead("\t\ttrace_a();"), 16);
        assert_eq!(lead("/* é */ trace_a();"), 8);
        assert_eq!(lead("/* e\u{301} */ trace_a();"), 8);
        assert_eq!(lead("/* 注释 */ trace_a();"), 11);
    }

    #[test]
    fn of_a_long_line_what_is_meant_is_shown() {
        let line = format!("{} trace_a(); {}", "x".repeat(5000), "y".repeat(5000));
        let shown = Excerpt::of(&line, 5001);
        assert_eq!(shown.lead, BEFORE + 1);
        assert_eq!(shown.text.chars().count(), MOST + 2);
        let meant: String = shown.text.chars().skip(shown.lead).collect();
        assert!(meant.starts_with("trace_a();"), "{meant}");

        let shown = Excerpt::of(&line, 3);
        assert_eq!((shown.lead, shown.text.chars().count()), (3, MOST + 1));
    }

    #[test]
    fn a_column_that_is_none_is_no_panic() {
        assert_eq!(Excerpt::of("é", 1).lead, 0);
        assert_eq!(Excerpt::of("x", 100).lead, 0);
    }
}
