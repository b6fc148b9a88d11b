// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree at one moment, and the next moment after some of its files changed.
//!
//! Only the changed files are read again, unless the tracing core itself is
//! among them: then every macro may mean something else.

use super::extensions;
use super::facts::{Facts, FactsByPath};
use super::partial;
use super::parts::{self, Part};
use super::pasted;
use super::resolve::Inventory;
use super::scan::{self, Scan};
use crate::kernel::semantics::{Phases, Semantics, is_framework_header};
use crate::source::Tree;
use anyhow::{Context, bail};
use std::cell::{LazyCell, RefCell};
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
    /// What the macros of the tracing core alone mean.
    core: Arc<Semantics>,
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
pub fn semantics_of(tree: &dyn Tree) -> anyhow::Result<Semantics> {
    Ok(Core::read(tree)?.semantics)
}

/// The headers of the tracing core, as far as they were read; `None` is one that is
/// not there.
type Headers = Vec<(String, Option<Arc<[u8]>>)>;

/// What these headers mean, for the last few. A series asks again and again.
static MEANINGS: Mutex<VecDeque<(Headers, Semantics)>> = Mutex::new(VecDeque::new());
const MEANINGS_KEPT: usize = 4;

/// The tracing core of a tree.
struct Core {
    phases: Phases,
    semantics: Semantics,
}

impl Core {
    fn read(tree: &dyn Tree) -> anyhow::Result<Self> {
        let (phases, headers) = phases_of(tree)?;
        let mut meanings = MEANINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = meanings.iter().find(|(other, _)| *other == headers);
        if let Some((_, semantics)) = known {
            let semantics = semantics.clone();
            return Ok(Self { phases, semantics });
        }
        let semantics = Semantics::of(&phases).with_context(|| tree.name())?;
        meanings.truncate(MEANINGS_KEPT - 1);
        meanings.push_front((headers, semantics.clone()));
        Ok(Self { phases, semantics })
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
        let Core { phases, semantics } = Core::read(tree)?;
        let Scan {
            mut facts,
            candidates,
        } = scan::facts_where(tree, &semantics, may_tell)?;
        pasted::add(tree, &mut facts, &semantics, wanted)?;
        let core = Arc::new(semantics.clone());
        let semantics = extensions::add(tree, &phases, semantics, &mut facts, wanted)?;
        parts::add(tree, &mut facts, &semantics)?;
        let all = facts.iter().map(|(path, says)| (path.as_ref(), &**says));
        read_to_the_end(all)?;
        Ok(Self {
            core,
            candidates: Arc::new(candidates),
            ..Self::joined(Arc::new(semantics), facts)
        })
    }

    /// The state that these facts make.
    pub fn joined(semantics: Arc<Semantics>, facts: FactsByPath) -> Self {
        let inventory = Arc::new(Inventory::of(&facts, &semantics));
        Self {
            core: semantics.clone(),
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
            && semantics_of(tree)? != *self.core
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
        self.read_with_imports(changes, &mut facts, tree)?;
        let mut touched: BTreeSet<Arc<str>> =
            changes.keys().map(|path| path.as_str().into()).collect();
        if let Some(tree) = tree {
            touched.extend(self.read_callers(changes, &mut facts, tree)?);
            touched.extend(self.read_parts(changes, &mut facts, tree)?);
        }
        let pasting = self.pasting_after(&touched, &facts);
        for (path, new) in changes {
            if let NewText::Whole(text) = new {
                pasting.add_to(&mut facts, path, text, &self.semantics);
            }
        }
        let now = touched
            .iter()
            .map(|path| (path.as_ref(), said(&facts, path)));
        read_to_the_end(now)?;
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
            core: self.core.clone(),
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

    /// Reads the changed files again that call macros of headers, as both are now.
    fn read_with_imports(
        &self,
        changes: &BTreeMap<String, NewText>,
        facts: &mut Arc<FactsByPath>,
        tree: Option<&dyn Tree>,
    ) -> anyhow::Result<()> {
        let given = extensions::given(facts);
        // What headers give may mean something else than it did.
        let semantics = LazyCell::new(|| self.semantics.without(&given, &self.core));
        for (path, new) in changes {
            let NewText::Whole(text) = new else { continue };
            let macros = extensions::macros_of_others(tree, path, facts, &given, &self.semantics)?;
            if !macros.is_empty() {
                let again = extensions::again(path, text, &semantics, &macros, facts);
                put(facts, path, again);
            }
        }
        Ok(())
    }

    /// Reads the files again that call macros of changed headers, and gives them.
    fn read_callers(
        &self,
        changes: &BTreeMap<String, NewText>,
        facts: &mut Arc<FactsByPath>,
        tree: &dyn Tree,
    ) -> anyhow::Result<Vec<Arc<str>>> {
        let changed = changes.keys().map(String::as_str);
        let pairs = changed.map(|path| (said(&self.facts, path), said(facts, path)));
        let texts = changes.iter().filter_map(|(path, new)| match new {
            NewText::Whole(text) if extensions::may_give(path) => Some(text.clone()),
            _ => None,
        });
        let mut callers = extensions::callers(pairs, &texts.collect::<Vec<_>>(), facts);
        callers.retain(|path| !changes.contains_key(path.as_ref()));
        if callers.is_empty() {
            return Ok(callers);
        }
        let given = extensions::given(facts);
        let semantics = self.semantics.without(&given, &self.core);
        for path in &callers {
            if let Some(text) = tree.read(path)? {
                let macros =
                    extensions::macros_of_others(Some(tree), path, facts, &given, &self.semantics)?;
                let again = extensions::again(path, &text, &semantics, &macros, facts);
                put(facts, path, again);
            }
        }
        Ok(callers)
    }

    /// Reads the parts of headers again where either changed, and gives them.
    fn read_parts(
        &self,
        changes: &BTreeMap<String, NewText>,
        facts: &mut Arc<FactsByPath>,
        tree: &dyn Tree,
    ) -> anyhow::Result<Vec<Arc<str>>> {
        let is_changed = |part: &Part| {
            changes.contains_key(part.from.as_ref())
                || part.places().any(|path| changes.contains_key(&path))
        };
        let mut touched = Vec::new();
        for part in parts::parts(&self.facts).into_iter().filter(is_changed) {
            for path in part
                .places()
                .filter(|path| self.facts.contains_key(path.as_str()))
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

/// A file with a call that cannot be read may say anything behind it.
fn read_to_the_end<'a>(files: impl Iterator<Item = (&'a str, &'a Facts)>) -> anyhow::Result<()> {
    for (path, says) in files {
        if let Some(one) = &says.unread {
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
