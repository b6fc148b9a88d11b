// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How hooks came to be what they are: since when they are there, and what changed of
//! them on the way, from git or from the embedded profiles.
//!
//! It may not judge what a change means.

mod follow;
mod git;
mod profiles;

pub use git::of_git;
pub use profiles::of_profiles;

use std::collections::BTreeMap;

/// What is known of the past of some hooks.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Where it is from, in words.
    pub source: String,
    /// The releases that it looked at, oldest first.
    pub releases: Vec<String>,
    /// By the name that the hook has today.
    pub lives: BTreeMap<String, Life>,
}

/// The past of one hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Since when there is such a hook.
    pub since: Since,
    /// What happened to it after it came, oldest first.
    pub steps: Vec<Step>,
}

/// Since when there is a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// It came with this release. `None`: it is not released yet.
    Release(Option<String>),
    /// It was there already in the oldest release that was looked at.
    AtLeast(String),
    /// Nothing of its past is known.
    #[default]
    Unknown,
}

/// One change of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The first release that has it. `None`: it is not released yet.
    pub release: Option<String>,
    /// The commit, where one is known.
    pub commit: Option<Commit>,
    /// What changed.
    pub turn: Turn,
}

/// A commit, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id, shortened to 12 digits as the kernel does.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
}

/// What can change of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It had another name.
    Name {
        /// As it was.
        old: String,
        /// As it is.
        new: String,
    },
    /// It had other arguments.
    Prototype {
        /// As they were; `None` if one `#if` branch came.
        old: Option<Vec<String>>,
        /// As they are; `None` if one went.
        new: Option<Vec<String>>,
    },
    /// Other functions called it.
    Calls {
        /// Those that did until then.
        gone: Vec<String>,
        /// Those that do since.
        come: Vec<String>,
    },
    /// It had an event until then.
    LostEvent,
}

impl Life {
    /// How many of the steps are of a kind.
    pub fn count(&self, of: impl Fn(&Turn) -> bool) -> usize {
        self.steps.iter().filter(|step| of(&step.turn)).count()
    }

    /// The release of the last change of name or arguments, or of its coming.
    pub fn stable_since(&self) -> Since {
        let last = self
            .steps
            .iter()
            .rev()
            .find(|step| !matches!(step.turn, Turn::Calls { .. }));
        match last {
            Some(step) => Since::Release(step.release.clone()),
            None => self.since.clone(),
        }
    }
}

impl History {
    /// How many of the releases have the hook as it is today; `None` if its past is not
    /// known.
    pub fn releases_with(&self, since: &Since) -> Option<usize> {
        let at = |name: &String| self.releases.iter().position(|one| one == name);
        match since {
            Since::Release(Some(name)) => Some(self.releases.len() - at(name)?),
            // It was there before the first of them.
            Since::AtLeast(_) => Some(self.releases.len()).filter(|&count| count > 0),
            Since::Release(None) => Some(0),
            Since::Unknown => None,
        }
    }
}
