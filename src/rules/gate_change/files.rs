// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Files that are of the gate alone: .barepoint.toml, rules and zones of the tree's own,
//! baselines. May not know what MAINTAINERS says.

use super::{Known, Texts, all_zones, at_line, finding};
use crate::rules::approval::Authority;
use crate::rules::baseline::{Baseline, is_baseline};
use crate::rules::finding::Finding;
use crate::rules::review::Input;
use crate::rules::zones::{CONFIGURATION, Zones};
use crate::rules::{About, rule};
use crate::source::patch::ChangeKind;

/// Where a tree's own rules stand.
const RULES: &str = ".barepoint/";

pub(super) fn check(input: &Input<'_>, texts: &Texts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if texts.touches(CONFIGURATION) {
        found.extend(configuration(input, texts));
    }
    for &path in texts.touched.iter().filter(|&&path| path != CONFIGURATION) {
        let (first, last) = (texts.at(path, 0), texts.at(path, texts.count()));
        let ends = [&first, &last];
        if ends.iter().any(|known| is_baseline(&known.text())) {
            found.extend(baseline(input, texts, path));
        } else if let Some(what) = other(input, path, ends) {
            found.extend(any_change(input, texts, path, &what));
        }
    }
    found.extend(without_text(input));
    found
}

/// What a tree's zones and levels come to.
#[derive(PartialEq)]
enum Meaning {
    Known(Box<Zones>),
    /// It is not of the form, or only a part of it is here.
    Unknown(Known),
}

fn meaning(known: &Known) -> Meaning {
    let zones = match known {
        Known::Absent => Zones::built_in(),
        Known::Part(_) => return Meaning::Unknown(known.clone()),
        Known::Whole(_) => {
            Zones::built_in().and_then(|zones| zones.with(&known.text(), CONFIGURATION))
        }
    };
    match zones {
        Ok(zones) => Meaning::Known(Box::new(zones)),
        Err(_) => Meaning::Unknown(known.clone()),
    }
}

fn configuration(input: &Input<'_>, texts: &Texts<'_>) -> Vec<Finding> {
    let changes = texts.changes(CONFIGURATION, meaning).into_iter();
    let found = changes.map(|(patch, before, after)| {
        let asked = match (&before, &after) {
            (Meaning::Known(before), Meaning::Known(after)) => named(input, before, after),
            _ => all_zones(input),
        };
        let message = format!("{CONFIGURATION} changes what the gate goes by");
        finding(input, at_line(CONFIGURATION, 1), message, patch, &asked)
    });
    found.collect()
}

/// The zones that the gate has and whose maintainers are asked for a change.
fn named<'a>(input: &Input<'a>, before: &Zones, after: &Zones) -> Vec<Authority<'a>> {
    let asked = before.asked_for(after);
    let zones = input.review.zones;
    let known = zones
        .iter()
        .filter(|zone| asked.iter().any(|one| one.name == zone.name));
    let known: Vec<Authority<'a>> = known.map(Authority::Zone).collect();
    if known.len() < asked.len() || known.is_empty() {
        all_zones(input)
    } else {
        known
    }
}

/// What the file at `path` is to the gate, if it is anything.
fn other(input: &Input<'_>, path: &str, ends: [&Known; 2]) -> Option<String> {
    let folded = folded(path);
    if input.review.zones.files().iter().any(|file| file == path) {
        Some(format!("{path}, which the gate was told to go by, changes"))
    } else if folded.starts_with(RULES) {
        Some(format!("{path} is one of the rules that the gate goes by"))
    } else if folded == CONFIGURATION || folded == "maintainers" && path != "MAINTAINERS" {
        let real = if folded == CONFIGURATION {
            CONFIGURATION
        } else {
            "MAINTAINERS"
        };
        Some(format!(
            "{path} is {real} where names are told apart less well"
        ))
    } else if path.ends_with(".toml") && ends.into_iter().any(has_zones) {
        Some(format!("{path} has zones or levels that a gate may go by"))
    } else {
        None
    }
}

fn has_zones(known: &Known) -> bool {
    let zones = Zones::default().with(&known.text(), CONFIGURATION);
    zones.is_ok_and(|zones| zones != Zones::default())
}

/// The name that a file system may take `path` for: in lower case, without the letters
/// that HFS+ does not see (git's utf8.c, `next_hfs_char()`) and the ends that NTFS drops.
fn folded(path: &str) -> String {
    let is_seen = |c: &char| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let seen: String = path.chars().filter(is_seen).collect();
    let parts = seen.split('/').map(|part| {
        let name = part.split(':').next().unwrap_or_default();
        name.trim_end_matches(['.', ' ']).to_lowercase()
    });
    let parts: Vec<String> = parts.collect();
    let path = parts.join("/");
    // The short name that NTFS gives to a long one.
    match path.strip_prefix("barepo~") {
        Some(rest) if rest.ends_with(".tom") => CONFIGURATION.to_owned(),
        _ => path,
    }
}

fn any_change(input: &Input<'_>, texts: &Texts<'_>, path: &str, what: &str) -> Vec<Finding> {
    let changes = texts.changes(path, Known::clone).into_iter();
    let found = changes.map(|(patch, _, _)| {
        let place = at_line(path, 1);
        finding(input, place, what.to_owned(), patch, &all_zones(input))
    });
    found.collect()
}

/// A baseline that takes more than it did; one that takes less makes nothing quiet.
fn baseline(input: &Input<'_>, texts: &Texts<'_>, path: &str) -> Vec<Finding> {
    let read = |known: &Known| Baseline::parse(&known.text(), path).unwrap_or_default();
    let (first, last) = (
        read(&texts.at(path, 0)),
        read(&texts.at(path, texts.count())),
    );
    let kept = last.more_than(&first);
    let mut found = Vec::new();
    for (patch, before, after) in texts.changes(path, read) {
        let mut more = after.more_than(&before);
        more.retain(|one| kept.contains(one));
        if more.is_empty() {
            continue;
        }
        let mut asked = Vec::new();
        for (id, file) in &kept {
            let about = rule(id).map(|rule| rule.about);
            match input.review.zones.of(file) {
                Some(zone) => asked.push(Authority::Zone(zone)),
                // It may be about a hook of any zone.
                None if about == Some(About::Leak) => asked.extend(all_zones(input)),
                None => asked.push(Authority::File(file)),
            }
        }
        let message = format!("the baseline {path} takes findings that it did not take before");
        found.push(finding(input, at_line(path, 1), message, patch, &asked));
    }
    found
}

/// Files of the gate that become links or anything else without a text.
fn without_text(input: &Input<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (patch, one) in input.subject.series.patches.iter().enumerate() {
        for change in &one.changes {
            // A file that stays one is only made executable.
            let has_none = change.is_link() || change.kind == ChangeKind::Binary;
            let path = change.new_path.as_deref().or(change.old_path.as_deref());
            let Some(path) = path.filter(|_| has_none) else {
                continue;
            };
            let of_the_gate = ["MAINTAINERS", CONFIGURATION].contains(&path)
                || input.review.zones.files().iter().any(|file| file == path)
                || [CONFIGURATION, "maintainers"].contains(&&*folded(path))
                || folded(path).starts_with(RULES);
            if of_the_gate {
                let message = format!("{path} changes its kind, or in a way that no line shows");
                let place = at_line(path, 1);
                found.push(finding(input, place, message, patch, &all_zones(input)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_file_system_takes_for_another() {
        for name in [
            ".Barepoint.TOML",
            ".bare\u{200d}point.toml",
            ".barepoint.toml. .",
            ".barepoint.toml::$DATA",
            "BAREPO~1.TOM",
        ] {
            assert_eq!(folded(name), CONFIGURATION, "{name}");
        }
        assert_ne!(folded("a/.barepoint.toml"), CONFIGURATION);
        assert!(folded(".Barepoint/rules/x.md").starts_with(RULES));
    }
}
