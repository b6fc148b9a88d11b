// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Images, linked or not: what is read out of one is no more than it holds.

use barepoint::elf::Binary;
use barepoint::elf::modules::of_bytes;
use barepoint::elf::open::vmlinux_in;
use std::io::Cursor;

fn sound(binary: &Binary, image: &[u8]) {
    for name in binary.tracepoints.keys() {
        assert!(!name.is_empty() && name.len() <= 256, "{name:?}");
    }
    // Each stands in a table of pointers of at least four bytes.
    assert!(binary.tracepoints.len() <= image.len() / 4);
    let events = binary.events.as_deref().unwrap_or_default();
    assert!(events.len() <= image.len() / 4);
}

pub fn fuzz(image: &[u8]) {
    if let Ok(binary) = vmlinux_in(Cursor::new(image)) {
        sound(&binary, image);
    }
    if let Ok(Some((_, binary))) = of_bytes(image) {
        sound(&binary, image);
    }
}
