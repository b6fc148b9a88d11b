// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What was found in all that patches may come to, as one report.

use crate::output::fingerprint::Fingerprints;
use crate::output::report::{Entry, Report, Subject};
use crate::rules::finding::Level;
use std::collections::BTreeSet;

/// The findings of all `reports`, each of them once, at the place where the first report
/// has it. Where reports tell of a finding with another level, each is kept: what one
/// reading approves of is an error by the other.
pub(super) fn united(reports: Vec<Report>) -> Option<Report> {
    let mut reports = reports.into_iter();
    let mut all = reports.next()?;
    for report in reports {
        for (at, subject) in report.subjects.into_iter().enumerate() {
            match all.subjects.get_mut(at) {
                Some(known) => add(known, subject.findings),
                None => all.subjects.push(subject),
            }
        }
    }
    Some(all)
}

/// Adds those of `found` that the subject does not have, in order.
fn add(subject: &mut Subject, found: Vec<Entry>) {
    let mut prints = Fingerprints::default();
    let known: BTreeSet<_> = subject
        .findings
        .iter()
        .map(|entry| name(&mut prints, entry))
        .collect();
    let before = subject.findings.len();
    // Twins are numbered: if the other report has one more of them, that is the new one.
    let mut prints = Fingerprints::default();
    let new = found
        .into_iter()
        .filter(|entry| !known.contains(&name(&mut prints, entry)));
    subject.findings.extend(new);
    if subject.findings.len() > before {
        let order = |one: &Entry, other: &Entry| one.finding.order().cmp(&other.finding.order());
        subject.findings.sort_by(order);
    }
}

/// What tells an entry from all others of its report.
fn name(prints: &mut Fingerprints, entry: &Entry) -> (String, Level) {
    (prints.of(entry), entry.finding.level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::finding::{Finding, Place};

    fn entry(line: u32, level: Level, text: &str) -> Entry {
        Entry {
            finding: Finding {
                rule: "relay",
                level,
                tracepoint: None,
                place: Place {
                    file: "a.c".to_owned(),
                    line,
                    column: 1,
                },
                message: "relayed".to_owned(),
                related: Vec::new(),
                patch: Some(0),
                fix: None,
                approval: None,
                passing: false,
            },
            shown: None,
            source: Some(text.to_owned()),
        }
    }

    /// Reports with one subject each; then the lines of what they come to, by subject.
    fn lines(reports: Vec<Vec<Vec<Entry>>>) -> Vec<Vec<u32>> {
        let report = |findings: Vec<Vec<Entry>>| Report {
            subjects: findings
                .into_iter()
                .map(|findings| Subject {
                    findings,
                    ..Subject::default()
                })
                .collect(),
            ..Report::default()
        };
        let all = united(reports.into_iter().map(report).collect()).expect("a report");
        let lines = |subject: &Subject| {
            let entries = subject.findings.iter();
            entries.map(|entry| entry.finding.place.line).collect()
        };
        all.subjects.iter().map(lines).collect()
    }

    #[test]
    fn what_moved_is_the_same_finding() {
        let one = vec![vec![entry(3, Level::Error, "x")]];
        let other = vec![vec![entry(300, Level::Error, "x")]];
        assert_eq!(lines(vec![one, other]), [[3]]);
    }

    #[test]
    fn nothing_is_lost() {
        let twins = vec![vec![
            entry(3, Level::Error, "x"),
            entry(5, Level::Error, "x"),
            entry(9, Level::Error, "y"),
        ]];
        let single = vec![vec![entry(7, Level::Error, "x")]];
        assert_eq!(lines(vec![twins.clone(), single.clone()]), [[3, 5, 9]]);
        assert_eq!(lines(vec![single, twins]), [[5, 7, 9]]);
        let noted = vec![vec![entry(3, Level::Note, "x")]];
        let error = vec![vec![entry(3, Level::Error, "x")]];
        assert_eq!(lines(vec![noted, error]), [[3, 3]]);
    }

    #[test]
    fn answers_of_different_length() {
        let short = vec![vec![entry(3, Level::Error, "x")]];
        let long = vec![vec![], vec![entry(4, Level::Error, "z")]];
        let all = [vec![3], vec![4]];
        assert_eq!(lines(vec![short.clone(), long.clone()]), all);
        assert_eq!(lines(vec![long, short]), all);
    }
}
