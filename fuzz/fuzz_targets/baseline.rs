// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Baselines: one that is read is written as it was.

#![no_main]

use barepoint::rules::baseline::Baseline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(baseline) = Baseline::parse(text, "x") {
        let written = baseline.render();
        let again = Baseline::parse(&written, "x").expect("as it was written");
        assert_eq!(again.render(), written);
    }
});
