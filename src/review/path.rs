// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A way through a graph of commits on which each is the parent of the next. May not
//! know what they change.

use crate::source::commits::{Commit, Oid};
use std::collections::{BTreeMap, BTreeSet};

/// The commits of a range.
pub(super) struct Graph<'a> {
    commits: BTreeMap<Oid, &'a Commit>,
    /// Oldest first.
    order: Vec<Oid>,
}

/// Commits of which each is a parent of the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// Oldest first.
    pub commits: Vec<Oid>,
    /// The parent of the first of them; `None` if that is a root.
    pub below: Option<Oid>,
}

impl<'a> Graph<'a> {
    /// `commits` are in an order in which parents come first.
    pub(super) fn of(commits: &'a [Commit]) -> Self {
        Self {
            commits: commits.iter().map(|one| (one.id, one)).collect(),
            order: commits.iter().map(|one| one.id).collect(),
        }
    }

    pub(super) fn commit(&self, id: Oid) -> Option<&'a Commit> {
        self.commits.get(&id).copied()
    }

    pub(super) fn parents(&self, id: Oid) -> &'a [Oid] {
        self.commit(id).map_or(&[], |commit| &commit.parents)
    }

    /// The way from `base` to `tip`, by first parents where they lead there. If none
    /// does, first parents are followed until they leave the range.
    pub(super) fn path(&self, tip: Oid, base: Option<Oid>) -> Path {
        let above = base.map(|base| self.above(base)).unwrap_or_default();
        let leads = |id: &&Oid| Some(**id) == base || above.contains(*id);
        let mut commits = Vec::new();
        let mut at = Some(tip);
        while let Some(id) = at
            && Some(id) != base
            && let Some(commit) = self.commit(id)
        {
            commits.push(id);
            let parents = &commit.parents;
            at = parents.iter().find(leads).or(parents.first()).copied();
        }
        commits.reverse();
        Path { commits, below: at }
    }

    /// The commits with one parent at most to which `tip` leads back, and `base` does not.
    pub(super) fn between(&self, base: Oid, tip: Oid) -> Vec<Oid> {
        let (before, after) = (self.back(base), self.back(tip));
        let new = after.difference(&before).copied();
        new.filter(|&id| self.parents(id).len() < 2).collect()
    }

    /// The commits to which `tip` leads back, with itself.
    fn back(&self, tip: Oid) -> BTreeSet<Oid> {
        let mut back = BTreeSet::new();
        let mut open = vec![tip];
        while let Some(id) = open.pop() {
            if self.commits.contains_key(&id) && back.insert(id) {
                open.extend(self.parents(id));
            }
        }
        back
    }

    /// The commits from which parents lead to `base`.
    fn above(&self, base: Oid) -> BTreeSet<Oid> {
        let mut above = BTreeSet::new();
        for &id in &self.order {
            let mut parents = self.parents(id).iter();
            if parents.any(|parent| *parent == base || above.contains(parent)) {
                above.insert(id);
            }
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).expect("an id")
    }

    fn commit(number: u8, parents: &[u8]) -> Commit {
        Commit {
            id: id(number),
            short_id: number.to_string(),
            parents: parents.iter().map(|&parent| id(parent)).collect(),
            subject: String::new(),
        }
    }

    fn path(commits: &[Commit], tip: u8, base: Option<u8>) -> (Vec<u8>, Option<u8>) {
        let number = |id: Oid| id.as_bytes()[0];
        let path = Graph::of(commits).path(id(tip), base.map(id));
        (
            path.commits.into_iter().map(number).collect(),
            path.below.map(number),
        )
    }

    #[test]
    fn leads_to_the_base() {
        // 4 merges 9, which is of the other side, into 2 - 3 on 1; 5 merges 3 once more.
        let graph = [
            commit(2, &[1]),
            commit(3, &[2]),
            commit(4, &[3, 9]),
            commit(5, &[4, 3]),
        ];
        assert_eq!(path(&graph, 5, Some(9)), (vec![4, 5], Some(9)));
        assert_eq!(path(&graph, 5, Some(1)), (vec![2, 3, 4, 5], Some(1)));
        assert_eq!(path(&graph, 3, Some(2)), (vec![3], Some(2)));
        assert_eq!(path(&graph, 3, Some(3)), (vec![], Some(3)));
    }

    #[test]
    fn knows_what_a_merge_brings() {
        // 5 merges 8 and 9, which left at 2, and 9 merges 3.
        let graph = [
            commit(2, &[1]),
            commit(3, &[2]),
            commit(8, &[2]),
            commit(9, &[8, 3]),
            commit(4, &[3]),
            commit(5, &[4, 9]),
        ];
        let between = |base, tip| {
            let ids = Graph::of(&graph).between(id(base), id(tip));
            let ids = ids.into_iter().map(|id| id.as_bytes()[0]);
            ids.collect::<Vec<_>>()
        };
        assert_eq!(between(4, 5), [8]);
        assert_eq!(between(1, 4), [2, 3, 4]);
        assert_eq!(between(9, 4), [4]);
    }

    #[test]
    fn goes_by_first_parents_where_nothing_leads_to_the_base() {
        let graph = [
            commit(2, &[]),
            commit(3, &[1]),
            commit(4, &[2]),
            commit(5, &[4, 3]),
        ];
        assert_eq!(path(&graph, 5, Some(7)), (vec![2, 4, 5], None));
        assert_eq!(path(&graph, 5, None), (vec![2, 4, 5], None));
        assert_eq!(path(&graph, 3, None), (vec![3], Some(1)));
        assert_eq!(path(&graph, 9, None), (vec![], Some(9)));
    }
}
