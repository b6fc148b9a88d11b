// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A mailbox into its mails, as `git mailsplit -b` does it (git's builtin/mailsplit.c).
//! May not know what a mail says.

use std::borrow::Cow;

/// One mail, or what takes its place.
#[derive(Clone, Debug)]
pub(crate) struct Mail<'t> {
    /// Its bytes, with the `From ` line; no line ends in CR LF.
    pub raw: Cow<'t, [u8]>,
    /// Its first line in the input, counted from 1.
    pub line: u32,
}

/// Splits a mailbox. One that does not begin with a `From ` line is one mail, whatever
/// follows.
pub(crate) fn split(input: &[u8]) -> Vec<Mail<'_>> {
    let blank = input.iter().take_while(|byte| is_space(**byte)).count();
    let (above, text) = input.split_at(blank);
    let mut mails = Mails {
        text,
        start: 0,
        line: count_lines(above).saturating_add(1),
        mails: Vec::new(),
    };
    let mut next = line_at(text, 0);
    if is_from_line(next) {
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(from_below) {
            at += found;
            next = line_at(text, at);
            if is_from_line(next) {
                mails.end(at);
            }
        }
    }
    mails.end(text.len());
    mails.mails
}

struct Mails<'t> {
    text: &'t [u8],
    /// Where the mail begins that is looked through.
    start: usize,
    line: u32,
    mails: Vec<Mail<'t>>,
}

impl Mails<'_> {
    /// The mail ends before `at`, where another may begin.
    fn end(&mut self, at: usize) {
        let raw = self.text.get(self.start..at).unwrap_or_default();
        self.mails.push(Mail {
            raw: without_cr(raw),
            line: self.line,
        });
        self.line = self.line.saturating_add(count_lines(raw));
        self.start = at;
    }
}

/// Where the next line below the first one begins that starts with `From `.
fn from_below(text: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, b"\nFrom ").map(|newline| newline + 1)
}

/// The line that begins at `at`, with its newline.
pub(super) fn line_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
    rest.get(..end).unwrap_or_default()
}

/// `From whoever Mon Sep 17 00:00:00 2001`: by the digits around the last colon, and by a
/// year after 90. What stands below does not matter, so that one amid a diff cuts that.
pub(crate) fn is_from_line(line: &[u8]) -> bool {
    let last = line.len().saturating_sub(2);
    let searched = line.get(5..last).unwrap_or_default();
    if line.len() < 20 || !line.starts_with(b"From ") {
        return false;
    }
    let Some(colon) = memchr::memrchr(b':', searched).map(|colon| colon + 5) else {
        return false;
    };
    let digit = |at: Option<usize>| {
        at.and_then(|at| line.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let before = [4, 2, 1].map(|back| colon.checked_sub(back));
    let after = [1, 2].map(|on| Some(colon + on));
    before.into_iter().chain(after).all(digit) && year(line.get(colon + 3..)) > 90
}

/// The number that C's strtol() reads, as far as it matters here.
fn year(text: Option<&[u8]>) -> u64 {
    let text = text.unwrap_or_default();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let blanks = text.iter().take_while(|byte| is_blank(byte)).count();
    let number = text.get(blanks..).unwrap_or_default();
    let number = number.strip_prefix(b"+").unwrap_or(number);
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum: u64, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    })
}

/// The text without the CR before each LF, as git has it without `--keep-cr`.
pub(super) fn without_cr(text: &[u8]) -> Cow<'_, [u8]> {
    let mut ends = memchr::memmem::find_iter(text, b"\r\n").peekable();
    if ends.peek().is_none() {
        return text.into();
    }
    let mut kept = Vec::with_capacity(text.len());
    let mut start = 0;
    for end in ends {
        kept.extend_from_slice(text.get(start..end).unwrap_or_default());
        start = end + 1;
    }
    kept.extend_from_slice(text.get(start..).unwrap_or_default());
    kept.into()
}

pub(super) fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// What git takes for white space (its ctype.c), whatever the locale.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raws(input: &str) -> Vec<(String, u32)> {
        let mails = split(input.as_bytes()).into_iter();
        mails
            .map(|mail| (String::from_utf8_lossy(&mail.raw).into_owned(), mail.line))
            .collect()
    }

    #[test]
    fn from_lines_are_told_by_their_time() {
        for line in [
            "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n",
            "From x Thu Jan  1 00:00:00 1970\n",
            "From x 1:1:9:10:00 +91 or so\n",
            "From x Mon Sep 17 00:00:00 99999999999999999999999\n",
        ] {
            assert!(is_from_line(line.as_bytes()), "{line}");
        }
        for line in [
            "From x Mon Sep 17 00:00:00 PST 2001\n",
            "From x Mon Sep 17 00:00:00 90\n",
            "From x Mon Sep 17 00:00:00 -2001\n",
            "From x Mon Sep 17 00:00\n",
            "From now on, it is so: 10:20\n",
            "from x Mon Sep 17 00:00:00 2001\n",
            "From 1:10:00 2001\n",
        ] {
            assert!(!is_from_line(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_mailbox_is_cut_at_its_from_lines_alone() {
        const FROM: &str = "From x Mon Sep 17 00:00:00 2001\n";
        let mails = raws(&format!(
            "\n \r\n{FROM}A: b\n\n{FROM}+no header\n\nFrom x\n"
        ));
        assert_eq!(
            mails,
            [
                (format!("{FROM}A: b\n\n"), 3),
                (format!("{FROM}+no header\n\nFrom x\n"), 6)
            ]
        );
        // Without one at the top it is a single mail.
        let bare = format!("A: b\n\n{FROM}C: d\n");
        assert_eq!(raws(&bare), [(bare.clone(), 1)]);
        assert_eq!(raws(""), [(String::new(), 1)]);
    }

    #[test]
    fn one_cr_goes_before_each_newline() {
        assert_eq!(raws("a\r\nb\r\r\nc\rd\r")[0].0, "a\nb\r\nc\rd\r");
    }
}
