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


@pytest.mark.parametrize(
    ("stack", "where", "of_stack"),
    [
        ("dc1es", "local", {"dc1es-flush"}),
        ("dc1es", "vm", {"dc1es-flush"}),
        ("dc1es", "ssh://lab@nowhere.invalid", {"dc1es-flush"}),
        ("standalone", "local", {"yaes-flush", "mail-certificate", "workstation-certificate"}),
    ],
)
def test_every_command_has_a_limit(
    project: Path, stack: str, where: str, of_stack: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    data["config"]["maillab:where"] = where
    (project / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(data), "utf-8")
    commands: dict[str, Goal] = {}
    goal_of = monitor._goal

    def noted(*given: object) -> Goal:
        goal = goal_of(*given)  # type: ignore[arg-type]
        if goal.kind == COMMAND:
            commands[goal.name] = goal
        return goal

    monkeypatch.setattr(monitor, "_goal", noted)
    display = Display(quiet=True)
    engine.preview(project, stack, display=display)
    assert {"where", "ownership", "mail-config", "mail-by-hand"} | of_stack <= commands.keys()
    endless = [name for name, goal in commands.items() if goal.timeouts.keys() != {"create", "update", "delete"}]
    assert not endless


def test_lab_without_logins_carries_no_certificates(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "Pulumi.dc1es.yaml").write_text((ROOT / "Pulumi.dc1es.yaml").read_text("utf-8"), "utf-8")
    names: list[str] = []
    goal_of = monitor._goal

    def noted(*given: object) -> Goal:
        goal = goal_of(*given)  # type: ignore[arg-type]
        names.append(goal.name)
        return goal

    monkeypatch.setattr(monitor, "_goal", noted)
    engine.preview(project, "dc1es", display=Display(quiet=True))
    assert "mail-config" in names
    assert [name for name in names if "certificate" in name or "tls" in name or "authority" in name] == []
