"""A stack on disk: which engine made the lab, and what its program answered. Both engines' states are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from components.checks.surroundings import is_made
from maillab.cli.problem import MaillabError, failed
from maillab.cli.text import text
from maillab.where import maillab
from maillab.where.known import STATE

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "maillab"
DEFAULT_STACK = "dc1es"
SECRET = "4dabf18193072939515e22adb298388d"  # marks a secret value in Pulumi's format


class Engine(StrEnum):
    """Who makes the containers."""

    PULUMI = "pulumi"
    OFFLINE = "offline"

    @property
    def other(self) -> Engine:
        """The one that this one is not."""
        return Engine.OFFLINE if self is Engine.PULUMI else Engine.PULUMI


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One lab of the project under `root`."""

    name: str
    root: Path = ROOT

    def state_file(self, engine: Engine) -> Path:
        """Where `engine` keeps the stack's state; it may not exist."""
        state = self.root / STATE
        if engine is Engine.PULUMI:
            return state / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json"
        return state / "offline" / f"{self.name}.json"

    @property
    def maillab(self) -> str:
        """How the command for people is called for it."""
        return maillab(self.name)

    @property
    def label(self) -> str:
        """What the lab's resources carry as `maillab.stack`: two folders may have stacks of one name."""
        return (self.setting("prefix") or f"{self.name}-").removesuffix("-")

    @property
    def owner(self) -> str:
        """The id of the folder, which its labs' resources carry as `maillab.owner`; empty before the first run."""
        path = self.root / STATE / "owner"
        return path.read_text("utf-8").strip() if path.exists() else ""

    def setting(self, key: str) -> str:
        """What the stack's file says for `maillab:KEY`, as text; empty when it says nothing."""
        # Not needed by most commands.
        from maillab.offline.stack_file import read_stack_file, stack_path  # noqa: PLC0415
        from maillab.offline.values import OfflineError  # noqa: PLC0415

        path = stack_path(self.root, self.name)
        try:
            config = read_stack_file(path, PROJECT).config if path.exists() else {}
        except OfflineError as error:
            raise MaillabError(str(error), text("correct-there")) from error
        return str(config.get(f"{PROJECT}:{key}") or "")

    def resources(self, engine: Engine) -> list[Mapping[str, object]]:
        """The resources in `engine`'s state, none without a state. Raises MaillabError for a damaged file."""
        path = self.state_file(engine)
        try:
            return _resources(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return []
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise failed("state-damaged.file", stack=self.name, path=path, words=error) from error

    def makers(self) -> list[Engine]:
        """The engines whose state holds resources of this lab."""
        return [engine for engine in Engine if any(map(is_made, self.resources(engine)))]

    def outputs(self) -> dict[str, object]:
        """The program's outputs as the last `up` left them; secrets as `[secret]`."""
        for engine in Engine:
            for resource in self.resources(engine):
                outputs = resource.get("outputs")
                if resource.get("type") == "pulumi:pulumi:Stack" and isinstance(outputs, Mapping):
                    return {key: _masked(value) for key, value in outputs.items()}
        return {}


def _resources(state: dict[str, dict[str, object]]) -> list[Mapping[str, object]]:
    """The resources in a state. Raises TypeError, AttributeError: it is none."""
    # Pulumi wraps the deployment as checkpoint.latest, the exported format calls it deployment.
    deployment = (state.get("checkpoint") or {}).get("latest") or state.get("deployment") or {}
    resources = deployment.get("resources") or []  # type: ignore[attr-defined]
    if not isinstance(resources, list) or not all(isinstance(one, Mapping) for one in resources):
        raise TypeError("`resources` is no list of resources")
    return resources


def _masked(value: object) -> object:
    if isinstance(value, Mapping):
        return "[secret]" if SECRET in value else {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
