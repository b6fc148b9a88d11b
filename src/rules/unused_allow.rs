// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A comment that allows nothing, or does not say why.

use super::finding::{Finding, Level};
use super::review::{Rest, place};
use super::{Check, rule};
use crate::inventory::facts::Allowance;

/// Looks at every comment that is to be judged. Whether a rule about changes would
/// have found something cannot be said of a state, so its allowances stay.
pub(super) fn check(rest: &Rest<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, facts) in rest.state.facts.iter() {
        let judged = facts.allowances.iter();
        for one in judged.filter(|one| (rest.is_judged)(file, one.at.line)) {
            findings.extend(wrong(rest, file, one).map(|message| Finding {
                rule: "unused-allow",
                level: Level::Warning,
                tracepoint: None,
                place: place(file, one.at),
                message,
                related: Vec::new(),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            }));
        }
    }
    findings
}

/// What is wrong with a comment.
fn wrong(rest: &Rest<'_>, file: &str, one: &Allowance) -> Option<String> {
    if one.rules.is_empty() {
        return Some("this is not of the form barepoint: allow(rule): reason".to_owned());
    }
    if let Some(unknown) = one.rules.iter().find(|id| rule(id).is_none()) {
        return Some(format!("allow({unknown}): there is no such rule"));
    }
    if one.reason.is_empty() {
        return Some(format!(
            "allow({}) gives no reason, and so allows nothing",
            one.rules.join(", ")
        ));
    }
    let idle = one.rules.iter().find(|id| {
        let is_of_changes =
            rule(id).is_some_and(|rule| matches!(rule.check, Check::Change(_) | Check::Input(_)));
        !is_of_changes
            && !rest.found.iter().any(|finding| {
                finding.rule == id.as_ref()
                    && finding.place.file == file
                    && finding.place.line == one.line
            })
    })?;
    Some(format!("allow({idle}) allows nothing in line {}", one.line))
}
