// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How mailers wrap a patch.

/// As a mail's body, quoted-printable.
pub fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    for line in text.split('\n') {
        let mut width = 0;
        for (at, byte) in line.bytes().enumerate() {
            let last = at + 1 == line.len();
            let plain = (byte.is_ascii_graphic() && byte != b'=')
                || (matches!(byte, b' ' | b'\t') && !last);
            let piece = if plain {
                char::from(byte).to_string()
            } else {
                format!("={byte:02X}")
            };
            if width + piece.len() > 75 {
                encoded.push_str("=\n");
                width = 0;
            }
            width += piece.len();
            encoded.push_str(&piece);
        }
        encoded.push('\n');
    }
    encoded.pop();
    encoded
}

/// As a mail's body in base64.
pub fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for (number, chunk) in text.as_bytes().chunks(3).enumerate() {
        if number > 0 && number % 19 == 0 {
            encoded.push('\n');
        }
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            encoded.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    encoded + "\n"
}
