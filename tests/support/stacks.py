"""The configurations that come with the project, as the program sees them."""

import pathlib

import yaml

PREFIX = "maillab:"


def stack_data(root: pathlib.Path, stack: str) -> dict[str, object]:
    """`Pulumi.<stack>.yaml` over the defaults of Pulumi.yaml, keys without their namespace."""
    project = yaml.safe_load((root / "Pulumi.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    defaults = {key: item.get("default") for key, item in project["config"].items()}
    return {key.removeprefix(PREFIX): value for key, value in (defaults | own["config"]).items()}
