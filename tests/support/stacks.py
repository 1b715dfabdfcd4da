"""The configurations that come with the project, as the program sees them."""

import pathlib
from collections.abc import Callable
from typing import Any

import yaml

from maillab.offline.stack_file import read_stack_file, stack_path
from maillab.offline.yaml_file import read_yaml

PREFIX = "maillab:"


def change_school(stack_file: pathlib.Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Writes the stack's file again, with what `change` makes of its one school."""
    data = yaml.safe_load(stack_file.read_text(encoding="utf-8"))
    (school,) = data["config"]["maillab:schools"]
    data["config"]["maillab:schools"] = [change(school)]
    stack_file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def stack_data(root: pathlib.Path, stack: str) -> dict[str, object]:
    """`Pulumi.<stack>.yaml` over the defaults of Pulumi.yaml, keys without their namespace."""
    project = read_yaml(root / "Pulumi.yaml")
    own = read_stack_file(stack_path(root, stack), project["name"]).config
    defaults = {key: item.get("default") for key, item in project["config"].items()}
    return {key.removeprefix(PREFIX): value for key, value in (defaults | own).items()}
