// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One series: what it brings that is there at its end.

use super::scope;
use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::rules::changes;
use crate::rules::engine::{self, Look, Subject};
use crate::rules::finding::Finding;
use crate::rules::review::{Knowledge, Review};
use crate::rules::zones::Zones;
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::source::series::Series;

/// What a series is held against: what counts before it.
#[derive(Debug)]
pub struct Ground {
    /// The zones.
    pub zones: Zones,
    /// MAINTAINERS.
    pub maintainers: Maintainers,
}

/// What a series for `tree` brings. As much of the tree is read as decides about it, or
/// all if it is to be the `whole`.
///
/// # Errors
/// A part of the tree cannot be read, or the tracing core cannot be understood.
pub fn on_tree(
    series: &Series,
    tree: &dyn Tree,
    ground: &Ground,
    whole: bool,
) -> anyhow::Result<Vec<Finding>> {
    let (first, knowledge) = scope::first_state(tree, series, whole)?;
    let subject = Subject {
        series,
        tree: Some(tree),
    };
    let reviewed = review_from(&subject, first, ground, knowledge)?;
    if !reviewed.wants_more {
        return Ok(reviewed.findings);
    }
    let all = State::of(&OverlayTree::after(Some(tree), series, 0))?;
    Ok(review_from(&subject, all, ground, Knowledge::Whole)?.findings)
}

/// What a series brings to the kernel of a profile, whose state is `first`.
///
/// # Errors
/// There are too many patches that change the tracing core.
pub fn on_profile(series: &Series, first: State, ground: &Ground) -> anyhow::Result<Vec<Finding>> {
    let subject = Subject { series, tree: None };
    Ok(review_from(&subject, first, ground, Knowledge::Profile)?.findings)
}

/// What came of a review.
pub(super) struct Reviewed {
    /// What was found, in order.
    pub(super) findings: Vec<Finding>,
    /// Whether more of the kernel has to be read to be sure.
    wants_more: bool,
}

/// Reviews a series from the state `first` on, which may have some of a file that the
/// series shows in part.
fn review_from(
    subject: &Subject<'_>,
    first: State,
    ground: &Ground,
    knowledge: Knowledge,
) -> anyhow::Result<Reviewed> {
    let before = OverlayTree::after(subject.tree, subject.series, 0);
    let before = subject.tree.is_some().then_some(&before as &dyn Tree);
    let first = first.after(&changes::before(subject.series), before)?;
    let states = engine::states(first, subject)?;
    Ok(review(subject, &states, ground, knowledge))
}

/// Reviews a series that leads through `states`.
pub(super) fn review(
    subject: &Subject<'_>,
    states: &[State],
    ground: &Ground,
    knowledge: Knowledge,
) -> Reviewed {
    let series = subject.series;
    let introduced = |path: &str, line: u32| {
        let (step, _) = series.introduced(path, line)?;
        series.steps.get(step).map(|step| step.patch)
    };
    let review = Review {
        states,
        patches: &series.patches,
        zones: &ground.zones,
        maintainers: &ground.maintainers,
        knowledge,
        introduced: &introduced,
    };
    let findings = engine::check_series(&review, subject, Look::Affected);
    Reviewed {
        wants_more: engine::wants_more(&review, &findings),
        findings,
    }
}
