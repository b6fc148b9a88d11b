#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write 1000 commits for git fast-import; repository calls it in a work tree.

Usage: commits.py MAJOR

The same commits each time: the dice have a seed. Tags are vMAJOR.1, vMAJOR.2, ...
"""

import random
import subprocess
import sys

COMMITS = 1000
FILES = 8
RELEASE = 250
HOT = ["kernel/sched/fair.c", "kernel/sched/core.c", "kernel/sched/pelt.c",
       "include/trace/events/sched.h", "fs/namei.c"]  # fmt: skip


def main(major):
    dice = random.Random(1)
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, check=True)
    files = sorted(listed.stdout.decode().splitlines())
    hot = [path for path in HOT if path in files]
    texts = {}
    out = sys.stdout.buffer
    for number in range(1, COMMITS + 1):
        chosen = dice.sample(files, FILES) + ([dice.choice(hot)] if number % 10 == 0 else [])
        who = f"A <a@example.org> {1700000000 + 60 * number} +0000"
        message = f"tree: Change {number}\n"
        out.write(f"commit refs/heads/master\ncommitter {who}\n"
                  f"data {len(message)}\n{message}".encode())
        if number == 1:
            out.write(b"from refs/heads/master^0\n")
        for path in dict.fromkeys(chosen):
            if path not in texts:
                with open(path, "rb") as file:
                    texts[path] = file.read()
            texts[path] += b"/* %d */\n" % number
            out.write(f"M 100644 inline {path}\ndata {len(texts[path])}\n".encode())
            out.write(texts[path] + b"\n")
        if number % RELEASE == 0:
            out.write(f"tag v{major}.{number // RELEASE}\nfrom refs/heads/master\n"
                      f"tagger {who}\ndata 8\nrelease\n\n".encode())


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
