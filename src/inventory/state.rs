// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree at one moment, and the next moment after some of its files changed.
//!
//! Only the changed files are read again, unless the tracing core itself is
//! among them: then every macro may mean something else.

use super::extensions::{self, Imports};
use super::facts::{Facts, FactsByPath};
use super::odd;
use super::partial;
use super::parts::{self, Part};
use super::pasted;
use super::resolve::Inventory;
use super::scan::{self, Scan};
use crate::kernel::semantics::{Phases, Semantics, is_framework_header};
use crate::source::Tree;
use anyhow::{Context, bail};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// What a tree holds at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// What its macros mean.
    pub semantics: Arc<Semantics>,
    /// What its files say.
    pub facts: Arc<FactsByPath>,
    /// Every tracepoint.
    pub inventory: Arc<Inventory>,
    /// The tables that `semantics` was read off, of a state that was read from a tree.
    phases: Option<Arc<Phases>>,
    /// The files that might say something if these meant something else; of a state that
    /// was not read from a tree, none is known.
    candidates: Arc<HashSet<Arc<str>>>,
    /// Once they were asked for.
    pasting: OnceLock<Arc<pasted::Headers>>,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub enum NewText {
    /// This is its text now.
    Whole(Arc<[u8]>),
    /// Only what the hunks of a patch show is known: fragments, each with the
    /// line of its first.
    Hunks {
        /// What they remove or keep.
        before: Vec<(u32, Vec<u8>)>,
        /// What they keep or add.
        after: Vec<(u32, Vec<u8>)>,
    },
    /// It is gone.
    Absent,
}

/// Reads the macros of a tree.
///
/// # Errors
/// The tree's tracing headers are missing or cannot be understood.
pub fn semantics_of(tree: &dyn Tree) -> anyhow::Result<Arc<Semantics>> {
    Ok(Core::read(tree)?.semantics)
}

/// The headers of the tracing core, as far as they were read; `None` is one that is
/// not there.
type Headers = Vec<(String, Option<Arc<[u8]>>)>;

/// What these headers mean, for the last few. A series asks again and again.
static MEANINGS: Mutex<VecDeque<(Headers, Arc<Semantics>)>> = Mutex::new(VecDeque::new());
const MEANINGS_KEPT: usize = 4;

/// The tracing core of a tree.
pub struct Core {
    /// The macro tables of all phases, where there was a tree to read them from.
    pub phases: Option<Arc<Phases>>,
    /// What its macros mean.
    pub semantics: Arc<Semantics>,
}

impl Core {
    fn read(tree: &dyn Tree) -> anyhow::Result<Self> {
        let (phases, headers) = phases_of(tree)?;
        let mut meanings = MEANINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = meanings.iter().find(|(other, _)| *other == headers);
        let semantics = match known {
            Some((_, semantics)) => semantics.clone(),
            None => {
                let semantics = Arc::new(Semantics::of(&phases).with_context(|| tree.name())?);
                meanings.truncate(MEANINGS_KEPT - 1);
                meanings.push_front((headers, semantics.clone()));
                semantics
            }
        };
        Ok(Self {
            phases: Some(Arc::new(phases)),
            semantics,
        })
    }
}

/// Runs the headers of the tracing core. One that cannot be read is not one that is
/// not there: without it, macros would seem to make less than they do.
fn phases_of(tree: &dyn Tree) -> anyhow::Result<(Phases, Headers)> {
    let unread = RefCell::new(None);
    let headers = RefCell::new(Headers::new());
    let phases = Phases::run(&|path| {
        let text = tree.read(path).unwrap_or_else(|error| {
            unread.borrow_mut().get_or_insert(error);
            None
        });
        headers.borrow_mut().push((path.to_owned(), text.clone()));
        text
    });
    match unread.into_inner() {
        Some(error) => Err(error),
        None => Ok((phases.with_context(|| tree.name())?, headers.into_inner())),
    }
}

impl State {
    /// Reads a whole tree.
    ///
    /// # Errors
    /// A part of it cannot be read, or its macros cannot be understood.
    pub fn of(tree: &dyn Tree) -> anyhow::Result<Self> {
        Self::of_where(tree, &scan::is_source)
    }

    /// As [`State::of`], of the files for which `wanted` holds.
    ///
    /// # Errors
    /// As [`State::of`].
    pub fn of_where(
        tree: &dyn Tree,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> anyhow::Result<Self> {
        Self::read(tree, wanted, wanted)
    }

    /// As [`State::of_where`]. No file says anything for which `may_tell` does not hold,
    /// but by macros of others.
    fn read(
        tree: &dyn Tree,
        may_tell: &(dyn Fn(&str) -> bool + Sync),
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> anyhow::Result<Self> {
        let core = Core::read(tree)?;
        let Scan {
            mut facts,
            candidates,
        } = scan::facts_where(tree, &core.semantics, may_tell)?;
        let included = odd::all(&facts);
        odd::add(tree, &mut facts, &core.semantics, included)?;
        extensions::add(tree, &core, &mut facts, wanted)?;
        parts::add(tree, &mut facts, &core.semantics)?;
        pasted::add(tree, &mut facts, &core.semantics, wanted)?;
        let all = facts.iter().map(|(path, says)| (path.as_ref(), &**says));
        read_to_the_end(all, Some(tree))?;
        Ok(Self {
            phases: core.phases,
            candidates: Arc::new(candidates),
            ..Self::joined(core.semantics, facts)
        })
    }

    /// The state that these facts make.
    pub fn joined(semantics: Arc<Semantics>, facts: FactsByPath) -> Self {
        let inventory = Arc::new(Inventory::of(&facts, &semantics));
        Self {
            phases: None,
            candidates: Arc::default(),
            semantics,
            facts: Arc::new(facts),
            inventory,
            pasting: OnceLock::new(),
        }
    }

    fn pasting(&self) -> &Arc<pasted::Headers> {
        self.pasting
            .get_or_init(|| Arc::new(pasted::Headers::of(&self.facts, &self.semantics)))
    }

    /// The state after `changes`. `tree` is the tree as it is then, where there
    /// is one.
    ///
    /// # Errors
    /// The tracing core changed and can no longer be understood.
    pub fn after(
        &self,
        changes: &BTreeMap<String, NewText>,
        tree: Option<&dyn Tree>,
    ) -> anyhow::Result<Self> {
        let candidates = self.candidates_after(changes);
        if let Some(tree) = tree
            && changes.keys().any(|path| is_framework_header(path))
            && semantics_of(tree)? != self.semantics
        {
            let may_tell = |path: &str| candidates.contains(path);
            return Self::read(tree, &may_tell, &scan::is_source);
        }
        // Most changes change no facts, and then nothing is copied.
        let mut facts = self.facts.clone();
        for (path, new) in changes
            .iter()
            .filter(|(path, _)| scan::is_source(path) && !self.semantics.is_core(path))
        {
            put(&mut facts, path, self.facts_of(path, new));
        }
        let mut touched: BTreeSet<Arc<str>> =
            changes.keys().map(|path| path.as_str().into()).collect();
        if let Some(tree) = tree {
            touched.extend(self.read_odd(changes, &mut facts, tree)?);
        }
        let callers = self.read_with_imports(&touched, changes, &mut facts, tree)?;
        touched.extend(callers.iter().cloned());
        if let Some(tree) = tree {
            touched.extend(self.read_parts(&touched, &mut facts, tree)?);
        }
        let pasting = self.pasting_after(&touched, &facts);
        for (path, new) in changes {
            if let NewText::Whole(text) = new {
                pasting.add_to(&mut facts, path, text, &self.semantics);
            }
        }
        for path in &callers {
            if let Some(text) = tree.map(|tree| tree.read(path)).transpose()?.flatten() {
                pasting.add_to(&mut facts, path, &text, &self.semantics);
            }
        }
        let now = touched
            .iter()
            .map(|path| (path.as_ref(), said(&facts, path)));
        read_to_the_end(now, tree)?;
        let changes = self.pairs(&touched, &facts);
        let changes: Vec<_> = changes.filter(|(old, new)| old != new).collect();
        if changes.is_empty() {
            return Ok(Self {
                candidates,
                ..self.clone()
            });
        }
        let inventory = self.inventory.after(&changes, &facts, &self.semantics);
        Ok(Self {
            semantics: self.semantics.clone(),
            phases: self.phases.clone(),
            candidates,
            facts,
            inventory,
            pasting: OnceLock::from(pasting),
        })
    }

    /// The files that might say something after `changes`, and maybe some that no longer
    /// do.
    fn candidates_after(&self, changes: &BTreeMap<String, NewText>) -> Arc<HashSet<Arc<str>>> {
        let mut candidates = self.candidates.clone();
        for (path, new) in changes {
            let may_tell = scan::is_source(path)
                && match new {
                    NewText::Whole(text) => scan::may_tell(text),
                    NewText::Hunks { .. } => true,
                    NewText::Absent => false,
                };
            if may_tell && !candidates.contains(path.as_str()) {
                Arc::make_mut(&mut candidates).insert(path.as_str().into());
            }
        }
        candidates
    }

    /// What each of the files `touched` said and says now.
    fn pairs<'a>(
        &'a self,
        touched: &'a BTreeSet<Arc<str>>,
        facts: &'a FactsByPath,
    ) -> impl Iterator<Item = (&'a Facts, &'a Facts)> {
        touched.iter().map(move |path| {
            let of = |facts: &'a FactsByPath| said(facts, path);
            (of(&self.facts), of(facts))
        })
    }

    fn pasting_after(
        &self,
        touched: &BTreeSet<Arc<str>>,
        facts: &FactsByPath,
    ) -> Arc<pasted::Headers> {
        let mut pairs = self.pairs(touched, facts);
        if pairs.all(|(old, new)| old.pasting == new.pasting && old.includes_alike(new)) {
            self.pasting().clone()
        } else {
            Arc::new(pasted::Headers::of(facts, &self.semantics))
        }
    }

    /// Whether a file calls a list of names that one of `texts` may define.
    pub fn calls_list_of(&self, texts: &[Arc<[u8]>]) -> bool {
        let mut all = self.facts.values();
        all.any(|says| extensions::has_list(says, texts))
    }

    /// Reads those files that are included under names that are not C's, as far as any that
    /// changed is or includes one, and gives them.
    fn read_odd(
        &self,
        changes: &BTreeMap<String, NewText>,
        facts: &mut Arc<FactsByPath>,
        tree: &dyn Tree,
    ) -> anyhow::Result<Vec<Arc<str>>> {
        let includes = |facts: &FactsByPath, path: &str| -> BTreeSet<String> {
            odd::included(path, said(facts, path)).collect()
        };
        let mut concerned = changes.keys().filter(|path| {
            !scan::is_source(path) || includes(&self.facts, path) != includes(facts, path)
        });
        if concerned.next().is_none() {
            return Ok(Vec::new());
        }
        let known = facts.keys().filter(|path| !scan::is_source(path));
        let known: Vec<Arc<str>> = known.cloned().collect();
        // What they say as parts of others is read later.
        for path in &known {
            put(facts, path, Facts::default());
        }
        let included = odd::all(facts);
        let added = odd::add(tree, Arc::make_mut(facts), &self.semantics, included)?;
        Ok(known.into_iter().chain(added).collect())
    }

    /// Reads the files again that call macros of others: those that changed, and those that
    /// call what changed. Gives the latter.
    fn read_with_imports(
        &self,
        touched: &BTreeSet<Arc<str>>,
        changes: &BTreeMap<String, NewText>,
        facts: &mut Arc<FactsByPath>,
        tree: Option<&dyn Tree>,
    ) -> anyhow::Result<BTreeSet<Arc<str>>> {
        let core = Core {
            phases: self.phases.clone(),
            semantics: self.semantics.clone(),
        };
        let mut texts: BTreeMap<Arc<str>, Arc<[u8]>> = BTreeMap::new();
        for (path, new) in changes {
            if let NewText::Whole(text) = new {
                texts.insert(path.as_str().into(), text.clone());
            }
        }
        let mut callers = BTreeSet::new();
        if let Some(tree) = tree {
            callers = self.callers(touched, changes, facts);
            // What nobody includes any longer says nothing.
            callers.retain(|path| scan::is_source(path) || facts.contains_key(path));
            for path in &callers {
                if let Some(text) = tree.read(path)? {
                    put(
                        facts,
                        path,
                        scan::facts_of_file(path, &text, &self.semantics),
                    );
                    texts.insert(path.clone(), text);
                }
            }
        }
        let alone = facts.clone();
        let imports = Imports::of(tree, &core, &alone);
        for (path, text) in texts {
            if let Some(again) = imports.again(&path, || Ok(Some(text)))? {
                put(facts, &path, again);
            }
        }
        Ok(callers)
    }

    /// The files that call macros of the touched ones, and those of these that did not change
    /// themselves.
    fn callers(
        &self,
        touched: &BTreeSet<Arc<str>>,
        changes: &BTreeMap<String, NewText>,
        facts: &FactsByPath,
    ) -> BTreeSet<Arc<str>> {
        let changed = touched.iter().map(AsRef::as_ref);
        let pairs = changed.map(|path| (path, said(&self.facts, path), said(facts, path)));
        let mut callers: BTreeSet<Arc<str>> = touched.clone();
        callers.extend(extensions::callers(pairs, facts));
        callers.retain(|path| !changes.contains_key(path.as_ref()));
        callers
    }

    /// Reads the parts of headers again where either changed, and gives them.
    fn read_parts(
        &self,
        changed: &BTreeSet<Arc<str>>,
        facts: &mut Arc<FactsByPath>,
        tree: &dyn Tree,
    ) -> anyhow::Result<Vec<Arc<str>>> {
        let is_changed = |part: &Part| {
            changed.contains(&part.from)
                || part.places().any(|path| changed.contains(path.as_str()))
        };
        let mut touched = Vec::new();
        for part in parts::parts(&self.facts).into_iter().filter(is_changed) {
            for path in part
                .places()
                .filter(|path| facts.contains_key(path.as_str()))
                .collect::<Vec<_>>()
            {
                let text = tree.read(&path)?;
                let alone = text.map(|text| scan::facts_of_file(&path, &text, &self.semantics));
                put(facts, &path, alone.unwrap_or_default());
                touched.push(path.into());
            }
        }
        for part in parts::parts(facts).into_iter().filter(is_changed) {
            if let Some((path, says)) = part.read(tree, &self.semantics)? {
                put(facts, &path, says);
                touched.push(path.into());
            }
        }
        Ok(touched)
    }

    fn facts_of(&self, path: &str, new: &NewText) -> Facts {
        let known = self.facts.get(path);
        match new {
            NewText::Whole(text) => scan::facts_of_file(path, text, &self.semantics),
            NewText::Absent => Facts::default(),
            NewText::Hunks { before, after } => partial::changed(
                path,
                known.map(AsRef::as_ref),
                before,
                after,
                &self.semantics,
            ),
        }
    }
}

/// A file with a call that cannot be read may say anything behind it. Of one that a patch
/// shows in part, the patch cuts calls off, and does not fit: that is said of it.
fn read_to_the_end<'a>(
    files: impl Iterator<Item = (&'a str, &'a Facts)>,
    tree: Option<&dyn Tree>,
) -> anyhow::Result<()> {
    for (path, says) in files {
        if let Some(one) = &says.unread
            && tree.is_none_or(|tree| tree.is_whole(path))
        {
            let (line, name, why) = (one.at.line, &one.name, one.why.reason());
            bail!("{path}:{line}: {name}() {why}: what the file declares cannot be told");
        }
    }
    Ok(())
}

/// What a file says that says nothing.
static SILENCE: LazyLock<Facts> = LazyLock::new(Facts::default);

fn said<'a>(facts: &'a FactsByPath, path: &str) -> &'a Facts {
    facts.get(path).map_or_else(|| &*SILENCE, AsRef::as_ref)
}

/// Puts the facts of a file in place of what it said before.
fn put(facts: &mut Arc<FactsByPath>, path: &str, new: Facts) {
    if *said(facts, path) == new {
        return;
    }
    let facts = Arc::make_mut(facts);
    if new == Facts::default() {
        facts.remove(path);
    } else {
        facts.insert(path.into(), Arc::new(new));
    }
}
