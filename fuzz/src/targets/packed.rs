// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Packed modules: xz, zstd and gzip.

use barepoint::elf::unpack::{MOST, Room, unpacked};

pub fn fuzz(bytes: &[u8]) {
    if let Ok(bytes) = unpacked(bytes, Room::LARGE) {
        assert!(bytes.len() as u64 <= MOST);
    }
}
