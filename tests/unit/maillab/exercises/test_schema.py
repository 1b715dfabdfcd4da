"""The JSON Schema that editors use for exercises is that of the classes, and good exercises fit it."""

import json

import jsonschema
import pytest

from maillab.cli.stack import ROOT
from maillab.exercises.library import names
from maillab.exercises.schema import PATH, schema_text
from maillab.offline.yaml_file import read_yaml


def test_file_is_up_to_date() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == schema_text(), "run .venv/bin/python -m tests.golden.renew"


@pytest.mark.parametrize("name", names(ROOT))
def test_exercise_fits(name: str) -> None:
    jsonschema.validate(read_yaml(ROOT / "exercises" / f"{name}.yaml"), json.loads(schema_text()))


def test_unknown_key_does_not_fit() -> None:
    data = read_yaml(ROOT / "exercises" / "new-colleague.yaml")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"titel": "x"}, json.loads(schema_text()))
