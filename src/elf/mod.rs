// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a built kernel has: its tracepoints, trace events, BPF map entries and
//! exports, read from the tables that the kernel itself goes through when it boots or
//! loads a module, not from the names of symbols.
//!
//! [`image`] makes memory of an ELF file, of whatever class, byte order and kind;
//! [`tables`] reads the kernel's tables out of it; [`open`] takes a vmlinux, [`modules`]
//! a folder of modules, which [`unpack`] unpacks. What is read is a stranger's: every
//! length is bounded, what it costs to follow them is by `bounded`, and what cannot be
//! is an error.

mod bounded;
pub mod image;
pub mod modules;
pub mod open;
pub mod tables;
pub mod unpack;

use crate::inventory::snapshot::Export;
use std::collections::BTreeMap;

/// What one image, a vmlinux or a module, has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// The version that a vmlinux's `linux_banner` states, such as `7.3.4+deb13-amd64`.
    pub release: Option<String>,
    /// Its tracepoints, by real name.
    pub tracepoints: BTreeMap<String, Built>,
    /// Its entries of `_ftrace_events`; `None` without CONFIG_EVENT_TRACING.
    pub events: Option<Vec<Event>>,
    /// Whether it has a table of BPF raw tracepoints (CONFIG_BPF_EVENTS).
    pub has_bpf: bool,
    /// Whether it exports anything (CONFIG_MODULES).
    pub has_exports: bool,
}

/// A tracepoint of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Whether BPF programs find it by name.
    pub bpf: bool,
    /// For whom it is exported.
    pub export: Option<Export>,
}

/// A `struct trace_event_call` of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Its name in tracefs.
    pub name: String,
    /// Its folder there; `None` if another image has the event's class.
    pub system: Option<String>,
    /// The tracepoint that it hands on.
    pub tracepoint: Option<String>,
}
