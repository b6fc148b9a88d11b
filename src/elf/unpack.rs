// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Modules as they are kept: plain, or packed with xz, zstd or gzip.

use anyhow::{Context, anyhow, bail};
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;

/// The most bytes that a module may have, packed or not. The largest of Debian's has
/// 30 MB.
pub const MOST: u64 = 512 << 20;

/// The dictionary that the kernel's own build packs modules with (scripts/Makefile.modinst).
const DICTIONARY: usize = 1 << 20;
/// The largest that is taken: that of `xz -9`, and what ruzstd takes of a window.
const MOST_DICTIONARY: usize = 128 << 20;
const BUFFER: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 16) - 1);

/// Bytes of a gzip member's header without its optional parts.
const GZIP_HEADER: usize = 10;

/// The bytes of a module, unpacked if its first bytes say that it is packed.
///
/// # Errors
/// It is packed and broken, or larger than any module.
pub fn unpacked(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    match bytes.as_slice() {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => whole(xz(bytes)).context("broken xz data"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd(&bytes).context("broken zstd data"),
        [0x1f, 0x8b, 8, ..] => gzip(&bytes).context("broken gzip data"),
        _ => Ok(bytes),
    }
}

fn whole(reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    reader.take(MOST + 1).read_to_end(&mut unpacked)?;
    if unpacked.len() as u64 > MOST {
        bail!("it unpacks to more than {} MB", MOST >> 20);
    }
    Ok(unpacked)
}

fn xz(bytes: Vec<u8>) -> impl Read {
    let decoder = xz4rust::XzDecoder::in_heap_with_alloc_dict_size(DICTIONARY, MOST_DICTIONARY);
    xz4rust::XzReader::new_with_buffer_size_and_decoder(Cursor::new(bytes), BUFFER, decoder)
}

fn zstd(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let reader = ruzstd::decoding::StreamingDecoder::new(bytes);
    whole(reader.map_err(|error| anyhow!("{error}"))?)
}

/// One member, as gzip(1) writes it (RFC 1952).
fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    const HAS_HEADER_SUM: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    let flags = *bytes.get(3).context("no header")?;
    let mut rest = bytes.get(GZIP_HEADER..).context("no header")?;
    if flags & HAS_EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk::<2>().context("no extra field")?;
        rest = behind
            .get(usize::from(u16::from_le_bytes(*length))..)
            .context("no extra field")?;
    }
    for part in [HAS_NAME, HAS_COMMENT] {
        if flags & part != 0 {
            let end = memchr::memchr(0, rest).context("a name without an end")?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HAS_HEADER_SUM != 0 {
        rest = rest.get(2..).context("no header sum")?;
    }
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    miniz_oxide::inflate::decompress_to_vec_with_limit(rest, most)
        .map_err(|error| anyhow!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello hello hello\n' | gzip -n`, with a name put into the header.
    const GZIP: &[u8] = &[
        0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, b'a', 0, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8,
        0x40, 0x90, 0x5c, 0, 0x3b, 0x7c, 0x8a, 0xdf, 0x12, 0, 0, 0,
    ];

    #[test]
    fn what_is_not_packed_stays() {
        assert_eq!(unpacked(b"\x7fELF".to_vec()).expect("bytes"), b"\x7fELF");
        assert_eq!(unpacked(Vec::new()).expect("bytes"), b"");
    }

    #[test]
    fn gzip_with_a_name() {
        let text = unpacked(GZIP.to_vec()).expect("bytes");
        assert_eq!(String::from_utf8_lossy(&text), "hello hello hello\n");
    }

    #[test]
    fn broken_data_is_an_error() {
        for start in [
            &b"\xfd7zXZ\0rubbish"[..],
            b"\x28\xb5\x2f\xfdrubbish",
            b"\x1f\x8b\x08\x08",
            b"\x1f\x8b\x08\x1fxx",
            &GZIP[..20],
        ] {
            assert!(unpacked(start.to_vec()).is_err(), "{start:?}");
        }
    }
}
