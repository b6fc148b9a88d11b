#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""List the tracepoints of a built x86-64 kernel, and what each one has.

Usage: tracepoints.py VMLINUX MODULE.SYMVERS MODULES

VMLINUX is the ELF file with symbols, MODULES the folder with the .ko files
(plain or .xz; not .ko.debug, whose data sections are empty). Prints a table:

    $ tests/kernel/tracepoints.py vmlinux Module.symvers lib/modules | head -2
    name	event	bpf	export	site
    9p_client_req	yes	yes	-	yes

event   __event_NAME in _ftrace_events: tracefs and perf have it
bpf     __bpf_trace_tp_map_NAME in __bpf_raw_tp_map: BPF attaches by name
export  gpl, plain or -, from Module.symvers, which must agree with the
        __ksymtab symbols of the images
site    some entry of a __jump_table has the tracepoint's static key, so some
        trace_NAME() or trace_NAME_enabled() is in the code

A module keeps these things in sections of their own; vmlinux's linker script
merges them into others and puts boundary symbols around each. The name alone
won't do: __tracepoint_ext_NAME is a struct tracepoint_ext, and
__tracepoint_probe_module_cb a function.

Exit status: 0 table printed, 1 the sources contradict each other or can't be read.
"""

import bisect
import collections
import lzma
import os
import struct
import sys

SHT_SYMTAB, SHT_NOBITS = 2, 8
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00
MIN_TRACEPOINTS = 1000

Section = collections.namedtuple(
    "Section", "name type flags addr offset size link info align entsize")
Symbol = collections.namedtuple("Symbol", "name shndx value size")


class Elf:
    """The few parts of a little-endian ELF64 file that are needed here."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not a little-endian ELF64 file")
        self.data = data
        shoff, = struct.unpack_from("<Q", data, 0x28)
        shentsize, shnum, shstrndx = struct.unpack_from("<HHH", data, 0x3A)
        raw = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize)
               for i in range(shnum)]
        names = raw[shstrndx][4]
        self.sections = [Section(self._string(names + s[0]), *s[1:]) for s in raw]
        self.symbols = self._read_symbols()

    def _string(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def _read_symbols(self):
        table = next((s for s in self.sections if s.type == SHT_SYMTAB), None)
        if table is None:
            raise ValueError("no symbol table")
        strings = self.sections[table.link].offset
        return [Symbol(self._string(strings + name), shndx, value, size)
                for name, _, _, shndx, value, size
                in struct.iter_unpack("<IBBHQQ", self.content(table))]

    def content(self, section):
        if section.type == SHT_NOBITS:
            raise ValueError(f"section {section.name} is empty: not a complete image")
        return self.data[section.offset:section.offset + section.size]

    def defined(self):
        return (s for s in self.symbols if SHN_UNDEF < s.shndx < SHN_LORESERVE)


class Module(Elf):
    """A .ko: sections by name, and relocations where vmlinux has addresses."""

    def _section(self, name):
        return next((i for i, s in enumerate(self.sections) if s.name == name), None)

    def members(self, section, _start, _stop):
        """A test: does this symbol lie in the table?"""
        index = self._section(section)
        return lambda symbol: symbol.shndx == index

    def tracepoints(self):
        return self.members("__tracepoints", None, None)

    def keys(self):
        """Static keys of tracepoints that the jump table names, as names of
        another image's tracepoints or as addresses in the own ones."""
        table = self._section(".rela__jump_table")
        if table is None:
            return
        own = self._section("__tracepoints")
        relocations = self.content(self.sections[table])
        for _, info, addend in struct.iter_unpack("<QQq", relocations):
            symbol = self.symbols[info >> 32]
            if symbol.shndx == SHN_UNDEF:
                if name := suffix(symbol.name, "__tracepoint_"):
                    yield name
            elif symbol.shndx == own:
                yield symbol.value + addend


class Image(Elf):
    """The linked vmlinux."""

    def _range(self, start, stop):
        bounds = {s.name: s.value for s in self.symbols if s.name in (start, stop)}
        if len(bounds) != 2:
            raise ValueError(f"no {start} and {stop}: is it a vmlinux with its symbols?")
        return bounds[start], bounds[stop]

    def _table(self, start, stop):
        low, high = self._range(start, stop)
        for section in self.sections:
            if section.addr <= low < section.addr + section.size:
                offset = low - section.addr
                return low, self.content(section)[offset:offset + high - low]
        raise ValueError(f"no section holds {start}")

    def members(self, _section, start, stop):
        low, high = self._range(start, stop)
        return lambda symbol: low <= symbol.value < high

    def tracepoints(self):
        start, table = self._table("__start___tracepoints_ptrs", "__stop___tracepoints_ptrs")
        targets = {start + 4 * i + offset
                   for i, (offset,) in enumerate(struct.iter_unpack("<i", table))}
        return lambda symbol: symbol.value in targets

    def keys(self):
        """struct jump_entry is { s32 code, target; long key; }, each relative
        to its own address; the key's low two bits are flags."""
        start, table = self._table("__start___jump_table", "__stop___jump_table")
        for i, (_, _, key) in enumerate(struct.iter_unpack("<iiq", table)):
            yield (start + 16 * i + 8 + key) & ~3


def suffix(name, prefix):
    return name[len(prefix):] if name.startswith(prefix) else None


class Build:
    """What all images of one build say together."""

    def __init__(self):
        self.tracepoints = set()
        self.events = set()
        self.bpf = set()
        self.exports = set()
        self.sites = set()

    def add(self, elf):
        kinds = (
            ("__tracepoint_", self.tracepoints, elf.tracepoints()),
            ("__event_", self.events,
             elf.members("_ftrace_events", "__start_ftrace_events", "__stop_ftrace_events")),
            ("__bpf_trace_tp_map_", self.bpf,
             elf.members("__bpf_raw_tp_map", "__start__bpf_raw_tp", "__stop__bpf_raw_tp")),
            ("__ksymtab___tracepoint_", self.exports, lambda symbol: True),
        )
        own = []
        for symbol in elf.defined():
            for prefix, names, belongs in kinds:
                if (name := suffix(symbol.name, prefix)) and belongs(symbol):
                    names.add(name)
                    if names is self.tracepoints:
                        own.append((symbol.value, symbol.value + symbol.size, name))
        own.sort()
        for key in elf.keys():
            if isinstance(key, str):
                self.sites.add(key)
                continue
            at = bisect.bisect_right(own, key, key=lambda o: o[0]) - 1
            if at >= 0 and key < own[at][1]:
                self.sites.add(own[at][2])


def read_symvers(path):
    """name -> gpl or plain, of the exported tracepoints"""
    exports = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            _, symbol, _, kind = line.rstrip("\n").split("\t")[:4]
            if name := suffix(symbol, "__tracepoint_"):
                exports[name] = "gpl" if kind == "EXPORT_SYMBOL_GPL" else "plain"
    return exports


def some(names):
    return ", ".join(sorted(names)[:5]) + (f" and {len(names) - 5} more" * (len(names) > 5))


def images(vmlinux, modules):
    yield vmlinux, Image
    for folder, folders, files in os.walk(modules):
        folders.sort()
        for file in sorted(files):
            if file.endswith((".ko", ".ko.xz")):
                yield os.path.join(folder, file), Module


def main(vmlinux, symvers, modules):
    build = Build()
    count = 0
    for path, kind in images(vmlinux, modules):
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
            try:
                build.add(kind(file.read()))
            except (ValueError, struct.error) as error:
                return f"{path}: {error}"
        count += 1
    exports = read_symvers(symvers)

    if len(build.tracepoints) < MIN_TRACEPOINTS:
        return (f"{vmlinux}: only {len(build.tracepoints)} tracepoints in {count} images:"
                " is it the full vmlinux with symbols, of a distribution's build?")
    if set(exports) != build.exports:
        return f"{symvers} and __ksymtab differ: {some(set(exports) ^ build.exports)}"
    # Events without a tracepoint are well: system calls, ftrace's own entries.
    for what, names in (("bpf maps", build.bpf), ("call sites", build.sites),
                        ("exports", build.exports)):
        if stray := names - build.tracepoints:
            return f"{what} without a tracepoint: {some(stray)}"

    yes = {True: "yes", False: "no"}
    bare = build.tracepoints - build.events
    print(f"# {len(build.tracepoints)} tracepoints in {count} images; {len(bare)} bare,"
          f" {len(build.bpf)} bpf, {len(exports)} exported,"
          f" {len(build.tracepoints - build.sites)} without a site")
    print("name\tevent\tbpf\texport\tsite")
    for name in sorted(build.tracepoints):
        print(name, yes[name in build.events], yes[name in build.bpf],
              exports.get(name, "-"), yes[name in build.sites], sep="\t")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
