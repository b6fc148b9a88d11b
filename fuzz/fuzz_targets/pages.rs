// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The pages of rules.

#![no_main]

use barepoint::rules::page::Page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Page::parse("promotion", text);
});
