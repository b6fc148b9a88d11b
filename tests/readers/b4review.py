# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run barepoint as `b4 review` does, through b4's own code: b4review.py REPOSITORY

The repository has the tags that tests/clients makes.
"""

import argparse
import email
import email.policy
import json
import os
import quopri
import subprocess
import sys

import b4
from b4.review import checks
from b4.review_tui._modals import TrackingCheckResultsScreen
from rich.text import Text

top = sys.argv[1]
os.chdir(top)
BAREPOINT = ["barepoint", "check", "--format=b4", "-"]


def mail(revision):
    """The patch as b4 makes it, without a `From ` line."""
    shown = subprocess.run(
        ["git", "show", "--format=email", "--binary", "--patch-with-stat", revision],
        check=True, capture_output=True).stdout
    return email.message_from_bytes(shown, policy=email.policy.EmailPolicy(utf8=True))


def run(message, command=None):
    return checks._run_external_cmd(command or BAREPOINT, message, top)


def only(results, status):
    assert len(results) == 1, results
    assert results[0]["tool"] == "barepoint", results
    assert results[0]["status"] == status, results
    return results[0]


# A leak: one failure, whose details b4 shows line by line
leak = mail("leak")
failed = only(run(leak), "fail")
assert failed["summary"] == "1 error, 0 warnings", failed
details = json.loads(failed["details"])
assert isinstance(details, list) and len(details) == 1, details
assert details[0]["status"] == "fail", details
assert "include/trace/events/sched.h:" in details[0]["description"], details
assert details[0]["srcline"].startswith("+TRACE_EVENT("), details

# As its text interface draws them
body = Text()
TrackingCheckResultsScreen._render_detail_lines(
    TrackingCheckResultsScreen, body, failed["details"])
drawn = body.plain.splitlines()
assert len(drawn) == 2 and "error[promotion]" in drawn[0], drawn
assert drawn[1].strip().startswith("+TRACE_EVENT("), drawn

# The commit after it takes it back; HEAD is there, and clean
only(run(mail("revert")), "pass")
only(run(mail("clean")), "pass")

# A cover letter alone, as the command for a series gets it
cover = email.message_from_string(
    "From: A <a@example.org>\nSubject: [PATCH 0/3] sched: Hooks\n\nWords.\n",
    policy=email.policy.EmailPolicy(utf8=True))
assert run(cover) == [], run(cover)
# A patch that lost its diff is none, and may not pass
lost = email.message_from_string(
    "From: A <a@example.org>\nSubject: [PATCH 1/3] sched: A hook\n\nWords.\n",
    policy=email.policy.EmailPolicy(utf8=True))
assert "could not check" in only(run(lost), "fail")["details"]

# A received mail: b4 decodes its body and leaves the header of the encoded one.
# Decoded twice, "ab=20cd" is no longer the line of the tree.
raw = mail("leak-by-qp").as_bytes()
head, body = raw.split(b"\n\n", 1)
lines = [line for line in head.split(b"\n")
         if not line.lower().startswith(b"content-transfer-encoding")]
encoded = b"\n".join(lines + [b"Content-Transfer-Encoding: quoted-printable"]) \
    + b"\n\n" + quopri.encodestring(body)
received = email.message_from_bytes(encoded, policy=email.policy.EmailPolicy(utf8=True))
handed = b4.LoreMessage.get_msg_as_bytes(received)
assert b"quoted-printable" in handed and b"ab=20cd" in handed, "the trap is still there"
only(run(received), "fail")
shown = subprocess.run(["barepoint", "check", "-q", "--terse", "--no-summary", "--mailback",
                        "--showfile", "-"], input=handed, capture_output=True, check=False)
assert shown.returncode == 1 and shown.stderr == b"", shown
assert shown.stdout.count(b"\n") == 1 and b": ERROR: " in shown.stdout, shown

# The commands of gates/b4-config, found and run by b4. _builtin_checkpatch is b4's own.
b4.setup_config(argparse.Namespace(config=[]))
perpatch, _ = checks.load_check_cmds()
assert perpatch == ["_builtin_checkpatch", "barepoint check --format=b4 -"], perpatch
results = checks.run_perpatch_checks([("leak", leak), ("clean", mail("clean"))], perpatch, top)
status = {name: next(one["status"] for one in found if one["tool"] == "barepoint")
          for name, found in results.items()}
assert status == {"leak": "fail", "clean": "pass"}, results
