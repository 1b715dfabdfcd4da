"""A stack on disk: which engine made the lab, and what its program answered. Both engines' states are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cli.problem import MaillabError
from components.surroundings import is_made
from where import maillab

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "maillab"
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
        state = self.root / ".pulumi-state"
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

    def setting(self, key: str) -> str:
        """What the stack's file says for `maillab:KEY`, as text; empty when it says nothing."""
        import yaml  # noqa: PLC0415  (not needed by most commands)

        path = self.root / f"Pulumi.{self.name}.yaml"
        try:
            settings = yaml.safe_load(path.read_text("utf-8")) if path.exists() else None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise MaillabError(f"{path} can't be read: {error}", "mend it there") from error
        config = settings.get("config") if isinstance(settings, dict) else settings
        if config is not None and not isinstance(config, dict):
            raise MaillabError(f"{path} can't be read: there is no mapping `config:` in it", "mend it there")
        return str((config or {}).get(f"{PROJECT}:{key}") or "")

    def resources(self, engine: Engine) -> list[Mapping[str, object]]:
        """The resources in `engine`'s state, none without a state. Raises MaillabError for a damaged file."""
        path = self.state_file(engine)
        try:
            state = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return []
        except json.JSONDecodeError as error:
            raise MaillabError(
                f"{path}: the state of stack {self.name} is damaged: {error}",
                "put a copy of it back (Pulumi keeps one beside it: .bak)",
            ) from error
        # Pulumi wraps the deployment as checkpoint.latest, the exported format calls it deployment.
        deployment = (state.get("checkpoint") or {}).get("latest") or state.get("deployment") or {}
        return list(deployment.get("resources") or [])

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


def _masked(value: object) -> object:
    if isinstance(value, Mapping):
        return "[secret]" if SECRET in value else {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value
