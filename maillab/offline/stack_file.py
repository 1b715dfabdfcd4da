"""Pulumi.<stack>.yaml as it is on disk: everyone who reads one reads it here."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from maillab.offline.values import OfflineError
from maillab.offline.yaml_file import mapping, read_yaml

if TYPE_CHECKING:
    from maillab.offline.values import Props

# What a stack's file has beside `config`: how its secrets are kept, and Pulumi's environments.
STACK_KEYS = ("config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFile:
    """`config`: `project:key` to its value as YAML has it, `secure:` parts still closed; `salt` of the secrets."""

    config: Props = field(repr=False)
    salt: str


def stack_path(root: Path, stack: str) -> Path:
    """Where the settings of a stack are."""
    return root / f"Pulumi.{stack}.yaml"


def read_stack_file(path: Path, project: str) -> StackFile:
    """The settings of a stack of `project`; keys without a namespace are the project's.

    Raises OfflineError: there is no such file, it is no YAML, or there are keys in it that nobody knows.
    """
    settings = read_yaml(path)
    for key in settings:
        if key not in STACK_KEYS:
            near = "".join(f"did you mean {near}? " for near in get_close_matches(str(key), STACK_KEYS, n=1))
            raise OfflineError(f"{path} can't be read: {key!r} is not known; {near}settings are below `config:`")
    config: Props = {}
    for key, value in mapping(path, settings, "config").items():
        name = full_name(project, str(key))
        if name in config:
            raise OfflineError(f"{path} can't be read: duplicate key {name!r}, with and without its namespace")
        config[name] = value
    return StackFile(config=config, salt=str(settings.get("encryptionsalt") or ""))


def full_name(project: str, key: str) -> str:
    """`key` with its namespace."""
    return key if ":" in key else f"{project}:{key}"
