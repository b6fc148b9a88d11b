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
pub mod review;
mod sites;
pub mod zones;

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
}

/// Makes the entry of a rule's module.
macro_rules! rules {
    ($($module:ident $id:literal $level:ident $check:ident $about:ident),* $(,)?) => {
        &[$(Rule {
            id: $id,
            level: Level::$level,
            page: include_str!(concat!("../../rules/", $id, ".md")),
            check: Check::$check($module::check),
            about: About::$about,
        }),*]
    };
}

/// Every rule, in the order of the catalogue.
pub const RULES: &[Rule] = rules![
    gate_change "gate-change" Error Input Leak,
    promotion "promotion" Error Change Leak,
    event_in_zone "event-in-zone" Error Change Leak,
    event_call_in_zone "event-call-in-zone" Warning Change Leak,
    name_clash "name-clash" Error State Leak,
    custom_event "custom-event" Error State Leak,
    macro_override "macro-override" Error State Leak,
    relay "relay" Error State Leak,
    trace_printk "trace-printk" Error State Leak,
    userspace_reference "userspace-reference" Warning State Leak,
    bpf_visible "bpf-visible" Warning State Leak,
    suffix "suffix" Warning State Placement,
    undeclared_call "undeclared-call" Error Absence Placement,
    missing_definition "missing-definition" Error Absence Placement,
    multiple_definition "multiple-definition" Error State Placement,
    missing_export "missing-export" Warning Absence Placement,
    non_gpl_export "non-gpl-export" Error State Placement,
    dangling_export "dangling-export" Error Absence Placement,
    never_called "never-called" Warning Absence Placement,
    argument_mismatch "argument-mismatch" Error State Placement,
    too_many_arguments "too-many-arguments" Error State Placement,
    unguarded_work "unguarded-work" Warning State Placement,
    call_in_header "call-in-header" Warning State Placement,
    uninstrumentable_call "uninstrumentable-call" Error State Placement,
    undocumented "undocumented" Warning State Placement,
    comment_lies "comment-lies" Warning State Placement,
    unused_allow "unused-allow" Warning Rest Placement,
    wrong_guard "wrong-guard" Warning State Placement,
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
