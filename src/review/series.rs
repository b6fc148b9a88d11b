// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One series: what it brings that is there at its end.

use super::scope::{self, First};
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
    let subject = Subject {
        series,
        tree: Some(tree),
    };
    let First { state, around } = scope::first_state(tree, series, whole)?;
    let mut states = states_from(&subject, state)?;
    if let Some(around) = around {
        if !scope::calls_out_of_sight(tree, series, &states, &around)? {
            let reviewed = review(&subject, &states, ground, Knowledge::Part);
            if !reviewed.wants_more {
                return Ok(reviewed.findings);
            }
        }
        states.clear();
        let before = OverlayTree::after(Some(tree), series, 0);
        states = states_from(&subject, State::of(&before)?)?;
    }
    Ok(review(&subject, &states, ground, Knowledge::Whole).findings)
}

/// What a series brings to the kernel of a profile, whose state is `first`.
///
/// # Errors
/// There are too many patches that change the tracing core.
pub fn on_profile(series: &Series, first: State, ground: &Ground) -> anyhow::Result<Vec<Finding>> {
    let subject = Subject { series, tree: None };
    let states = states_from(&subject, first)?;
    Ok(review(&subject, &states, ground, Knowledge::Profile).findings)
}

/// What came of a review.
pub(super) struct Reviewed {
    /// What was found, in order.
    pub(super) findings: Vec<Finding>,
    /// Whether more of the kernel has to be read to be sure.
    wants_more: bool,
}

/// The states that a series leads through. `first` may have some of a file that the series
/// shows in part.
fn states_from(subject: &Subject<'_>, first: State) -> anyhow::Result<Vec<State>> {
    let before = OverlayTree::after(subject.tree, subject.series, 0);
    let tree = subject.tree.is_some().then_some(&before as &dyn Tree);
    let first = first.after(&changes::before(subject.series), tree)?;
    engine::states(first, subject)
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
