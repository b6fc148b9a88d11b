// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Saved lists and profiles: none differs from itself.

use barepoint::inventory::difference::between;
use barepoint::inventory::snapshot::{Knows, Snapshot};
use barepoint::inventory::{profiles, saved};
use barepoint::kernel::profile::Profile;

fn compare(snapshot: &Snapshot) {
    let changes = between(snapshot, snapshot).expect("nothing went or came");
    assert!(changes.is_empty());
}

pub fn fuzz(text: &[u8]) {
    if let Ok((_, snapshot)) = saved::read(text) {
        compare(&snapshot);
    }
    if let Ok(text) = std::str::from_utf8(text)
        && let Ok(profile) = Profile::parse(text)
    {
        let state = profiles::state(&profile);
        compare(&Snapshot::of(&state.inventory, Knows::default()));
    }
}
