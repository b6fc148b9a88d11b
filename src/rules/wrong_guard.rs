// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A call that waits for the listeners of another tracepoint.

use super::finding::{Finding, Level};
use super::guards::Asking;
use super::review::{Sight, declared_here};
use super::sites::{Source, calls, is_our_business, text_of};

/// Looks at each call with another tracepoint's question around it.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    let inventory = &sight.state.inventory;
    let bare = inventory.bare_names();
    let wanted = |tracepoint: &_, call: &_| is_our_business(sight, &bare, tracepoint, call);
    let mut asking = Asking::default();
    let mut found = Vec::new();
    for (file, calls) in calls(sight, wanted) {
        let Some(text) = text_of(sight, &file) else {
            continue;
        };
        let source = Source::of(&text);
        for ((at, name), call) in calls.into_iter().filter(|(_, call)| !call.pasted) {
            let Some(around) = source.around(at.offset) else {
                continue;
            };
            let asked = asking.instead(sight, &around, name);
            let asked: Vec<_> = asked.into_iter().map(String::from_utf8_lossy).collect();
            if asked.is_empty() {
                continue;
            }
            found.push(Finding {
                rule: "wrong-guard",
                level: Level::Warning,
                tracepoint: Some(name.to_owned()),
                place: (&call.site).into(),
                message: format!(
                    "the tracepoint {name} is called only where {} is on: ask \
                     trace_{name}_enabled()",
                    asked.join(" or ")
                ),
                related: declared_here(sight, name),
                patch: None,
                fix: None,
                approval: None,
                passing: false,
            });
        }
    }
    found
}
