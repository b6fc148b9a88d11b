#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Show what a disabled tracepoint costs at each of its call sites.

Usage: sites.py BASE PATCHED MESSAGES NAME...

BASE and PATCHED are vmlinux files of x86-64 with symbols, without and with the
tracepoints NAME... (real names, with _tp). MESSAGES is a file with the messages of
the patches. Prints a table:

    $ tests/kernel/sites.py base/vmlinux vmlinux messages sched_balance_rq_tp
    tracepoint                 in function           off          frame      grows
    sched_balance_rq_tp        sched_balance_rq      5-byte nop   6+232      85

off     the instruction that a call is while the tracepoint is off
frame   the registers that the function pushes + the bytes of stack that it
        takes; "1+24 -> 6+0" where the patched kernel's differs
grows   bytes by which the function with the site in it is larger

A call that is not one nop fails, as does a tracepoint without any call. So does a
frame that differs, unless MESSAGES says so in a line such as

    vfs_fsync_range(): frame 1+24 -> 6+0

Exit status: 0 all well, 1 something failed, 2 the images can't be read.
"""

import collections
import re
import struct
import subprocess
import sys

from tracepoints import Image

NOPS = {b"\x66\x90": "2-byte nop", b"\x0f\x1f\x44\x00\x00": "5-byte nop"}
STT_FUNC = 2

Function = collections.namedtuple("Function", "name start size")


class Code(Image):
    """A vmlinux and its functions."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            super().__init__(file.read())
        text = [i for i, s in enumerate(self.sections) if s.name.startswith((".text", ".init.text"))]
        self.functions = [Function(s.name, s.value, s.size)
                          for s in self.symbols if s.shndx in text and s.size]
        self.sizes = collections.Counter()
        for function in self.functions:
            self.sizes[function.name] += function.size

    def bytes_at(self, address, count):
        for section in self.sections:
            if section.addr <= address < section.addr + section.size:
                offset = address - section.addr
                return self.content(section)[offset:offset + count]
        raise ValueError(f"nothing at {address:#x}")

    def function_at(self, address):
        for function in self.functions:
            if function.start <= address < function.start + function.size:
                return function
        raise ValueError(f"no function at {address:#x}")

    def sites(self):
        """(address of the code, tracepoint) of each jump entry of a tracepoint"""
        start, table = self._table("__start___jump_table", "__stop___jump_table")
        own = {s.value: (s.value + s.size, s.name.removeprefix("__tracepoint_"))
               for s in self.defined() if s.name.startswith("__tracepoint_") and s.size}
        begins = sorted(own)
        for i, (code, _, key) in enumerate(struct.iter_unpack("<iiq", table)):
            at = start + 16 * i
            key = (at + 8 + key) & ~3
            begin = max((b for b in begins if b <= key), default=None) \
                if key >= begins[0] else None
            if begin is not None and key < own[begin][0]:
                yield at + code, own[begin][1]

    def frame(self, name):
        """How many registers the function pushes, and the stack that it takes"""
        found = [f for f in self.functions if f.name == name]
        if not found:
            return None
        function = found[0]
        listing = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn",
             f"--start-address={function.start:#x}",
             f"--stop-address={function.start + function.size:#x}", self.path],
            check=True, capture_output=True, text=True).stdout
        pushes = len({r for r in re.findall(r"\tpush +(%r\w+)", listing)})
        stack = [int(size, 16) for size in re.findall(r"\tsub +\$(0x[0-9a-f]+),%rsp", listing)]
        return f"{pushes}+{max(stack, default=0)}"


def main(base, patched, messages, names):
    base, patched = Code(base), Code(patched)
    with open(messages, encoding="utf-8") as file:
        said = file.read()
    wanted = set(names)
    places = collections.defaultdict(list)
    for address, name in patched.sites():
        if name in wanted:
            places[name].append(address)
    failures = [f"{name}: no call site" for name in names if not places[name]]

    print(f"{'tracepoint':26} {'in function':24} {'off':12} {'frame':16} grows")
    for name in names:
        for address in sorted(places[name]):
            function = patched.function_at(address)
            off = next((NOPS[nop] for nop in NOPS
                        if patched.bytes_at(address, len(nop)) == nop), None)
            if off is None:
                failures.append(f"{name}: no nop in {function.name}()")
            before, after = base.frame(function.name), patched.frame(function.name)
            frame = after
            if before != after:
                frame = f"{before or 'none'} -> {after}"
                if f"{function.name}(): frame {frame}" not in said:
                    failures.append(f"{name}: {function.name}(): frame {frame},"
                                    " which no patch's message says")
            grows = patched.sizes[function.name] - base.sizes[function.name]
            print(f"{name:26} {function.name:24} {off or '?':12} {frame:16} {grows}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:4], sys.argv[4:]))
    except (OSError, ValueError, struct.error) as error:
        print(f"sites.py: {error}", file=sys.stderr)
        sys.exit(2)
