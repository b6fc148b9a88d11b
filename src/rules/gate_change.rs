// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A change of what the gate goes by: .barepoint.toml, zones, baselines, who maintains
//! what, where hooks stand, and comments that allow a leak.
//!
//! None of it counts for the input that brings it. This rule is for the next one: each
//! patch that makes a change has to have the approval itself, so that no other patch of a
//! series or range speaks for it. What is undone at the end does not count.

mod files;
mod maintainers;
mod moves;

use super::allowed::Brought;
use super::approval::Authority;
use super::finding::{Finding, Level, Place};
use super::review::{Input, place};
use crate::source::Tree;
use crate::source::series::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Looks at the files that the gate reads beside sources, and at comments in these.
pub(super) fn check(input: &Input<'_>) -> Vec<Finding> {
    let texts = Texts::of(input);
    let mut found = comments(input);
    found.extend(files::check(input, &texts));
    found.extend(maintainers::check(input, &texts));
    found.extend(moves::check(input, &texts));
    found
}

/// The comments for leak rules, one finding for each patch that makes one say more.
fn comments(input: &Input<'_>) -> Vec<Finding> {
    let mut places: BTreeMap<(Place, usize), Vec<&Brought<'_>>> = BTreeMap::new();
    for one in input.brought {
        let place = place(one.file, one.at);
        places.entry((place, one.patch)).or_default().push(one);
    }
    let findings = places.into_iter().map(|((place, patch), all)| {
        let rules: Vec<&str> = all.iter().map(|one| one.rule.id).collect();
        let rules = rules.join(" and ");
        let message = format!("a comment that allows {rules} is an approval");
        let asked: Vec<Authority<'_>> = all
            .iter()
            .flat_map(|one| &one.authorities)
            .copied()
            .collect();
        finding(input, place, message, patch, &asked)
    });
    findings.collect()
}

/// A finding, weighed.
fn finding(
    input: &Input<'_>,
    place: Place,
    message: String,
    patch: usize,
    authorities: &[Authority<'_>],
) -> Finding {
    let found = Finding {
        rule: "gate-change",
        level: Level::Error,
        tracepoint: None,
        place,
        message,
        related: Vec::new(),
        patch: Some(patch),
        fix: None,
        approval: None,
        passing: false,
    };
    input.review.weighed_by(found, authorities)
}

/// The maintainers of all zones, each of whom is asked.
fn all_zones<'a>(input: &Input<'a>) -> Vec<Authority<'a>> {
    input.review.zones.iter().map(Authority::Zone).collect()
}

/// A text of a file.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Absent,
    Whole(Arc<[u8]>),
    /// Only what the patches show.
    Part(Arc<[u8]>),
}

impl Known {
    /// The text, as far as it is known.
    fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Absent => "".into(),
            Self::Whole(bytes) | Self::Part(bytes) => String::from_utf8_lossy(bytes),
        }
    }
}

/// The files that the input touches, before it and after each of its patches.
struct Texts<'a> {
    input: &'a Input<'a>,
    touched: BTreeSet<&'a str>,
    /// All of them before the input, and after it: that of each is asked for.
    ends: [BTreeMap<String, Option<Text>>; 2],
    /// A root brings all that it has, and no patch says what.
    is_root: bool,
}

impl<'a> Texts<'a> {
    fn of(input: &'a Input<'a>) -> Self {
        let series = input.subject.series;
        let steps = series.steps.iter();
        let steps = steps.flat_map(|step| [step.path.as_deref(), step.old_path.as_deref()]);
        let changes = series.patches.iter().flat_map(|patch| &patch.changes);
        let changes =
            changes.flat_map(|change| [change.new_path.as_deref(), change.old_path.as_deref()]);
        Self {
            input,
            ends: [0, input.review.patches.len()].map(|count| series.files_after(count)),
            touched: steps.chain(changes).flatten().collect(),
            is_root: series.patches.is_empty() && !input.review.patches.is_empty(),
        }
    }

    /// Whether the input may change the file.
    fn touches(&self, path: &str) -> bool {
        self.is_root || self.touched.contains(path)
    }

    /// How many patches there are.
    fn count(&self) -> usize {
        self.input.review.patches.len()
    }

    /// The file before the input and after each patch.
    fn all(&self, path: &str) -> Vec<Known> {
        (0..=self.count())
            .map(|count| self.at(path, count))
            .collect()
    }

    fn at(&self, path: &str, count: usize) -> Known {
        if self.is_root && count == 0 {
            return Known::Absent;
        }
        let [first, last] = &self.ends;
        let known = match count {
            0 => first.get(path).cloned(),
            _ if count == self.count() => last.get(path).cloned(),
            _ => self.input.subject.series.file_after(path, count),
        };
        match known {
            Some(Some(text)) if text.partial => Known::Part(text.bytes),
            Some(Some(text)) => Known::Whole(text.bytes),
            Some(None) => Known::Absent,
            None => {
                let tree: Option<&dyn Tree> = self.input.subject.tree;
                // Where it cannot be read, it could not be read for the gate, either.
                let text = tree.and_then(|tree| tree.read(path).ok().flatten());
                text.map_or(Known::Absent, Known::Whole)
            }
        }
    }

    /// The patches after which `meaning` of the file is another, as the numbers of the
    /// states around each; none if it is the same at the end.
    fn changes<M: PartialEq>(
        &self,
        path: &str,
        meaning: impl Fn(&Known) -> M,
    ) -> Vec<(usize, M, M)> {
        let texts = self.all(path);
        let (Some(first), Some(last)) = (texts.first(), texts.last()) else {
            return Vec::new();
        };
        if first == last || meaning(first) == meaning(last) {
            return Vec::new();
        }
        let pairs = texts.windows(2).enumerate();
        let changes = pairs.filter(|(_, pair)| pair[0] != pair[1]);
        let meanings = changes.map(|(patch, pair)| (patch, meaning(&pair[0]), meaning(&pair[1])));
        meanings.filter(|(_, one, other)| one != other).collect()
    }
}

/// The start of a line, counted from 1. A place may not depend on what was before: ranges
/// that are looked at from several sides have the same finding at the same place.
fn at_line(path: &str, line: usize) -> Place {
    Place {
        file: path.to_owned(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: 1,
    }
}
