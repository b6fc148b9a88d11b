// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a tree may not hold and a patch may not do.
//!
//! A rule is a page, `rules/<id>.md`, whose cases are its tests, and one
//! function in the file of the same name here. To add one, write the two and
//! put it into the list below. Rules see inventories, never output.

mod argument_mismatch;
mod bpf_visible;
mod call_in_header;
mod comment_lies;
mod custom_event;
mod dangling_export;
mod event_call_in_zone;
mod event_in_zone;
mod gate_change;
mod macro_override;
mod missing_definition;
mod missing_export;
mod multiple_definition;
mod name_clash;
mod never_called;
mod non_gpl_export;
mod promotion;
mod relay;
mod suffix;
mod too_many_arguments;
mod trace_printk;
mod undeclared_call;
mod undocumented;
mod unguarded_work;
mod uninstrumentable_call;
mod unused_allow;
mod userspace_reference;
mod wrong_guard;

mod allowed;
pub mod approval;
pub mod baseline;
pub mod changes;
pub mod engine;
mod examined;
pub mod finding;
mod guards;
pub mod page;
mod passing;
pub mod review;
mod sites;
pub mod zones;

use crate::inventory::state::State;
use finding::{Finding, Level};
use page::Page;
use review::{Input, Rest, Review, Sight};

/// How a rule looks at a kernel.
#[derive(Clone, Copy)]
pub enum Check {
    /// At one state. Of a series it is charged with what its last state has and
    /// its first has not.
    State(fn(&Sight<'_>) -> Vec<Finding>),
    /// As [`Check::State`], for what is missing: where only a part of a kernel is
    /// known, what it finds is a suspicion.
    Absence(fn(&Sight<'_>) -> Vec<Finding>),
    /// At what all other rules found in a state.
    Rest(fn(&Rest<'_>) -> Vec<Finding>),
    /// At what a series does to the inventory.
    Change(fn(&Review<'_>) -> Vec<Finding>),
    /// At what a series does to the files that are no sources, and at all that the rules
    /// above found.
    Input(fn(&Input<'_>) -> Vec<Finding>),
}

/// What a rule is about, which decides who may allow what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What user space comes to see. A comment that allows it needs a maintainer.
    Leak,
    /// Whether a hook is well placed. Whoever writes a patch may allow it, and say why.
    Placement,
}

/// At which states of a series a rule's findings count.
#[derive(Clone, Copy)]
pub enum Counts {
    /// At its end: what is not there yet may come with the next patch.
    AtTheEnd,
    /// After each of its patches, be it that a later one mends them: a kernel with such a
    /// finding, as far as this says so of it, does not build, and who bisects meets it.
    InEachState(fn(&State, &Finding) -> bool),
}

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Stable id; its page is `rules/<id>.md`.
    pub id: &'static str,
    /// Level of its findings, as far as approval does not lower it.
    pub level: Level,
    /// The text of its page.
    pub page: &'static str,
    /// Its function.
    pub check: Check,
    /// What it is about.
    pub about: About,
    /// At which states its findings count.
    pub counts: Counts,
}

impl Rule {
    /// Whether what it found in a state keeps that from being built.
    pub fn breaks(&self, state: &State, finding: &Finding) -> bool {
        match self.counts {
            Counts::AtTheEnd => false,
            Counts::InEachState(breaks) => breaks(state, finding),
        }
    }
}

/// Of rules that find nothing but what does not build.
fn always(_: &State, _: &Finding) -> bool {
    true
}

/// Makes the entry of a rule's module.
macro_rules! rules {
    ($($module:ident $id:literal $level:ident $check:ident $about:ident
        $counts:ident $(($breaks:path))?),* $(,)?) => {
        &[$(Rule {
            id: $id,
            level: Level::$level,
            page: include_str!(concat!("../../rules/", $id, ".md")),
            check: Check::$check($module::check),
            about: About::$about,
            counts: Counts::$counts $(($breaks))?,
        }),*]
    };
}

/// Every rule, in the order of the catalogue.
pub const RULES: &[Rule] = rules![
    gate_change "gate-change" Error Input Leak AtTheEnd,
    promotion "promotion" Error Change Leak AtTheEnd,
    event_in_zone "event-in-zone" Error Change Leak AtTheEnd,
    event_call_in_zone "event-call-in-zone" Warning Change Leak AtTheEnd,
    name_clash "name-clash" Error State Leak InEachState(name_clash::does_not_link),
    custom_event "custom-event" Error State Leak AtTheEnd,
    macro_override "macro-override" Error State Leak AtTheEnd,
    relay "relay" Error State Leak AtTheEnd,
    trace_printk "trace-printk" Error State Leak AtTheEnd,
    userspace_reference "userspace-reference" Warning State Leak AtTheEnd,
    bpf_visible "bpf-visible" Warning State Leak AtTheEnd,
    suffix "suffix" Warning State Placement AtTheEnd,
    undeclared_call "undeclared-call" Error Absence Placement InEachState(always),
    missing_definition "missing-definition" Error Absence Placement AtTheEnd,
    multiple_definition "multiple-definition" Error State Placement InEachState(always),
    missing_export "missing-export" Warning Absence Placement AtTheEnd,
    non_gpl_export "non-gpl-export" Error State Placement AtTheEnd,
    dangling_export "dangling-export" Error Absence Placement InEachState(always),
    never_called "never-called" Warning Absence Placement AtTheEnd,
    argument_mismatch "argument-mismatch" Error State Placement InEachState(always),
    too_many_arguments "too-many-arguments" Error State Placement InEachState(always),
    unguarded_work "unguarded-work" Warning State Placement AtTheEnd,
    call_in_header "call-in-header" Warning State Placement AtTheEnd,
    uninstrumentable_call "uninstrumentable-call" Error State Placement AtTheEnd,
    undocumented "undocumented" Warning State Placement AtTheEnd,
    comment_lies "comment-lies" Warning State Placement AtTheEnd,
    unused_allow "unused-allow" Warning Rest Placement AtTheEnd,
    wrong_guard "wrong-guard" Warning State Placement AtTheEnd,
];

/// The pages of all rules, in the same order.
///
/// # Errors
/// A page is not of the form.
pub fn pages() -> anyhow::Result<Vec<Page>> {
    RULES
        .iter()
        .map(|rule| Page::parse(rule.id, rule.page))
        .collect()
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
