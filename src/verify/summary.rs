// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How many of each thing there are, and what became of every bare tracepoint.

use super::declared::Declared;
use super::evidence::{Evidence, Image, Origin};
use crate::inventory::snapshot::Export;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What was held against what.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// A row for each: the tree, the vmlinux, the modules, the tracefs.
    pub sources: Vec<Source>,
    /// Names that the tree declares and no given image has; `None` without an image.
    pub not_built: Option<usize>,
    /// Every tracepoint that is bare in the tree, by name.
    pub bare: Vec<Bare>,
}

/// One of the things that were looked at. What it cannot tell is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Source {
    /// `tree`, `vmlinux`, `modules` or `tracefs`.
    pub kind: &'static str,
    /// How it was given.
    pub path: String,
    /// Its version.
    pub version: Option<String>,
    /// How many modules it has.
    pub modules: Option<usize>,
    /// Names of tracepoints.
    pub tracepoints: Option<usize>,
    /// Those without an event.
    pub bare: Option<usize>,
    /// Trace events; of the tree and the images, those of tracepoints.
    pub events: Option<usize>,
    /// Tracepoints that BPF programs find.
    pub bpf: Option<usize>,
    /// Exported tracepoints.
    pub exported: Option<usize>,
}

/// What became of a bare tracepoint.
#[derive(Clone, Debug, Serialize)]
pub struct Bare {
    /// Real name.
    pub name: String,
    /// Where it is declared.
    pub file: String,
    /// Line of it.
    pub line: u32,
    /// The images that have it.
    pub images: Vec<String>,
    /// Events of images or of the running kernel that show it.
    pub events: Vec<String>,
    /// Whether BPF programs find it; `None` if it is in no image.
    pub bpf: Option<bool>,
    /// `gpl`, `plain`, or not exported.
    pub export: Option<&'static str>,
}

/// Counts.
pub fn of(declared: &Declared<'_>, evidence: &Evidence, tree: &str) -> Verified {
    let has_image = evidence.vmlinux().is_some() || evidence.modules.is_some();
    let built: BTreeSet<&str> = evidence
        .images
        .iter()
        .flat_map(|image| image.binary.tracepoints.keys().map(String::as_str))
        .collect();
    let names = declared.names();
    let not_built = names.filter(|(name, _)| !built.contains(name)).count();
    let names = declared.names().filter(|(_, said)| said.is_bare());
    let mut events = events(declared, evidence);
    Verified {
        sources: sources(declared, evidence, tree),
        not_built: has_image.then_some(not_built),
        bare: names
            .map(|(name, said)| Bare {
                name: name.to_owned(),
                file: said.place.file.clone(),
                line: said.place.line,
                images: images(evidence, name),
                events: events.remove(name).into_iter().flatten().collect(),
                bpf: bpf(evidence, name),
                export: export(evidence, name).map(Export::name),
            })
            .collect(),
    }
}

fn sources(declared: &Declared<'_>, evidence: &Evidence, tree: &str) -> Vec<Source> {
    let mut all = vec![Source {
        kind: "tree",
        path: tree.to_owned(),
        version: declared.version.clone(),
        tracepoints: Some(declared.names().count()),
        bare: Some(declared.names().filter(|(_, said)| said.is_bare()).count()),
        events: Some(
            declared
                .names()
                .filter(|(_, said)| said.may_be_event)
                .count(),
        ),
        bpf: Some(
            declared
                .names()
                .filter(|(_, said)| said.may_have_bpf)
                .count(),
        ),
        exported: Some(
            declared
                .names()
                .filter(|(_, said)| said.widest.is_some())
                .count(),
        ),
        ..Source::default()
    }];
    if let Some(image) = evidence.vmlinux() {
        all.push(Source {
            kind: "vmlinux",
            path: image.name.clone(),
            version: image.binary.release.clone(),
            ..counted([image].into_iter())
        });
    }
    if let Some(folder) = &evidence.modules {
        let modules = evidence.images.iter();
        all.push(Source {
            kind: "modules",
            path: folder.name.clone(),
            modules: Some(folder.count),
            ..counted(modules.filter(|image| image.origin != Origin::Vmlinux))
        });
    }
    if let Some(tracefs) = &evidence.tracefs {
        all.push(Source {
            kind: "tracefs",
            path: tracefs.name.clone(),
            events: Some(tracefs.running.events.len()),
            ..Source::default()
        });
    }
    all
}

/// The counts of some images; a name that several have counts once.
fn counted<'e>(images: impl Iterator<Item = &'e Image>) -> Source {
    let mut tracepoints = BTreeMap::new();
    let mut events = BTreeSet::new();
    for image in images {
        for (name, built) in &image.binary.tracepoints {
            let (bpf, exported) = tracepoints.entry(name.as_str()).or_insert((false, false));
            *bpf |= built.bpf;
            *exported |= built.export.is_some();
        }
        events.extend(
            image
                .events()
                .filter_map(|event| event.tracepoint.as_deref()),
        );
    }
    let bare = tracepoints.keys().filter(|name| !events.contains(*name));
    Source {
        tracepoints: Some(tracepoints.len()),
        bare: Some(bare.count()),
        events: Some(events.len()),
        bpf: Some(tracepoints.values().filter(|(bpf, _)| *bpf).count()),
        exported: Some(
            tracepoints
                .values()
                .filter(|(_, exported)| *exported)
                .count(),
        ),
        ..Source::default()
    }
}

fn images(evidence: &Evidence, name: &str) -> Vec<String> {
    let images = evidence.with_tracepoint(name);
    images.map(|image| image.name.clone()).collect()
}

fn bpf(evidence: &Evidence, name: &str) -> Option<bool> {
    let images = evidence.with_tracepoint(name);
    images
        .filter_map(|image| image.binary.tracepoints.get(name))
        .map(|built| built.bpf)
        .reduce(|a, b| a || b)
}

fn export(evidence: &Evidence, name: &str) -> Option<Export> {
    let images = evidence.with_tracepoint(name);
    let mut exports = images.filter_map(|image| image.binary.tracepoints.get(name)?.export);
    exports.next()
}

/// The events that show each bare tracepoint.
fn events<'d>(
    declared: &'d Declared<'_>,
    evidence: &Evidence,
) -> BTreeMap<&'d str, BTreeSet<String>> {
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |name: &'d str, system: &str, event: &str| {
        let event = format!("{system}:{event}");
        all.entry(name).or_default().insert(event);
    };
    for event in evidence.images.iter().flat_map(Image::events) {
        let system = event.system.as_deref().unwrap_or("?");
        let handed_on = event.tracepoint.as_deref();
        let handed_on = handed_on.and_then(|name| declared.bare(name));
        for (name, _) in handed_on
            .into_iter()
            .chain(declared.bare_behind(&event.name))
        {
            add(name, system, &event.name);
        }
    }
    for event in evidence.tracefs.iter().flat_map(|one| &one.running.events) {
        if let Some((name, _)) = declared.bare_behind(&event.event) {
            add(name, &event.system, &event.event);
        }
    }
    all
}
