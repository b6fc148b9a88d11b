// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What patches may come to, where there is more than one answer.
//!
//! A mail that is decoded already says one thing to git, which decodes it again, and
//! another to those who take it as it stands. A patch that fits the file as it is may be
//! meant for the file as it was, which its `index` line names. Nobody here knows who will
//! apply it, so each answer is a series of its own, whole, and all of them are checked.
//!
//! `git am` applies the patches in order and stops where one does not fit. So of an
//! answer that does not fit, only the patches above that place count, and only where
//! another answer fits as a whole: if none does, the first one tells what is wrong.

use super::super::patch::Patch;
use super::super::{Blobs, Tree};
use super::Series;
use super::chain::Ids;

impl Series {
    /// As [`Series::resolve`] of patches by anyone, once for each answer; the first is that
    /// of git. `past` are the blobs that files had in the tree's history.
    ///
    /// Of each [`Patch`], the patch itself counts in the first answer, and what it says
    /// otherwise in the next. Patches keep their index in all of them; an answer may
    /// have less of them than were given.
    pub fn alternatives(
        patches: Vec<Patch>,
        tree: Option<&dyn Tree>,
        past: Option<&dyn Blobs>,
    ) -> Vec<Self> {
        let ids = past.map_or(Ids::Unknown, Ids::Claimed);
        let resolve = |patches| -> Vec<Self> {
            let (first, second) = Self::worlds(patches, tree, ids);
            [Some(first), second].into_iter().flatten().collect()
        };
        let all: Vec<Self> = readings(patches).into_iter().flat_map(resolve).collect();
        if all.iter().all(|one| one.unfit.is_some()) {
            return all;
        }
        let fitting = all.into_iter().map(|one| one.up_to_misfit(&resolve));
        fitting.flatten().collect()
    }

    /// The patches above the first that does not fit, of which there may be none.
    fn up_to_misfit(mut self, resolve: &dyn Fn(Vec<Patch>) -> Vec<Self>) -> Vec<Self> {
        loop {
            let Some(unfit) = self.unfit else {
                return vec![self];
            };
            let mut patches = self.patches;
            patches.truncate(unfit);
            if patches.is_empty() {
                return Vec::new();
            }
            let mut all = resolve(patches);
            if all.iter().all(|one| one.unfit.is_none()) {
                return all;
            }
            self = all.swap_remove(0);
        }
    }
}

/// The patches as git reads them, and as they are read otherwise, if any is.
fn readings(mut patches: Vec<Patch>) -> Vec<Vec<Patch>> {
    let others: Vec<Option<Patch>> = patches
        .iter_mut()
        .map(|patch| patch.other.take().map(|other| *other))
        .collect();
    if others.iter().all(Option::is_none) {
        return vec![patches];
    }
    let pairs = others.into_iter().zip(&patches);
    let second = pairs
        .map(|(other, first)| other.unwrap_or_else(|| first.clone()))
        .collect();
    vec![patches, second]
}

#[cfg(test)]
mod tests {
    use super::super::super::input::load_bytes;
    use super::super::super::overlay::OverlayTree;
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    const LINES: &str = "a\nb\nc\n";

    fn patch(old: &str, new: &str) -> Patch {
        let text = format!("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-{old}\n+{new}\n c\n");
        let mut loaded = load_bytes("x.patch", text.as_bytes());
        assert_eq!(loaded.problems, []);
        loaded.patches.remove(0)
    }

    fn or(first: Patch, other: Patch) -> Patch {
        Patch {
            other: Some(Box::new(other)),
            ..first
        }
    }

    /// What `x` says after each answer, and whether all patches of that fit.
    fn answers(patches: Vec<Patch>) -> Vec<(String, bool)> {
        let text = Some(Arc::from(LINES.as_bytes()));
        let tree = OverlayTree::of(None, BTreeMap::from([("x".to_owned(), text)]));
        let all = Series::alternatives(patches, Some(&tree), None);
        let after = |series: &Series| {
            let after = OverlayTree::after(Some(&tree), series, series.patches.len());
            let text = after.read("x").expect("x").expect("x");
            let text = String::from_utf8_lossy(&text).replace('\n', "");
            (text, series.unfit.is_none())
        };
        all.iter().map(after).collect()
    }

    #[test]
    fn one_reading_is_one_answer() {
        let patches = vec![patch("b", "B"), patch("B", "C")];
        assert_eq!(answers(patches), [("aCc".to_owned(), true)]);
    }

    #[test]
    fn each_reading_goes_through_the_series() {
        let patches = vec![
            or(patch("b", "B"), patch("b", "x")),
            or(patch("B", "C"), patch("x", "y")),
        ];
        let wanted = [("aCc".to_owned(), true), ("ayc".to_owned(), true)];
        assert_eq!(answers(patches), wanted);
        let patches = vec![or(patch("b", "B"), patch("b", "x")), patch("a", "b")];
        assert!(answers(patches).iter().all(|(_, fits)| !fits));
    }

    #[test]
    fn an_answer_counts_up_to_where_it_does_not_fit() {
        let patches = vec![
            or(patch("b", "leak"), patch("b", "B")),
            or(patch("none", "z"), patch("B", "C")),
        ];
        let wanted = [("aleakc".to_owned(), true), ("aCc".to_owned(), true)];
        assert_eq!(answers(patches), wanted);
        let patches = vec![or(patch("none", "z"), patch("b", "B"))];
        assert_eq!(answers(patches), [("aBc".to_owned(), true)]);
    }
}
