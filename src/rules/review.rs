// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What rules are shown: a state, or the states that a series leads through.

use super::allowed::Brought;
use super::approval::{self, Approvals, Authority};
use super::engine::Subject;
use super::finding::{Approval, Finding, Level, Place, Related};
use super::zones::{Zone, Zones};
use crate::inventory::facts::{Allowance, At, Facts};
use crate::inventory::resolve::{Site, Tracepoint};
use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::source::Tree;
use crate::source::patch::Patch;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How much of a kernel is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// All of its files.
    Whole,
    /// The files that a series touches and those around them: what is missing
    /// may stand in another.
    Part,
    /// Every tracepoint and export of a release by an embedded profile, and of
    /// texts only what the series shows.
    Profile,
}

/// One state of a kernel.
pub struct Sight<'a> {
    /// Its tracepoints and all that was read of its files.
    pub state: &'a State,
    /// Its files.
    pub tree: &'a dyn Tree,
    /// The zones.
    pub zones: &'a Zones,
    /// The files that a series touches; `None` if the whole tree is meant.
    pub touched: Option<&'a BTreeSet<String>>,
    /// The files in which a rule can find anything else than it did before the series;
    /// `None` if that may be any.
    pub examined: Option<&'a BTreeSet<Arc<str>>>,
    /// The state before the series; `None` if the whole tree is meant.
    pub before: Option<&'a State>,
    /// How much is known.
    pub knowledge: Knowledge,
}

impl<'a> Sight<'a> {
    /// A whole tree as it stands.
    pub fn of_tree(state: &'a State, tree: &'a dyn Tree, zones: &'a Zones) -> Self {
        Self {
            state,
            tree,
            zones,
            touched: None,
            examined: None,
            before: None,
            knowledge: Knowledge::Whole,
        }
    }

    /// Whether `file` has to be looked at.
    pub fn examines(&self, file: &str) -> bool {
        self.examined.is_none_or(|examined| examined.contains(file))
    }

    /// What the files say that have to be looked at, and say anything.
    pub fn files(&self) -> impl Iterator<Item = (&'a Arc<str>, &'a Facts)> {
        let all = self.state.facts.iter();
        all.filter(|(file, _)| self.examines(file))
            .map(|(file, says)| (file, &**says))
    }

    /// Whether any file in the folder of `file` has to be.
    pub fn examines_folder_of(&self, file: &str) -> bool {
        let folder = folder_of(file);
        self.examined
            .is_none_or(|examined| examined.iter().any(|one| folder_of(one) == folder))
    }

    /// Whether the text of `file` is known as a whole, so that what is not in it is
    /// not there. With a profile alone only that of a new file is.
    pub fn knows_all_of(&self, file: &str) -> bool {
        let is_old = self
            .before
            .is_some_and(|before| before.facts.contains_key(file));
        self.knowledge != Knowledge::Profile || !is_old
    }

    /// Whether nothing but the series can say anything of the tracepoint `name`:
    /// it was not there before.
    pub fn is_new(&self, name: &str) -> bool {
        self.before
            .is_some_and(|before| before.inventory.named(name).next().is_none())
    }
}

/// A series and the states that it leads through.
pub struct Review<'a> {
    /// Before the series and after each of its patches.
    pub states: &'a [State],
    /// The patches.
    pub patches: &'a [Patch],
    /// The zones.
    pub zones: &'a Zones,
    /// MAINTAINERS before the series.
    pub maintainers: &'a Maintainers,
    /// How much of the kernel the states show.
    pub knowledge: Knowledge,
    /// Which patch added a line, as it stands after the series.
    pub introduced: &'a dyn Fn(&str, u32) -> Option<usize>,
}

/// A series, and what was found of it.
pub struct Input<'a> {
    /// The series and its states.
    pub review: &'a Review<'a>,
    /// The series with the tree that it is for.
    pub subject: &'a Subject<'a>,
    /// The comments that it brings for leak rules.
    pub(super) brought: &'a [Brought<'a>],
}

/// A state and what was found in it.
pub struct Rest<'a> {
    /// The state.
    pub state: &'a State,
    /// Everything that was found in it, whether it is new or not.
    pub found: &'a [Finding],
    /// Whether a comment is to be judged: of a series, those that it brings.
    pub is_judged: &'a dyn Fn(&str, u32) -> bool,
}

/// The comments in `state` that allow `finding`.
pub fn allowances<'s>(state: &'s State, finding: &Finding) -> impl Iterator<Item = &'s Allowance> {
    let facts = state.facts.get(finding.place.file.as_str());
    let all = facts.into_iter().flat_map(|facts| &facts.allowances);
    let (rule, line) = (finding.rule, finding.place.line);
    all.filter(move |one| {
        let mut rules = one.rules.iter().map(AsRef::as_ref);
        let names = rules.any(|named: &str| named == rule);
        names && one.line == line && !one.reason.is_empty()
    })
}

impl<'a> Review<'a> {
    /// The state before the series.
    pub fn before(&self) -> &'a State {
        &self.states[0]
    }

    /// The state after it.
    pub fn after(&self) -> &'a State {
        &self.states[self.states.len() - 1]
    }

    /// `found`, as a note that names the approval if the patch has it.
    pub fn weighed(&self, found: Finding, zone: Option<&Zone>, path: &str) -> Finding {
        let authority = zone.map_or(Authority::File(path), Authority::Zone);
        self.weighed_by(found, &[authority])
    }

    /// As [`Review::weighed`], where each of `authorities` has to approve.
    pub fn weighed_by(&self, mut found: Finding, authorities: &[Authority<'_>]) -> Finding {
        match self.approved(found.patch, authorities) {
            Some(approval) => {
                found.level = Level::Note;
                found.message = format!("{} ({})", found.message, claimed(&approval));
                found.approval = Some(approval);
            }
            None => {
                let mut who: Vec<String> = authorities.iter().map(Authority::name).collect();
                who.dedup();
                let who = who.join(" and of ");
                found.message = format!("{} without the approval of {who}", found.message);
            }
        }
        found
    }

    /// The approval of somebody of each of `authorities` that the message of the patch
    /// claims: the first, if there are more.
    pub fn approved(
        &self,
        patch: Option<usize>,
        authorities: &[Authority<'_>],
    ) -> Option<Approval> {
        if self.zones.approvals() == Approvals::None {
            return None;
        }
        let message = &self.patches.get(patch?)?.message;
        let each = authorities
            .iter()
            .map(|&authority| approval::approval(message, authority, self.maintainers));
        let all: Vec<Approval> = each.collect::<Option<_>>()?;
        all.into_iter().next()
    }
}

/// How a sentence tells of an approval.
pub fn claimed(approval: &Approval) -> String {
    format!("approval claimed by a trailer: {}", approval.trailer)
}

/// The folder of the file at `path`; empty for the tree's root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A place of a file.
pub fn place(file: &str, at: At) -> Place {
    Place {
        file: file.to_owned(),
        line: at.line,
        column: at.column,
    }
}

/// Where a tracepoint is declared.
pub fn declared_at(tracepoint: &Tracepoint) -> Place {
    place(&tracepoint.file, tracepoint.declaration.at)
}

impl From<&Site> for Place {
    fn from(site: &Site) -> Self {
        place(&site.file, site.at)
    }
}

/// Another place, with what is there.
pub fn related(place: Place, message: &str) -> Related {
    Related {
        place,
        message: message.to_owned(),
    }
}

/// Where the tracepoint `name` is declared, as a finding about a call of it points out.
pub fn declared_here(sight: &Sight<'_>, name: &str) -> Vec<Related> {
    let declared = sight.state.inventory.named(name).next();
    let declared = declared.map(|one| related(declared_at(one), "the tracepoint is declared here"));
    declared.into_iter().collect()
}

/// The wrappers and the macro by which a tracepoint is declared: `TRACE_EVENT()`, or
/// `A() → B(), which comes to TRACE_EVENT()`.
pub fn by_macro(tracepoint: &Tracepoint) -> String {
    let declaration = &tracepoint.declaration;
    match declaration.via.as_slice() {
        [] => format!("{}()", declaration.framework),
        via => format!(
            "{}(), which comes to {}()",
            via.join("() → "),
            declaration.framework
        ),
    }
}
