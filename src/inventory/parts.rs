// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files that are parts of a trace header: lists of hooks that it includes behind the
//! macro that makes something of each.
//!
//! `#define HOOK(name) TRACE_EVENT(name, …)` and `#include "hooks.def"`. Such a file
//! says nothing by itself, so it is read with the macros that stood before its include.

use super::definitions::is_trace_header;
use super::facts::FactsByPath;
use super::facts::{Facts, Include};
use super::includes;
use super::reader;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use std::sync::Arc;

/// An include behind macros that declare tracepoints.
pub struct Part {
    /// The file that includes.
    pub from: Arc<str>,
    include: Include,
}

impl Part {
    /// The paths at which the included file may lie.
    pub fn places(&self) -> impl Iterator<Item = String> {
        includes::places(&self.from, &self.include.target, self.include.quoted)
    }

    /// What the included file says as a part of this one, with its path; nothing if it
    /// is a header of its own.
    ///
    /// # Errors
    /// It cannot be read; the message names it.
    pub fn read(
        &self,
        tree: &dyn Tree,
        semantics: &Semantics,
    ) -> anyhow::Result<Option<(String, Facts)>> {
        for path in self.places() {
            let Some(text) = tree.read(&path)? else {
                continue;
            };
            let says = reader::read(&path, &text, semantics, &self.include.given);
            let is_part = !is_trace_header(&says) && !says.declarations.is_empty();
            return Ok(is_part.then_some((path, says)));
        }
        Ok(None)
    }
}

/// All of them.
pub fn parts(facts: &FactsByPath) -> Vec<Part> {
    let mut parts = Vec::new();
    for (from, says) in facts {
        for include in says.includes.iter().filter(|one| !one.given.is_empty()) {
            parts.push(Part {
                from: from.clone(),
                include: include.clone(),
            });
        }
    }
    parts
}

/// Adds what they say to the facts of `tree`.
///
/// # Errors
/// One of them cannot be read; the message names it.
pub fn add(tree: &dyn Tree, facts: &mut FactsByPath, semantics: &Semantics) -> anyhow::Result<()> {
    for part in parts(facts) {
        if let Some((path, says)) = part.read(tree, semantics)? {
            facts.insert(path.into(), Arc::new(says));
        }
    }
    Ok(())
}
