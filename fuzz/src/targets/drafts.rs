// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Drafts of promotions: one file of a small kernel is replaced by the input, and the mail
//! that is drafted for a hook, read back, makes of the kernel what the draft says.

use barepoint::inventory::state::State;
use barepoint::kernel::maintainers::Maintainers;
use barepoint::output::draft::{self, Letter};
use barepoint::promotion::{self, Exports, Mapping, Promotion};
use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::Series;
use crate::shared::{Files, kernel_with};
use std::sync::LazyLock;

const PATHS: [&str; 3] = [
    "include/trace/events/sched.h",
    "kernel/sched/core.c",
    "include/linux/sched.h",
];

static MAPPING: LazyLock<Mapping> =
    LazyLock::new(|| Mapping::built_in().expect("rules/promote.toml"));

fn comes_back(promotion: &Promotion, tree: &OverlayTree<'_>) {
    let contacts = Maintainers::parse("").contacts(&[].into());
    let letter = Letter {
        from: "A <a@example.org>",
        contacts: &contacts,
        message: &[],
    };
    let mut mail = Vec::new();
    draft::write(&mut mail, promotion, &letter).expect("in memory");
    let loaded = load_bytes("x", &mail);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let series = Series::resolve(loaded.patches, Some(tree), None);
    assert!(series.problems.is_empty(), "{:?}", series.problems);
    assert_eq!(series.steps.len(), promotion.files.len());
    for step in &series.steps {
        let path = step.path.as_deref().expect("no file goes");
        let after = step.after.as_ref().expect("no file goes");
        assert!(after.bytes == promotion.files[path].after, "{path}");
    }
}

pub fn fuzz(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let path = PATHS[usize::from(choice.wrapping_sub(b'a')) % PATHS.len()];
    let tree = kernel_with(Files::from([(path.to_owned(), Some(text.into()))]));
    let Ok(state) = State::of(&tree) else { return };
    let mut names: Vec<&str> = state.inventory.bare_names().into_iter().collect();
    names.sort_unstable();
    for name in names.into_iter().take(3) {
        let exports = [Exports::Keep, Exports::Drop][usize::from(text.len() % 2 == 1)];
        if let Ok(promotion) = promotion::draft(&tree, &state, &MAPPING, name, exports) {
            comes_back(&promotion, &tree);
        }
    }
}
