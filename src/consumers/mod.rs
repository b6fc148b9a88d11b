// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Who attaches to which tracepoint, or looks for it by name: in the kernel, and in
//! the folders of modules, BPF programs and scripts outside of it.
//!
//! It knows what a use looks like, and may not judge what one is worth.

mod bpf;
mod c;
mod files;
mod in_kernel;
mod library;
mod masked;
mod names;
pub mod porting;
mod preprocess;
mod project;
mod scripts;
mod text;
mod types;
mod versions;

pub use in_kernel::in_kernel;
pub use names::Names;

use crate::kernel::version::KernelVersion;
use std::collections::BTreeMap;
use std::path::Path;

/// One place where something attaches to a tracepoint, or looks for it by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// The name as it is written there, or the real name where [`Names`] knows which
    /// tracepoint is meant.
    pub tracepoint: String,
    /// The independent consumer: a subsystem or monitor of the kernel, or a project.
    pub consumer: String,
    /// Path below the root of the consumer, or of the kernel, `/` between parts; what is
    /// not UTF-8 is replaced.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// How it is found.
    pub way: Way,
    /// The kernels that the place is compiled for; `None` for all. A place that is
    /// compiled for several ranges of them is several uses.
    pub gate: Option<Gate>,
    /// The parameters of the probe without its `void *data`, where its definition is
    /// found in the consumer.
    pub prototype: Option<Vec<String>>,
}

/// How a use finds its tracepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// `register_trace_X()`, by itself or through a macro such as
    /// `rv_attach_trace_probe()`.
    Register,
    /// The symbol `__tracepoint_X`, given to `tracepoint_probe_register()`.
    Symbol,
    /// By its name, through `for_each_kernel_tracepoint()`.
    Lookup,
    /// A BPF raw tracepoint program.
    BpfRawTracepoint,
    /// A BPF program that knows the types of the arguments.
    BpfBtf,
    /// A bpftrace `rawtracepoint:` probe.
    Bpftrace,
    /// A `t:` line for tracefs' `dynamic_events` (kernel/trace/trace_fprobe.c).
    Tprobe,
    /// The trace event, by perf, tracefs or a BPF program that attaches to it. A bare
    /// hook has none: whoever writes this wishes that it had.
    Perf,
    /// The trace event, by trace-cmd.
    TraceCommand,
    /// `declare_trace!` and what else Rust code has.
    Rust,
}

impl Way {
    /// Its name in output that programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Symbol => "symbol",
            Self::Lookup => "lookup",
            Self::BpfRawTracepoint => "bpf-raw-tracepoint",
            Self::BpfBtf => "bpf-btf",
            Self::Bpftrace => "bpftrace",
            Self::Tprobe => "tprobe",
            Self::Perf => "perf",
            Self::TraceCommand => "trace-cmd",
            Self::Rust => "rust",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Register => "register_trace_X()",
            Self::Symbol => "tracepoint_probe_register() on the symbol",
            Self::Lookup => "look-up by name",
            Self::BpfRawTracepoint => "BPF raw tracepoint",
            Self::BpfBtf => "BPF tp_btf",
            Self::Bpftrace => "bpftrace",
            Self::Tprobe => "tprobe",
            Self::Perf => "trace event, by perf or tracefs",
            Self::TraceCommand => "trace event, by trace-cmd",
            Self::Rust => "Rust",
        }
    }
}

/// The kernels that something is compiled for, from conditionals on
/// `LINUX_VERSION_CODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gate {
    /// The first of them; `None` if there is no first.
    pub since: Option<KernelVersion>,
    /// The first after them; `None` if there is none.
    pub before: Option<KernelVersion>,
}

impl Gate {
    /// Whether it lets `version` through.
    pub fn covers(&self, version: KernelVersion) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.before.is_none_or(|before| version < before)
    }
}

/// What the folder of a consumer holds.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// By tracepoint, then consumer and place.
    pub uses: Vec<Use>,
    /// Sources that were not looked at, in order.
    pub skipped: Vec<Skipped>,
}

/// A source that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Whose it is.
    pub consumer: String,
    /// Path below the root of the consumer.
    pub file: String,
    /// Why.
    pub why: &'static str,
}

/// Reads the folder of one consumer, as [`reading`], and keeps its uses.
///
/// # Errors
/// As [`reading`].
pub fn read(root: &Path, names: &Names) -> anyhow::Result<Vec<Use>> {
    Ok(reading(root, names)?.uses)
}

/// Reads the folder `root`: one consumer, by the folder's name, or several. It is a
/// folder of several if it is no git repository itself but at least one of its
/// subfolders is; then each of them is a consumer, by its name.
///
/// # Errors
/// The folder, or a source in it, cannot be read.
pub fn reading(root: &Path, names: &Names) -> anyhow::Result<Reading> {
    let sources = files::below(root)?;
    let mut reading = Reading::default();
    for sources in sources_by_consumer(&sources) {
        project::read(&sources, names, &mut reading)?;
    }
    reading.uses.sort();
    reading.uses.dedup();
    reading.skipped.sort();
    Ok(reading)
}

fn sources_by_consumer(sources: &[files::Source]) -> Vec<Vec<&files::Source>> {
    let mut consumers: BTreeMap<&str, Vec<&files::Source>> = BTreeMap::new();
    for source in sources {
        consumers.entry(&source.consumer).or_default().push(source);
    }
    consumers.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates() {
        let version = |text| KernelVersion::parse(text).expect("a version");
        let gate = Gate {
            since: Some(version("6.1")),
            before: Some(version("6.16")),
        };
        assert!(gate.covers(version("6.1")) && gate.covers(version("6.15.9")));
        assert!(!gate.covers(version("6.0.19")) && !gate.covers(version("6.16")));
    }
}
