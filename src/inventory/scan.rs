// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The facts of a whole tree.
//!
//! A literal search leaves one file in twenty-five to be lexed. What uses macros of
//! other files is left to `pasted`. It may not know where a tree comes from.

use super::facts::{Facts, FactsByPath};
use super::reader;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use crate::syntax::lexer::is_word_byte;
use aho_corasick::packed;
use memchr::memmem;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What every file that says something about tracepoints contains, at the start
/// of a word.
const NEEDLES: [&str; 19] = [
    "trace_",
    "__trace_",
    "ftrace_v",
    "__ftrace_v",
    "register_trace_",
    "__tracepoint_",
    "trace/events/",
    "CREATE_TRACE_POINTS",
    "EXPORT_TRACEPOINT",
    "tracepoint",
    "DECLARE_TRACE",
    "TRACE_EVENT",
    "TRACE_SYSTEM",
    "DEFINE_TRACE",
    "DEFINE_EVENT",
    "TRACE_CUSTOM_EVENT",
    "DEFINE_CUSTOM_EVENT",
    "declare_trace!",
    super::allowances::MARK,
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

/// How many of the needles speak only for themselves: a file with no other is
/// done with its last.
const CALLING: usize = 6;

/// How much is read behind the last call, for its arguments.
const TAIL: usize = 8 << 10;

impl Prefilter {
    /// How much of `text` has to be read; `None` if it says nothing about
    /// tracepoints.
    pub fn extent(&self, text: &[u8]) -> Option<usize> {
        let mut last = None;
        for (needle, at) in self.matches(text) {
            if at
                .checked_sub(1)
                .is_some_and(|before| is_word_byte(text[before]))
            {
                continue;
            }
            if needle >= CALLING || is_pasted(&text[at..]) {
                return Some(text.len());
            }
            last = Some(at);
        }
        last.map(|at| text.len().min(at + TAIL))
    }

    /// Every needle, by its number, and where it is.
    fn matches<'t>(&'t self, text: &'t [u8]) -> Box<dyn Iterator<Item = (usize, usize)> + 't> {
        match &self.searcher {
            Some(searcher) => Box::new(
                searcher
                    .find_iter(text)
                    .map(|found| (found.pattern().as_usize(), found.start())),
            ),
            None => Box::new(NEEDLES.iter().enumerate().flat_map(|(number, needle)| {
                memmem::find_iter(text, needle.as_bytes()).map(move |at| (number, at))
            })),
        }
    }
}

/// Whether `##` follows the word that `text` starts with: a macro that is called
/// without any of the needles.
fn is_pasted(text: &[u8]) -> bool {
    let past = text
        .iter()
        .position(|&byte| !is_word_byte(byte))
        .unwrap_or(text.len());
    text[past..].trim_ascii_start().starts_with(b"##")
}

/// Whether the file at `path` is one whose language the inventory reads.
/// tools/ holds copies of the kernel's headers and is no part of the kernel.
pub fn is_source(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("c" | "h" | "rs" | "inc")) && !path.starts_with("tools/")
}

static PREFILTER: LazyLock<Prefilter> = LazyLock::new(Prefilter::default);

/// What one file says, as [`facts_where`] reads it.
pub fn facts_of_file(path: &str, text: &[u8], semantics: &Semantics) -> Facts {
    match PREFILTER.extent(text) {
        Some(extent) => reader::read(path, &text[..extent], semantics, &[]),
        None => Facts::default(),
    }
}

/// Whether a file with this text can say anything, whatever its macros mean.
pub fn may_tell(text: &[u8]) -> bool {
    PREFILTER.extent(text).is_some()
}

/// What a scan of a tree brings.
#[derive(Debug)]
pub struct Scan {
    /// What the files say.
    pub facts: FactsByPath,
    /// The files that [may tell](may_tell) something.
    pub candidates: HashSet<Arc<str>>,
}

/// Reads the facts of the files of `tree` for which `wanted` holds.
///
/// # Errors
/// A part of the tree could not be read; the message names it.
pub fn facts_where(
    tree: &dyn Tree,
    semantics: &Semantics,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<Scan> {
    let found: Mutex<Vec<(Arc<str>, Facts)>> = Mutex::default();
    let holds = |part: &[u8]| PREFILTER.matches(part).next().is_some();
    tree.search(wanted, &holds, &|path, text| {
        let Some(extent) = PREFILTER.extent(text) else {
            return;
        };
        let facts = if semantics.is_core(path) {
            Facts::default()
        } else {
            reader::read(path, &text[..extent], semantics, &[])
        };
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push((path.into(), facts));
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let candidates = found.iter().map(|(path, _)| path.clone()).collect();
    let saying = found
        .into_iter()
        .filter(|(_, says)| *says != Facts::default());
    let facts = saying.map(|(path, says)| (path, Arc::new(says))).collect();
    Ok(Scan { facts, candidates })
}
