// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which findings are shown: by rule, and without those of a baseline.

use crate::output::report::Report;
use crate::rules::baseline::Baseline;
use crate::rules::finding::Level;
use crate::rules::rule;
use crate::source::input;
use anyhow::{Context, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// What of the command line decides about it.
#[derive(Args)]
#[command(next_help_heading = "Choice of findings")]
pub(super) struct Chosen {
    /// Only these rules; as checkpatch's types, too: MISSING_EXPORT
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    types: Vec<String>,
    /// Not these rules; --types outranks it
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Be quiet about the findings that FILE lists, and of a whole tree name those
    /// that vanished
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings of this run to the baseline
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
}

/// The same, with all names known and the baseline read.
pub(super) struct Choice {
    types: Vec<&'static str>,
    ignore: Vec<&'static str>,
    baseline: Option<Baseline>,
    write: Option<PathBuf>,
}

impl Chosen {
    /// The baseline that is taken away, if there is one.
    pub(super) fn baseline(&self) -> Option<&Path> {
        self.baseline.as_deref()
    }

    /// Reads what is named.
    ///
    /// # Errors
    /// There is no such rule, or the baseline cannot be read.
    pub(super) fn read(&self) -> anyhow::Result<Choice> {
        let write = self.baseline.clone().filter(|_| self.write_baseline);
        let baseline = match (&self.baseline, &write) {
            (Some(path), None) => Some(read(path)?),
            (Some(path), Some(_)) if path.exists() => {
                // Nothing but a baseline is written over.
                read(path)?;
                None
            }
            _ => None,
        };
        Ok(Choice {
            types: ids(&self.types)?,
            ignore: ids(&self.ignore)?,
            baseline,
            write,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Baseline> {
    let name = path.display().to_string();
    let text = input::read_text(path).with_context(|| {
        format!("cannot read the baseline {name}: make one with --write-baseline")
    })?;
    Baseline::parse(&text, &name)
}

fn ids(names: &[String]) -> anyhow::Result<Vec<&'static str>> {
    let named = names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty());
    named
        .map(|name| {
            let id = name.to_lowercase().replace('_', "-");
            match rule(&id) {
                Some(rule) => Ok(rule.id),
                None => bail!("there is no rule {name}: barepoint explain lists them"),
            }
        })
        .collect()
}

impl Choice {
    /// Takes away what is not to be shown.
    ///
    /// # Errors
    /// The baseline cannot be written.
    pub(super) fn apply(mut self, report: &mut Report) -> anyhow::Result<()> {
        report.is_narrowed = !self.types.is_empty() || !self.ignore.is_empty();
        for subject in &mut report.subjects {
            subject
                .findings
                .retain(|entry| self.wants(entry.finding.rule));
        }
        if let Some(path) = &self.write {
            let findings = report.entries().map(|entry| &entry.finding);
            let lasting = findings.filter(|finding| finding.level != Level::Note);
            let baseline = Baseline::of(lasting);
            replace(path, &baseline.render())
                .with_context(|| format!("cannot write {}", path.display()))?;
            self.baseline = Some(baseline);
        }
        let Some(baseline) = &mut self.baseline else {
            return Ok(());
        };
        for subject in &mut report.subjects {
            subject.findings.retain(|entry| {
                entry.finding.level == Level::Note || !baseline.takes(&entry.finding)
            });
        }
        // A patch is not expected to have them all.
        if report.is_whole {
            report.vanished = baseline.vanished();
        }
        Ok(())
    }

    fn wants(&self, rule: &str) -> bool {
        if self.types.is_empty() {
            !self.ignore.contains(&rule)
        } else {
            self.types.contains(&rule)
        }
    }
}

/// Writes a file as a whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // It may not be there, and the first error tells more.
        let _ = fs::remove_file(&new);
    }
    written
}
