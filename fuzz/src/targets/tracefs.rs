// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A copied tracefs: `available_events`, and `dynamic_events` behind a NUL.

use barepoint::tracefs::read;
use crate::shared::{FOLDER, halves};
use std::fs;

pub fn fuzz(input: &[u8]) {
    let (available, dynamic) = halves(input);
    fs::write(FOLDER.join("available_events"), available).expect("written");
    fs::write(FOLDER.join("dynamic_events"), dynamic).expect("written");
    let Ok(running) = read(&FOLDER) else { return };
    assert!(running.events.is_disjoint(&running.made_by_root));
    for name in running.probes.keys() {
        assert!(running.made_by_root.contains(name), "{name:?}");
    }
}
