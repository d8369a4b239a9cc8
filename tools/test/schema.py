#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Check JSON of postern against its schema.

Usage: schema.py KIND [FILE]    KIND is one of the definitions of the schema;
                                each line of FILE is a document for "event".
"""
import json
import pathlib
import sys

import jsonschema


def main():
    kind = sys.argv[1]
    path = pathlib.Path(__file__).resolve().parent.parent / "postern.schema.json"
    schema = json.loads(path.read_text())
    schema["anyOf"] = [{"$ref": "#/definitions/" + kind}]
    validator = jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.draft7_format_checker)
    with open(sys.argv[2] if len(sys.argv) > 2 else 0, encoding="utf-8") as f:
        text = f.read()
    documents = text.splitlines() if kind == "event" else [text]
    wrong = 0
    for document in documents:
        for error in validator.iter_errors(json.loads(document)):
            print(f"{'/'.join(map(str, error.absolute_path))}: {error.message}")
            wrong += 1
    if not documents:
        print("no document")
    return 1 if wrong or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
