// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a folder is the root of a kernel tree. May not know which kernel.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::Tree;

/// What every kernel tree of the last ten years has at its root, and hardly
/// anything else has all of.
const MARKS: &[&str] = &["MAINTAINERS", "Makefile", "include/linux/tracepoint.h"];

/// The root of the kernel tree that `dir` lies in.
pub fn kernel_root_above(dir: &Path) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    let is_root = |dir: &&Path| MARKS.iter().all(|mark| dir.join(mark).is_file());
    dir.ancestors().find(is_root).map(Path::to_owned)
}

/// Checks that `tree` is a kernel's.
///
/// # Errors
/// It is not; the message says what is missing and what to give instead.
pub fn check_kernel(tree: &dyn Tree) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for mark in MARKS {
        if tree.read(mark)?.is_none() {
            missing.push(*mark);
        }
    }
    if !missing.is_empty() {
        bail!(
            "{} is not a kernel tree: it has no {}; give the top folder of a kernel's source",
            tree.name(),
            missing.join(", no ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::disk::DiskTree;
    use super::*;

    #[test]
    fn a_kernel_tree_is_known_from_below() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path().canonicalize().expect("a path");
        fs::create_dir_all(root.join("include/linux")).expect("a folder");
        let tree = DiskTree::open(&root).expect("a tree");
        let error = check_kernel(&tree)
            .expect_err("nothing is there")
            .to_string();
        assert!(error.contains("no MAINTAINERS, no Makefile"), "{error}");
        assert_eq!(kernel_root_above(&root), None);
        for mark in MARKS {
            fs::write(root.join(mark), "").expect("a file");
        }
        check_kernel(&tree).expect("a kernel");
        assert_eq!(kernel_root_above(&root.join("include/linux")), Some(root));
    }
}
