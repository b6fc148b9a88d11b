# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Hold SARIF logs against the standard's schema: sarif.py SCHEMA LOG..."""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
# The standard's, and not an empty one that lets everything pass
assert "SARIF" in schema["title"] and "2.1.0" in schema["title"], schema["title"]
validator = jsonschema.validators.validator_for(schema)(schema)
validator.check_schema(schema)
assert not validator.is_valid({"version": "2.1.0", "runs": [{}]}), "it wants a tool"

for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        errors = list(validator.iter_errors(json.load(file)))
    for error in errors:
        print(f"{path}: {error.json_path}: {error.message}", file=sys.stderr)
    if errors:
        sys.exit(1)
