// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files of zones, and which zone a path is in.

#![no_main]

use barepoint::rules::zones::Zones;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let zones = Zones::built_in().expect("rules/zones.toml");
    if let Ok(zones) = zones.with(text, "x.toml") {
        for path in ["kernel/sched/core.c", "fs/x.c", "mm/x.c", ""] {
            let _ = (zones.of(path), zones.is_relay(path));
        }
    }
});
