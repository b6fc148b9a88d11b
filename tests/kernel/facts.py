#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Hold what guest.c reported from a patched kernel against the unpatched one's.

Usage: facts.py LABEL BEFORE AFTER HOOK...

BEFORE and AFTER are the reports; HOOK are the tracepoints of the series. User space
must see the same events before and after, name for name, and none on a hook. Each
hook must fire, be attached to by a module and by BPF, only with the series; and the
kernel must have nothing to say but what the module does.

Prints a table of the hooks. Exit status: 0 all true, 1 something is not.
"""

import collections
import re
import sys

OUTCOME = re.compile(r"^hookstat: (\w+): (?!cpu\d)(.*)$")
SAID = re.compile(r"^hookstat: |loading out-of-tree module taints kernel")


class Report:
    """What the guest told: lines of the form KEY TEXT, by key."""

    def __init__(self, path):
        self.lines = collections.defaultdict(list)
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file.read().splitlines():
                key, _, text = line.partition(" ")
                self.lines[key].append(text)

    def __getitem__(self, key):
        return self.lines.get(key, [])

    def one(self, key):
        return self[key][0] if self[key] else "nothing"

    def by_name(self, key):
        """NAME ANSWER as a dict"""
        return dict(text.split(" ", 1) for text in self[key])

    def counted(self):
        """How often hookstat saw each, over all outcomes"""
        found = (OUTCOME.match(text) for text in self["message"])
        return {m[1]: sum(int(n) for n in re.findall(r"\d+", m[2])) for m in found if m}

    def names_event(self, hook):
        """The hook, or its name without _tp, is an event, a folder or an id of perf"""
        names = (hook, hook.removesuffix("_tp"))
        texts = self["event"] + self["dir"] + self["perf"] + self["after"]
        return any(re.split(r"[:/ ]", text)[-1] in names for text in texts)


def same_events(before, after):
    for key, what in (("event", "available_events"), ("dir", "events/"), ("perf", "perf")):
        old, new = set(before[key]), set(after[key])
        if not old:
            yield f"no {what} was reported"
        yield from (f"{what}: new with the series: {text}" for text in sorted(new - old))
        yield from (f"{what}: gone with the series: {text}" for text in sorted(old - new))
    if after["after"] != after["event"]:
        yield "available_events: not the same with hookstat loaded"


def hooks_work(before, after, hooks):
    fired, counted = after.by_name("fired"), after.counted()
    for hook in hooks:
        if after.names_event(hook):
            yield f"{hook}: has an event"
        if after.by_name("raw_tp").get(hook) != "ok":
            yield f"{hook}: no BPF raw tracepoint"
        if before.by_name("raw_tp").get(hook) != "No such file or directory":
            yield f"{hook}: BPF has it without the series"
        if int(fired.get(hook, 0)) == 0:
            yield f"{hook}: root's tprobe did not fire"
        if int(before.by_name("fired").get(hook, 0)) != 0:
            yield f"{hook}: fires without the series"
        if counted.get(hook, 0) == 0:
            yield f"{hook}: hookstat did not see it fire"
    for hook in counted.keys() - set(hooks):
        yield f"{hook}: hookstat has it, the series does not"


def module_works(before, after):
    if before.one("load") != "No such file or directory":
        yield f"hookstat on the unpatched kernel: {before.one('load')}"
    if not any("Unknown symbol" in text for text in before["message"]):
        yield "hookstat on the unpatched kernel: not for want of a tracepoint"
    for key in ("load", "unload"):
        if after.one(key) != "ok":
            yield f"hookstat: {key}: {after.one(key)}"
    for text in after["message"]:
        if not SAID.search(text):
            yield f"the kernel says: {text}"


def table(after, hooks):
    fired, counted, bpf = after.by_name("fired"), after.counted(), after.by_name("raw_tp")
    rows = [("hook", "fired (tprobe)", "fired (module)", "event?", "raw_tp")]
    rows += [(hook, fired.get(hook, "-"), str(counted.get(hook, "-")),
              "YES" if after.names_event(hook) else "no", bpf.get(hook, "-"))
             for hook in hooks]
    for row in rows:
        print("{:26}{:>14}  {:>14}  {:8}{}".format(*row))


def main():
    label, before, after, hooks = sys.argv[1], Report(sys.argv[2]), Report(sys.argv[3]), sys.argv[4:]
    wrong = [*same_events(before, after), *hooks_work(before, after, hooks),
             *module_works(before, after)]
    if not wrong:
        print(f"{label}: {len(after['event'])} events, {len(after['perf'])} ids of perf:"
              " the same before and after")
    table(after, hooks)
    if not wrong:
        attached = next(t for t in after["message"] if "attached to" in t)
        print(f"{label}: {attached}, and unloaded; it does not load without the series")
    for text in wrong:
        print(f"{label}: {text}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
