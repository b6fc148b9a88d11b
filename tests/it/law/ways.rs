// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How a change is asked about, within this process.

use crate::fixtures::fixture;
use crate::series::{Texts, mail_with};
use crate::workplace::Workplace;
use barepoint::inventory::state::{NewText, State};
use barepoint::kernel::maintainers::Maintainers;
use barepoint::review::series::{Ground, on_tree};
use barepoint::rules::finding::Finding;
use barepoint::rules::zones::Zones;
use barepoint::source::Tree as _;
use barepoint::source::disk::DiskTree;
use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::Series;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

type Files = BTreeMap<String, Option<Arc<[u8]>>>;

/// The small kernel, in memory.
static KERNEL: LazyLock<Files> = LazyLock::new(|| {
    let tree = DiskTree::open(&fixture("kernel-7.3")).expect("a small kernel");
    let paths = tree.paths(&|_| true).expect("paths");
    let read = |path: String| {
        let text = tree.read(&path).expect("readable");
        (path, text)
    };
    paths.into_iter().map(read).collect()
});

/// What is there before all changes.
static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let text = KERNEL["MAINTAINERS"].as_deref().unwrap_or_default();
    Ground {
        zones: Zones::built_in().expect("zones"),
        maintainers: Maintainers::parse(&String::from_utf8_lossy(text)),
    }
});

/// The kernel with these files.
pub fn tree(texts: &Texts) -> OverlayTree<'static> {
    let mut files = KERNEL.clone();
    for (path, text) in texts {
        files.insert(path.clone(), bytes(text));
    }
    files.retain(|_, text| text.is_some());
    OverlayTree::of(None, files)
}

/// Makes `folder` the kernel with these files.
pub fn write(place: &Workplace, folder: &str, texts: &Texts) {
    let tree = tree(texts);
    for path in tree.paths(&|_| true).expect("paths") {
        let text = tree.read(&path).expect("readable").unwrap_or_default();
        place.write(place.path(folder).join(path), text);
    }
}

fn bytes(text: &str) -> Option<Arc<[u8]>> {
    (!text.is_empty()).then(|| Arc::from(text.as_bytes()))
}

pub fn state(texts: &Texts) -> State {
    State::of(&tree(texts)).expect("a state")
}

/// The state after the one before, which is of other texts.
pub fn state_after(before: &State, old: &Texts, new: &Texts) -> State {
    let changed = new.iter().filter(|(path, text)| old[*path] != **text);
    let changes = changed.map(|(path, text)| {
        let new = bytes(text).map_or(NewText::Absent, NewText::Whole);
        (path.clone(), new)
    });
    before
        .after(&changes.collect(), Some(&tree(new)))
        .expect("a state")
}

/// How the change from the first of some states to the last is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As one patch with so many lines of context.
    Patch(usize),
    /// As one patch, with the whole tree read.
    Whole,
    /// As one patch, to the tree that has it already.
    Applied,
    /// As a patch for each state.
    Series,
    /// As a patch for each file.
    Files,
}

/// What is found, or `None` if the patches are no answer to that.
pub fn findings(states: &[Texts], way: Way) -> Option<Vec<Finding>> {
    let (first, last) = (states.first()?, states.last()?);
    let mails: Vec<String> = match way {
        Way::Patch(context) => vec![change(context, first, last)],
        Way::Whole | Way::Applied => vec![change(3, first, last)],
        Way::Series => states
            .windows(2)
            .map(|pair| change(3, &pair[0], &pair[1]))
            .collect(),
        Way::Files => by_file(first, last),
    };
    let tree = tree(if way == Way::Applied { last } else { first });
    let load = |mail: String| load_bytes("case.patch", mail.as_bytes()).patches;
    let patches = mails.into_iter().flat_map(load).collect();
    let series = Series::resolve(patches, Some(&tree), None);
    if !series.problems.is_empty() {
        return None;
    }
    let found = on_tree(&series, &tree, &GROUND, way == Way::Whole);
    let mut found = found.expect("findings");
    if way == Way::Files {
        // Between the files nothing need build, which one patch has no word of.
        found.retain(|finding| !finding.passing);
    }
    Some(found)
}

pub fn change(context: usize, from: &Texts, to: &Texts) -> String {
    mail_with(context, "Change", "", from, to)
}

fn by_file(first: &Texts, last: &Texts) -> Vec<String> {
    let mut now = first.clone();
    let mut mails = Vec::new();
    for (path, text) in last {
        if now[path] != *text {
            let before = now.clone();
            now.insert(path.clone(), text.clone());
            mails.push(change(3, &before, &now));
        }
    }
    mails
}
