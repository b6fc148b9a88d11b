// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! One series: what it brings that is there at its end.

use crate::inventory::state::State;
use crate::kernel::maintainers::Maintainers;
use crate::rules::engine::{self, Look, Subject};
use crate::rules::finding::Finding;
use crate::rules::review::{Knowledge, Review};
use crate::rules::zones::Zones;
use crate::source::Tree;
use crate::source::series::Series;

/// What a series is held against.
pub struct Ground<'a> {
    /// The tree.
    pub tree: Option<&'a dyn Tree>,
    /// The zones.
    pub zones: Zones,
    /// MAINTAINERS before the series.
    pub maintainers: Maintainers,
    /// How much of the kernel the state before the series shows.
    pub knowledge: Knowledge,
}

/// What came of a review.
pub struct Reviewed {
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// Whether more of the kernel has to be read to be sure.
    pub wants_more: bool,
}

/// Reviews a series that leads through `states`.
pub fn review(series: &Series, states: &[State], ground: &Ground<'_>) -> Reviewed {
    let introduced = |path: &str, line: u32| {
        let (step, _) = series.introduced(path, line)?;
        series.steps.get(step).map(|step| step.patch)
    };
    let review = Review {
        states,
        patches: &series.patches,
        zones: &ground.zones,
        maintainers: &ground.maintainers,
        knowledge: ground.knowledge,
        introduced: &introduced,
    };
    let tree = ground.tree;
    let findings = engine::check_series(&review, &Subject { series, tree }, Look::Affected);
    Reviewed {
        wants_more: engine::wants_more(&review, &findings),
        findings,
    }
}
