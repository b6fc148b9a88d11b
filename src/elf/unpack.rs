// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Modules as they are kept: plain, or packed with xz, zstd or gzip.

use anyhow::{Context, anyhow, bail};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;

/// The most bytes that a packed module may have, and may unpack to. The largest of
/// Debian's unpacks to 30 MB. Of one that is not packed no more is read than is needed.
pub const MOST: u64 = 256 << 20;
/// The most bytes that are read of what is packed.
pub const MOST_PACKED: u64 = 64 << 20;

/// The dictionary that the kernel's own build packs modules with (scripts/Makefile.modinst).
const DICTIONARY: usize = 1 << 20;
/// By how many bytes memory grows.
const STEP: usize = 8 << 20;
const BUFFER: NonZeroUsize = NonZeroUsize::MIN.saturating_add((1 << 16) - 1);

/// Bytes of a gzip member's header without its optional parts.
const GZIP_HEADER: usize = 10;

/// How much may be unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The most bytes.
    pub most: u64,
    /// The most bytes of a dictionary.
    pub dictionary: usize,
}

impl Room {
    /// What nearly all modules need, and all threads at once may have.
    pub const SMALL: Self = Self {
        most: 8 << 20,
        dictionary: 8 << 20,
    };
    /// What one at a time may have: the dictionary is that of `xz -9`.
    pub const LARGE: Self = Self {
        most: MOST,
        dictionary: 64 << 20,
    };
}

/// The bytes of a module, unpacked if its first bytes say that it is packed.
///
/// # Errors
/// It is packed and broken, or needs more than `room`.
pub fn unpacked(bytes: &[u8], room: Room) -> anyhow::Result<Cow<'_, [u8]>> {
    let unpacked = match bytes {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            whole(xz(bytes, room), room).context("broken xz data")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd(bytes, room).context("broken zstd data"),
        [0x1f, 0x8b, 8, ..] => gzip(bytes, room).context("broken gzip data"),
        _ => return Ok(bytes.into()),
    };
    unpacked.map(Into::into)
}

/// All that `reader` gives, in no more memory than it takes: a vector that grows by
/// itself doubles.
fn whole(mut reader: impl Read, room: Room) -> anyhow::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    loop {
        // Room to find that nothing follows.
        unpacked.try_reserve_exact(STEP + 64)?;
        let read = reader
            .by_ref()
            .take(STEP as u64)
            .read_to_end(&mut unpacked)?;
        if unpacked.len() as u64 > room.most {
            bail!("it unpacks to more than {} MB", room.most >> 20);
        }
        if read < STEP {
            return Ok(unpacked);
        }
    }
}

fn xz(bytes: &[u8], room: Room) -> impl Read + use<> {
    let decoder = xz4rust::XzDecoder::in_heap_with_alloc_dict_size(DICTIONARY, room.dictionary);
    let bytes = Cursor::new(bytes.to_vec());
    xz4rust::XzReader::new_with_buffer_size_and_decoder(bytes, BUFFER, decoder)
}

fn zstd(bytes: &[u8], room: Room) -> anyhow::Result<Vec<u8>> {
    let reader = ruzstd::decoding::StreamingDecoder::new(bytes);
    whole(reader.map_err(|error| anyhow!("{error}"))?, room)
}

/// One member, as gzip(1) writes it (RFC 1952).
fn gzip(bytes: &[u8], room: Room) -> anyhow::Result<Vec<u8>> {
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
    let inflate = Inflate {
        state: InflateState::new_boxed(DataFormat::Raw),
        rest,
        has_ended: false,
    };
    whole(inflate, room)
}

/// Deflated data as it is unpacked.
struct Inflate<'b> {
    state: Box<InflateState>,
    rest: &'b [u8],
    has_ended: bool,
}

impl Read for Inflate<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.has_ended || room.is_empty() {
            return Ok(0);
        }
        let done = inflate(&mut self.state, self.rest, room, MZFlush::None);
        self.rest = self.rest.get(done.bytes_consumed..).unwrap_or_default();
        match done.status {
            Ok(MZStatus::StreamEnd) => self.has_ended = true,
            Ok(_) if done.bytes_written > 0 => {}
            Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(why) => return Err(io::Error::other(format!("{why:?}"))),
        }
        Ok(done.bytes_written)
    }
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
        for bytes in [&b"\x7fELF"[..], b""] {
            assert_eq!(&*unpacked(bytes, Room::SMALL).expect("bytes"), bytes);
        }
    }

    #[test]
    fn gzip_with_a_name() {
        let text = unpacked(GZIP, Room::SMALL).expect("bytes");
        assert_eq!(String::from_utf8_lossy(&text), "hello hello hello\n");
    }

    /// A stored block (RFC 1951) for each of many parts.
    #[test]
    fn gzip_of_a_size() {
        let mut packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec();
        for number in 1..=300 {
            packed.push(u8::from(number == 300));
            packed.extend(50_000_u16.to_le_bytes());
            packed.extend((!50_000_u16).to_le_bytes());
            packed.extend([b'x'; 50_000]);
        }
        let size = 300 * 50_000;
        assert!(unpacked(&packed, Room::SMALL).is_err());
        assert_eq!(unpacked(&packed, Room::LARGE).expect("bytes").len(), size);
        assert!(unpacked(&packed[..size], Room::LARGE).is_err());
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
            assert!(unpacked(start, Room::LARGE).is_err(), "{start:?}");
        }
    }
}
