# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Read code quality reports as GitLab documents them: gitlab.py FINDINGS REPORT...

GitLab publishes no schema. The one below says what its documentation does, "Code
Quality report format": which properties there are, that all of them are required,
the severities, that a path is relative and has no ./ before it, and that fingerprints
are unique.
"""

import json
import sys

import jsonschema

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/).+"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}

findings = int(sys.argv[1])
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        text = file.read()
    assert not text.startswith(b"\xef\xbb\xbf"), "no byte order mark"
    report = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    prints = [item["fingerprint"] for item in report]
    assert len(set(prints)) == len(prints), f"{path}: fingerprints are not unique"
    assert len(report) == findings, f"{path}: {len(report)} findings"
