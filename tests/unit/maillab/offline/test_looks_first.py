"""`options: {refresh: always}` in Pulumi.yaml: `up` and `preview` look at what is there, if there is an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.offline import engine, providers
from maillab.offline.deployment import Deployment
from maillab.offline.display import Display
from maillab.offline.project import load_project
from maillab.offline.schema import CONTAINER, PROVIDER
from maillab.offline.values import OfflineError, Props

PREFIX = "urn:pulumi:lab::maillab::"
DOCKER = {"urn": f"{PREFIX}{PROVIDER}::docker", "type": PROVIDER, "custom": True, "id": "1"}
BOX = {
    "urn": f"{PREFIX}{CONTAINER}::box", "type": CONTAINER, "custom": True, "id": "made", "inputs": {"name": "box"},
    "outputs": {"name": "box", "mustRun": True}, "provider": f"{PREFIX}{PROVIDER}::docker::1",
}  # fmt: skip
STOPPED = {"name": "box", "mustRun": False}
Make = Callable[[str], Path]


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """A project with these words in its Pulumi.yaml, and a lab with a container."""

    def make(words: str) -> Path:
        (tmp_path / "Pulumi.yaml").write_text(f"name: maillab\n{words}", "utf-8")
        (tmp_path / "Pulumi.lab.yaml").write_text("config: {}\n", "utf-8")
        (tmp_path / "__main__.py").write_text("", "utf-8")
        path = tmp_path / ".pulumi-state" / "offline" / "lab.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"version": 3, "deployment": {"resources": [DOCKER, BOX]}}), "utf-8")
        return tmp_path

    return make


def seen(monkeypatch: pytest.MonkeyPatch, root: Path, **more: bool) -> tuple[object, list[dict[str, str]]]:
    """What a preview took the container for, and what it said."""
    outputs: list[Props] = []

    def program(_project: object, deployment: Deployment, _display: Display) -> Props:
        entry = deployment.store.get(str(BOX["urn"]))
        outputs.append(entry["outputs"] if entry else {})
        deployment.seen |= {one["urn"] for one in deployment.store.entries()}
        return {}

    monkeypatch.setattr("maillab.offline.program.run_program", program)
    result = engine.preview(root, "lab", display=Display(quiet=True), **more)
    assert result.ok
    return outputs[0].get("mustRun"), result.diagnostics


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine has the container, and it does not run."""
    monkeypatch.setattr(providers, "read", lambda _, old: STOPPED if old["type"] == CONTAINER else old["outputs"])


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers."""

    def refuse(*_: object) -> Props:
        raise OfflineError("Docker engine unix:///none: does not answer")

    monkeypatch.setattr(providers, "read", refuse)


@pytest.mark.usefixtures("stopped")
def test_preview_sees_a_stopped_container(project: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(monkeypatch, project("options: {refresh: always}\n")) == (False, [])


@pytest.mark.usefixtures("stopped")
def test_without_the_option_a_preview_does_not_look(project: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(monkeypatch, project("")) == (True, [])


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_it_goes_by_the_state_and_says_so(project: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    must_run, (said,) = seen(monkeypatch, project("options: {refresh: always}\n"))
    assert must_run is True
    assert said["severity"] == "warning"
    assert said["message"].startswith("what is there was not looked at, and this goes by the state of the last run")
    assert said["message"].endswith("Docker engine unix:///none: does not answer")


@pytest.mark.usefixtures("no_engine")
def test_who_asks_for_a_refresh_gets_the_error(project: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OfflineError, match="does not answer"):
        seen(monkeypatch, project("options: {refresh: always}\n"), refresh=True)


def test_another_word_is_an_error(project: Make) -> None:
    with pytest.raises(OfflineError, match=r"options.refresh is 'never'; it can be `always`"):
        load_project(project("options: {refresh: never}\n"), "lab")
