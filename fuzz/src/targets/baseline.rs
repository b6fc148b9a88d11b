// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Baselines: one that is read is written as it was.

use barepoint::rules::baseline::Baseline;
use crate::shared::text_of;

pub fn fuzz(input: &[u8]) {
    let text = text_of(input);
    if let Ok(baseline) = Baseline::parse(text, "x") {
        let written = baseline.render();
        let again = Baseline::parse(&written, "x").expect("as it was written");
        assert_eq!(again.render(), written);
    }
}
