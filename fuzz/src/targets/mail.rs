// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails, mboxes and diffs: what is read is whole, or it is said not to be; and so is what
//! they are to those who read them in another way than git.

use barepoint::source::input::load_bytes;
use barepoint::source::patch::Patch;

pub fn fuzz(input: &[u8]) {
    let loaded = load_bytes("x", input);
    assert!(!loaded.patches.is_empty() || !loaded.problems.is_empty());
    assert!(loaded.older.is_empty() || loaded.notices.len() == 1);
    for patch in &loaded.patches {
        check(patch);
        if let Some(other) = &patch.other {
            check(other);
            assert!(other.other.is_none() && other.changes != patch.changes);
            assert_eq!(other.name(), patch.name());
        }
    }
}

fn check(patch: &Patch) {
    let _ = (patch.name(), patch.title());
    assert!(!patch.changes.is_empty());
    assert!(!patch.message.ends_with(char::is_whitespace));
    for change in &patch.changes {
        let path = change.path();
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
        for hunk in &change.hunks {
            assert!(hunk.lines.len() as u64 >= u64::from(hunk.old_len.max(hunk.new_len)));
        }
    }
}
