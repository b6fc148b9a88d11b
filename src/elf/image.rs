// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! An ELF file as memory: what a pointer at an address points to, linked or not.
//!
//! A linked vmlinux has addresses of its own; where it is relocatable (arm64, riscv,
//! s390), its pointers are in `.rela.dyn` and the words themselves may be zero. A
//! module has none: each of its sections gets a made-up address here, each symbol that
//! it lacks another, and relocations say what a word points to. Who reads tables need
//! not know which it is.

use anyhow::{Context, anyhow, bail};
use object::read::{ReadRef, RelocationTarget};
use object::{
    Endianness, File, Object, ObjectKind, ObjectSection, ObjectSymbol, SectionIndex, SymbolIndex,
};
use std::collections::HashMap;
use std::ops::Range;

/// A made-up section's room; the first starts behind it.
const SECTION_ROOM: u32 = 32;
/// Where the symbols start that another image has.
const UNDEFINED: u64 = 1 << 60;
/// The most that is read of anything at once.
const MOST: u64 = 64 << 20;
const LONGEST_STRING: u64 = 256;
/// The most words that a kernel moves when it boots: ten times those of arm64.
const MOST_MOVES: usize = 4 << 20;
/// The most relocations that are looked at of one section, and in all: a module has some
/// thousands.
const MOST_LINKS: usize = 1 << 20;

/// A section that is memory.
struct Section {
    index: SectionIndex,
    address: u64,
    size: u64,
    /// Where its bytes are; none for zeros.
    file: Option<(u64, u64)>,
}

/// A symbol that something is known of.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its address.
    pub address: u64,
    /// Its size in bytes, 0 if unknown.
    pub size: u64,
}

/// An ELF file as memory.
pub struct Image<'data, R: ReadRef<'data>> {
    file: File<'data, R>,
    data: R,
    word: u64,
    is_module: bool,
    endian: Endianness,
    sections: Vec<Section>,
    bases: HashMap<SectionIndex, u64>,
    /// What `.rela.dyn` puts at an address.
    moved: HashMap<u64, u64>,
    /// What the relocations of a section put at an address, once it was asked for.
    linked: HashMap<SectionIndex, HashMap<u64, Link>>,
    /// Relocations were left out, as there were too many.
    is_overfull: bool,
}

#[derive(Clone, Copy)]
struct Link {
    target: u64,
    /// The word itself is to be added (REL).
    adds_word: bool,
}

impl<'data, R: ReadRef<'data>> Image<'data, R> {
    /// Reads the headers.
    ///
    /// # Errors
    /// It is no ELF file, or one that is broken.
    pub fn open(data: R) -> anyhow::Result<Self> {
        let file = File::parse(data).map_err(|error| anyhow!("not a sound ELF file: {error}"))?;
        let is_module = file.kind() == ObjectKind::Relocatable;
        let mut image = Self {
            word: if file.is_64() { 8 } else { 4 },
            endian: file.endianness(),
            is_module,
            sections: Vec::new(),
            bases: HashMap::new(),
            moved: HashMap::new(),
            linked: HashMap::new(),
            is_overfull: false,
            data,
            file,
        };
        image.lay_out()?;
        if !is_module {
            image.read_moves()?;
        }
        Ok(image)
    }

    /// Whether it is not linked yet: a module, or any object file.
    pub fn is_module(&self) -> bool {
        self.is_module
    }

    /// Whether it has more relocations than were looked at, so that what pointers are
    /// said to point to may be wrong.
    pub fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Size of a pointer in bytes.
    pub fn word(&self) -> u64 {
        self.word
    }

    /// Sections that share bytes would be read over and over: no tool makes such.
    fn lay_out(&mut self) -> anyhow::Result<()> {
        let mut bytes: u64 = 0;
        for section in self.file.sections() {
            bytes = bytes.saturating_add(section.file_range().map_or(0, |(_, size)| size));
            // Tables are found by their names: one that cannot be read may be any.
            if let Err(error) = section.name_bytes() {
                bail!("a section has no name: {error}");
            }
            let index = section.index();
            let address = if self.is_module {
                (index.0 as u64 + 1) << SECTION_ROOM
            } else {
                section.address()
            };
            self.bases.insert(index, address);
            if is_allocated(&section) && section.size() > 0 {
                self.sections.push(Section {
                    index,
                    address,
                    size: section.size(),
                    file: section.file_range(),
                });
            }
        }
        self.sections.sort_by_key(|one| one.address);
        if self.data.len().is_ok_and(|all| bytes > all) {
            bail!("its sections are larger than the file");
        }
        Ok(())
    }

    /// Reads the relocations that a kernel applies to itself when it boots. They are
    /// all R_*_RELATIVE: their symbol is 0, the addend the address.
    fn read_moves(&mut self) -> anyhow::Result<()> {
        let mut tables = Vec::new();
        for section in self.file.sections() {
            let is_rela = section.name_bytes().is_ok_and(|n| n.starts_with(b".rela"));
            if is_rela && is_allocated(&section) {
                tables.extend(section.file_range());
            }
        }
        for (offset, size) in tables {
            let bytes = self.bytes_of_file(offset, size).context(".rela.dyn")?;
            let word = self.word as usize;
            let at = |entry: &[u8], index: usize| self.number(&entry[index * word..][..word]);
            let symbol_shift = if self.word == 8 { 32 } else { 8 };
            let relative = bytes
                .chunks_exact(3 * word)
                .filter(|entry| at(entry, 1) >> symbol_shift == 0);
            let found: Vec<(u64, u64)> = relative.map(|e| (at(e, 0), at(e, 2))).collect();
            if self.moved.len() + found.len() > MOST_MOVES {
                bail!("more than {MOST_MOVES} relocations");
            }
            self.moved.extend(found);
        }
        Ok(())
    }

    fn bytes_of_file(&self, offset: u64, size: u64) -> anyhow::Result<&'data [u8]> {
        if size > MOST {
            bail!("{size} bytes are more than any kernel has there");
        }
        self.data
            .read_bytes_at(offset, size)
            .map_err(|()| anyhow!("the file ends before the {size} bytes at {offset:#x}"))
    }

    /// A number of 1, 2, 4 or 8 bytes.
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        match self.endian {
            Endianness::Big => bytes.iter().fold(0, add),
            Endianness::Little => bytes.iter().rev().fold(0, add),
        }
    }

    fn section_at(&self, address: u64) -> Option<&Section> {
        let behind = self.sections.partition_point(|one| one.address <= address);
        // Sections of one address, such as per-CPU data at 0, are few.
        let mut before = self.sections[..behind].iter().rev().take(4);
        before.find(|one| address - one.address < one.size)
    }

    /// The bytes at `address`, without relocations; `None` if there are not that many.
    pub fn bytes(&self, address: u64, size: u64) -> Option<std::borrow::Cow<'data, [u8]>> {
        let section = self.section_at(address)?;
        let within = address - section.address;
        if size > MOST || size > section.size - within {
            return None;
        }
        match section.file {
            None => Some(vec![0; usize::try_from(size).ok()?].into()),
            Some((offset, length)) => {
                if within.checked_add(size)? > length {
                    return None;
                }
                let bytes = self.bytes_of_file(offset.checked_add(within)?, size);
                bytes.ok().map(Into::into)
            }
        }
    }

    /// What the pointer at `address` points to.
    pub fn pointer(&mut self, address: u64) -> Option<u64> {
        self.reference(address, self.word, false)
    }

    /// What the 32-bit distance at `address` points to
    /// (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS).
    pub fn distance(&mut self, address: u64) -> Option<u64> {
        self.reference(address, 4, true)
    }

    fn reference(&mut self, address: u64, size: u64, is_distance: bool) -> Option<u64> {
        let bytes = self.bytes(address, size)?;
        let stored = self.number(&bytes);
        let signed = if size == 4 && (is_distance || self.word == 4) {
            i64::from(stored as u32 as i32) as u64
        } else {
            stored
        };
        if self.is_module {
            if let Some(link) = self.link(address) {
                let added = if link.adds_word { signed } else { 0 };
                return Some(link.target.wrapping_add(added));
            }
        } else if let Some(&target) = self.moved.get(&address) {
            return Some(target);
        }
        Some(if is_distance {
            let sum = address.wrapping_add(signed);
            if self.word == 4 {
                sum & 0xffff_ffff
            } else {
                sum
            }
        } else {
            stored
        })
    }

    fn link(&mut self, address: u64) -> Option<Link> {
        let section = self.section_at(address)?.index;
        if !self.linked.contains_key(&section) {
            let known: usize = self.linked.values().map(HashMap::len).sum();
            let links = self.links(section, MOST_LINKS.saturating_sub(known));
            self.is_overfull |= known + links.len() >= MOST_LINKS;
            self.linked.insert(section, links);
        }
        self.linked.get(&section)?.get(&address).copied()
    }

    /// Where several relocations make one word, as `ADD32` and `SUB32` of riscv do for
    /// a distance, the first names what is meant.
    fn links(&self, index: SectionIndex, most: usize) -> HashMap<u64, Link> {
        let mut links = HashMap::new();
        let Ok(section) = self.file.section_by_index(index) else {
            return links;
        };
        let base = self.bases.get(&index).copied().unwrap_or_default();
        for (offset, relocation) in section.relocations().take(most) {
            let target = match relocation.target() {
                RelocationTarget::Symbol(symbol) => self.address_of(symbol),
                RelocationTarget::Section(section) => self.bases.get(&section).copied(),
                _ => None,
            };
            if let Some(target) = target {
                links.entry(base.wrapping_add(offset)).or_insert(Link {
                    target: target.wrapping_add(relocation.addend() as u64),
                    adds_word: relocation.has_implicit_addend(),
                });
            }
        }
        links
    }

    fn address_of(&self, index: SymbolIndex) -> Option<u64> {
        let symbol = self.file.symbol_by_index(index).ok()?;
        if symbol.is_undefined() {
            return Some(UNDEFINED + ((index.0 as u64) << 16));
        }
        match (self.is_module, symbol.section_index()) {
            (true, Some(section)) => Some(self.bases.get(&section)?.wrapping_add(symbol.address())),
            _ => Some(symbol.address()),
        }
    }

    /// The name of a symbol that another image has, by the address that stands for it.
    pub fn undefined_name(&self, address: u64) -> Option<&'data str> {
        let index = address.checked_sub(UNDEFINED)? >> 16;
        let symbol = SymbolIndex(usize::try_from(index).ok()?);
        let symbol = self.file.symbol_by_index(symbol).ok()?;
        symbol.is_undefined().then(|| symbol.name().ok())?
    }

    /// Calls `see` with every named symbol that it defines.
    pub fn each_symbol(&self, mut see: impl FnMut(&'data [u8], Place)) {
        for symbol in self.file.symbols() {
            if symbol.is_undefined() {
                continue;
            }
            let (Ok(name), Some(address)) = (symbol.name_bytes(), self.address_of(symbol.index()))
            else {
                continue;
            };
            if !name.is_empty() {
                let size = symbol.size();
                see(name, Place { address, size });
            }
        }
    }

    /// Where the section `name` is.
    pub fn section(&self, name: &str) -> Option<Range<u64>> {
        let section = self.file.section_by_name(name)?;
        let base = *self.bases.get(&section.index())?;
        Some(base..base.checked_add(section.size())?)
    }

    /// As many bytes from `address` on as a name may have, fewer where the section ends.
    pub fn start(&self, address: u64) -> Option<std::borrow::Cow<'data, [u8]>> {
        let section = self.section_at(address)?;
        let rest = section.size - (address - section.address);
        self.bytes(address, rest.min(LONGEST_STRING))
    }

    /// The C string at `address`, if it is text and not longer than any name is.
    pub fn string(&self, address: u64) -> Option<String> {
        let bytes = self.start(address)?;
        let end = memchr::memchr(0, &bytes)?;
        String::from_utf8(bytes[..end].to_vec()).ok()
    }
}

fn is_allocated<'data>(section: &impl ObjectSection<'data>) -> bool {
    match section.flags() {
        object::SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(object::elf::SHF_ALLOC),
        _ => false,
    }
}
