"""The JSON Schema of an exercise's file, made of its classes: editors complete and check by it."""

import json

from pydantic import TypeAdapter

from maillab.exercises.exercise import Exercise

# Where it is kept, from the project's folder; the exercises name it in their first line.
PATH = "docs/exercise.schema.json"


def schema_text() -> str:
    """The schema as it stands in the file, in JSON Schema 2020-12 (json-schema.org)."""
    schema = TypeAdapter(Exercise).json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A maillab exercise"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
