"""The JSON Schema of stack files: it is the models' own, and the stack files keep to it."""

from typing import Any

import jsonschema
import pytest
import yaml

from components.config.schema import PATH, schema_text, stack_file_schema
from tests.golden.rendering import ROOT, STACKS


def stack_file(stack: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    return data


def test_kept_schema_is_made_of_the_models_of_now() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == schema_text(), "run .venv/bin/python -m tests.golden.renew"


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_keeps_to_the_schema(stack: str) -> None:
    jsonschema.validate(stack_file(stack), stack_file_schema())


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_names_the_schema_for_editors(stack: str) -> None:
    first = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={PATH}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("config", "maillab:link"), {}, id="unknown key at the top"),
        pytest.param(("config", "maillab:schools", 0, "machnes"), [], id="unknown key of a school"),
        pytest.param(("config", "maillab:schools", 0, "zone", "ttl"), "day", id="text for a number"),
        pytest.param(("config", "maillab:schools", 0, "machines", 0, "roles", 0), "dsn", id="unknown role"),
    ],
)
def test_fault_is_refused(path: tuple[str | int, ...], value: object) -> None:
    data = stack_file("dc1es")
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, stack_file_schema())
