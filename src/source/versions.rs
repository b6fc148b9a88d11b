// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Several versions of a series in one mailbox, as a whole thread of a list has them: the
//! newest counts, as for b4 (LoreMailbox.get_series()). May not know where the mailbox
//! lies.

use std::collections::{BTreeMap, BTreeSet};

use super::mail::Content;
use super::patch::Tags;

/// What a mailbox holds of a series.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// What counts.
    pub newest: Vec<Content>,
    /// Mails of older versions, in the mailbox's order.
    pub older: Vec<Content>,
    /// Says which versions there are, and which was taken; empty if there is only one.
    pub said: String,
    /// Why none could be taken.
    pub problem: Option<String>,
}

/// Sorts mails with diffs by the version that their subjects name. Only what is a version
/// of the same series is set aside: it has a title, or changes a file, of the newest one.
pub(crate) fn sort(contents: Vec<Content>) -> Versions {
    let version = |content: &Content| Tags::of(&content.patch.subject).version;
    let all: BTreeSet<u32> = contents.iter().map(version).collect();
    let is_sent = |content: &Content| content.is_mail && Tags::of(&content.patch.subject).patch;
    let Some(&last) = all.last().filter(|_| all.len() > 1) else {
        return Versions::only(contents);
    };
    let older: Vec<u32> = all
        .iter()
        .copied()
        .filter(|&old| old != last && are_one(&contents, old, last))
        .collect();
    if older.is_empty() || !contents.iter().all(is_sent) {
        return Versions::only(contents);
    }
    let names: Vec<String> = older.iter().map(|old| format!("v{old}")).collect();
    let names = names.join(", ");
    let newest = contents.iter().filter(|content| version(content) == last);
    let is_whole = is_whole(newest);
    let (old, newest) = contents
        .into_iter()
        .partition(|content| older.contains(&version(content)));
    let (said, problem) = if is_whole {
        let said = format!("has {names} and v{last} of a series: v{last} is checked");
        (said, None)
    } else {
        let problem = format!(
            "has {names} and only a part of v{last} of a series: give one whole version (b4 am \
             puts them together)"
        );
        (String::new(), Some(problem))
    };
    Versions {
        newest,
        older: old,
        said,
        problem,
    }
}

impl Versions {
    fn only(contents: Vec<Content>) -> Self {
        Self {
            newest: contents,
            ..Self::default()
        }
    }
}

/// Whether two versions are of one series.
fn are_one(contents: &[Content], one: u32, other: u32) -> bool {
    let of = |version: u32| {
        let own = contents
            .iter()
            .filter(move |content| Tags::of(&content.patch.subject).version == version);
        let names = own.flat_map(|content| {
            let changes = content.patch.changes.iter();
            let paths = changes.map(|change| change.path());
            paths.chain([content.patch.title()])
        });
        names.collect::<BTreeSet<&str>>()
    };
    !of(one).is_disjoint(&of(other))
}

/// Whether each of the patches of a version is there, once.
fn is_whole<'c>(patches: impl Iterator<Item = &'c Content>) -> bool {
    let mut numbers: BTreeMap<Option<(u32, u32)>, usize> = BTreeMap::new();
    for patch in patches {
        let number = Tags::of(&patch.patch.subject).number;
        *numbers.entry(number).or_default() += 1;
    }
    let each_once = numbers.values().all(|count| *count == 1);
    let is_complete = match numbers.keys().next_back() {
        Some(None) => numbers.len() == 1,
        Some(Some((last, count))) => {
            let wanted = usize::try_from(*count).unwrap_or(usize::MAX);
            last == count
                && numbers.len() == wanted
                && numbers
                    .keys()
                    .all(|number| number.is_some_and(|(_, own)| own == *count))
        }
        None => false,
    };
    each_once && is_complete
}
