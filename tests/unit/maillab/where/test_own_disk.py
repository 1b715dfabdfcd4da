"""A machine's own disk; qemu and qemu-img are scripts."""

import shutil
from pathlib import Path

import pytest

from maillab.where import own_disk, power
from maillab.where.disk import FILES
from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.snapshots import Snapshot
from tests.unit.maillab.where.conftest import calls, settings

pytestmark = pytest.mark.usefixtures("programs", "bases")


def test_a_new_machine_has_a_disk_over_the_common_one(home: Home, said: list[str]) -> None:
    power.start(home, settings(disk=9), said.append)
    assert calls("qemu-img") == [f"create -q -f qcow2 -F raw -b disk.raw {home.folder}/disk.new 9G"]
    assert home.disk.exists()
    assert "---- switched on" in (home.folder / "console.log").read_text("utf-8")
    assert (home.folder / "disk.raw").samefile("base/disk.raw")


def test_a_disk_on_another_file_system_is_copied(home: Home, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    power.start(home, settings(), said.append)
    assert (home.folder / "disk.raw").read_text("utf-8") == "base"


def test_a_larger_disk_grows(made: Home, said: list[str]) -> None:
    power.start(made, settings(disk=12), said.append)
    assert calls("qemu-img") == [f"resize -q {made.disk} 12G"]


def test_what_can_not_be_undone_is_said_before_a_disk_grows(
    made: Home, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    kept = [Snapshot(name=name, made=1, size=1) for name in ("before", "after")]
    monkeypatch.setattr(own_disk, "snapshots", lambda _: kept)

    def say(line: str) -> None:
        said.append(line)
        assert calls("qemu-img") == []

    power.start(made, settings(disk=12), say)
    assert said == ["the disk grows to 12 GiB; from then on no snapshot of before can be restored: before, after"]


def test_a_disk_without_snapshots_grows_without_a_word(made: Home, said: list[str]) -> None:
    power.start(made, settings(disk=12), said.append)
    assert said == []


def test_a_disk_of_the_same_size_is_left_alone(made: Home, said: list[str]) -> None:
    power.start(made, settings(cpus=1), said.append)
    assert calls("qemu-img") == []


def test_a_smaller_disk_is_refused(made: Home, said: list[str]) -> None:
    with pytest.raises(WhereError, match="a disk of 8 GiB can't become one of 7 GiB") as refusal:
        power.start(made, settings(disk=7), said.append)
    assert refusal.value.id == "disk-shrinks"
    assert "write vm.disk: 8" in refusal.value.remedy[0]
    assert calls("qemu-img") == []


@pytest.mark.parametrize("missing", FILES)
def test_a_disk_to_start_from_that_is_gone_is_reported(home: Home, said: list[str], missing: str) -> None:
    Path("base", missing).unlink()
    with pytest.raises(WhereError, match="the disk that machines start from is gone: base") as refusal:
        power.start(home, settings(), said.append)
    assert refusal.value.id == "no-disk"
    assert "down, then" in refusal.value.remedy[0]
    assert list(home.folder.glob("disk.*")) == []


def test_its_disk_stays_when_the_cache_is_emptied(made: Home) -> None:
    shutil.rmtree("base")
    assert (made.folder / "disk.raw").read_text("utf-8") == "base"
