// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Who may approve: the sections of zones in MAINTAINERS and, of hooks outside of zones,
//! those that cover their file.

use super::{Known, Texts, at_line, finding};
use crate::kernel::maintainers::{Maintainers, address};
use crate::rules::approval::Authority;
use crate::rules::finding::{Finding, Place};
use crate::rules::review::Input;
use crate::rules::zones::Zone;
use crate::source::patch::{Hunk, LineKind};
use std::collections::BTreeSet;

pub(super) const MAINTAINERS: &str = "MAINTAINERS";

pub(super) fn check(input: &Input<'_>, texts: &Texts<'_>) -> Vec<Finding> {
    if !texts.touches(MAINTAINERS) {
        return Vec::new();
    }
    let all = texts.all(MAINTAINERS);
    if all.iter().any(|known| matches!(known, Known::Part(_))) {
        return shown(input);
    }
    let hooks = hooks(input);
    let (Some(first), Some(end)) = (all.first(), all.last()) else {
        return Vec::new();
    };
    let (first, last) = (parsed(first), parsed(end));
    let zones: Vec<&Zone> = input.review.zones.iter().collect();
    let zones: Vec<&Zone> = zones
        .into_iter()
        .filter(|zone| of_zone(&first, zone) != of_zone(&last, zone))
        .collect();
    let hooks: Vec<&str> = hooks
        .into_iter()
        .filter(|file| gains(&first, &last, file))
        .collect();
    if zones.is_empty() && hooks.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut before = first;
    for (patch, pair) in all.windows(2).enumerate() {
        if pair[0] == pair[1] {
            continue;
        }
        let after = parsed(&pair[1]);
        for zone in &zones {
            if of_zone(&before, zone) != of_zone(&after, zone) {
                let place = section_at(end, &zone.section);
                found.push(of_section(input, zone, place, patch));
            }
        }
        let gaining = hooks.iter().filter(|file| gains(&before, &after, file));
        let gaining: Vec<&str> = gaining.copied().collect();
        if let Some(file) = gaining.first() {
            let message = format!("{MAINTAINERS} lets somebody else approve of an event in {file}");
            let asked: Vec<Authority<'_>> =
                gaining.iter().map(|file| Authority::File(file)).collect();
            let place = at_line(MAINTAINERS, 1);
            found.push(finding(input, place, message, patch, &asked));
        }
        before = after;
    }
    found
}

pub(super) fn parsed(known: &Known) -> Maintainers {
    Maintainers::parse(&known.text())
}

/// Who may approve in a zone.
fn of_zone<'m>(maintainers: &'m Maintainers, zone: &Zone) -> BTreeSet<&'m str> {
    let section = maintainers.section(&zone.section).into_iter();
    let all = section.flat_map(|section| &section.maintainers);
    all.map(String::as_str).collect()
}

/// Who may approve of a change to a file outside of zones.
pub(super) fn of_file<'m>(maintainers: &'m Maintainers, file: &str) -> BTreeSet<&'m str> {
    let sections = maintainers.covering(file);
    let all = sections.flat_map(|section| &section.maintainers);
    all.map(String::as_str).collect()
}

/// Whether somebody may approve of a change to `file` who might not before.
fn gains(before: &Maintainers, after: &Maintainers, file: &str) -> bool {
    let before = of_file(before, file);
    of_file(after, file).iter().any(|who| !before.contains(who))
}

/// The files outside of zones that have bare tracepoints.
fn hooks<'a>(input: &Input<'a>) -> BTreeSet<&'a str> {
    let all = input.review.before().inventory.tracepoints.iter();
    let bare = all.filter(|one| one.is_bare());
    let files = bare.map(|one| &*one.file);
    files
        .filter(|file| input.review.zones.of(file).is_none())
        .collect()
}

fn of_section(input: &Input<'_>, zone: &Zone, place: Place, patch: usize) -> Finding {
    let message = format!(
        "who may approve in zone {} changes: the M: entries of {}",
        zone.name, zone.section
    );
    finding(input, place, message, patch, &[Authority::Zone(zone)])
}

/// Where a section stands in the end, or the file's first line if it does not.
fn section_at(last: &Known, title: &str) -> Place {
    let text = last.text();
    let line = text.lines().position(|line| line.trim() == title);
    at_line(MAINTAINERS, line.unwrap_or_default() + 1)
}

/// As far as hunks show it, where the file is not here. A section whose title they do not
/// show is told by its other maintainers; where there are none, it may be any.
fn shown(input: &Input<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (patch, one) in input.subject.series.patches.iter().enumerate() {
        let of_file = |path: &Option<String>| path.as_deref() == Some(MAINTAINERS);
        let changes = one.changes.iter();
        let changes = changes.filter(|one| of_file(&one.new_path) || of_file(&one.old_path));
        for hunk in changes.flat_map(|change| &change.hunks) {
            for zone in input.review.zones.iter() {
                if may_change(input.review.maintainers, hunk, zone) {
                    let place = at_line(MAINTAINERS, hunk.new_start.max(1) as usize);
                    found.push(of_section(input, zone, place, patch));
                }
            }
        }
    }
    found
}

/// Whether a hunk may change who may approve in a zone.
fn may_change(maintainers: &Maintainers, hunk: &Hunk, zone: &Zone) -> bool {
    let of_zone = of_zone(maintainers, zone);
    let lines: Vec<(LineKind, String)> = hunk
        .lines
        .iter()
        .map(|line| (line.kind, String::from_utf8_lossy(&line.text).into_owned()))
        .collect();
    let sections = lines.split(|(_, text)| text.trim().is_empty());
    let mut is_first = true;
    sections.into_iter().any(|section| {
        let begins_in_sight = !std::mem::replace(&mut is_first, false);
        let is_entry = |text: &str| {
            text.split_once(":\t")
                .is_some_and(|(tag, _)| tag.len() == 1)
        };
        let decides = |text: &str| text.starts_with("M:\t") || !is_entry(text);
        let changed = section
            .iter()
            .filter(|(kind, _)| *kind != LineKind::Context);
        if !changed.map(|(_, text)| text).any(|text| decides(text)) {
            return false;
        }
        let mut titles = section.iter().filter(|(_, text)| !is_entry(text));
        let is_titled = titles.clone().next().is_some();
        if is_titled || begins_in_sight {
            return titles.any(|(_, text)| text.trim() == zone.section);
        }
        let old = section.iter().filter(|(kind, _)| *kind != LineKind::Added);
        let mut known = old.filter_map(|(_, text)| address(text.strip_prefix("M:\t")?));
        known.all(|who| of_zone.contains(who.as_str()))
    })
}
