// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whole checks of a small kernel with one file replaced by the input: the readers of
//! C, Rust, documentation and build files, the inventory, and every rule.

use std::collections::BTreeMap;

use barepoint::inventory::state::NewText;
use barepoint::rules::engine::check_state;
use barepoint::rules::review::Sight;
use crate::shared::{Files, STATE, ZONES, kernel_with};

const PATHS: [&str; 10] = [
    "include/trace/events/sched.h",
    "kernel/sched/core.c",
    "include/linux/sched.h",
    "kernel/trace/rv/monitors/sco/sco.c",
    "fs/x.c",
    "rust/kernel/x.rs",
    "Documentation/trace/x.rst",
    "tools/x.c",
    "kernel/sched/Makefile",
    "MAINTAINERS",
];

pub fn fuzz(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let path = PATHS[usize::from(*choice) % PATHS.len()].to_owned();
    let tree = kernel_with(Files::from([(path.clone(), Some(text.into()))]));
    let changes = BTreeMap::from([(path, NewText::Whole(text.into()))]);
    // It is refused if a call in it does not end.
    let Ok(state) = STATE.after(&changes, Some(&tree)) else {
        return;
    };
    let findings = check_state(&Sight::of_tree(&state, &tree, &ZONES));
    for finding in findings {
        assert!(finding.place.line >= 1, "{finding:?}");
    }
}
