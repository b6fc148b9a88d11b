// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Findings that are known: they are quiet, and those that vanish are named.
//!
//! A baseline is a text file of one line a finding, rule, file and tracepoint, with a
//! tab between, so that it merges and reads well. Neither lines nor messages are in it,
//! which change without the finding.

use super::finding::Finding;
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The first line of every baseline.
const HEADER: &str = "# barepoint baseline 1: rule, file, tracepoint or what else it is about";

/// What makes two findings the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    rule: String,
    file: String,
    about: String,
}

impl Known {
    fn of(finding: &Finding) -> Self {
        let about = finding.tracepoint.as_ref().unwrap_or(&finding.message);
        Self {
            rule: finding.rule.to_owned(),
            file: plain(&finding.place.file),
            about: plain(about),
        }
    }
}

/// Whether a text is meant as a baseline.
pub fn is_baseline(text: &str) -> bool {
    text.lines().next() == Some(HEADER)
}

/// Without what would break a line.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// Known findings, each as often as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<Known, usize>,
}

impl Baseline {
    /// The baseline of these findings.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut baseline = Self::default();
        for finding in findings {
            *baseline.known.entry(Known::of(finding)).or_default() += 1;
        }
        baseline
    }

    /// Reads the baseline `origin`, whose content is `text`.
    ///
    /// # Errors
    /// It is no baseline; the message names the line.
    pub fn parse(text: &str, origin: &str) -> anyhow::Result<Self> {
        // Whatever ends a line, so that what is written is read as the same.
        let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        let mut lines = lines.zip(1..);
        if lines.next().map(|(line, _)| line) != Some(HEADER) {
            bail!("{origin}:1: this is no baseline: make one with --write-baseline");
        }
        let mut baseline = Self::default();
        for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [rule, file, about] = cells.as_slice() else {
                bail!("{origin}:{number}: not rule, file and tracepoint with a tab between");
            };
            super::rule(rule)
                .with_context(|| format!("{origin}:{number}: there is no rule {rule}"))?;
            let known = Known {
                rule: (*rule).to_owned(),
                file: (*file).to_owned(),
                about: (*about).to_owned(),
            };
            *baseline.known.entry(known).or_default() += 1;
        }
        Ok(baseline)
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (known, &count) in &self.known {
            for _ in 0..count {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{}\t{}\t{}", known.rule, known.file, known.about);
            }
        }
        text
    }

    /// What this takes more often than `other`: rule and file.
    pub fn more_than(&self, other: &Self) -> Vec<(&str, &str)> {
        let count = |known: &Known| other.known.get(known).copied().unwrap_or_default();
        let more = self
            .known
            .iter()
            .filter(|(known, times)| **times > count(known));
        more.map(|(known, _)| (known.rule.as_str(), known.file.as_str()))
            .collect()
    }

    /// Whether `finding` is known; each entry stands for one.
    pub fn takes(&mut self, finding: &Finding) -> bool {
        match self.known.get_mut(&Known::of(finding)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// What is left: known findings that are no more, each in a line.
    pub fn vanished(&self) -> Vec<String> {
        let left = self.known.iter().filter(|(_, count)| **count > 0);
        left.map(|(known, _)| format!("{}: {}: {}", known.file, known.rule, known.about))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::finding::{Level, Place};

    fn finding(rule: &'static str, line: u32, tracepoint: Option<&str>) -> Finding {
        Finding {
            rule,
            level: Level::Error,
            tracepoint: tracepoint.map(str::to_owned),
            place: Place {
                file: "a.h".to_owned(),
                line,
                column: 1,
            },
            message: "what\tit\nsays".to_owned(),
            related: Vec::new(),
            patch: None,
            fix: None,
            approval: None,
            passing: false,
        }
    }

    #[test]
    fn comes_back_as_it_was_written() -> anyhow::Result<()> {
        let all = [
            finding("suffix", 1, Some("x")),
            finding("suffix", 2, Some("x")),
            finding("relay", 3, None),
        ];
        let baseline = Baseline::of(&all);
        let mut again = Baseline::parse(&baseline.render(), "b")?;
        assert_eq!(again, baseline);
        assert!(again.takes(&finding("suffix", 9, Some("x"))));
        assert!(again.takes(&finding("relay", 9, None)));
        assert!(!again.takes(&finding("relay", 9, None)));
        assert_eq!(again.vanished(), ["a.h: suffix: x"]);
        Ok(())
    }

    #[test]
    fn what_is_no_baseline_is_told() {
        for (text, at) in [
            ("", "b:1:"),
            ("{}", "b:1:"),
            (&format!("{HEADER}\nsuffix a.h"), "b:2:"),
            (&format!("{HEADER}\nnope\ta\tb"), "b:2:"),
        ] {
            let error = Baseline::parse(text, "b").map_err(|error| error.to_string());
            assert!(error.is_err_and(|error| error.starts_with(at)), "{text}");
        }
    }
}
