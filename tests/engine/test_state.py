"""The state: Pulumi's deployment format, one file, whole at any moment, one run at a time."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maillab.offline import engine
from maillab.offline.state import Store, write_atomically
from maillab.offline.values import OfflineError, secret
from tests.engine.stacks import ROOT, OfflineStack

GOLDEN = Path(__file__).parent / "golden" / "deployment.json"
OF_THE_ENGINE = ("bridge", "ipcMode", "logDriver", "mountpoint", "networkDatas", "runtime", "shmSize")
SMALL = """
    class Part(pulumi.ComponentResource):
        def __init__(self):
            super().__init__("maillab:test:Part", "part")
            mine = {"parent": self}
            net = lab.network("lan", mine)
            spool = lab.volume("spool", {**mine, "retain_on_delete": True})
            image = lab.image("machine", opts=mine)
            address = lab.config.require("subnet").replace(".0/24", ".10")
            box = lab.container(
                "box", mine, image=image.repo_digest, hostname="box", stop_timeout=1,
                networks_advanced=[{"name": net.id, "ipv4_address": address}],
                volumes=[{"volume_name": spool.name, "container_path": "/spool"}],
            )
            files = {"CONTAINER": box.id, "/etc/motd": "hi", "/etc/key": pulumi.Output.secret("s3cret")}
            lab.command("config", "echo ok", {**mine, "deleted_with": box}, environment=files)
            self.register_outputs({"box": box.name})

    Part()
    pulumi.export("answer", pulumi.Output.secret("forty-two"))
"""


def normalised(stack: OfflineStack) -> str:
    """The deployment with what differs from run to run and from machine to machine replaced."""
    state = stack.state()
    for entry in state["resources"]:
        entry["outputs"] = {key: value for key, value in entry["outputs"].items() if key not in OF_THE_ENGINE}
    state["resources"].sort(key=lambda entry: str(entry["urn"]))
    text = json.dumps(state, indent=1, sort_keys=True)
    for entry in state["resources"]:
        if entry["type"] == "docker:index/network:Network":
            text = text.replace(entry["id"], "NETWORK-ID")
    text = text.replace(stack.prefix, "PREFIX-").replace(stack.subnet.removesuffix(".0/24"), "198.19.0")
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:IMAGE", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HEX", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\bconfig[0-9a-f]{8}\b", "configHEX", text)
    return re.sub(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC", text) + "\n"


def test_the_deployment_is_the_golden_one(offline: OfflineStack) -> None:
    """Golden file: remove it, run the test once, and read what it writes."""
    offline.program(SMALL)
    done = offline.up()
    assert done.ok, done.text
    found = normalised(offline)
    if not GOLDEN.exists():
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found, "utf-8")
        pytest.fail(f"{GOLDEN} was written: read it, then run again")
    assert found == GOLDEN.read_text("utf-8")


def test_the_file_is_the_deployment_after_each_step(tmp_path: Path) -> None:
    """A line for each resource; those that did not change keep theirs."""
    store = Store(
        cast("Any", SimpleNamespace(state_dir=tmp_path, stack="test", salt="v1:salt", secret_texts=frozenset()))
    )
    one, other = ({"urn": f"urn:pulumi:test::maillab::t::{name}", "type": "t"} for name in ("一", "two"))
    key = {"inputs": {"key": secret("s3cret")}, "outputs": {}}
    steps: tuple[Callable[[], None], ...] = (
        lambda: store.begin("creating", {**one, **key}),
        lambda: store.finish({**one, **key, "outputs": {"id": "]"}}),
        lambda: store.finish({**other, **key}, condemned={**other, **key, "outputs": {"id": 2}}),
        lambda: store.finish({**one, **key, "outputs": {"id": "another"}}),
        lambda: store.remove(store.condemned[0]),
        lambda: store.remove({**other, **key}),
    )
    for step in steps:
        step()
        text = store.path.read_text("utf-8")
        assert json.loads(text) == store.deployment()
        assert len(text.splitlines()) == max(len(store.entries()), 1) + 2


def test_the_file_is_for_its_owner_only(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")')
    assert offline.up().ok
    file = offline.root / ".pulumi-state" / "offline" / "test.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_resources_come_after_what_they_need(offline: OfflineStack) -> None:
    offline.program(SMALL)
    assert offline.up().ok
    known = {""}
    for entry in offline.state()["resources"]:
        provider = entry.get("provider", "").rpartition("::")[0]
        needed = {entry.get("parent", ""), provider, *entry.get("dependencies", [])}
        assert needed <= known
        known.add(entry["urn"])


def test_a_second_run_is_refused_while_one_runs(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")')
    lock = offline.root / ".pulumi-state" / "offline" / "test.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("4711", "utf-8")
    with lock.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OfflineError, match=r"locked by another run \(process 4711\); wait until it ends"):
            offline.up()
        assert offline.preview().ok
    assert offline.up().ok


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """A file size limit stands for a full disk."""
    path = tmp_path / "test.json"
    write_atomically(path, "old")
    script = (
        "import resource, signal, pathlib, sys; from maillab.offline.state import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "write_atomically(pathlib.Path(sys.argv[1]), 'x' * 1000)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "can't write the state: File too large; make room, then run again" in done.stderr
    assert path.read_text("utf-8") == "old"


def test_a_state_that_can_not_be_read_is_left_alone(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")')
    file = offline.root / ".pulumi-state" / "offline" / "test.json"
    file.parent.mkdir(parents=True)
    file.write_text("{", "utf-8")
    with pytest.raises(OfflineError, match="not a deployment that this engine can read"):
        offline.up()
    assert file.read_text("utf-8") == "{"


def test_a_lab_made_by_pulumi_is_not_touched(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")')
    theirs = offline.root / ".pulumi-state" / ".pulumi" / "stacks" / "kit" / "test.json"
    theirs.parent.mkdir(parents=True)
    resources = [{"urn": "urn:pulumi:test::kit::pulumi:pulumi:Stack::kit-test"}]
    theirs.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}), "utf-8")
    for verb in ("up", "preview", "refresh", "destroy"):
        with pytest.raises(OfflineError, match="maillab state move --to offline"):
            offline.run(verb)
    assert offline.names("volumes") == set()


@pytest.mark.parametrize("latest", [None, {}, {"resources": None}, {"resources": []}])
def test_a_stack_that_pulumi_has_emptied_is_free(offline: OfflineStack, latest: object) -> None:
    offline.program('lab.volume("spool")')
    theirs = offline.root / ".pulumi-state" / ".pulumi" / "stacks" / "kit" / "test.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(json.dumps({"checkpoint": {"latest": latest}}), "utf-8")
    assert offline.preview().ok


def test_an_export_is_taken_over_whole(offline: OfflineStack, tmp_path_factory: pytest.TempPathFactory) -> None:
    offline.program(SMALL)
    assert offline.up().ok
    exported = engine.export_stack(offline.root, "test")
    other = OfflineStack(tmp_path_factory.mktemp("other"), offline.prefix, offline.subnet)
    other.program(SMALL)
    engine.import_stack(other.root, "test", exported)
    assert other.preview().ops == {}
    with pytest.raises(OfflineError, match="has resources of this stack already"):
        engine.import_stack(other.root, "test", exported)


def test_encrypted_secrets_are_not_taken_over(offline: OfflineStack) -> None:
    signature = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:a:b"}
    resource = {"urn": "urn:pulumi:test::kit::a:b:C::d", "type": "a:b:C", "custom": True, "inputs": {"x": signature}}
    with pytest.raises(OfflineError, match="--show-secrets"):
        engine.import_stack(offline.root, "test", {"version": 3, "deployment": {"resources": [resource]}})
