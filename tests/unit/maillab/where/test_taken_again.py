"""A snapshot whose name is used again: what was written down is always of the one that is there."""

import os

import pytest

from maillab.where import snapshots as module
from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.snapshots import drop, note, take
from tests.unit.maillab.where.conftest import Monitor

OLD, NEW = {"engine": "old"}, {"engine": "new"}


@pytest.fixture
def older(home: Home, monitor: Monitor) -> Monitor:
    """There is a snapshot `before`, with what was known then."""
    take(home, "before", OLD)
    monitor.lines.clear()
    return monitor


def kept(home: Home) -> list[str]:
    """What is written down of snapshots."""
    return sorted(path.name for path in home.folder.glob("snapshot-*"))


@pytest.mark.usefixtures("older")
def test_the_new_one_has_what_is_known_now(home: Home) -> None:
    take(home, "before", NEW)
    assert note(home, "before")["known"] == NEW
    assert kept(home) == ["snapshot-before.machine.json"]


def test_one_that_was_not_taken_leaves_the_older_as_it_was(home: Home, older: Monitor) -> None:
    older.refusal = "Error: no"
    with pytest.raises(WhereError, match=r"qemu: Error: no$"):
        take(home, "before", NEW)
    assert note(home, "before")["known"] == OLD
    assert kept(home) == ["snapshot-before.machine.json"]


def test_an_older_one_that_is_gone_is_reported(home: Home, older: Monitor) -> None:
    older.refusal, older.loses = "Error: No space left on device", True
    with pytest.raises(WhereError, match=r"No space left on device; the older snapshot before is gone too$") as lost:
        take(home, "before", NEW)
    assert (lost.value.id, kept(home)) == ("snapshot-failed", [])


def test_a_first_one_that_failed_leaves_nothing(home: Home, monitor: Monitor) -> None:
    monitor.refusal = "Error: no"
    with pytest.raises(WhereError, match=r"qemu: Error: no$"):
        take(home, "new", NEW)
    assert kept(home) == []


@pytest.mark.parametrize(
    ("obeys", "known"),
    [pytest.param(True, NEW, id="qemu went on"), pytest.param(False, OLD, id="qemu was not asked yet")],
)
def test_after_an_interruption_what_is_there_counts(
    home: Home, older: Monitor, monkeypatch: pytest.MonkeyPatch, obeys: bool, known: dict[str, str]
) -> None:
    def interrupted(_home: Home, line: str) -> str:
        if obeys:
            older.obey(line)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "monitor", interrupted)
        with pytest.raises(KeyboardInterrupt):
            take(home, "before", NEW)
    assert note(home, "before")["known"] == known
    assert kept(home) == ["snapshot-before.machine.json"]


def test_what_was_left_goes_with_the_snapshot(home: Home, older: Monitor) -> None:
    home.write("snapshot-before.machine.json.new", "{}")
    drop(home, "before")
    assert (older.lines, kept(home)) == (["delvm before"], [])


def test_no_room_is_told_before_the_older_one_is_removed(
    home: Home, older: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST", 1 << 40)
    with pytest.raises(WhereError, match=r"no room for the snapshot before, nothing was changed: .* MiB free") as full:
        take(home, "before", NEW)
    assert (full.value.id, older.lines) == ("no-space", [])
    assert "df -h" in full.value.remedy[0]
    assert note(home, "before")["known"] == OLD


@pytest.mark.parametrize(
    ("name", "memory", "room"),
    [
        pytest.param("new", 100, 0, id="a small one"),
        pytest.param("new", module.QEMUS_OWN + 400, 400, id="a large one"),
        pytest.param("before", module.QEMUS_OWN + 400, 395, id="an older one's room is free then"),
    ],
)
def test_room_for_its_memory_is_needed(home: Home, older: Monitor, name: str, memory: int, room: int) -> None:
    found: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_memory", lambda _: memory)
        patch.setattr(module, "need_room", lambda _folder, needed: found.append(needed - module.LEAST))
        take(home, name)
    assert (found, older.lines) == ([room], [f"savevm {name}"])


def test_the_memory_is_that_of_its_process(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "pid", lambda _: os.getpid())
    before = module._memory(home)
    block = b"x" * (64 << 20)
    assert 60 <= module._memory(home) - before <= 70
    assert block


def test_a_process_that_ended_takes_none(home: Home) -> None:
    assert module._memory(home) == 0
