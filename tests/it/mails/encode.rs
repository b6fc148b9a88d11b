// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Ways to encode a text, right and wrong ones.

use super::chance::Chance;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(text: &[u8], padded: bool) -> String {
    let mut coded = String::new();
    for bytes in text.chunks(3) {
        let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for letter in 0..=bytes.len() {
            let index = (bits >> (18 - 6 * letter)) & 63;
            coded.push(char::from(LETTERS[index as usize]));
        }
        if padded {
            coded.push_str(&"=".repeat(3 - bytes.len()));
        }
    }
    coded
}

fn in_lines(text: &str, length: usize) -> String {
    let lines = text.as_bytes().chunks(length.max(1));
    lines
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect()
}

fn by_line(text: &[u8], coded: impl Fn(&[u8]) -> String) -> String {
    text.split_inclusive(|byte| *byte == b'\n')
        .map(coded)
        .collect()
}

/// A form of base64.
pub fn any_base64(text: &[u8], chance: &mut Chance) -> String {
    match chance.below(8) {
        0 | 1 => in_lines(&base64(text, true), 76),
        2 => in_lines(&base64(text, false), 76),
        // One line of the text a line, each padded
        3 => by_line(text, |line| format!("{}\n", base64(line, true))),
        4 => by_line(text, |line| format!("{}==\n", base64(line, false))),
        // Letters that are none
        5 => in_lines(&base64(text, true), 4)
            .replace("Z", "!Z")
            .replace('\n', "*\n"),
        6 => format!("{}\n", base64(text, true)),
        // Bits are lost at the end of each line
        _ => in_lines(&base64(text, false), 70 + chance.below(8)),
    }
}

/// A form of quoted-printable.
pub fn any_quoted(text: &[u8], chance: &mut Chance) -> String {
    let form = chance.below(8);
    let mut coded = String::new();
    let mut column = 0;
    for (index, &byte) in text.iter().enumerate() {
        let ends_line = text.get(index + 1) == Some(&b'\n');
        let is_plain = byte.is_ascii_graphic() || byte == b'\t' || byte == b' ';
        let has_to = !is_plain || byte == b'=' || (byte == b' ' && ends_line);
        let piece = match form {
            _ if byte == b'\n' => "\n".to_owned(),
            // As everything should be, and almost so
            0 | 1 if has_to => format!("={byte:02X}"),
            2 if has_to => format!("={byte:02x}"),
            3 if has_to || chance.one_in(4) => format!("={byte:02x}"),
            // Nothing but what reads as encoded otherwise
            4 if byte == b'=' && chance.one_in(2) => "=3D".to_owned(),
            5 if byte == b'@' || byte.is_ascii_uppercase() => format!("={byte:02x}"),
            6 if byte == b' ' && chance.one_in(3) => "=20".to_owned(),
            _ => char::from(byte).to_string(),
        };
        if byte == b'\n' {
            column = 0;
        } else {
            column += piece.len();
        }
        if column > 75 && matches!(form, 0 | 2 | 3) || form == 7 && chance.one_in(30) && column > 0
        {
            coded.push_str(if form == 7 && chance.one_in(9) {
                "= \n"
            } else {
                "=\n"
            });
            column = piece.len();
        }
        coded.push_str(&piece);
    }
    coded
}

/// A text as a mailer that makes lines flow sends it.
pub fn flowed(text: &str, delsp: bool, chance: &mut Chance) -> String {
    let mut sent = String::new();
    for line in text.split_inclusive('\n') {
        let stuffed = line.starts_with([' ', '>']) || line.starts_with("From ");
        if stuffed && !chance.one_in(12) || chance.one_in(20) {
            sent.push(' ');
        }
        let at = chance.below(line.len().max(1));
        let may_break = line.is_char_boundary(at) && at > 1 && !line.starts_with("-- ");
        match line.get(at..at + 1) {
            Some(" ") if may_break && chance.one_in(3) => {
                sent.push_str(&format!(
                    "{}{}\n",
                    &line[..=at],
                    if delsp { " " } else { "" }
                ));
                sent.push_str(line[at + 1..].trim_start_matches(' '));
            }
            Some(_) if may_break && delsp && chance.one_in(3) => {
                sent.push_str(&format!("{} \n{}", &line[..at], &line[at..]));
            }
            _ => sent.push_str(line),
        }
    }
    sent
}
