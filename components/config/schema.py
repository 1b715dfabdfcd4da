"""The JSON Schema of a stack file, made of the sections' classes: editors complete and check by it."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from components.config.lab import LabConfig

# Where it is kept, from the project's folder; the stack files name it in their first line.
PATH = "docs/stack-file.schema.json"


def stack_file_schema() -> Mapping[str, Any]:
    """What `Pulumi.<stack>.yaml` may say, in JSON Schema 2020-12 (json-schema.org)."""
    lab = TypeAdapter(LabConfig).json_schema()
    keys = {f"maillab:{name}": schema for name, schema in lab["properties"].items() if name != "stack"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A maillab stack file",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": ["maillab:schools"],
                # Other namespaces are Pulumi's own and its plugins'.
                "patternProperties": {"^(?!maillab:)": {}},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
        "$defs": lab["$defs"],
    }


def schema_text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n"
