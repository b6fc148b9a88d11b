// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A trace event under a comment that says that there is none.

use super::finding::{Finding, Level};
use super::review::{Sight, declared_at};
use super::sites::{by_file, text_of};
use crate::inventory::headings::Headings;
use crate::inventory::resolve::Tracepoint;
use memchr::memmem;

/// What a comment says of a bare tracepoint, in lower case. A phrase of several
/// parts is said where they follow one another in one sentence.
const PROMISES: [&[&str]; 10] = [
    &["not ", "exported", "tracefs"],
    &["not ", "exposed", "tracefs"],
    &["not ", "visible", "tracefs"],
    &["not ", "available", "tracefs"],
    &["no ", "file", "tracefs"],
    &["not in tracefs"],
    &["no trace event"],
    &["not a trace event"],
    &["without a trace event"],
    &["bare tracepoint"],
];

/// Looks at every trace event in files that speak of such things at all.
pub(super) fn check(sight: &Sight<'_>) -> Vec<Finding> {
    by_file(&sight.state.inventory)
        .into_iter()
        .filter(|(file, _)| sight.examines(file))
        .flat_map(|(file, all)| of_file(sight, file, &all))
        .collect()
}

fn of_file(sight: &Sight<'_>, file: &str, all: &[&Tracepoint]) -> Vec<Finding> {
    let Some(text) = text_of(sight, file) else {
        return Vec::new();
    };
    let words = [&b"tracefs"[..], b"race event", b"are tracepoint"];
    if !words.iter().any(|word| memmem::find(&text, word).is_some()) {
        return Vec::new();
    }
    let declared = all.iter().map(|one| one.declaration.at).collect();
    let headings = Headings::of(&text, declared);
    let events = all.iter().filter(|one| !one.is_bare());
    events
        .filter_map(|one| {
            let comment = headings.above(one.declaration.at)?;
            promise(&comment).map(|sentence| finding(one, &sentence))
        })
        .collect()
}

/// The sentence of a comment that says that there is no event.
fn promise(comment: &str) -> Option<String> {
    let sentences = comment.split_inclusive(['.', ':', ';']);
    let says = |sentence: &&str| {
        let lower = sentence.to_lowercase();
        PROMISES.iter().any(|parts| follow(&lower, parts))
    };
    sentences
        .map(str::trim)
        .find(says)
        .map(|sentence| sentence.trim_end_matches(['.', ':', ';']).to_owned())
}

/// Whether the parts stand in the sentence, one behind the other.
fn follow(sentence: &str, parts: &[&str]) -> bool {
    let mut rest = sentence;
    parts.iter().all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn finding(tracepoint: &Tracepoint, sentence: &str) -> Finding {
    Finding {
        rule: "comment-lies",
        level: Level::Warning,
        tracepoint: Some(tracepoint.name().to_owned()),
        place: declared_at(tracepoint),
        message: format!(
            "{} is a trace event, but the comment over it says: {sentence}",
            tracepoint.name()
        ),
        related: Vec::new(),
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::promise;

    #[test]
    fn promises_are_told_from_other_talk() {
        for comment in [
            "Following tracepoints are not exported in tracefs and provide hooking mechanisms",
            "Of the run queue. Not in tracefs.",
            "A bare tracepoint: only modules attach",
        ] {
            assert!(promise(comment).is_some(), "{comment}");
        }
        for comment in [
            "Exported in tracefs, unlike pelt_cfs",
            "Not used. Shown in tracefs",
            "Tracepoint for waking a task",
        ] {
            assert_eq!(promise(comment), None, "{comment}");
        }
    }
}
