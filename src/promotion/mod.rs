// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The draft of a patch that turns a bare tracepoint into a trace event.
//!
//! ```text
//! hook (which) -> fields (what is recorded: mapping) -> event (its text)
//!                                   edits of every file that names the hook <─┘
//! ```
//!
//! A draft is for a maintainer to finish: what a tool cannot decide is marked in it.
//! It may not know how drafts are shown.

mod arguments;
mod declaration;
mod edits;
mod event;
pub mod evidence;
mod fields;
mod headers;
mod hook;
mod mapping;
mod mentions;

pub use fields::Field;
pub use mapping::Mapping;

use crate::inventory::resolve::Tracepoint;
use crate::inventory::scan::is_source;
use crate::inventory::state::{NewText, State};
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::syntax::lines::Lines;
use anyhow::{Context, bail};
use arguments::Argument;
use declaration::{Above, Call};
use edits::{Edits, Rename, statement_at};
use event::Event;
use fields::{Records, Surroundings};
use hook::Hook;
use mapping::HelperRule;
use memchr::memmem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What becomes of the hook's exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exports {
    /// Modules go on attaching to the tracepoint, under its new name.
    Keep,
    /// Whoever attached to the hook is to use the event.
    Drop,
}

/// A file before and after.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its text in the tree.
    pub before: Arc<[u8]>,
    /// Its text in the draft.
    pub after: Arc<[u8]>,
}

/// The draft.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// The hook as the tree has it.
    pub hook: Tracepoint,
    /// The event's name.
    pub event: String,
    /// Every file that changes, by path.
    pub files: BTreeMap<String, Change>,
    /// What the event records.
    pub fields: Vec<Field>,
    /// What is left to the maintainer.
    pub decisions: Vec<String>,
    /// What was done with the exports.
    pub exports: Exports,
}

/// Drafts the promotion of the hook called `name`, with or without its `_tp`.
///
/// # Errors
/// There is no such hook, there are several, or it is declared in a way that cannot be
/// rewritten; a file cannot be read.
pub fn draft(
    tree: &dyn Tree,
    state: &State,
    mapping: &Mapping,
    name: &str,
    exports: Exports,
) -> anyhow::Result<Promotion> {
    let hook = hook::find(state, name)?;
    let mut draft = Draft {
        tree,
        state,
        files: BTreeMap::new(),
        decisions: Vec::new(),
    };
    let fields = draft.declare(&hook, mapping)?;
    if exports == Exports::Drop {
        draft.drop_exports(hook.tracepoint)?;
    }
    draft.rename(&hook)?;
    draft.finish(&hook, fields, exports)
}

/// A draft in the making.
struct Draft<'a> {
    tree: &'a dyn Tree,
    state: &'a State,
    files: BTreeMap<String, (Arc<[u8]>, Edits)>,
    decisions: Vec<String>,
}

impl Draft<'_> {
    fn file(&mut self, path: &str) -> anyhow::Result<&mut (Arc<[u8]>, Edits)> {
        if !self.files.contains_key(path) {
            let text = self
                .tree
                .read(path)?
                .with_context(|| format!("{path} is gone"))?;
            self.files.insert(path.to_owned(), (text, Edits::default()));
        }
        self.files
            .get_mut(path)
            .with_context(|| format!("{path} is gone"))
    }

    /// Puts the event in the place of the hook; gives its fields.
    fn declare(&mut self, hook: &Hook<'_>, mapping: &Mapping) -> anyhow::Result<Vec<Field>> {
        let declaration = &hook.tracepoint.declaration;
        let path = &hook.tracepoint.file;
        let text = self.file(path)?.0.clone();
        let call = Call::of(&text, hook)?;
        let above = Above::of(self.state, &call, hook);
        let arguments = arguments_of(hook.tracepoint)?;
        let unit = self.unit(hook.tracepoint)?;
        let around = Surroundings {
            comment: &above.comment,
            assigns_source: headers::assigns_source(self.tree),
            can_help: &|helper| {
                unit.as_ref()
                    .is_some_and(|(path, text)| can_define(helper, path, text))
            },
        };
        let records = Records::of(&arguments, mapping, &around);
        let event = Event {
            framework: &hook.framework,
            name: &hook.event,
            clauses: call.clauses(declaration),
            records: &records.of,
        };
        let declared = self.help(&records.helpers, &text, unit)?;
        let tree = self.tree;
        let edits = &mut self.file(path)?.1;
        declaration::place(edits, &call, &above, &declared, &event.render());
        for header in &records.headers {
            headers::add(edits, tree, &text, header, call.whole.start);
        }
        let decisions = records.of.iter().flat_map(|one| one.decisions.clone());
        self.decisions.extend(decisions);
        let comments = mentions::of_bareness(path, &text, &above, hook);
        self.decisions.extend(comments);
        Ok(records.of.into_iter().flat_map(|one| one.fields).collect())
    }

    /// The one translation unit that makes the tracepoint.
    fn unit(&self, hook: &Tracepoint) -> anyhow::Result<Option<(String, Arc<[u8]>)>> {
        let files: BTreeSet<&str> = hook.definitions.iter().map(|one| &*one.file).collect();
        let mut files = files.into_iter();
        let (Some(path), None) = (files.next(), files.next()) else {
            return Ok(None);
        };
        Ok(self.tree.read(path)?.map(|text| (path.to_owned(), text)))
    }

    /// Defines the helpers in the unit; gives their declarations.
    fn help(
        &mut self,
        helpers: &[&HelperRule],
        header: &[u8],
        unit: Option<(String, Arc<[u8]>)>,
    ) -> anyhow::Result<String> {
        let mut declared = String::new();
        let Some((path, text)) = unit else {
            return Ok(declared);
        };
        for helper in helpers {
            if memchr::memmem::find(header, helper.declare.as_bytes()).is_none() {
                declared.push_str(&helper.declare);
                declared.push('\n');
            }
            if memchr::memmem::find(&text, helper.define.as_bytes()).is_none() {
                let edits = &mut self.file(&path)?.1;
                edits.insert(text.len(), format!("\n{}", helper.define));
            }
        }
        if !declared.is_empty() {
            declared.push('\n');
        }
        Ok(declared)
    }

    fn drop_exports(&mut self, hook: &Tracepoint) -> anyhow::Result<()> {
        for (site, _) in &hook.exports {
            let (text, edits) = self.file(&site.file)?;
            let statement = statement_at(text, site.at.offset as usize);
            edits.replace(statement, "");
        }
        Ok(())
    }

    /// Renames the hook in all sources.
    fn rename(&mut self, hook: &Hook<'_>) -> anyhow::Result<()> {
        let rename = rename_of(self.state, hook);
        if rename.old == rename.new {
            return Ok(());
        }
        let found: Mutex<Vec<String>> = Mutex::default();
        self.tree.visit(&is_source, &|path, text| {
            if !rename.places(text).is_empty() {
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(path.to_owned());
            }
        })?;
        for path in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let (text, edits) = self.file(&path)?;
            rename.add_to(edits, text);
        }
        let left = mentions::outside_of_sources(self.tree, &rename)?;
        self.decisions.extend(left);
        Ok(())
    }

    fn finish(
        mut self,
        hook: &Hook<'_>,
        fields: Vec<Field>,
        exports: Exports,
    ) -> anyhow::Result<Promotion> {
        let files = std::mem::take(&mut self.files);
        let files = files.into_iter().map(|(path, (before, edits))| {
            let after = edits.apply(&before).into();
            (path, Change { before, after })
        });
        let files: BTreeMap<String, Change> = files
            .filter(|(_, change)| change.before != change.after)
            .collect();
        can_be_mailed(&files)?;
        let left = self.left_behind(hook, &files)?;
        self.decisions.extend(left);
        Ok(Promotion {
            hook: hook.tracepoint.clone(),
            event: hook.event.clone(),
            files,
            fields,
            decisions: self.decisions,
            exports,
        })
    }

    /// Reads the tree as the draft leaves it: the event must be there, and what still
    /// uses the hook by a name that was pasted together is for the maintainer.
    fn left_behind(
        &self,
        hook: &Hook<'_>,
        files: &BTreeMap<String, Change>,
    ) -> anyhow::Result<Option<String>> {
        let text = |change: &Change| Some(change.after.clone());
        let over = files
            .iter()
            .map(|(path, change)| (path.clone(), text(change)));
        let overlay = OverlayTree::of(Some(self.tree), over.collect());
        let changes = files
            .iter()
            .map(|(path, change)| (path.clone(), NewText::Whole(change.after.clone())));
        let after = self.state.after(&changes.collect(), Some(&overlay))?;
        if !after.inventory.named(&hook.event).any(|one| !one.is_bare()) {
            bail!(
                "no way was found to make a trace event of {}, {}",
                hook.tracepoint.name(),
                hook::place(hook.tracepoint)
            );
        }
        Ok(mentions::unresolved(&after, hook))
    }
}

/// A draft is a mail, and git takes the CR off the end of each line of one. So a patch of
/// lines with a CR would come to nothing, or to something else.
fn can_be_mailed(files: &BTreeMap<String, Change>) -> anyhow::Result<()> {
    for (path, change) in files {
        if let Some(at) = memmem::find(&change.before, b"\r\n") {
            let line = Lines::of(&change.before).line(at as u32);
            bail!(
                "{path}:{line}: the line ends with a CR, which git takes off a patch that is \
                 mailed: take the CRs out of the file first"
            );
        }
    }
    Ok(())
}

fn rename_of<'a>(state: &'a State, hook: &'a Hook<'_>) -> Rename<'a> {
    let old = hook.tracepoint.name();
    let all = state.inventory.tracepoints.iter().map(|one| one.name());
    Rename {
        old,
        new: &hook.event,
        others: all
            .filter(|name| name.len() > old.len() && name.contains(old))
            .collect(),
    }
}

fn can_define(helper: &HelperRule, path: &str, text: &[u8]) -> bool {
    path.starts_with(&helper.below) && headers::includes_own(text, &helper.includes)
}

fn arguments_of(hook: &Tracepoint) -> anyhow::Result<Vec<Argument>> {
    let declaration = &hook.declaration;
    let names = &declaration.arguments;
    let parameters = &declaration.prototype;
    if let [only] = &parameters[..]
        && only.as_ref() == "void"
    {
        return Ok(Vec::new());
    }
    if parameters.len() != names.len() {
        bail!(
            "TP_PROTO() and TP_ARGS() of {} differ in number, {}: mend that first",
            hook.name(),
            hook::place(hook)
        );
    }
    let pairs = parameters.iter().zip(names);
    Ok(pairs
        .map(|(parameter, name)| Argument::of(parameter, name))
        .collect())
}
