// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The verdict on a hook: a formula over its evidence, with thresholds that are data
//! (rules/report.toml).

use super::evidence::Evidence;
use super::types::Kind;
use anyhow::Context;
use serde::Deserialize;

/// What should become of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It has earned to be a trace event, if its maintainer wants to promise that.
    Promote,
    /// It may get there: see again after the next release.
    Watch,
    /// It is right as it is.
    KeepBare,
    /// Nobody uses it: it may go.
    Retire,
}

impl Verdict {
    /// All, those that ask for something to be done first.
    pub const ALL: [Self; 4] = [Self::Promote, Self::Retire, Self::Watch, Self::KeepBare];

    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Watch => "watch",
            Self::KeepBare => "keep bare",
            Self::Retire => "retire",
        }
    }
}

/// The numbers that the formula goes by.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Consumers outside of the kernel, for a promotion.
    pub promote_consumers: usize,
    /// Releases with the same name and arguments, for a promotion.
    pub promote_releases: usize,
    /// Releases without any use, before it may go.
    pub retire_releases: usize,
}

impl Thresholds {
    /// Those of rules/report.toml.
    ///
    /// # Errors
    /// The file is not of the form.
    pub fn built_in() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../../rules/report.toml")).context("rules/report.toml")
    }

    /// The formula in words, a clause each, in the order in which they are asked.
    pub fn formula(&self) -> [String; 4] {
        [
            format!(
                "retire: no use in the kernel, none by the consumers given, and {} releases or \
                 more have had it",
                self.retire_releases
            ),
            "keep bare: an argument is a structure that only its subsystem knows, or nobody \
             can be told what it is"
                .to_owned(),
            format!(
                "promote: {} independent consumers or more outside of the kernel, and {} releases \
                 or more with the same name and arguments",
                self.promote_consumers, self.promote_releases
            ),
            "watch: all others, also where there is no evidence".to_owned(),
        ]
    }
}

/// A verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Evidence that there is none of.
    pub missing: Vec<&'static str>,
}

/// Judges one hook.
pub fn judge(evidence: &Evidence, thresholds: &Thresholds) -> Judgement {
    let mut missing = Vec::new();
    if evidence.outside.is_none() {
        missing.push("consumers outside of the kernel: none were given");
    }
    if evidence.releases.is_none() {
        missing.push("history");
    }
    let (verdict, reasons) = retire(evidence, thresholds)
        .or_else(|| keep_bare(evidence))
        .or_else(|| promote(evidence, thresholds))
        .unwrap_or_else(|| (Verdict::Watch, shortcomings(evidence, thresholds)));
    Judgement {
        verdict,
        reasons,
        missing,
    }
}

type Decided = Option<(Verdict, Vec<String>)>;

fn retire(evidence: &Evidence, thresholds: &Thresholds) -> Decided {
    let outside = evidence.outside.as_ref()?;
    let releases = evidence.releases?;
    let is_unused = evidence.in_kernel.is_empty() && outside.is_empty();
    (is_unused && releases >= thresholds.retire_releases).then(|| {
        let mut reasons = vec![format!(
            "in {}, and nobody uses it",
            counted(releases, "release")
        )];
        if !evidence.gated.is_empty() {
            reasons.push("consumers have it for other kernels only".to_owned());
        }
        (Verdict::Retire, reasons)
    })
}

fn keep_bare(evidence: &Evidence) -> Decided {
    let reasons: Vec<String> = evidence
        .arguments
        .iter()
        .filter_map(|one| match &one.kind {
            Kind::Private(file) => Some(format!("{} is private to {file}", one.declared)),
            Kind::Unknown => Some(format!("{}: nothing is known of what it is", one.declared)),
            _ => None,
        })
        .collect();
    (!reasons.is_empty()).then_some((Verdict::KeepBare, reasons))
}

fn promote(evidence: &Evidence, thresholds: &Thresholds) -> Decided {
    let consumers = Evidence::consumers(evidence.outside.as_ref()?).len();
    let stable = evidence.stable_releases?;
    let earned = consumers >= thresholds.promote_consumers && stable >= thresholds.promote_releases;
    earned.then(|| {
        let mut reasons = vec![
            format!("{} outside of the kernel", counted(consumers, "consumer")),
            format!("the same in {}", counted(stable, "release")),
        ];
        if !evidence.overlaps.is_empty() {
            reasons.push(format!(
                "look first whether {} tells the same: called in the same function",
                evidence.overlaps.join(", ")
            ));
        }
        (Verdict::Promote, reasons)
    })
}

/// What is missing for a promotion.
fn shortcomings(evidence: &Evidence, thresholds: &Thresholds) -> Vec<String> {
    let mut reasons = Vec::new();
    match &evidence.outside {
        None => reasons.push("not known who uses it outside of the kernel".to_owned()),
        Some(uses) => {
            let consumers = Evidence::consumers(uses).len();
            if consumers < thresholds.promote_consumers {
                reasons.push(format!(
                    "{} outside of the kernel",
                    counted(consumers, "consumer")
                ));
            }
        }
    }
    match evidence.stable_releases {
        None => reasons.push("its past is not known".to_owned()),
        Some(stable) if stable < thresholds.promote_releases => {
            reasons.push(format!("the same in {}", counted(stable, "release")));
        }
        Some(_) => {}
    }
    reasons
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
