// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The tables that the tracing core goes through: `__tracepoints_ptrs`,
//! `_ftrace_events`, `__bpf_raw_tp_map` and the export tables.
//!
//! Layouts are those of `include/linux/tracepoint-defs.h`, `trace_events.h` and
//! `export-internal.h`. Of a vmlinux the bounds of a table are symbols
//! (`include/asm-generic/vmlinux.lds.h`), of a module they are a section's
//! (`kernel/module/main.c`).

use super::image::{Image, Place};
use super::{Binary, Built, Event};
use crate::inventory::snapshot::Export;
use anyhow::{anyhow, bail};
use object::read::ReadRef;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// The most bytes that a table may have: four times those of a kernel with everything
/// built in. What entries lead to is kept while an image is read.
const MOST: u64 = 1 << 20;
/// The most bytes of a table of pointers, of which a kernel has a twentieth.
const MOST_OF_POINTERS: u64 = 512 << 10;
/// The most symbols of tracepoints: ten times those of all sources.
const MOST_TRACEPOINTS: usize = 65_536;
const MOST_OF_EXPORTS: u64 = 4 << 20;
/// `struct list_head list` and `class` come before `tp`, in words.
const CLASS: u64 = 2;
const TP: u64 = 3;
/// The most words of a `struct trace_event_call` that are looked at.
const CALL_WORDS: u64 = 64;
/// `struct bpf_raw_event_map` is `__aligned(32)`.
const BPF_ENTRY: u64 = 32;
const KSYM_FLAG_GPL_ONLY: u8 = 1;
const PREFIX: &str = "__tracepoint_";

/// The tables of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Table {
    Tracepoints,
    Events,
    Bpf,
    Exports,
    /// Where exports for GPL modules have a table of their own, as in 6.12.
    GplExports,
    /// Where each export has a byte of flags instead, as in 7.3.
    ExportFlags,
}

/// The section in a module, and the symbols that bound it in a vmlinux.
const TABLES: [(Table, &str, &str, &str); 6] = [
    (
        Table::Tracepoints,
        "__tracepoints_ptrs",
        "__start___tracepoints_ptrs",
        "__stop___tracepoints_ptrs",
    ),
    (
        Table::Events,
        "_ftrace_events",
        "__start_ftrace_events",
        "__stop_ftrace_events",
    ),
    (
        Table::Bpf,
        "__bpf_raw_tp_map",
        "__start__bpf_raw_tp",
        "__stop__bpf_raw_tp",
    ),
    (
        Table::Exports,
        "__ksymtab",
        "__start___ksymtab",
        "__stop___ksymtab",
    ),
    (
        Table::GplExports,
        "__ksymtab_gpl",
        "__start___ksymtab_gpl",
        "__stop___ksymtab_gpl",
    ),
    (
        Table::ExportFlags,
        "__kflagstab",
        "__start___kflagstab",
        "__stop___kflagstab",
    ),
];

/// What symbols say: where tables are, and how large objects.
#[derive(Default)]
struct Symbols {
    count: usize,
    bounds: HashMap<&'static str, u64>,
    /// By address; only those that have a size.
    sizes: Vec<(u64, u64)>,
    /// Tracepoints by address, also those that no table has.
    tracepoints: HashMap<u64, String>,
    banner: Option<u64>,
    /// There are more tracepoints.
    is_overfull: bool,
}

impl Symbols {
    fn of<'data, R: ReadRef<'data>>(image: &Image<'data, R>) -> Self {
        let mut symbols = Self::default();
        image.each_symbol(|name, place| symbols.see(name, place));
        symbols.sizes.sort_unstable();
        symbols
    }

    fn see(&mut self, name: &[u8], place: Place) {
        self.count += 1;
        if place.size > 0 {
            self.sizes.push((place.address, place.size));
        }
        if name == b"linux_banner" {
            self.banner = Some(place.address);
        } else if let Some(tracepoint) = name.strip_prefix(PREFIX.as_bytes()) {
            if self.tracepoints.len() >= MOST_TRACEPOINTS {
                self.is_overfull = true;
                return;
            }
            let tracepoint = String::from_utf8_lossy(tracepoint).into_owned();
            self.tracepoints.insert(place.address, tracepoint);
        } else if name.starts_with(b"__start_") || name.starts_with(b"__stop_") {
            for (_, _, start, stop) in TABLES {
                if let Some(bound) = [start, stop].into_iter().find(|s| s.as_bytes() == name) {
                    self.bounds.insert(bound, place.address);
                }
            }
        }
    }

    fn size_at(&self, address: u64) -> Option<u64> {
        let at = self.sizes.partition_point(|one| one.0 <= address);
        let (start, size) = *self.sizes[..at].last()?;
        (start == address).then_some(size)
    }
}

/// How tables refer to what they list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reference {
    /// By a distance of 32 bits.
    Distance,
    /// By a pointer.
    Pointer,
}

/// Whether an image has anything that a tracepoint needs; most modules have not.
pub fn is_traced<'data, R: ReadRef<'data>>(image: &Image<'data, R>) -> bool {
    TABLES[..3]
        .iter()
        .any(|(_, section, _, _)| image.section(section).is_some())
}

/// Reads the tables of `image`.
///
/// # Errors
/// A table is broken, or there are no symbols to find tables by.
pub fn read<'data, R: ReadRef<'data>>(image: Image<'data, R>) -> anyhow::Result<Binary> {
    let symbols = Symbols::of(&image);
    if symbols.count == 0 {
        bail!("no symbol table: it is stripped");
    }
    if symbols.is_overfull {
        bail!("symbols of more than {MOST_TRACEPOINTS} tracepoints");
    }
    let mut reader = Reader {
        image,
        symbols,
        names: HashMap::new(),
        reference: Reference::Distance,
    };
    let binary = reader.binary()?;
    if reader.image.is_overfull() {
        bail!("more relocations than any module has");
    }
    Ok(binary)
}

struct Reader<'data, R: ReadRef<'data>> {
    image: Image<'data, R>,
    symbols: Symbols,
    /// The names of tracepoints, by address.
    names: HashMap<u64, String>,
    reference: Reference,
}

impl<'data, R: ReadRef<'data>> Reader<'data, R> {
    fn binary(&mut self) -> anyhow::Result<Binary> {
        let mut binary = Binary {
            release: self.release(),
            tracepoints: self.tracepoints()?,
            events: None,
            has_bpf: self.range(Table::Bpf)?.is_some(),
            has_exports: false,
        };
        if let Some(range) = self.range(Table::Events)? {
            binary.events = Some(self.events(range)?);
        }
        self.add_bpf(&mut binary.tracepoints)?;
        binary.has_exports = self.add_exports(&mut binary.tracepoints)?;
        Ok(binary)
    }

    fn range(&self, table: Table) -> anyhow::Result<Option<Range<u64>>> {
        let Some((_, section, start, stop)) = TABLES.iter().find(|one| one.0 == table) else {
            return Ok(None);
        };
        let range = if self.image.is_module() {
            self.image.section(section)
        } else {
            let bound = |name| self.symbols.bounds.get(name).copied();
            bound(start).zip(bound(stop)).map(|(from, to)| from..to)
        };
        let most = match table {
            Table::Tracepoints | Table::Events => MOST_OF_POINTERS,
            Table::Bpf => MOST,
            Table::Exports | Table::GplExports | Table::ExportFlags => MOST_OF_EXPORTS,
        };
        match range {
            Some(range) if range.end < range.start || range.end - range.start > most => {
                bail!("the table {section} has impossible bounds")
            }
            Some(range) if range.is_empty() => Ok(None),
            range => Ok(range),
        }
    }

    /// `Linux version 7.3.4+deb13-amd64 (…) …`.
    fn release(&self) -> Option<String> {
        let bytes = self.image.start(self.symbols.banner?)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let rest = text.strip_prefix("Linux version ")?;
        rest.split_whitespace().next().map(str::to_owned)
    }

    fn follow(&mut self, address: u64, reference: Reference) -> Option<u64> {
        match reference {
            Reference::Distance => self.image.distance(address),
            Reference::Pointer => self.image.pointer(address),
        }
    }

    fn width(&self, reference: Reference) -> u64 {
        match reference {
            Reference::Distance => 4,
            Reference::Pointer => self.image.word(),
        }
    }

    fn tracepoints(&mut self) -> anyhow::Result<BTreeMap<String, Built>> {
        let Some(range) = self.range(Table::Tracepoints)? else {
            return Ok(BTreeMap::new());
        };
        // Which of the two it is depends on architecture and configuration, and only
        // one of them leads to names all the way.
        for reference in [Reference::Distance, Reference::Pointer] {
            if let Some(names) = self.names_by(range.clone(), reference) {
                self.reference = reference;
                let built = names.values().cloned().map(|name| (name, Built::default()));
                let built = built.collect();
                self.names = names;
                return Ok(built);
            }
        }
        bail!("the entries of __tracepoints_ptrs do not lead to tracepoints")
    }

    fn names_by(
        &mut self,
        range: Range<u64>,
        reference: Reference,
    ) -> Option<HashMap<u64, String>> {
        let width = self.width(reference);
        if !(range.end - range.start).is_multiple_of(width) {
            return None;
        }
        let mut names = HashMap::new();
        for entry in range.step_by(width as usize) {
            let tracepoint = self.follow(entry, reference)?;
            // The first member of struct tracepoint.
            let name = self.image.pointer(tracepoint)?;
            let name = self.image.string(name).filter(|name| is_name(name))?;
            names.insert(tracepoint, name);
        }
        Some(names)
    }

    /// The tracepoint at `address`, of this image or another.
    fn tracepoint_at(&self, address: u64) -> Option<String> {
        if let Some(name) = self.names.get(&address) {
            return Some(name.clone());
        }
        let undefined = self.image.undefined_name(address);
        let undefined = undefined.and_then(|name| name.strip_prefix(PREFIX));
        undefined
            .map(str::to_owned)
            .or_else(|| self.symbols.tracepoints.get(&address).cloned())
    }

    fn events(&mut self, range: Range<u64>) -> anyhow::Result<Vec<Event>> {
        let word = self.image.word();
        if !(range.end - range.start).is_multiple_of(word) {
            bail!("_ftrace_events is no table of pointers");
        }
        let mut events = Vec::new();
        for entry in range.step_by(word as usize) {
            let call = self.image.pointer(entry);
            let event = call.and_then(|call| self.event(call));
            events.push(event.ok_or_else(|| {
                anyhow!("the entry of _ftrace_events at {entry:#x} leads to no event")
            })?);
        }
        events.sort();
        Ok(events)
    }

    /// A `struct trace_event_call`. Its `tp` and `name` are one union; an event of one's
    /// own making may keep a tracepoint elsewhere.
    fn event(&mut self, call: u64) -> Option<Event> {
        let word = self.image.word();
        let member = call.checked_add(TP * word)?;
        let named = self.image.pointer(member)?;
        let own = self.tracepoint_at(named);
        let name = own.clone().or_else(|| self.image.string(named))?;
        let tracepoint = own.or_else(|| self.tracepoint_within(call));
        let class = self.image.pointer(call.checked_add(CLASS * word)?)?;
        // The first member of struct trace_event_class.
        let system = self.image.pointer(class);
        let system = system.and_then(|system| self.image.string(system));
        Some(Event {
            name,
            system,
            tracepoint,
        })
    }

    fn tracepoint_within(&mut self, call: u64) -> Option<String> {
        let word = self.image.word();
        let words = (self.symbols.size_at(call)? / word).min(CALL_WORDS);
        (0..words).find_map(|index| {
            let target = self.image.pointer(call.checked_add(index * word)?)?;
            self.tracepoint_at(target)
        })
    }

    fn add_bpf(&mut self, built: &mut BTreeMap<String, Built>) -> anyhow::Result<()> {
        let Some(range) = self.range(Table::Bpf)? else {
            return Ok(());
        };
        if !(range.end - range.start).is_multiple_of(BPF_ENTRY) {
            bail!("__bpf_raw_tp_map is not of entries of {BPF_ENTRY} bytes");
        }
        for entry in range.step_by(BPF_ENTRY as usize) {
            let tracepoint = self.image.pointer(entry);
            let name = tracepoint.and_then(|address| self.tracepoint_at(address));
            let name = name.ok_or_else(|| {
                anyhow!("the entry of __bpf_raw_tp_map at {entry:#x} leads to no tracepoint")
            })?;
            built.entry(name).or_default().bpf = true;
        }
        Ok(())
    }

    /// Adds what is exported; whether anything is at all.
    fn add_exports(&mut self, built: &mut BTreeMap<String, Built>) -> anyhow::Result<bool> {
        let flags = match self.range(Table::ExportFlags)? {
            Some(range) => self.image.bytes(range.start, range.end - range.start),
            None => None,
        };
        let plain = self.exports(Table::Exports)?;
        let gpl = self.exports(Table::GplExports)?;
        let has_any = !plain.is_empty() || !gpl.is_empty();
        for (index, address) in plain.into_iter().enumerate() {
            let flag = flags.as_ref().and_then(|flags| flags.get(index));
            let is_gpl = flag.is_some_and(|flag| flag & KSYM_FLAG_GPL_ONLY != 0);
            self.export(
                built,
                address,
                if is_gpl { Export::Gpl } else { Export::Plain },
            );
        }
        for address in gpl {
            self.export(built, address, Export::Gpl);
        }
        Ok(has_any)
    }

    fn export(&self, built: &mut BTreeMap<String, Built>, address: u64, export: Export) {
        if let Some(one) = self
            .names
            .get(&address)
            .and_then(|name| built.get_mut(name))
        {
            one.export = Some(export);
        }
    }

    /// What a table of `struct kernel_symbol` exports: three references an entry, of
    /// which the first is the value.
    fn exports(&mut self, table: Table) -> anyhow::Result<Vec<u64>> {
        let Some(range) = self.range(table)? else {
            return Ok(Vec::new());
        };
        let reference = self.reference;
        let size = 3 * self.width(reference);
        if !(range.end - range.start).is_multiple_of(size) {
            bail!("an export table is not of entries of {size} bytes");
        }
        let entries = range.step_by(size as usize);
        // An entry that cannot be followed still counts: flags go by position.
        Ok(entries
            .map(|entry| self.follow(entry, reference).unwrap_or_default())
            .collect())
    }
}

/// Whether `name` may be a tracepoint's.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
