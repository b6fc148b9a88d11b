// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The facts of a whole tree.
//!
//! A literal search leaves one file in twenty-five to be lexed. It may not know
//! where a tree comes from.

use super::facts::Facts;
use super::pasted;
use super::reader;
use super::resolve::FactsByPath;
use crate::kernel::semantics::{Semantics, is_framework_header};
use crate::source::Tree;
use crate::syntax::lexer::is_word_byte;
use aho_corasick::packed;
use memchr::memmem;
use std::sync::{Arc, Mutex, PoisonError};

/// What every file that says something about tracepoints contains, at the start
/// of a word.
const NEEDLES: [&str; 15] = [
    "trace_",
    "register_trace_",
    "tracepoint",
    "__tracepoint_",
    "EXPORT_TRACEPOINT",
    "DECLARE_TRACE",
    "TRACE_EVENT",
    "TRACE_SYSTEM",
    "CREATE_TRACE_POINTS",
    "DEFINE_TRACE",
    "DEFINE_EVENT",
    "TRACE_CUSTOM_EVENT",
    "DEFINE_CUSTOM_EVENT",
    "trace/events/",
    "declare_trace!",
];

/// Finds the files that are worth lexing.
#[derive(Debug)]
pub struct Prefilter {
    searcher: Option<packed::Searcher>,
}

impl Default for Prefilter {
    fn default() -> Self {
        Self {
            // `None` on processors without vector instructions.
            searcher: packed::Searcher::new(NEEDLES),
        }
    }
}

impl Prefilter {
    /// Whether `text` may say something about tracepoints.
    pub fn admits(&self, text: &[u8]) -> bool {
        let starts_word = |at: usize| {
            !at.checked_sub(1)
                .is_some_and(|before| is_word_byte(text[before]))
        };
        match &self.searcher {
            Some(searcher) => searcher
                .find_iter(text)
                .any(|found| starts_word(found.start())),
            None => NEEDLES
                .iter()
                .any(|needle| memmem::find_iter(text, needle.as_bytes()).any(starts_word)),
        }
    }
}

/// Whether the file at `path` is one whose language the inventory reads.
/// tools/ holds copies of the kernel's headers and is no part of the kernel.
pub fn is_source(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("c" | "h" | "rs" | "inc")) && !path.starts_with("tools/")
}

/// Reads the facts of every source file of `tree`.
///
/// # Errors
/// A part of the tree could not be read; the message names it.
pub fn facts_of(tree: &dyn Tree, semantics: &Semantics) -> anyhow::Result<FactsByPath> {
    facts_where(tree, semantics, &is_source)
}

/// As [`facts_of`], for the files for which `wanted` holds.
///
/// # Errors
/// As [`facts_of`].
pub fn facts_where(
    tree: &dyn Tree,
    semantics: &Semantics,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<FactsByPath> {
    let prefilter = Prefilter::default();
    let found: Mutex<Vec<(Arc<str>, Facts)>> = Mutex::default();
    tree.visit(wanted, &|path, text| {
        if is_framework_header(path) || !prefilter.admits(text) {
            return;
        }
        let facts = reader::read(path, text, semantics, &[]);
        if facts != Facts::default() {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((path.into(), facts));
        }
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut facts = found
        .into_iter()
        .map(|(path, facts)| (path, Arc::new(facts)))
        .collect();
    pasted::add(tree, &mut facts, semantics, wanted)?;
    Ok(facts)
}
