// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Packed modules: xz, zstd and gzip.

#![no_main]

use barepoint::elf::unpack::{MOST, unpacked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bytes) = unpacked(bytes.to_vec()) {
        assert!(bytes.len() as u64 <= MOST);
    }
});
