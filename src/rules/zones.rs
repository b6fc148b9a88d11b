// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Zones: the parts of a kernel whose tracepoints have to stay bare.
//!
//! rules/zones.toml has the built-in ones; a file of the same form changes them
//! or adds others. It may not know which tracepoints there are.

use super::approval::Approvals;
use super::finding::{Finding, Level};
use crate::globs::Globs;
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file at a tree's root that has its own zones and levels.
pub const CONFIGURATION: &str = ".barepoint.toml";

const BUILT_IN: &str = include_str!("../../rules/zones.toml");

/// What may reach the hooks of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Kernel modules only.
    Module,
    /// Kernel modules and BPF raw tracepoint programs.
    Bpf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    zone: Vec<ZoneEntry>,
    #[serde(default)]
    relay: Vec<Named>,
    #[serde(default)]
    levels: BTreeMap<String, Chosen>,
}

/// What level a rule is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Chosen {
    Error,
    Warning,
    Note,
    Off,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneEntry {
    name: String,
    section: String,
    visibility: Visibility,
    paths: Vec<String>,
    #[serde(default)]
    except: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: String,
    reason: String,
}

/// The most bytes of a file of zones.
const MOST: usize = 1 << 20;

/// A part of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// The section of MAINTAINERS whose `M:` entries decide.
    pub section: String,
    /// What may reach its hooks.
    pub visibility: Visibility,
    paths: Globs,
    /// Paths that rules leave alone, for the reasons that their entries give.
    except: Globs,
}

impl Zone {
    /// Whether the file at `path` is in the zone.
    pub fn holds(&self, path: &str) -> bool {
        self.paths.is_match(path) && !self.except.is_match(path)
    }
}

/// What the gate goes by: all zones, the exceptions that are not of one zone, the levels of
/// rules, and what counts as an approval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zones {
    zones: Vec<Zone>,
    relays: Vec<Globs>,
    levels: BTreeMap<String, Chosen>,
    approvals: Approvals,
    files: Vec<String>,
}

impl Zones {
    /// The zones of rules/zones.toml.
    ///
    /// # Errors
    /// The built-in file is wrong, which its test rules out.
    pub fn built_in() -> anyhow::Result<Self> {
        Self::default().with(BUILT_IN, "rules/zones.toml")
    }

    /// With the zones of the file `origin`, whose content is `text`.
    ///
    /// # Errors
    /// The file is not of the form; the message names it and the line.
    pub fn with(mut self, text: &str, origin: &str) -> anyhow::Result<Self> {
        if text.len() > MOST {
            bail!(
                "{origin}: more than {} MiB are no file of zones",
                MOST >> 20
            );
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.bytes()
                    .take(span.start)
                    .filter(|&byte| byte == b'\n')
                    .count()
                    + 1
            });
            anyhow::anyhow!("{origin}:{line}: {}", error.message())
        })?;
        for entry in file.zone {
            let zone = checked(entry, origin)?;
            match self.zones.iter_mut().find(|one| one.name == zone.name) {
                Some(known) => *known = zone,
                None => self.zones.push(zone),
            }
        }
        if !file.relay.is_empty() {
            self.relays.push(exceptions(&file.relay, origin)?);
        }
        for (id, level) in file.levels {
            if super::rule(&id).is_none() {
                bail!("{origin}: [levels]: there is no rule {id}");
            }
            self.levels.insert(id, level);
        }
        Ok(self)
    }

    /// The same, where only `approvals` lower a finding.
    #[must_use]
    pub fn approved_by(mut self, approvals: Approvals) -> Self {
        self.approvals = approvals;
        self
    }

    /// What lowers a finding.
    pub fn approvals(&self) -> Approvals {
        self.approvals
    }

    /// The same, where the gate goes by `path` of the tree, too: zones or a baseline that
    /// were named.
    #[must_use]
    pub fn going_by(mut self, path: String) -> Self {
        self.files.push(path);
        self
    }

    /// The files of the tree that the gate goes by because they were named.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The zone of the file at `path`.
    pub fn of(&self, path: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.holds(path))
    }

    /// The zones whose maintainers are asked before `other` counts in place of these: those
    /// that are not the same there, and all if anything else is not.
    pub fn asked_for<'z>(&'z self, other: &Self) -> Vec<&'z Zone> {
        let names = |zones: &Self| -> Vec<String> {
            zones.zones.iter().map(|zone| zone.name.clone()).collect()
        };
        let is_of_zones = names(self) == names(other)
            && self.relays == other.relays
            && self.levels == other.levels;
        let pairs = self.zones.iter().zip(&other.zones);
        pairs
            .filter(|(one, other)| !is_of_zones || one != other)
            .map(|(one, _)| one)
            .collect()
    }

    /// All zones.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.zones.iter()
    }

    /// `found` at the levels that were chosen for its rules, without those that are
    /// off. A note records an approval, and stays one.
    pub fn levelled(&self, mut found: Vec<Finding>) -> Vec<Finding> {
        found.retain_mut(|finding| {
            let level = match self.levels.get(finding.rule) {
                None => return true,
                Some(Chosen::Off) => return false,
                Some(Chosen::Error) => Level::Error,
                Some(Chosen::Warning) => Level::Warning,
                Some(Chosen::Note) => Level::Note,
            };
            if finding.level != Level::Note {
                finding.level = level;
            }
            true
        });
        found
    }

    /// Whether the file at `path` belongs to a relay by design.
    pub fn is_relay(&self, path: &str) -> bool {
        self.relays.iter().any(|one| one.is_match(path))
    }
}

fn checked(entry: ZoneEntry, origin: &str) -> anyhow::Result<Zone> {
    if entry.paths.is_empty() {
        bail!("{origin}: zone \"{}\" has no paths", entry.name);
    }
    let paths = entry.paths.iter().map(String::as_str);
    Ok(Zone {
        paths: Globs::of_paths(paths).with_context(|| origin.to_owned())?,
        except: exceptions(&entry.except, origin)?,
        name: entry.name,
        section: entry.section,
        visibility: entry.visibility,
    })
}

/// The paths of entries that say why.
fn exceptions(named: &[Named], origin: &str) -> anyhow::Result<Globs> {
    if let Some(one) = named.iter().find(|one| one.reason.trim().is_empty()) {
        bail!("{origin}: the exception for {} has no reason", one.path);
    }
    Globs::of_paths(named.iter().map(|one| one.path.as_str())).with_context(|| origin.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_zones() -> anyhow::Result<()> {
        let zones = Zones::built_in()?;
        let name = |path: &str| zones.of(path).map(|zone| zone.name.clone());
        assert_eq!(name("kernel/sched/core.c").as_deref(), Some("scheduler"));
        assert_eq!(name("kernel/sched/ext/ext.c"), None);
        assert_eq!(name("kernel/sched/ext.c"), None);
        assert_eq!(name("fs/namei.c").as_deref(), Some("vfs"));
        assert_eq!(name("fs/ext4/inode.c"), None);
        assert_eq!(name("include/linux/dcache.h").as_deref(), Some("vfs"));
        assert!(zones.is_relay("kernel/trace/rv/monitors/wwnr/wwnr.c"));
        Ok(())
    }

    #[test]
    fn a_wrong_file_is_named_with_its_line() {
        let error = Zones::default()
            .with("\n[[zone]]\nnam = 1\n", "my.toml")
            .err();
        assert!(error.is_some_and(|error| error.to_string().starts_with("my.toml:")));
    }
}
