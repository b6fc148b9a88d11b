// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The soft line breaks of format=flowed (RFC 3676), as git undoes them. May not know
//! where the lines come from.

use super::content::Content;

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It is passed on as it is.
    Passes,
    /// It is passed on after what waits, which stays apart from it.
    Separates,
    /// It is passed on, joined to what waits, from this byte on.
    Joins(usize),
    /// It waits for the next one: this range of it.
    Waits(usize, usize),
}

impl Flow {
    /// Of a line with its newline.
    pub(super) fn of(line: &[u8], content: &Content) -> Self {
        if !content.is_flowed {
            return Self::Passes;
        }
        let text = match line.strip_suffix(b"\n") {
            Some(text) => text.strip_suffix(b"\r").unwrap_or(text),
            None => line,
        };
        if text == b"-- " {
            return Self::Separates;
        }
        // A line that begins with a blank was given another one.
        let start = usize::from(text.first() == Some(&b' '));
        if text.len() > start && text.last() == Some(&b' ') {
            Self::Waits(start, text.len() - usize::from(content.drops_blank))
        } else {
            Self::Joins(start)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_breaks() {
        let mut content = Content::default();
        assert_eq!(Flow::of(b"a \n", &content), Flow::Passes);
        content.is_flowed = true;
        assert_eq!(Flow::of(b"a \r\n", &content), Flow::Waits(0, 2));
        assert_eq!(Flow::of(b"  \n", &content), Flow::Waits(1, 2));
        assert_eq!(Flow::of(b" \n", &content), Flow::Joins(1));
        assert_eq!(Flow::of(b" +a\n", &content), Flow::Joins(1));
        assert_eq!(Flow::of(b"\n", &content), Flow::Joins(0));
        assert_eq!(Flow::of(b"-- \r\n", &content), Flow::Separates);
        assert_eq!(Flow::of(b"--  \n", &content), Flow::Waits(0, 4));
        content.drops_blank = true;
        assert_eq!(Flow::of(b"+TRACE_ \n", &content), Flow::Waits(0, 7));
    }
}
