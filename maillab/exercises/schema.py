"""The JSON Schema of an exercise's file, made of its classes: editors complete and check by it."""

import json
from typing import Any

from pydantic import TypeAdapter

from maillab.exercises.exercise import Exercise

# Where it is kept, from the project's folder; the exercises name it in their first line.
PATH = "docs/exercise.schema.json"


PLACEHOLDER = {"type": "string", "pattern": r"^\{\{ *\w+(\.\w+)? *\}\}$"}  # of a choice that is a number


def _with_placeholders(schema: Any) -> Any:  # noqa: ANN401 (whatever JSON has)
    """The schema in which a placeholder may stand for each number."""
    if isinstance(schema, list):
        return [_with_placeholders(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "integer":
        rest = {key: value for key, value in schema.items() if key != "type"}
        return {"anyOf": [{"type": "integer"}, PLACEHOLDER], **rest}
    return {key: _with_placeholders(value) for key, value in schema.items()}


def schema_text() -> str:
    """The schema as it stands in the file, in JSON Schema 2020-12 (json-schema.org)."""
    schema = _with_placeholders(TypeAdapter(Exercise).json_schema())
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A maillab exercise"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
