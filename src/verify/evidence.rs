// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What was built and what runs.

use crate::elf::{Binary, Event};
use crate::rules::finding::Place;
use crate::tracefs::Running;

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The kernel itself.
    Vmlinux,
    /// A module of the kernel's tree.
    InTree,
    /// A module of another.
    OutOfTree,
}

/// A vmlinux or a module.
#[derive(Clone, Debug)]
pub struct Image {
    /// How it is called: its path.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it has.
    pub binary: Binary,
}

impl Image {
    /// The place of findings of which the source knows none.
    pub fn place(&self) -> Place {
        whole_file(&self.name)
    }

    /// Its events.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.binary.events.iter().flatten()
    }
}

/// Modules that were looked at.
#[derive(Clone, Debug)]
pub struct Folder {
    /// How it was given.
    pub name: String,
    /// How many modules it has.
    pub count: usize,
}

/// A tracefs that was looked at.
#[derive(Clone, Debug)]
pub struct Tracefs {
    /// How it was given.
    pub name: String,
    /// What it shows.
    pub running: Running,
}

/// All that was given.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The vmlinux first, then the modules that have to do with tracepoints, by path.
    pub images: Vec<Image>,
    /// The folder of modules.
    pub modules: Option<Folder>,
    /// The running kernel.
    pub tracefs: Option<Tracefs>,
}

impl Evidence {
    /// The vmlinux.
    pub fn vmlinux(&self) -> Option<&Image> {
        let mut images = self.images.iter();
        images.find(|image| image.origin == Origin::Vmlinux)
    }

    /// The images that have the tracepoint `name`.
    pub fn with_tracepoint(&self, name: &str) -> impl Iterator<Item = &Image> {
        let name = name.to_owned();
        let images = self.images.iter();
        images.filter(move |image| image.binary.tracepoints.contains_key(&name))
    }

    /// Whether the kernel was built with CONFIG_BPF_EVENTS.
    pub fn has_bpf(&self) -> bool {
        self.images.iter().any(|image| image.binary.has_bpf)
    }

    /// Whether the kernel was built with CONFIG_EVENT_TRACING.
    pub fn has_events(&self) -> bool {
        let mut images = self.images.iter();
        images.any(|image| image.binary.events.is_some())
    }
}

/// The start of a file that has no lines.
pub fn whole_file(name: &str) -> Place {
    Place {
        file: name.to_owned(),
        line: 1,
        column: 1,
    }
}
