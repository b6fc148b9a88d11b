// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files that others include and whose names do not say that they are C: `hooks.def`, or
//! one without an ending. A look at a whole tree leaves them out.

use super::facts::{Facts, FactsByPath};
use super::includes::places;
use super::scan::{facts_of_file, is_source};
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where those may lie that the file `path` includes.
pub fn included(path: &str, says: &Facts) -> impl Iterator<Item = String> {
    let odd = says.includes.iter().filter(|one| !is_source(&one.target));
    odd.flat_map(move |one| places(path, &one.target, one.quoted))
}

/// Where those may lie that any file includes.
pub fn all(facts: &FactsByPath) -> BTreeSet<String> {
    let all = facts.iter();
    all.flat_map(|(path, says)| included(path, says)).collect()
}

/// Adds what those of `paths` say that `tree` has, and those that these include.
///
/// # Errors
/// One of them cannot be read; the message names it.
pub fn add(
    tree: &dyn Tree,
    facts: &mut FactsByPath,
    semantics: &Semantics,
    paths: BTreeSet<String>,
) -> anyhow::Result<Vec<Arc<str>>> {
    let mut added = Vec::new();
    let mut next: Vec<String> = paths.into_iter().collect();
    while let Some(path) = next.pop() {
        if facts.contains_key(path.as_str()) {
            continue;
        }
        let Some(text) = tree.read(&path)? else {
            continue;
        };
        let says = facts_of_file(&path, &text, semantics);
        if says != Facts::default() {
            next.extend(included(&path, &says));
            let path: Arc<str> = path.into();
            facts.insert(path.clone(), Arc::new(says));
            added.push(path);
        }
    }
    Ok(added)
}
