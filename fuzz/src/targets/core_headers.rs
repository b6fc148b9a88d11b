// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The headers of the tracing core, which say what the macros mean: one of them is
//! replaced by the input.

use barepoint::inventory::state::semantics_of;
use crate::shared::{Files, kernel_with};

const HEADERS: [&str; 4] = [
    "include/linux/tracepoint.h",
    "include/trace/define_trace.h",
    "include/trace/trace_events.h",
    "include/trace/bpf_probe.h",
];

pub fn fuzz(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let path = HEADERS[usize::from(*choice) % HEADERS.len()];
    let files = Files::from([(path.to_owned(), Some(text.into()))]);
    let _ = semantics_of(&kernel_with(files));
}
