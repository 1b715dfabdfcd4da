"""`custom_timeouts` of a Command: how long each of its scripts may take; of anything else they are refused."""

from __future__ import annotations

import pytest
from pulumi.runtime.proto import resource_pb2

from maillab.offline import providers
from maillab.offline.monitor import _goal, _refuse_unsupported
from maillab.offline.plan import Goal
from maillab.offline.providers import Target
from maillab.offline.schema import COMMAND, VOLUME
from maillab.offline.values import OfflineError, Props

URN = "urn:pulumi:lab::maillab::command:local:Command::it"


def request(kind: str = COMMAND, **limits: str) -> resource_pb2.RegisterResourceRequest:
    """A program's wish for a resource."""
    timeouts = resource_pb2.RegisterResourceRequest.CustomTimeouts(**limits)
    return resource_pb2.RegisterResourceRequest(type=kind, name="it", custom=True, customTimeouts=timeouts)


def goal(**limits: str) -> Goal:
    return _goal(request(**limits), URN, [])


def test_a_command_may_have_limits() -> None:
    _refuse_unsupported(request(create="10m"))


def test_of_a_docker_resource_they_are_refused() -> None:
    _refuse_unsupported(request(VOLUME))
    with pytest.raises(OfflineError, match=r"does not support the option customTimeouts"):
        _refuse_unsupported(request(VOLUME, create="10m"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("1h30m", 5400), ("2.5s", 2.5), ("100ms", 0.1), (".5h", 1800), ("3h0m1s", 10801)],
)
def test_durations_are_read_as_pulumi_reads_them(text: str, seconds: float) -> None:
    assert goal(create=text).timeouts == {"create": pytest.approx(seconds)}


@pytest.mark.parametrize("text", ["10", "m", "10 m", "10m5", "-5s", "1d", "5m\n"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(OfflineError, match=r"it: customTimeouts: .* is no duration such as 90s"):
        goal(delete=text)


def test_the_state_has_them_as_pulumi_writes_them() -> None:
    entry = goal(create="10m", delete="1h").entry("it1", {}, {})
    assert entry["customTimeouts"] == {"create": 600, "delete": 3600}
    assert "customTimeouts" not in goal().entry("it1", {}, {})


def test_each_script_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def run(*_: object, limit: float) -> Props:
        seen.append(limit)
        return {"stdout": "", "stderr": ""}

    monkeypatch.setattr("maillab.offline.commands.run", run)
    target = Target(kind=COMMAND, name="it", host="", timeouts={"create": 1, "update": 2, "delete": 3})
    inputs: Props = {"create": "true", "delete": "true"}
    old: Props = {"id": "it1", "inputs": inputs, "outputs": {}}
    providers.create(target, inputs, lambda *_: None)
    providers.update(target, old, inputs, set(), lambda *_: None)
    providers.delete(target, old, lambda *_: None)
    assert seen == [1, 2, 3]
