// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files of zones, and which zone a path is in.

use barepoint::rules::zones::Zones;
use crate::shared::text_of;

pub fn fuzz(input: &[u8]) {
    let text = text_of(input);
    let zones = Zones::built_in().expect("rules/zones.toml");
    if let Ok(zones) = zones.with(text, "x.toml") {
        for path in ["kernel/sched/core.c", "fs/x.c", "mm/x.c", ""] {
            let _ = (zones.of(path), zones.is_relay(path));
        }
    }
}
