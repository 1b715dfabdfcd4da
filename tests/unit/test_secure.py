"""Values that a stack's file gives as `secure:` stay secret in files, state and on the terminal."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.load import read_stack
from components.plan import plan_of
from components.secure import hide, secure_texts
from maillab.cli.configuration import stack_plan
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.offline import engine, monitor
from maillab.offline.display import Display
from maillab.offline.plan import Goal
from maillab.offline.project import _cipher, load_project
from maillab.offline.values import is_secret
from tests.golden.rendering import ROOT, lab_of

PASSWORD, BANNER = "lab-admin-swordfish", "ESMTP sturgeon"
NONCE = b"0" * 12


def closed(data: dict[str, Any], text: str) -> dict[str, str]:
    """The text as `pulumi config set --secret` writes it."""
    sealed = _cipher(data["encryptionsalt"]).encrypt(NONCE, text.encode(), None)
    return {"secure": f"v1:{base64.b64encode(NONCE).decode()}:{base64.b64encode(sealed).decode()}"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tutorial's school, with a password, a line of main.cf and an alias that are secret."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    for part in ("__main__.py", "Pulumi.yaml", "components", "files"):
        (tmp_path / part).symlink_to(ROOT / part)
    data = yaml.safe_load((ROOT / "Pulumi.dc1es.yaml").read_text("utf-8"))
    mail = data["config"]["maillab:schools"][0]["machines"][1]["mail"]
    mail["users"][0]["password"] = closed(data, PASSWORD)
    mail["main_cf"] = {"smtpd_banner": closed(data, BANNER)}
    mail["aliases"][-1] = closed(data, "service: admin, Hidden@tn.edu.tw")
    (tmp_path / "Pulumi.dc1es.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return tmp_path


def commands(project: Path, display: Display, monkeypatch: pytest.MonkeyPatch) -> dict[str, Goal]:
    """The lab's Commands by name, as a preview asks for them."""
    found: dict[str, Goal] = {}
    goal_of = monitor._goal

    def noted(*given: object) -> Goal:
        goal = goal_of(*given)  # type: ignore[arg-type]
        found[goal.name] = goal
        return goal

    monkeypatch.setattr(monitor, "_goal", noted)
    engine.preview(project, "dc1es", display=display)
    return found


def test_files_that_hold_one_are_secret_and_no_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(quiet=True)
    goals = commands(project, display, monkeypatch)
    environment = goals["mail-config"].inputs["environment"]
    assert {key for key, value in environment.items() if is_secret(value)} == {
        "/etc/maillab/users.secret", "/etc/postfix/main.cf", "/etc/aliases",
    }  # fmt: skip
    public = json.dumps({key: value for key, value in environment.items() if not is_secret(value)})
    assert not [text for text in (PASSWORD, BANNER, "Hidden@") if text in public]
    assert BANNER in environment["/etc/postfix/main.cf"]["value"]


def test_on_the_terminal_they_are_hidden(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(quiet=True)
    commands(project, display, monkeypatch)
    assert display.masked(f"bad: {PASSWORD}, {BANNER}") == "bad: [secret], [secret]"


def test_the_same_without_secure_is_public() -> None:
    plan = plan_of(lab_of("dc1es"))
    assert hide(plan, frozenset()) is plan
    assert "/etc/aliases" in plan.machines["mail"].part.files


def test_a_whole_key_may_be_secret(project: Path) -> None:
    file = project / "Pulumi.dc1es.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    data["config"] = {"prefix": closed(data, "lab-"), "maillab:schools": closed(data, "[]")}
    file.write_text(yaml.safe_dump(data), "utf-8")
    found = secure_texts(file, {"prefix": "lab-", "maillab:schools": [{"name": "x", "numbers": [1, None]}, "y"]})
    assert found == {"lab-", "x", "1", "y"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "config:",
        "config: []",
        "- secure: x",
        "config: {a: {secure: v1}}",
        "secure: [",
        "config: {b: [{secure: v1}]}",
    ],
)
def test_a_file_without_such_values_has_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text, "utf-8")
    assert secure_texts(file, {"b": "text", "c": "other"}) == frozenset()


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert secure_texts(tmp_path / "Pulumi.x.yaml", {}) == frozenset()


def test_case_does_not_matter() -> None:
    """Domains and machines are rendered in small letters."""
    plan = hide(plan_of(lab_of("dc1es")), {"WEBMASTER: Root"})
    assert "/etc/aliases" in plan.machines["mail"].part.secret_files
    assert "/etc/aliases" not in plan.machines["mail"].part.files


def test_a_problem_does_not_tell_one(project: Path) -> None:
    file = project / "Pulumi.dc1es.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    data["config"]["maillab:schools"][0]["machines"][1]["ipv4"] = closed(data, "no-address-at-all")
    file.write_text(yaml.safe_dump(data), "utf-8")
    with pytest.raises(MaillabError, match=r"\[secret\]") as refusal:
        stack_plan(Stack(name="dc1es", root=project))
    assert "no-address-at-all" not in str(refusal.value)


def test_the_predictions_know_them(project: Path) -> None:
    """Who logs in needs the password: the command line has it, opened."""
    (user, *_) = next(iter(stack_plan(Stack(name="dc1es", root=project)).config.schools)).machines[1].mail.users  # type: ignore[union-attr]
    assert user.password == PASSWORD
    loaded = load_project(project, "dc1es")
    assert loaded.secret_texts == {PASSWORD, BANNER, "service: admin, Hidden@tn.edu.tw"}
    texts = {key.removeprefix("maillab:"): text for key, text in loaded.config.items()}
    assert (
        "/etc/aliases"
        in read_stack(texts, "dc1es", file=project / "Pulumi.dc1es.yaml").machines["mail"].part.secret_files
    )
