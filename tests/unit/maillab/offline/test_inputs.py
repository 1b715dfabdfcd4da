"""An input that the offline engine would have to ignore is refused by name; one that says nothing is not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from maillab.offline import containers
from maillab.offline.providers import Target, check
from maillab.offline.schema import COMMAND, CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME
from maillab.offline.values import UNKNOWN, OfflineError, Props, secret

IMAGE_INPUTS: Props = {
    "imageName": "maillab/mail:latest",
    "skipPush": True,
    "build": {"context": "files/mail/image", "builderVersion": "BuilderV1"},
}
# Each resource with its inputs that every program gives.
PLAIN: dict[str, Props] = {
    COMMAND: {"create": "true"},
    CONTAINER: {"image": "debian", "name": "box"},
    IMAGE: IMAGE_INPUTS,
    NETWORK: {"name": "lan"},
    PROVIDER: {"host": "unix:///var/run/docker.sock", "version": "5.2.0"},
    VOLUME: {"name": "spool"},
}


def refusal(kind: str, **inputs: object) -> str:
    """What the engine says to the plain resource with these inputs too."""
    with pytest.raises(OfflineError) as caught:
        check(Target(kind=kind, name="it", host=""), {**PLAIN[kind], **inputs}, {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (COMMAND, "assetPaths", ["*.txt"]),
        (CONTAINER, "gpus", "all"),
        (CONTAINER, "gpus", secret("all")),
        (IMAGE, "buildOnPreview", True),
        (IMAGE, "registry", {"server": "example.com"}),
        (NETWORK, "configFrom", "other"),
        (PROVIDER, "caMaterial", secret("-----BEGIN CERTIFICATE-----")),
        (PROVIDER, "certMaterial", "-----BEGIN CERTIFICATE-----"),
        (PROVIDER, "certPath", "/root/.docker"),
        (PROVIDER, "context", "other"),
        (PROVIDER, "context", UNKNOWN),
        (PROVIDER, "keyMaterial", "-----BEGIN PRIVATE KEY-----"),
        (PROVIDER, "registryAuth", '[{"address": "example.com"}]'),
        (PROVIDER, "sshOpts", '["-p", "2222"]'),
        (VOLUME, "cluster", {"scope": "single"}),
    ],
)
def test_what_would_be_ignored_is_refused(kind: str, key: str, value: object) -> None:
    what = kind.rpartition(":")[2]
    assert refusal(kind, **{key: value}) == f"{what} it: the offline engine does not support its {key}"


@pytest.mark.parametrize(
    ("kind", "key", "value", "named"),
    [
        (CONTAINER, "volumes", [{"containerPath": "/v", "hostPath": "/"}], "volumes.hostPath"),
        (CONTAINER, "mounts", [{"type": "bind", "target": "/v", "bindOptions": {"propagation": "shared"}}], "mounts."),
        (IMAGE, "build", {**IMAGE_INPUTS["build"], "cacheFrom": {"images": ["a"]}}, "build.cacheFrom"),
    ],
)
def test_a_part_is_named_with_its_place(kind: str, key: str, value: object, named: str) -> None:
    assert f"does not support its {named}" in refusal(kind, **{key: value})


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        pytest.param(COMMAND, {"assetPaths": [], "archivePaths": []}, id="command"),
        pytest.param(CONTAINER, {"gpus": "", "wait": False, "uploads": [], "storageOpts": {}}, id="container"),
        pytest.param(CONTAINER, {"mounts": [{"type": "tmpfs", "target": "/v", "tmpfsOptions": {}}]}, id="mount"),
        pytest.param(CONTAINER, {"healthcheck": {"tests": ["NONE"], "startInterval": "1s"}}, id="health check"),
        pytest.param(IMAGE, {"buildOnPreview": False, "registry": {}}, id="image"),
        pytest.param(NETWORK, {"ipv6": True, "ipamConfigs": [{"subnet": "198.19.0.0/24"}]}, id="network"),
        pytest.param(PROVIDER, {"context": "", "certPath": secret(""), "sshOpts": "[]"}, id="provider"),
        pytest.param(PROVIDER, {"disableDockerDaemonCheck": "true"}, id="provider that asks no engine first"),
        pytest.param(VOLUME, {"cluster": {}, "driver": "local", "driverOpts": {"type": "tmpfs"}}, id="volume"),
    ],
)
def test_what_is_honoured_or_says_nothing_passes(kind: str, inputs: Props) -> None:
    checked = check(Target(kind=kind, name="it", host=""), {**PLAIN[kind], **inputs}, {})
    assert inputs.keys() <= checked.keys()


def test_every_time_of_a_health_check_reaches_the_engine() -> None:
    """The engine of Debian 12 is too old for StartInterval, which it leaves out."""
    sent: list[Props] = []

    def create(config: Props, *_: object) -> dict[str, str]:
        sent.append(config)
        return {"Id": "1"}

    times = {"interval": "1m0s", "startInterval": "2s", "startPeriod": "3s", "timeout": "4s"}
    api = SimpleNamespace(create_container_from_config=create)
    containers.create(api, {**PLAIN[CONTAINER], "healthcheck": {"tests": ["NONE"], **times}, "start": False})
    health = {key: value / 10**9 for key, value in sent[0]["Healthcheck"].items() if key not in ("Test", "Retries")}
    assert health == {"Interval": 60, "StartInterval": 2, "StartPeriod": 3, "Timeout": 4}
