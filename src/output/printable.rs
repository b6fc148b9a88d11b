// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a stranger wrote, as it may be printed.
//!
//! Names of files and tracepoints, subjects, messages and lines of source are a
//! stranger's. What a terminal obeys, what ends a line, what is not seen and what
//! changes the order of what is seen is written as Rust writes it: `\n`, `\u{202e}`.
//! So is the beginning of a command to the programs that read the logs of builds. All
//! shapes but JSON, whose own escapes are exact, print strangers' text by [`printable`], and
//! so does whoever complains on standard error. It may not know what a text is of.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// What log readers take for commands wherever it stands in a line: GitHub's older
/// form, Azure's, TeamCity's.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// Text that is safe to be printed, in a line of its own or within one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printable<'t>(Cow<'t, str>);

/// `text` as it may be printed. What is shown stays the same if it is shown again.
pub fn printable(text: &str) -> Printable<'_> {
    if !text.contains(is_obeyed) && !has_command(text) {
        return Printable(Cow::Borrowed(text));
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            c if is_obeyed(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Printable(Cow::Owned(without_commands(safe)))
}

impl Printable<'_> {
    /// It as a string of its own.
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Printable<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a character is not printed but obeyed, or not seen: all of the Unicode
/// categories Cc (but for the tab), Cf, Zl and Zp, and what else is ignorable by default
/// (DerivedCoreProperties.txt), but for what chooses a shape of the character before.
pub fn is_obeyed(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && c != '\t';
    }
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text has a command in it that counts wherever it stands.
pub(super) fn has_command_within(text: &str) -> bool {
    COMMANDS.iter().any(|command| text.contains(command))
}

/// Whether a text starts as a workflow command of GitHub's does, which may be indented,
/// or has another command in it.
fn has_command(text: &str) -> bool {
    starts_command(text) || has_command_within(text)
}

fn starts_command(text: &str) -> bool {
    text.trim_start().starts_with("::")
}

fn without_commands(mut text: String) -> String {
    if starts_command(&text) {
        text = text.replacen(':', "\\u{3a}", 1);
    }
    for command in COMMANDS {
        if text.contains(command) {
            text = text.replace(command, &command.replacen("##", "#\\u{23}", 1));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_harmless_stays() {
        for text in [
            "\tTRACE_EVENT(é);",
            "struct rq *rq, char name[16]",
            "x##y[0] a::b 注释 ❤\u{fe0f} e\u{301}",
            r"printk(\n)",
        ] {
            assert!(matches!(printable(text).0, Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_is_obeyed_or_not_seen_is_written_out() {
        for (text, safe) in [
            ("a\x1b[31mb\u{202e}c\u{9b}", r"a\u{1b}[31mb\u{202e}c\u{9b}"),
            ("a\nb\r\nc\0", r"a\nb\r\nc\u{0}"),
            ("a\u{2028}b\u{2029}c\u{85}", r"a\u{2028}b\u{2029}c\u{85}"),
            (
                "\u{200e}\u{200f}\u{200b}\u{feff}",
                r"\u{200e}\u{200f}\u{200b}\u{feff}",
            ),
            ("\u{2066}x\u{2069}\u{e0041}", r"\u{2066}x\u{2069}\u{e0041}"),
        ] {
            assert_eq!(&*printable(text), safe);
            assert_eq!(printable(safe), printable(text));
        }
    }

    #[test]
    fn commands_to_log_readers() {
        for (text, safe) in [
            ("::error::x", r"\u{3a}:error::x"),
            ("  ::add-mask::x", r"  \u{3a}:add-mask::x"),
            ("x ##[group]y", r"x #\u{23}[group]y"),
            ("/* ##vso[task.x]y */", r"/* #\u{23}vso[task.x]y */"),
        ] {
            assert_eq!(&*printable(text), safe);
            assert_eq!(&*printable(safe), safe);
        }
    }

    #[test]
    fn a_width_is_kept() {
        assert_eq!(format!("{:4}|", printable("a")), "a   |");
    }
}
