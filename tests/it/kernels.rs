// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whole kernel trees, for the tests that are called trees::….
//!
//! They come from the folder that BAREPOINT_KERNELS names, which has 6.1, 6.12 and 7.3;
//! `tests/kernel/get --all` makes one. Without it these tests fail; skip them with
//! `-- --skip trees::`.

use barepoint::inventory::state::State;
use barepoint::source::disk::DiskTree;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A tree with the state of it as it stands.
pub struct Whole {
    /// The tree.
    pub tree: DiskTree,
    /// What all of its files come to.
    pub state: State,
}

/// The tree of `version`, which is read once for all tests.
pub fn whole(version: &str) -> &'static Whole {
    fn read(version: &str) -> Whole {
        let tree = DiskTree::open(&kernel(version)).expect("a tree");
        let state = State::of(&tree).expect("a state");
        Whole { tree, state }
    }
    static OLDEST: LazyLock<Whole> = LazyLock::new(|| read("6.1"));
    static OLD: LazyLock<Whole> = LazyLock::new(|| read("6.12"));
    static NEW: LazyLock<Whole> = LazyLock::new(|| read("7.3"));
    match version {
        "6.1" => &OLDEST,
        "6.12" => &OLD,
        "7.3" => &NEW,
        other => panic!("no kernel {other} among those of the tests"),
    }
}

/// The tree of `version`.
pub fn kernel(version: &str) -> PathBuf {
    let all = std::env::var_os("BAREPOINT_KERNELS").unwrap_or_else(|| {
        panic!(
            "no kernel trees: set BAREPOINT_KERNELS to a folder with 6.1, 6.12 and 7.3 \
             (tests/kernel/get --all makes one), or skip with -- --skip trees::"
        )
    });
    let tree = Path::new(&all).join(version);
    assert!(
        tree.join("MAINTAINERS").is_file(),
        "no kernel tree in {}",
        tree.display()
    );
    tree
}
