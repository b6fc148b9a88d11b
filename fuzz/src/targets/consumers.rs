// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A consumer of one file, whose language the first byte chooses, and behind a NUL a
//! header that it may include.

use barepoint::consumers::{Names, reading};
use crate::shared::{FOLDER, STATE, halves};
use std::fs;

const FILES: [&str; 8] = [
    "a.c", "b.bpf.c", "c.bt", "d.sh", "e.py", "f.rs", "g.go", "tprobes",
];

pub fn fuzz(input: &[u8]) {
    let Some((choice, input)) = input.split_first() else {
        return;
    };
    let name = FILES[usize::from(choice.wrapping_sub(b'a')) % FILES.len()];
    let (text, header) = halves(input);
    let file = FOLDER.join(name);
    fs::write(&file, text).expect("written");
    fs::write(FOLDER.join("x.h"), header).expect("written");
    let found = reading(&FOLDER, &Names::of(&STATE.inventory)).expect("both can be read");
    for one in found.uses {
        assert!(one.line >= 1 && !one.tracepoint.is_empty(), "{one:?}");
        if let Some(gate) = one.gate {
            assert!(gate.since.is_some() || gate.before.is_some(), "{gate:?}");
        }
    }
    fs::remove_file(&file).expect("removed");
}
