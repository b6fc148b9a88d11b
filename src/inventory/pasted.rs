// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The second look at a tree: uses whose names are pasted by a header's macros.
//!
//! A file that calls such a macro holds no word that the first look could find
//! it by, so the folder of the header is searched for the macro's name; for a
//! header below include/, the files that include it.

use super::facts::{Facts, FactsByPath, Include, MacroDefinition};
use super::includes::{Includes, file_name};
use super::pasting::resolve_by;
use super::scan::is_source;
use crate::kernel::semantics::Semantics;
use crate::source::Tree;
use crate::syntax::lexer::is_word_byte;
use memchr::memmem;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The headers with macros that paste names.
#[derive(Clone, Debug)]
pub struct Headers(Vec<Pasting>);

/// The macros of one header, and where they may be called.
#[derive(Clone, Debug)]
struct Pasting {
    header: Arc<str>,
    macros: Vec<MacroDefinition>,
    /// The folder below which they may be called, or `None`.
    folder: Option<String>,
    /// The files that may call them, where there is no such folder.
    files: BTreeSet<Arc<str>>,
}

impl Pasting {
    fn may_be_called_in(&self, path: &str) -> bool {
        path != self.header.as_ref()
            && (self.files.contains(path)
                || self
                    .folder
                    .as_deref()
                    .is_some_and(|folder| is_below(path, folder)))
    }

    fn is_named_in(&self, text: &[u8]) -> bool {
        self.macros.iter().any(|one| {
            memmem::find_iter(text, one.name.as_bytes()).any(|at| {
                let after = text.get(at + one.name.len());
                let before = at.checked_sub(1).and_then(|before| text.get(before));
                !after.is_some_and(|&byte| is_word_byte(byte))
                    && !before.is_some_and(|&byte| is_word_byte(byte))
            })
        })
    }
}

/// Adds the pasted uses to the facts of `tree`, for the files for which
/// `wanted` holds.
///
/// # Errors
/// A part of the tree could not be read; the message names it.
pub fn add(
    tree: &dyn Tree,
    facts: &mut FactsByPath,
    semantics: &Semantics,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<()> {
    let Headers(pasting) = Headers::of(facts, semantics);
    if pasting.is_empty() {
        return Ok(());
    }
    let found: Mutex<BTreeMap<Arc<str>, Facts>> = Mutex::default();
    let candidate = |path: &str| {
        is_source(path) && wanted(path) && pasting.iter().any(|one| one.may_be_called_in(path))
    };
    tree.visit_below(&folders(&pasting), &candidate, &|path, text| {
        let uses = uses_in(path, text, &pasting, semantics);
        if uses != Facts::default() {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert(path.into(), uses);
        }
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (path, uses) in found {
        extend(facts, path, uses);
    }
    Ok(())
}

impl Headers {
    /// Those that the facts of a kernel know of.
    pub fn of(facts: &FactsByPath, semantics: &Semantics) -> Self {
        Self(pasting_headers(facts, semantics))
    }

    /// Adds the pasted uses of the file `path` with this text.
    pub fn add_to(
        &self,
        facts: &mut Arc<FactsByPath>,
        path: &str,
        text: &[u8],
        semantics: &Semantics,
    ) {
        if is_source(path) && self.0.iter().any(|one| one.may_be_called_in(path)) {
            let uses = uses_in(path, text, &self.0, semantics);
            if uses != Facts::default() {
                extend(Arc::make_mut(facts), path.into(), uses);
            }
        }
    }
}

fn extend(facts: &mut FactsByPath, path: Arc<str>, uses: Facts) {
    let facts = Arc::make_mut(facts.entry(path).or_default());
    facts.mentions.extend(uses.mentions);
    facts.attachments.extend(uses.attachments);
}

fn uses_in(path: &str, text: &[u8], pasting: &[Pasting], semantics: &Semantics) -> Facts {
    let macros: Vec<MacroDefinition> = pasting
        .iter()
        .filter(|one| one.may_be_called_in(path) && one.is_named_in(text))
        .flat_map(|one| one.macros.iter().cloned())
        .collect();
    if macros.is_empty() {
        return Facts::default();
    }
    resolve_by(text, &macros, semantics)
}

fn pasting_headers(facts: &FactsByPath, semantics: &Semantics) -> Vec<Pasting> {
    let includes = Includes::of(facts);
    let including = LazyCell::new(|| Including::of(facts));
    facts
        .iter()
        .filter(|(path, says)| path.ends_with(".h") && !says.pasting.is_empty())
        .map(|(header, says)| {
            let folder = header.rsplit_once('/').map(|(folder, _)| folder.to_owned());
            let shared = header.starts_with("include/") || folder.is_none();
            let called = says
                .pasting
                .iter()
                .filter(|one| is_called(&one.name, semantics))
                // What writes the sections itself declares, and uses nothing.
                .filter(|one| !says.sections.iter().any(|other| other.name == one.name));
            Pasting {
                header: header.clone(),
                macros: called.cloned().collect(),
                folder: folder.filter(|_| !shared),
                files: if shared {
                    including.reach(header, &includes)
                } else {
                    BTreeSet::new()
                },
            }
        })
        .filter(|one| !one.macros.is_empty())
        .collect()
}

/// Whether code calls the macro `name` to use tracepoints: neither a stub for
/// one of the tracing core's, nor the name of a header for define_trace.h.
fn is_called(name: &str, semantics: &Semantics) -> bool {
    !semantics.is_framework_macro(name) && !name.starts_with("TRACE_INCLUDE_")
}

/// The includes of all files, by the file name that each ends with.
struct Including<'a>(HashMap<&'a str, Vec<(&'a Arc<str>, &'a Include)>>);

impl<'a> Including<'a> {
    fn of(facts: &'a FactsByPath) -> Self {
        let mut by_name: HashMap<&str, Vec<_>> = HashMap::new();
        for (path, says) in facts {
            for include in &says.includes {
                let of_name = by_name.entry(file_name(&include.target)).or_default();
                of_name.push((path, include));
            }
        }
        Self(by_name)
    }

    /// The files that include `header`, directly or through others, and itself.
    fn reach(&self, header: &Arc<str>, includes: &Includes<'_>) -> BTreeSet<Arc<str>> {
        let mut reached = BTreeSet::from([header.clone()]);
        let mut next = vec![header.clone()];
        while let Some(header) = next.pop() {
            for (path, include) in self.0.get(file_name(&header)).into_iter().flatten() {
                if !reached.contains(*path) && includes.find(path, include) == Some(&header) {
                    reached.insert((*path).clone());
                    next.push((*path).clone());
                }
            }
        }
        reached
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The folders to be searched.
fn folders(pasting: &[Pasting]) -> Vec<String> {
    let mut folders: BTreeSet<String> = pasting
        .iter()
        .filter_map(|one| one.folder.clone())
        .collect();
    for file in pasting.iter().flat_map(|one| &one.files) {
        if let Some((folder, _)) = file.rsplit_once('/') {
            folders.insert(folder.to_owned());
        }
    }
    let all = folders.clone();
    folders.retain(|folder| !all.iter().any(|other| is_below(folder, other)));
    folders.into_iter().collect()
}
