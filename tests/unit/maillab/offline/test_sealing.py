"""Where a stack's file has encrypted values, the offline engine's state has its secrets encrypted too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maillab.cli.move import _seal
from maillab.cli.reset import StateBook
from maillab.cli.stack import Engine, Stack
from maillab.offline import engine
from maillab.offline.project import decrypt, encrypt, load_project
from maillab.offline.state import Store
from maillab.offline.values import OfflineError, secret

# Of an empty passphrase; that of the project's own stack files.
SALT = "v1:C0+C3vO9QSY=:v1:KCVyMSwgso0eQj0d:urPaj8xotjEnq5Id37k2ppx1IrZcpA=="
URN = "urn:pulumi:lab::maillab::command:local:Command::mail-config"
WORD = "swordfish"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stack has an encrypted value."""
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    (tmp_path / "Pulumi.yaml").write_text("name: maillab\n", "utf-8")
    (tmp_path / "__main__.py").write_text("", "utf-8")
    configure(tmp_path, {"maillab:word": {"secure": encrypt(WORD, SALT)}})
    return tmp_path


def configure(root: Path, config: dict[str, object]) -> None:
    (root / "Pulumi.lab.yaml").write_text(json.dumps({"encryptionsalt": SALT, "config": config}), "utf-8")


def entry() -> dict[str, Any]:
    inputs = {"environment": {"/etc/users": secret(WORD), "/etc/hosts": "public"}}
    return {"urn": URN, "type": "command:local:Command", "custom": True, "id": "1", "inputs": inputs, "outputs": {}}


def saved(root: Path) -> str:
    """The state's text, with a resource and a pending operation."""
    store = Store(load_project(root, "lab"))
    store.keep(entry())
    store.begin("creating", {**entry(), "urn": f"{URN}2"})
    return store.path.read_text("utf-8")


def test_secrets_are_encrypted_and_read_again(root: Path) -> None:
    text = saved(root)
    assert WORD not in text
    assert "public" in text
    store = Store(load_project(root, "lab"))
    assert store.entries() == [entry()]
    assert store.pending[f"{URN}2"]["resource"]["inputs"] == entry()["inputs"]


def test_pulumi_can_open_them(root: Path) -> None:
    """With the salt that is beside them, as `pulumi stack import` does it."""
    deployment = json.loads(saved(root))["deployment"]
    assert deployment["secrets_providers"]["state"]["salt"] == SALT
    (resource,) = deployment["resources"]
    closed = resource["inputs"]["environment"]["/etc/users"]["ciphertext"]
    assert json.loads(decrypt(closed, SALT, "it")) == WORD


def test_without_encrypted_values_they_are_protected_by_the_mode(root: Path) -> None:
    configure(root, {"maillab:word": WORD})
    assert f'"plaintext": "\\"{WORD}\\""' in saved(root)


def test_a_state_from_before_is_read_and_encrypted(root: Path) -> None:
    configure(root, {})
    assert WORD in saved(root)
    configure(root, {"maillab:word": {"secure": encrypt(WORD, SALT)}})
    assert WORD not in saved(root)


def test_another_passphrase_opens_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(root)
    configure(root, {})
    project = load_project(root, "lab")
    from maillab.offline import project as module  # noqa: PLC0415

    module._cipher.cache_clear()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "other")
    with pytest.raises(OfflineError, match="incorrect passphrase; set PULUMI_CONFIG_PASSPHRASE"):
        Store(project)
    module._cipher.cache_clear()


def test_an_export_is_plain_and_an_import_is_encrypted(root: Path) -> None:
    store = Store(load_project(root, "lab"))
    store.keep(entry())
    store.write()
    exported = engine.export_stack(root, "lab")
    assert WORD in json.dumps(exported)
    store.path.unlink()
    engine.import_stack(root, "lab", exported)
    assert WORD not in store.path.read_text("utf-8")
    assert Store(load_project(root, "lab")).entries() == [entry()]


def test_a_reset_leaves_them_encrypted(root: Path) -> None:
    store = Store(load_project(root, "lab"))
    store.keep(entry())
    store.write()
    book = StateBook(Stack(name="lab", root=root), Engine.OFFLINE)
    assert book.resources()[0]["inputs"] == entry()["inputs"]
    book.change(lambda resources: [{**one, "id": "2"} for one in resources])
    text = store.path.read_text("utf-8")
    assert '"id": "2"' in text
    assert WORD not in text
    assert Store(load_project(root, "lab")).entries() == [{**entry(), "id": "2"}]


def test_a_state_that_was_pulumis_is_encrypted(root: Path) -> None:
    store = Store(load_project(root, "lab"))
    store.keep(entry())
    store.path.parent.mkdir(parents=True)
    store.path.write_text(json.dumps(store.deployment()), "utf-8")
    assert WORD in store.path.read_text("utf-8")
    _seal(Stack(name="lab", root=root))
    assert WORD not in store.path.read_text("utf-8")
    assert Store(load_project(root, "lab")).entries() == [entry()]
