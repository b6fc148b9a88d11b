// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Embedded profiles: what is known of a kernel release without its tree.
//!
//! `tests/kernel/profiles` makes them from real trees. Names, prototypes, kinds
//! and files are facts; no text of a kernel is in them. A profile is written
//! compactly, since it is in every binary. It may not know how inventories are
//! made, only how they are written down.

mod packed;

use super::maintainers::Maintainers;
use super::semantics::Semantics;
use anyhow::Context;
use std::collections::BTreeMap;

/// The profiles, oldest first.
const EMBEDDED: [(&str, &str); 3] = [
    ("6.1", include_str!("../../rules/kernels/6.1.json")),
    ("6.12", include_str!("../../rules/kernels/6.12.json")),
    ("7.3", include_str!("../../rules/kernels/7.3.json")),
];

/// A release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The kernel's version, such as `7.3.4`.
    pub version: String,
    /// What its macros mean.
    pub semantics: Semantics,
    /// The addresses of the `M:` entries of the zones' sections.
    pub maintainers: BTreeMap<String, Vec<String>>,
    /// What each file declares.
    pub files: BTreeMap<String, FileProfile>,
    /// Exports by file: names, and whether only GPL modules may use them.
    pub exports: BTreeMap<String, Vec<(String, bool)>>,
}

/// What one file declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileProfile {
    /// `TRACE_SYSTEM`.
    pub system: Option<String>,
    /// Its declarations, in order.
    pub declares: Vec<Declared>,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Real name.
    pub name: String,
    /// The macro of the tracing core.
    pub framework: String,
    /// Whether it has an event.
    pub event: bool,
    /// Whether it has a BPF entry.
    pub bpf: bool,
    /// Line in its file.
    pub line: u32,
    /// Its prototype.
    pub prototype: Vec<String>,
}

impl Profile {
    /// The names of the embedded profiles, oldest first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The embedded profile `name`.
    ///
    /// # Errors
    /// There is none, or it is damaged.
    pub fn embedded(name: &str) -> anyhow::Result<Self> {
        let known = || Self::names().collect::<Vec<_>>().join(", ");
        let (_, text) = EMBEDDED
            .iter()
            .find(|(known, _)| *known == name)
            .with_context(|| format!("no embedded profile \"{name}\"; there are {}", known()))?;
        Self::parse(text).with_context(|| format!("rules/kernels/{name}.json"))
    }

    /// Reads a profile as it is written down.
    ///
    /// # Errors
    /// It is damaged.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let packed: packed::Profile = serde_json::from_str(text)?;
        packed.unpack().context("a damaged entry")
    }

    /// The profile as it is written down.
    ///
    /// # Errors
    /// None that is known: everything in it can be written as JSON.
    pub fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(&packed::Profile::of(self))?)
    }

    /// MAINTAINERS, as far as it is known.
    pub fn maintainers(&self) -> Maintainers {
        Maintainers::known(&self.maintainers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking() -> anyhow::Result<()> {
        let declared = |name: &str, event, line, prototype: &[&str]| Declared {
            name: name.to_owned(),
            framework: if event {
                "TRACE_EVENT"
            } else {
                "DECLARE_TRACE"
            }
            .to_owned(),
            event,
            bpf: true,
            line,
            prototype: prototype.iter().map(ToString::to_string).collect(),
        };
        let mut profile = Profile::default();
        let file = FileProfile {
            system: Some("sched".to_owned()),
            declares: vec![
                declared("sched_a", true, 3, &["struct rq *rq", "int x"]),
                declared("sched_ab", true, 13, &["struct rq *rq", "int x"]),
                declared("9p", false, 12, &[]),
            ],
        };
        profile.files.insert("a.h".to_owned(), file);
        profile
            .exports
            .insert("a.c".to_owned(), vec![("9p".to_owned(), true)]);
        assert_eq!(Profile::parse(&profile.to_json()?)?, profile);
        assert!(Profile::parse("{}").is_err());
        Ok(())
    }

    #[test]
    fn every_embedded_profile_reads() -> anyhow::Result<()> {
        for (name, text) in EMBEDDED {
            let profile = Profile::embedded(name)?;
            assert!(profile.version.starts_with(name));
            assert!(
                profile
                    .files
                    .values()
                    .map(|file| file.declares.len())
                    .sum::<usize>()
                    > 4000
            );
            assert!(text.len() <= 300_000, "{name}: {} bytes", text.len());
        }
        Ok(())
    }
}
