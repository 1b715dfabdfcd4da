"""What a change of each property does: the same table holds for both engines."""

from __future__ import annotations

import pytest

from tests.engine.stacks import Stack

BOX = {
    "hostname": "one", "restart": "no", "memory": 64, "memory_swap": 128, "cpu_shares": 512, "init": True,
    "envs": ["A=1", "B=2"], "labels": [{"label": "maillab.stack", "value": "x"}], "user": "root",
    "healthcheck": {"tests": ["CMD", "true"], "interval": "1m0s"}, "tmpfs": {"/run": "size=1m"},
    "command": ["sleep", "infinity"], "sysctls": {"net.ipv4.ip_forward": "1"}, "dns": ["198.19.0.1", "198.19.0.2"],
    "capabilities": {"adds": ["CAP_NET_ADMIN"], "drops": ["CAP_MKNOD"]}, "stop_signal": "SIGTERM",
    "ulimits": [{"name": "nofile", "soft": 1024, "hard": 1024}], "destroy_grace_seconds": 1,
    "security_opts": ["no-new-privileges:true"], "ports": [{"internal": 80, "ip": "127.0.0.1"}],
    "working_dir": "/tmp", "shm_size": 32, "mounts": [{"type": "tmpfs", "target": "/one"}],
    "volumes": [{"container_path": "/v", "volume_name": "VOLUME"}],
}  # fmt: skip
CHANGED: list[tuple[str, object, str]] = [
    ("hostname", "two", "replace"),
    ("hostname", None, "same"),
    ("restart", "always", "update"),
    ("memory", 32, "update"),
    ("cpu_shares", 256, "update"),
    ("init", False, "update"),
    ("envs", ["A=1", "B=3"], "replace"),
    ("envs", ["B=2", "A=1"], "same"),
    ("envs", None, "same"),
    ("labels", [{"label": "maillab.stack", "value": "y"}], "replace"),
    ("labels", None, "same"),
    ("user", None, "same"),
    ("user", "nobody", "replace"),
    ("healthcheck", {"tests": ["CMD", "false"], "interval": "1m0s"}, "update"),
    ("healthcheck", None, "same"),
    ("tmpfs", {"/run": "size=2m"}, "update"),
    ("command", ["sleep", "1000"], "replace"),
    ("sysctls", {"net.ipv4.ip_forward": "0"}, "replace"),
    ("sysctls", None, "replace"),
    ("dns", ["198.19.0.2", "198.19.0.1"], "same"),
    ("dns", None, "replace"),
    ("capabilities", {"adds": ["CAP_NET_ADMIN", "CAP_NET_RAW"], "drops": ["CAP_MKNOD"]}, "replace"),
    ("stop_signal", "SIGINT", "replace"),
    ("stop_signal", None, "same"),
    ("ulimits", [{"name": "nofile", "soft": 2048, "hard": 2048}], "replace"),
    ("destroy_grace_seconds", 2, "update"),
    ("security_opts", None, "same"),
    ("ports", [{"internal": 81, "ip": "127.0.0.1"}], "replace"),
    ("working_dir", "/", "replace"),
    ("shm_size", None, "same"),
    ("mounts", [{"type": "tmpfs", "target": "/two"}], "update"),
    ("mounts", None, "replace"),
    ("volumes", None, "replace"),
    ("start", False, "update"),
    ("privileged", True, "replace"),
    ("read_only", True, "replace"),
    ("network_mode", "none", "replace"),
]


def program(**changes: object) -> str:
    text = repr({**BOX, **changes}).replace("'VOLUME'", "volume.name")
    return f'volume = lab.volume("spool")\nlab.container("box", **{text})'


@pytest.fixture(scope="module")
def made(shared_stack: Stack) -> Stack:
    """A stack with the container of the table."""
    shared_stack.program(program())
    done = shared_stack.up()
    assert done.ok, done.text
    assert shared_stack.preview().ops == {}
    return shared_stack


@pytest.mark.parametrize(("key", "value", "op"), CHANGED, ids=lambda part: str(part)[:30])
def test_container(made: Stack, key: str, value: object, op: str) -> None:
    made.program(program(**{key: value}))
    seen = made.preview()
    assert seen.ok, seen.text
    assert seen.touched.get("box", "same") == op


def test_nothing_of_the_container_has_changed_after_a_refresh(made: Stack) -> None:
    made.program(program())
    assert made.preview("--refresh").ops == {}


@pytest.mark.parametrize(
    ("text", "op"),
    [
        pytest.param('lab.network("lan", driver="bridge")', "same", id="network-driver-given"),
        pytest.param('lab.network("lan", internal=True)', "replace", id="network-internal"),
        pytest.param('lab.network("lan", labels=[])', "replace", id="network-labels-removed"),
        pytest.param('lab.network("lan", options={"x": "y"})', "replace", id="network-options"),
        pytest.param('lab.volume("lan", driver="local")', "same", id="volume-driver-given"),
        pytest.param('lab.volume("lan", labels=[])', "replace", id="volume-labels-removed"),
        pytest.param('lab.volume("lan", driver_opts={"type": "tmpfs"})', "replace", id="volume-options"),
    ],
)  # fmt: skip
def test_networks_and_volumes(stack: Stack, text: str, op: str) -> None:
    kind = text.partition("(")[0]
    stack.program(f'{kind}("lan")')
    assert stack.up().ok
    stack.program(text)
    assert stack.preview().touched.get("lan", "same") == op


@pytest.mark.parametrize(
    ("arguments", "op"),
    [
        pytest.param('"echo two", environment={"A": "1"}', "update", id="create"),
        pytest.param('"echo one", environment={"A": "2"}', "update", id="environment"),
        pytest.param('"echo one", environment={"A": "1"}, stdin="in"', "update", id="stdin"),
        pytest.param('"echo one", environment={"A": "1"}, delete="echo"', "update", id="delete"),
        pytest.param('"echo one", environment={"A": "1"}, triggers=["x"]', "replace", id="triggers"),
        pytest.param('"echo one", environment={"A": "1"}', "same", id="nothing"),
    ],
)
def test_commands(stack: Stack, arguments: str, op: str) -> None:
    stack.program('lab.command("config", "echo one", environment={"A": "1"})')
    assert stack.up().ok
    stack.program(f'lab.command("config", {arguments})')
    assert stack.preview().touched.get("config", "same") == op
