// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Follows hooks backwards from one state of the tree to the one before.

use super::{Commit, Life, Since, Step, Turn};
use crate::inventory::difference::{Change, What, between};
use crate::inventory::snapshot::{Hook, Snapshot};
use std::collections::BTreeMap;

/// Hooks on their way back.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The name that each still has where we are, and its name of today.
    names: BTreeMap<String, String>,
    /// By the name of today.
    lives: BTreeMap<String, Life>,
}

/// Where on the way a change is.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// The first release that has what is after the change.
    pub(super) release: Option<String>,
    /// The commit that made it.
    pub(super) commit: Option<Commit>,
}

impl Followed {
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: BTreeMap<String, String> = names
            .into_iter()
            .map(|name| (name.to_owned(), name.to_owned()))
            .collect();
        let lives = names.keys().map(|name| (name.clone(), Life::default()));
        Self {
            lives: lives.collect(),
            names,
        }
    }

    /// The names that the hooks have where we are, but for those that were not there
    /// yet.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Whether nothing is left to be followed.
    pub(super) fn is_done(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a hook came between `old` and `new`: it is not in the one, and in the other.
    pub(super) fn came(&self, old: &Snapshot, new: &Snapshot) -> anyhow::Result<bool> {
        let changes = between(old, new)?;
        let mut came = changes.iter().filter(|one| matches!(one.what, What::Added));
        Ok(came.any(|one| self.names.contains_key(one.name())))
    }

    /// Takes a step back, from `new` to `old`.
    pub(super) fn back(
        &mut self,
        old: &Snapshot,
        new: &Snapshot,
        at: &Moment,
    ) -> anyhow::Result<()> {
        let mut renamed = Vec::new();
        // Several declarations of a name, of architectures or in branches, come and go
        // one by one; the hook comes with the first.
        let mut came = Vec::new();
        for change in between(old, new)? {
            let Some(today) = self.names.get(change.name()).cloned() else {
                continue;
            };
            match change.what {
                What::Added if !old.hooks.iter().any(|one| one.name == change.name()) => {
                    came.push((change.name().to_owned(), today));
                }
                _ => {
                    renamed.extend(rename(&change));
                    if let (Some(turn), Some(life)) = (turn(&change), self.lives.get_mut(&today)) {
                        life.steps.insert(0, step(turn, at));
                    }
                }
            }
        }
        for (old, new) in renamed {
            if let Some(today) = self.names.remove(&new) {
                self.names.insert(old, today);
            }
        }
        for (name, today) in came {
            self.names.remove(&name);
            if let Some(life) = self.lives.get_mut(&today) {
                life.since = Since::Release(at.release.clone());
            }
        }
        Ok(())
    }

    /// The lives, where all that are still there were there at `oldest` already.
    pub(super) fn finish(mut self, oldest: Option<&str>) -> BTreeMap<String, Life> {
        for today in self.names.values() {
            if let (Some(life), Some(oldest)) = (self.lives.get_mut(today), oldest) {
                life.since = Since::AtLeast(oldest.to_owned());
            }
        }
        self.lives
    }
}

fn rename(change: &Change<'_>) -> Option<(String, String)> {
    let (What::Renamed, Some(old), Some(new)) = (&change.what, change.old, change.new) else {
        return None;
    };
    Some((old.name.clone(), new.name.clone()))
}

fn step(turn: Turn, at: &Moment) -> Step {
    Step {
        release: at.release.clone(),
        commit: at.commit.clone(),
        turn,
    }
}

fn turn(change: &Change<'_>) -> Option<Turn> {
    match &change.what {
        What::Renamed => rename(change).map(|(old, new)| Turn::Name { old, new }),
        What::Prototype { old, new } => Some(Turn::Prototype {
            old: old.map(<[String]>::to_vec),
            new: new.map(<[String]>::to_vec),
        }),
        What::CallSites { gone, come } => Some(Turn::Calls {
            gone: gone.iter().map(|one| one.identity().to_owned()).collect(),
            come: come.iter().map(|one| one.identity().to_owned()).collect(),
        }),
        What::Visibility => was_event(change.old).then_some(Turn::LostEvent),
        _ => None,
    }
}

fn was_event(hook: Option<&Hook>) -> bool {
    hook.is_some_and(|hook| hook.event)
}
