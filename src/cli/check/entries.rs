// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings with the lines that show them, of a file or of a patch.

use crate::output::report::{Entry, Shown, Subject};
use crate::rules::finding::{Finding, Place};
use crate::source::Tree;
use crate::source::overlay::OverlayTree;
use crate::source::patch::{DiffLine, FileChange, LineKind, Patch, short_id};
use crate::source::series::Series;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes of a line that are shown. A stranger's line may be a whole file, with
/// thousands of findings that each would have a copy of it.
const LONGEST_LINE: usize = 400;

/// The lines that findings are at. Who asks for them by file has each file read once.
pub(in crate::cli) struct Lines<'t> {
    tree: &'t dyn Tree,
    last: Option<File>,
}

struct File {
    path: String,
    text: Arc<[u8]>,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl File {
    fn read(tree: &dyn Tree, path: &str) -> Option<Self> {
        let text = tree.read(path).ok().flatten()?;
        let newlines = memchr::memchr_iter(b'\n', &text).map(|newline| newline + 1);
        Some(Self {
            path: path.to_owned(),
            starts: std::iter::once(0).chain(newlines).collect(),
            text,
        })
    }
}

impl<'t> Lines<'t> {
    pub(in crate::cli) fn of(tree: &'t dyn Tree) -> Self {
        Self { tree, last: None }
    }

    fn line(&mut self, path: &str, line: u32) -> Option<String> {
        if self.last.as_ref().is_none_or(|last| last.path != path) {
            self.last = File::read(self.tree, path);
        }
        let File { text, starts, .. } = self.last.as_ref()?;
        let line = line as usize;
        let start = *starts.get(line.checked_sub(1)?)?;
        let end = starts.get(line).map_or(text.len(), |next| next - 1);
        let text = String::from_utf8_lossy(shown(text.get(start..end)?));
        Some(text.trim_end_matches('\r').to_owned())
    }
}

/// What is shown of a line.
fn shown(line: &[u8]) -> &[u8] {
    &line[..line.len().min(LONGEST_LINE)]
}

/// What is shown of a line of a patch.
fn start(line: &DiffLine) -> DiffLine {
    DiffLine {
        kind: line.kind,
        text: shown(&line.text).into(),
        no_newline: line.no_newline,
        above: line.above,
        line: line.line,
    }
}

/// A finding of a tree as it stands.
pub(in crate::cli) fn entry_of_file(lines: &mut Lines<'_>, finding: Finding) -> Entry {
    let source = lines.line(&finding.place.file, finding.place.line);
    Entry {
        shown: source.clone().map(|text| Shown {
            input_line: finding.place.line,
            text,
        }),
        source,
        finding,
    }
}

/// A patch without findings yet.
pub(super) fn subject_of(patch: &Patch) -> Subject {
    Subject {
        name: patch.name(),
        called: called(patch),
        lines: patch.checked_lines(),
        findings: Vec::new(),
        title: patch.title().to_owned(),
    }
}

/// How sentences call a patch.
pub(super) fn called(patch: &Patch) -> String {
    match &patch.commit {
        Some(id) if patch.input == *id => {
            format!("Commit {} (\"{}\")", short_id(id), patch.title())
        }
        _ if patch.input == "-" && patch.subject.is_empty() => "Your patch".to_owned(),
        _ if patch.input == "-" => format!("\"{}\"", patch.subject),
        _ => patch.name(),
    }
}

/// Findings of patches, each shown at a line of one; `after` is the tree after all of them.
pub(super) fn entries_of_patches(
    series: &Series,
    after: &dyn Tree,
    findings: impl IntoIterator<Item = Finding>,
) -> Vec<Entry> {
    let count = |finding: &Finding| match finding.patch {
        Some(patch) if finding.passing => patch + 1,
        _ => series.patches.len(),
    };
    // Each state once.
    let mut by_count: BTreeMap<usize, Vec<(usize, Finding)>> = BTreeMap::new();
    for (number, finding) in findings.into_iter().enumerate() {
        let all = by_count.entry(count(&finding)).or_default();
        all.push((number, finding));
    }
    let mut entries = BTreeMap::new();
    for (count, findings) in by_count {
        let then = OverlayTree::after(Some(after), series, count);
        let mut lines = Lines::of(&then);
        entries.extend(findings.into_iter().map(|(number, finding)| {
            let entry = entry_of_patch(series, &mut lines, finding, count);
            (number, entry)
        }));
    }
    entries.into_values().collect()
}

/// A finding that is there after `count` patches.
fn entry_of_patch(series: &Series, after: &mut Lines<'_>, finding: Finding, count: usize) -> Entry {
    let place = &finding.place;
    let line = series
        .introduced_by(&place.file, place.line, count)
        .map(|(_, line)| line)
        .or_else(|| nearest(series, &place.file, place.line, count))
        .or_else(|| cause(series, finding.patch?, place));
    Entry {
        source: after.line(&place.file, place.line),
        shown: line.map(|line| Shown {
            input_line: line.line,
            text: start(line).verbatim(),
        }),
        finding,
    }
}

/// A line of a patch that shows line `line` of the text after `count` patches.
fn nearest<'s>(series: &'s Series, path: &str, line: u32, count: usize) -> Option<&'s DiffLine> {
    let last = series.last_at(path, count)?;
    series.diff_line(last, line)
}

/// Where a patch changes something that shows elsewhere: its last change above the
/// place in the same file, or else its first change of all.
fn cause<'s>(series: &'s Series, patch: usize, place: &Place) -> Option<&'s DiffLine> {
    let patch = series.patches.get(patch)?;
    let changed = |change: &'s FileChange| {
        let lines = change.hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.filter(|line| line.kind != LineKind::Context)
    };
    let same = patch
        .changes
        .iter()
        .filter(|change| change.new_path.as_deref() == Some(&place.file));
    let above = same
        .flat_map(|change| &change.hunks)
        .rfind(|hunk| hunk.new_start <= place.line)
        .and_then(|hunk| {
            hunk.lines
                .iter()
                .rfind(|line| line.kind != LineKind::Context)
        });
    above.or_else(|| patch.changes.iter().flat_map(changed).next())
}
