// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How much of a tree decides about a series. May not know what the rules find.

use crate::inventory::definitions::is_trace_header;
use crate::inventory::includes::defines;
use crate::inventory::profiles;
use crate::inventory::scan::is_source;
use crate::inventory::state::{State, semantics_of};
use crate::inventory::vicinity::{self, Vicinity};
use crate::kernel::maintainers::Maintainers;
use crate::kernel::semantics::is_framework_header;
use crate::rules::changes;
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::source::patch::LineKind;
use crate::source::series::Series;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// If more patches touch the tracing core than this, it is taken as changed.
const MOST_TOUCHING: usize = 8;

/// If more sources than this get another maintainer, all of the tree is read.
const MOST_MAINTAINED: usize = 1000;

const MAINTAINERS: &str = "MAINTAINERS";

/// A state before a series.
pub(super) struct First {
    pub(super) state: State,
    /// The part of the tree that it is of, if it is not of all.
    pub(super) around: Option<Vicinity>,
}

impl First {
    fn whole(tree: &dyn Tree) -> anyhow::Result<Self> {
        Ok(Self {
            state: State::of(tree)?,
            around: None,
        })
    }
}

/// The state before the series, of the part of `tree` that decides about it, or of all of
/// it where that cannot be told, or if `whole` says so.
///
/// # Errors
/// A part of the tree cannot be read, or its macros cannot be understood.
pub(super) fn first_state(tree: &dyn Tree, series: &Series, whole: bool) -> anyhow::Result<First> {
    let before = OverlayTree::after(Some(tree), series, 0);
    let touched: BTreeSet<&str> = before.files().keys().map(String::as_str).collect();
    if whole || changes_meanings(tree, series)? {
        return First::whole(&before);
    }
    let mut names = profiles::files_that_declare(&declared_by(series))?;
    // What a new file includes, or an old one now does, is around it, too.
    let after = OverlayTree::after(Some(tree), series, series.patches.len());
    let mut texts = Vec::new();
    for path in after.files().keys() {
        if let Some(text) = after.read(path)? {
            vicinity::included(path, &text, &mut names);
            texts.push(text);
        }
    }
    if !add_maintained(&before, &after, &mut names)? {
        return First::whole(&before);
    }
    let vicinity = Vicinity::of(&before, &touched, &names)?;
    let part = State::of(&vicinity)?;
    // What a list of hooks is handed may be defined out of sight.
    if part.calls_list_of(&texts) {
        return First::whole(&before);
    }
    Ok(First {
        state: part,
        around: Some(vicinity),
    })
}

/// Whether a trace header that the series changes calls macros that nothing `around` it
/// defines: what includes it, or a Makefile, may have given it these before.
pub(super) fn calls_out_of_sight(
    tree: &dyn Tree,
    series: &Series,
    states: &[State],
    around: &Vicinity,
) -> anyhow::Result<bool> {
    let after = OverlayTree::after(Some(tree), series, series.patches.len());
    let mut open: BTreeSet<&str> = BTreeSet::new();
    let mut texts = Vec::new();
    for path in after.files().keys() {
        let said = states
            .iter()
            .filter_map(|state| state.facts.get(path.as_str()));
        for says in said.filter(|says| is_trace_header(says)) {
            open.extend(says.unresolved.iter().map(AsRef::as_ref));
        }
        texts.extend(after.read(path)?);
    }
    let is_core = |name: &str| {
        let mut states = states.iter();
        states.any(|state| state.semantics.is_core_macro(name))
    };
    let is_defined = |name: &str| {
        let mut texts = texts.iter();
        texts.any(|text| defines(text, name.as_bytes())) || around.defines(name)
    };
    Ok(!open
        .into_iter()
        .all(|name| is_core(name) || is_defined(name)))
}

/// Adds the sources that get another maintainer, who could approve of events in them: hooks
/// may be in any. Gives whether they can be told from all others.
fn add_maintained(
    before: &OverlayTree<'_>,
    after: &OverlayTree<'_>,
    names: &mut BTreeSet<String>,
) -> anyhow::Result<bool> {
    if !after.files().contains_key(MAINTAINERS) {
        return Ok(true);
    }
    let read = |tree: &OverlayTree<'_>| -> anyhow::Result<Maintainers> {
        let text = tree.read(MAINTAINERS)?.unwrap_or_default();
        Ok(Maintainers::parse(&String::from_utf8_lossy(&text)))
    };
    let (first, last) = (read(before)?, read(after)?);
    let (folders, covered) = last.gaining(&first);
    if folders.iter().any(String::is_empty) {
        return Ok(false);
    }
    let wanted = |path: &str| is_source(path) && covered(path);
    let found: Mutex<BTreeSet<String>> = Mutex::default();
    before.visit_below(&folders, &wanted, &|path, _| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(path.to_owned());
    })?;
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let are_few = found.len() <= MOST_MAINTAINED;
    names.extend(found);
    Ok(are_few)
}

/// Whether a patch of the series makes the macros of the tracing core mean something
/// else; then it is about every file that calls one.
fn changes_meanings(tree: &dyn Tree, series: &Series) -> anyhow::Result<bool> {
    let touches = |patch: usize| {
        let mut changed = changes::of_patch(series, patch).into_keys();
        changed.any(|path| is_framework_header(&path))
    };
    let touching: Vec<usize> = (0..series.patches.len())
        .filter(|&patch| touches(patch))
        .collect();
    if touching.len() > MOST_TOUCHING {
        return Ok(true);
    }
    for patch in touching {
        let before = semantics_of(&OverlayTree::after(Some(tree), series, patch))?;
        if before != semantics_of(&OverlayTree::after(Some(tree), series, patch + 1))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The words in lines that the series adds, some of which it declares: other
/// files may declare them, too.
fn declared_by(series: &Series) -> BTreeSet<String> {
    let changes = series.patches.iter().flat_map(|patch| &patch.changes);
    let lines = changes
        .flat_map(|change| &change.hunks)
        .flat_map(|hunk| &hunk.lines);
    let added = lines.filter(|line| line.kind == LineKind::Added);
    let mut words = BTreeSet::new();
    for line in added {
        let text = String::from_utf8_lossy(&line.text);
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.extend(split.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}
