// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails, mboxes and diffs: what is read is whole, or it is said not to be.

use barepoint::source::input::load_bytes;

pub fn fuzz(input: &[u8]) {
    let loaded = load_bytes("x", input);
    assert!(!loaded.patches.is_empty() || !loaded.problems.is_empty());
    for patch in &loaded.patches {
        let _ = (patch.name(), patch.title());
        assert!(!patch.changes.is_empty());
        for change in &patch.changes {
            let path = change.path();
            assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
            for hunk in &change.hunks {
                assert!(hunk.lines.len() as u64 >= u64::from(hunk.old_len.max(hunk.new_len)));
            }
        }
    }
}
