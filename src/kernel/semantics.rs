// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What the tracepoint macros of a tree make, read off its own headers.
//!
//! include/linux/tracepoint.h is run for the first reading of a trace header,
//! then include/trace/define_trace.h with a look at the macro table each time
//! that it reads the header again, then include/trace/define_custom_trace.h.
//! In each of these phases every macro that can reach one of the sections is
//! called, and what comes out is noted. It may not know which macros there are.

use super::ReadFile;
use super::expand::MacroTable;
use super::preprocessor::{Follow, run};
use super::probing::{self, MARKS};
use crate::parallel;
use crate::syntax::directives::IncludeTarget;
use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

pub use super::probing::{ExportEffect, Form, FormKind, MacroEffect, NamePattern};

/// Where tracepoints are made.
pub const TRACEPOINT_H: &str = "include/linux/tracepoint.h";
const DEFINE_TRACE_H: &str = "include/trace/define_trace.h";
const DEFINE_CUSTOM_TRACE_H: &str = "include/trace/define_custom_trace.h";

/// How often a header is read again; define_trace.h does it a dozen times.
const MOST_READINGS: usize = 64;

/// Words that the names of the tracing core's macros hold.
const COMMON_WORDS: [&str; 2] = ["TRACE", "_EVENT"];

/// Why a tree's macros cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A header of the tracing core is not there.
    #[error("no {0}: not a kernel tree, or one without tracepoints")]
    Missing(&'static str),
    /// The headers are there but `TRACE_EVENT()` does not make what it must.
    #[error(
        "TRACE_EVENT() of this tree's include/linux/tracepoint.h and include/trace/ makes {0}: \
         these headers are in a form that this version cannot read"
    )]
    SelfCheck(String),
}

/// What every macro makes, and the functions that a tracepoint comes with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Semantics {
    effects: BTreeMap<String, MacroEffect>,
    forms: Vec<Form>,
    /// The headers that say so; none where only what they say is known.
    #[serde(skip)]
    core: BTreeSet<String>,
    /// Every macro that these define, whether it makes something or not.
    #[serde(skip)]
    names: BTreeSet<Box<str>>,
    /// Finds what may be a name of one that makes something, once that was asked for.
    #[serde(skip)]
    search: OnceLock<Option<AhoCorasick>>,
}

/// The macro tables of all phases of a tree.
#[derive(Debug)]
pub struct Phases {
    /// While a trace header is first read.
    first: MacroTable,
    /// Each time that define_trace.h reads it again, and define_custom_trace.h.
    defining: Vec<MacroTable>,
    /// The headers that were read.
    core: BTreeSet<String>,
}

/// Headers of the tracing core that trace headers see as any others do.
const ALWAYS_CORE: [&str; 3] = [
    TRACEPOINT_H,
    "include/linux/tracepoint-defs.h",
    "include/linux/trace_events.h",
];

/// Whether the file at `path` may be a part of the tracing core, whose macros are
/// the specification and declare nothing themselves. [`Semantics::is_core`] knows.
pub fn is_framework_header(path: &str) -> bool {
    if ALWAYS_CORE.contains(&path) {
        return true;
    }
    path.strip_prefix("include/trace/").is_some_and(|rest| {
        rest.strip_prefix("stages/").is_some() || (rest.ends_with(".h") && !rest.contains('/'))
    })
}

impl Phases {
    /// Runs the headers of the tracing core.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn run(read: &ReadFile<'_>) -> Result<Self, Error> {
        let core: RefCell<BTreeSet<String>> = RefCell::default();
        let read: &ReadFile<'_> = &|path| {
            let text = read(path)?;
            core.borrow_mut().insert(path.to_owned());
            Some(text)
        };
        let text = read(TRACEPOINT_H).ok_or(Error::Missing(TRACEPOINT_H))?;
        let mut first = MacroTable::default();
        run(TRACEPOINT_H, &text, &mut first, &mut |_, _, _| Follow::Skip);
        let text = read(DEFINE_TRACE_H).ok_or(Error::Missing(DEFINE_TRACE_H))?;
        let mut defining = readings(
            DEFINE_TRACE_H,
            &text,
            b"#define CREATE_TRACE_POINTS",
            &first,
            read,
        );
        if let Some(text) = read(DEFINE_CUSTOM_TRACE_H) {
            let create = b"#define CREATE_CUSTOM_TRACE_EVENTS";
            let custom = readings(DEFINE_CUSTOM_TRACE_H, &text, create, &first, read);
            defining.extend(custom);
        }
        Ok(Self {
            first,
            defining,
            core: core.into_inner(),
        })
    }

    fn all(&self) -> impl Iterator<Item = &MacroTable> {
        std::iter::once(&self.first).chain(&self.defining)
    }

    /// Every macro that one of the headers defines.
    fn names(&self) -> BTreeSet<Box<str>> {
        let names = self.all().flat_map(MacroTable::names);
        names
            .map(|name| String::from_utf8_lossy(name).into())
            .collect()
    }

    /// What every macro makes over all phases, without those that are `known`.
    fn effects_but(&self, known: &BTreeMap<String, MacroEffect>) -> BTreeMap<String, MacroEffect> {
        let tables: Vec<&MacroTable> = self.all().collect();
        let reaching = parallel::map(tables.len(), |phase| {
            tables
                .get(phase)
                .map_or_else(BTreeSet::new, |table| reaching(table))
        });
        let varied = MacroTable::varied(&tables);
        let names: BTreeSet<&[u8]> = reaching.iter().flatten().copied().collect();
        let mut names: Vec<(&[u8], Cow<'_, str>)> = names
            .into_iter()
            .map(|name| (name, String::from_utf8_lossy(name)))
            .collect();
        names.retain(|(_, text)| !known.contains_key(text.as_ref()));
        let phases: Vec<_> = std::iter::zip(tables, &reaching).collect();
        let effects = parallel::map(names.len(), |number| {
            let (name, text) = names.get(number)?;
            let effect = effect_of(name, &phases, &varied);
            (!effect.is_empty()).then(|| (text.to_string(), effect))
        });
        effects.into_iter().flatten().collect()
    }

    /// The phases with another header read at the start of each.
    fn with(&self, path: &str, text: &[u8]) -> Self {
        let with = |table: &MacroTable| {
            let mut table = table.clone();
            run(path, text, &mut table, &mut |_, _, _| Follow::Skip);
            table
        };
        let defining = parallel::map(self.defining.len(), |number| {
            self.defining.get(number).map(with)
        });
        Self {
            first: with(&self.first),
            defining: defining.into_iter().flatten().collect(),
            core: self.core.clone(),
        }
    }
}

/// The macro table at each `#include TRACE_INCLUDE(…)` of `text`.
fn readings(
    path: &str,
    text: &[u8],
    create: &[u8],
    first: &MacroTable,
    read: &ReadFile<'_>,
) -> Vec<MacroTable> {
    let mut table = first.clone();
    table.define(create);
    let mut tables = Vec::new();
    run(
        path,
        text,
        &mut table,
        &mut |from, target, table| match target {
            IncludeTarget::Macro(_) => {
                if tables.len() < MOST_READINGS {
                    tables.push(table.clone());
                }
                Follow::Skip
            }
            IncludeTarget::Angled(target) | IncludeTarget::Quoted(target) => {
                core_header(from, target, read)
            }
        },
    );
    tables
}

/// Follows an include to another header of the tracing core.
fn core_header(from: &str, target: &[u8], read: &ReadFile<'_>) -> Follow {
    let target = String::from_utf8_lossy(target);
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    for path in [format!("include/{target}"), format!("{folder}/{target}")] {
        if path.starts_with("include/trace/")
            && is_framework_header(&path)
            && let Some(text) = read(&path)
        {
            return Follow::File(path, text);
        }
    }
    Follow::Skip
}

/// What the macro `name` makes over all phases, given the macro table of each and which
/// macros can make something there. What only calls macros that mean the same in all of
/// them, none of the `varied`, makes the same each time.
fn effect_of(
    name: &[u8],
    phases: &[(&MacroTable, &BTreeSet<&[u8]>)],
    varied: &HashSet<Vec<u8>>,
) -> MacroEffect {
    let mut all = MacroEffect::default();
    let mut same = None;
    for (phase, (table, reaching)) in phases.iter().enumerate() {
        if !reaching.contains(name) {
            continue;
        }
        let mut effect = same.clone().unwrap_or_else(|| {
            let (effect, varies) = probing::probe(name, table, varied);
            same = (!varies).then(|| effect.clone());
            effect
        });
        if phase == 0 {
            // Outside of the trace headers it is the tracepoint itself.
            effect.defines = effect.tracepoint.take();
        }
        all.merge(effect);
    }
    all
}

/// The macros of which a call can come to one of the marks.
fn reaching(table: &MacroTable) -> BTreeSet<&[u8]> {
    let mut users: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    let mut next = Vec::new();
    for name in table.names() {
        for (text, _) in table.body(name) {
            if MARKS.iter().any(|mark| text.starts_with(mark)) {
                next.push(name);
            } else if table.contains(text) {
                users.entry(text).or_default().push(name);
            }
        }
    }
    let mut reaching = BTreeSet::new();
    while let Some(name) = next.pop() {
        if reaching.insert(name) {
            next.extend(users.get(name).into_iter().flatten());
        }
    }
    reaching
}

/// A macro more or less that makes nothing is no other meaning.
impl PartialEq for Semantics {
    fn eq(&self, other: &Self) -> bool {
        (&self.effects, &self.forms, &self.core) == (&other.effects, &other.forms, &other.core)
    }
}

impl Semantics {
    /// What the macros make in these phases.
    ///
    /// # Errors
    /// `TRACE_EVENT()` does not make a tracepoint, an event and a BPF entry.
    pub fn of(phases: &Phases) -> Result<Self, Error> {
        let mut semantics = Self {
            effects: phases.effects_but(&BTreeMap::new()),
            forms: probing::forms(b"DECLARE_TRACE", &phases.first),
            core: phases.core.clone(),
            names: phases.names(),
            search: OnceLock::new(),
        };
        // `DECLARE_TRACE()` may put a suffix behind the name.
        if let Some(declares) = semantics
            .effects
            .get("DECLARE_TRACE")
            .and_then(|effect| effect.declares.clone())
        {
            for form in &mut semantics.forms {
                if let Some(rest) = form.suffix.strip_prefix(declares.suffix.as_str()) {
                    form.suffix = rest.to_owned();
                }
            }
        }
        semantics.self_check()?;
        Ok(semantics)
    }

    fn self_check(&self) -> Result<(), Error> {
        let effect = self.effects.get("TRACE_EVENT").cloned().unwrap_or_default();
        let made = [
            (effect.tracepoint.is_some(), "a tracepoint"),
            (effect.event.is_some(), "an event"),
            (effect.bpf.is_some(), "a BPF entry"),
            (effect.declares.is_some(), "trace_X()"),
        ];
        if made.iter().all(|(is_made, _)| *is_made) {
            return Ok(());
        }
        let made: Vec<&str> = made
            .iter()
            .filter(|(is_made, _)| *is_made)
            .map(|(_, what)| *what)
            .collect();
        Err(Error::SelfCheck(if made.is_empty() {
            "nothing".to_owned()
        } else {
            format!("only {}", made.join(" and "))
        }))
    }

    /// Whether the file at `path` is a part of the tracing core. Others can lie in its
    /// folders, and declare what they like.
    pub fn is_core(&self, path: &str) -> bool {
        let is_read = self.core.is_empty() || self.core.contains(path);
        is_framework_header(path) && (is_read || ALWAYS_CORE.contains(&path))
    }

    /// Whether a header of the tracing core defines `name`.
    pub fn is_core_macro(&self, name: &str) -> bool {
        self.names.contains(name) || self.is_framework_macro(name)
    }

    /// What a macro of the tracing core makes.
    pub fn effect(&self, name: &str) -> Option<&MacroEffect> {
        self.effects.get(name)
    }

    /// The functions that a tracepoint comes with.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// Whether `name` is a macro of the tracing core that makes something.
    pub fn is_framework_macro(&self, name: &str) -> bool {
        self.effects.contains_key(name)
    }

    /// The macros of the tracing core that make something.
    pub fn framework_macros(&self) -> impl Iterator<Item = &str> {
        self.effects.keys().map(AsRef::as_ref)
    }

    /// Whether `text` may hold the name of such a macro.
    pub fn may_name_framework(&self, text: &[u8]) -> bool {
        let search = self.search.get_or_init(|| search_for(&self.effects));
        // Where there is no such search, it has to be read.
        search.as_ref().is_none_or(|search| search.is_match(text))
    }

    /// The tracepoints that a use of `identifier` may be of, the likeliest
    /// first, and whether it only asks if they are on.
    pub fn calls_of<'a>(&'a self, identifier: &'a str) -> impl Iterator<Item = (&'a str, bool)> {
        self.forms
            .iter()
            .filter(|form| matches!(form.kind, FormKind::Call | FormKind::Guard))
            .filter_map(|form| Some((name_in(form, identifier)?, form.kind == FormKind::Guard)))
    }

    /// The tracepoints that `identifier` may attach a probe to.
    pub fn registrations_of<'a>(&'a self, identifier: &'a str) -> impl Iterator<Item = &'a str> {
        self.forms
            .iter()
            .filter(|form| form.kind == FormKind::Register)
            .filter_map(|form| name_in(form, identifier))
    }

    /// With the macros of `headers`, which are outside of the tracing core but
    /// define macros over it, as include/trace/hooks/vendor_hooks.h of Android does.
    pub fn extended(&self, phases: &Phases, headers: &[(&str, &[u8])]) -> Self {
        let mut extended = self.clone();
        extended.search = OnceLock::new();
        for (path, text) in headers {
            let new = phases.with(path, text).effects_but(&extended.effects);
            extended.effects.extend(new);
        }
        extended
    }
}

/// Finds the names of these macros. Nearly all of them have one of two words in common.
fn search_for(effects: &BTreeMap<String, MacroEffect>) -> Option<AhoCorasick> {
    let is_common = |name: &&str| COMMON_WORDS.iter().any(|word| name.contains(word));
    let names = effects.keys().map(AsRef::as_ref);
    let words = COMMON_WORDS
        .into_iter()
        .chain(names.filter(|name| !is_common(name)));
    AhoCorasick::new(words).ok()
}

fn name_in<'a>(form: &Form, identifier: &'a str) -> Option<&'a str> {
    identifier
        .strip_prefix(form.prefix.as_str())?
        .strip_suffix(form.suffix.as_str())
        .filter(|name| !name.is_empty())
}
