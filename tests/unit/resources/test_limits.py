"""No Command of a lab can keep its engine for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from maillab.offline import engine, monitor
from maillab.offline.display import Display
from maillab.offline.plan import Goal
from maillab.offline.schema import COMMAND
from tests.golden.rendering import ROOT

PARTS = ("__main__.py", "Pulumi.yaml", "components", "files")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone without a state."""
    for part in PARTS:
        (tmp_path / part).symlink_to(ROOT / part)
    return tmp_path


@pytest.mark.parametrize("where", ["local", "vm", "ssh://lab@nowhere.invalid"])
def test_every_command_has_a_limit(project: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = yaml.safe_load((ROOT / "Pulumi.dc1es.yaml").read_text("utf-8"))
    data["config"]["maillab:where"] = where
    (project / "Pulumi.dc1es.yaml").write_text(yaml.safe_dump(data), "utf-8")
    commands: dict[str, Goal] = {}
    goal_of = monitor._goal

    def noted(*given: object) -> Goal:
        goal = goal_of(*given)  # type: ignore[arg-type]
        if goal.kind == COMMAND:
            commands[goal.name] = goal
        return goal

    monkeypatch.setattr(monitor, "_goal", noted)
    display = Display(quiet=True)
    engine.preview(project, "dc1es", display=display)
    assert {"where", "ownership", "mail-config", "mail-by-hand", "dc1es-flush"} <= commands.keys()
    endless = [name for name, goal in commands.items() if goal.timeouts.keys() != {"create", "update", "delete"}]
    assert not endless
