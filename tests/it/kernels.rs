// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whole kernel trees, for the tests that are called trees::….
//!
//! They come from the folder that BAREPOINT_KERNELS names, which has 6.1, 6.12 and 7.3;
//! `tests/kernel/get --all` makes one. Without it these tests fail; skip them with
//! `-- --skip trees::`.

use std::path::{Path, PathBuf};

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
