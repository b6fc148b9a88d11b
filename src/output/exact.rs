// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! JSON that says a stranger's text exactly, and that a terminal obeys no part of: what
//! [`is_obeyed`] beyond ASCII is written as `\u202e` (serde_json does so up to U+001F),
//! and so is what begins a command to a reader of logs.

use super::printable::{has_command_within, is_obeyed};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// Writes `value` over several lines.
///
/// # Errors
/// `out` cannot be written to.
pub(super) fn pretty<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    write(out, value, PrettyFormatter::new())
}

/// Writes `value` in one line.
///
/// # Errors
/// `out` cannot be written to.
pub(super) fn compact<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    write(out, value, CompactFormatter)
}

/// `value` in one line, as a string.
///
/// # Errors
/// None, as nothing is written to but memory.
pub(super) fn string<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    let mut text = Vec::new();
    compact(&mut text, value)?;
    String::from_utf8(text).map_err(io::Error::other)
}

fn write<T: Serialize + ?Sized>(
    out: &mut dyn Write,
    value: &T,
    formatter: impl Formatter,
) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Exact(formatter));
    Ok(value.serialize(&mut serializer)?)
}

/// Formats as another does, but for strings.
struct Exact<F>(F);

macro_rules! as_the_other {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $name<W: ?Sized + Write>(&mut self, out: &mut W, $($argument: $kind),*) -> io::Result<()> {
            self.0.$name(out, $($argument),*)
        }
    )*};
}

impl<F: Formatter> Formatter for Exact<F> {
    as_the_other! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |byte: u8| byte.is_ascii() && byte != 0x7f;
        let is_command = fragment.contains("##") && has_command_within(fragment);
        if !is_command && fragment.bytes().all(is_plain) {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest
            .char_indices()
            .find(|&(_, c)| is_obeyed(c) || is_command && c == '#')
        {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &after[c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_exact_and_not_obeyed() {
        assert_eq!(string("##[a]").expect("JSON"), r#""\u0023\u0023[a]""#);
        let text = "a\u{202e}b\u{e0041}\n\u{9b}\u{7f}é\u{2028}";
        let json = string(&[text]).expect("JSON");
        assert_eq!(json, r#"["a\u202eb\udb40\udc41\n\u009b\u007fé\u2028"]"#);
        let read: Vec<String> = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read, [text]);
    }

    #[test]
    fn the_shape_is_that_of_serde_json() {
        let value = serde_json::json!({"a": [1, {}], "b": [], "c": "x"});
        let mut text = Vec::new();
        pretty(&mut text, &value).expect("JSON");
        assert_eq!(
            String::from_utf8_lossy(&text),
            serde_json::to_string_pretty(&value).expect("JSON")
        );
    }
}
