// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Tracepoints of an image that are not as the source says, and images that are not of
//! the source.

use super::declared::{Declared, Name};
use super::evidence::{Evidence, Image, Origin};
use super::{DIFFERS, UNKNOWN, VERSION, finding};
use crate::elf::Built;
use crate::inventory::snapshot::Export;
use crate::rules::finding::{Finding, Level, Place};
use std::collections::BTreeSet;

/// Says so if the vmlinux is of another version than the tree. What a distribution
/// appends makes no difference.
pub(super) fn version(declared: &Declared<'_>, evidence: &Evidence) -> Vec<Finding> {
    let image = evidence.vmlinux();
    let release = image.and_then(|image| image.binary.release.as_deref());
    let (Some(image), Some(release), Some(version)) = (image, release, &declared.version) else {
        return Vec::new();
    };
    if is_release_of(release, version) {
        return Vec::new();
    }
    vec![Finding {
        rule: VERSION,
        level: Level::Warning,
        tracepoint: None,
        place: Place {
            file: "Makefile".to_owned(),
            line: 1,
            column: 1,
        },
        message: format!(
            "the tree is Linux {version}, but {} is Linux {release}",
            image.name
        ),
        related: Vec::new(),
        patch: None,
        fix: None,
        approval: None,
        passing: false,
    }]
}

fn is_release_of(release: &str, version: &str) -> bool {
    let Some(rest) = release.strip_prefix(version) else {
        return false;
    };
    // 7.3 of a Makefile whose SUBLEVEL is 0 is 7.3.0 of a release.
    let rest = rest.strip_prefix(".0").unwrap_or(rest);
    !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

/// Holds every tracepoint of every image against the source.
pub(super) fn find(declared: &Declared<'_>, evidence: &Evidence) -> Vec<Finding> {
    let events: BTreeSet<&str> = evidence
        .images
        .iter()
        .flat_map(Image::events)
        .filter_map(|event| event.tracepoint.as_deref())
        .collect();
    let mut found = Vec::new();
    for image in &evidence.images {
        for (name, built) in &image.binary.tracepoints {
            let Some(said) = declared.get(name) else {
                found.extend(unknown(declared, image, name));
                continue;
            };
            let one = One {
                name,
                said,
                image,
                built: *built,
            };
            if evidence.has_events() && !said.may_be_bare && !events.contains(name.as_str()) {
                found.push(one.differs(Level::Warning, "is a trace event", "it has no event"));
            }
            found.extend(one.bpf(evidence.has_bpf()));
            found.extend(one.export());
        }
    }
    found
}

/// A tracepoint that the source does not have. One that is a bare one without its `_tp`
/// is a leak, if it has an event, and found as such.
fn unknown(declared: &Declared<'_>, image: &Image, name: &str) -> Option<Finding> {
    let is_event = image.events().any(|event| event.name == name);
    if is_event && declared.bare_behind(name).is_some() {
        return None;
    }
    let (level, why) = match image.origin {
        Origin::Vmlinux | Origin::InTree => (
            Level::Error,
            "it was built from another tree, or with a patch that this one lacks",
        ),
        Origin::OutOfTree => (Level::Warning, "the module is not of a kernel tree"),
    };
    let message = format!(
        "{} has tracepoint {name}, which the source has not: {why}",
        image.name
    );
    Some(finding(UNKNOWN, level, name, image.place(), message))
}

/// A tracepoint of an image that the source declares.
struct One<'a> {
    name: &'a str,
    said: &'a Name,
    image: &'a Image,
    built: Built,
}

impl One<'_> {
    fn differs(&self, level: Level, source: &str, binary: &str) -> Finding {
        let message = format!(
            "{} {source} in the source, but in {} {binary}",
            self.name, self.image.name
        );
        finding(DIFFERS, level, self.name, self.said.place.clone(), message)
    }

    fn bpf(&self, is_built_with_bpf: bool) -> Option<Finding> {
        if self.built.bpf && !self.said.may_have_bpf {
            Some(self.differs(
                Level::Error,
                "has no entry for BPF",
                "BPF programs find it by name",
            ))
        } else if is_built_with_bpf && !self.built.bpf && !self.said.may_lack_bpf {
            Some(self.differs(
                Level::Warning,
                "has an entry for BPF",
                "BPF programs do not find it",
            ))
        } else {
            None
        }
    }

    /// A wider export than the source's is an error. A narrower one is no more than a
    /// warning: CONFIG_TRIM_UNUSED_KSYMS drops exports.
    fn export(&self) -> Option<Finding> {
        let built = self.built.export;
        if built > self.said.widest {
            let said = exported(self.said.widest);
            Some(self.differs(Level::Error, said, exported(built)))
        } else if self.image.binary.has_exports && built < self.said.narrowest {
            let said = exported(self.said.narrowest);
            Some(self.differs(Level::Warning, said, exported(built)))
        } else {
            None
        }
    }
}

fn exported(export: Option<Export>) -> &'static str {
    match export {
        None => "is not exported",
        Some(Export::Gpl) => "is exported to GPL modules",
        Some(Export::Plain) => "is exported to all modules",
    }
}

#[cfg(test)]
mod tests {
    use super::is_release_of;

    #[test]
    fn releases() {
        assert!(is_release_of("7.3.4", "7.3.4"));
        assert!(is_release_of("7.3.4+deb13-amd64", "7.3.4"));
        assert!(is_release_of("7.4.0-rc1-00012-gabc", "7.4.0-rc1"));
        assert!(!is_release_of("7.3.40", "7.3.4"));
        assert!(!is_release_of("7.3.4.1", "7.3.4"));
        assert!(!is_release_of("6.12.117", "7.3.4"));
    }
}
