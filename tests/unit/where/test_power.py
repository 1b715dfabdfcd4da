"""A machine's life; qemu, qemu-img and ssh are scripts, and its control socket answers from memory."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.unit.conftest import Program
from tests.unit.where.conftest import Runs, settings
from where import power
from where.disk import FILES
from where.home import Home
from where.problem import WhereError
from where.qemu import this_arch

QEMU = this_arch().program


# Its disks have the size that they were made with.
QEMU_IMG = """
if [ "$1" = info ]; then
  for disk; do :; done
  echo "{\\"virtual-size\\": $(($(cat "$disk") << 30))}"
  exit
fi
echo "$*" >>qemu-img.calls
for word; do case $word in *.new) new=$word ;; esac; done
[ -z "$new" ] || echo "${word%G}" >"$new"
"""


@pytest.fixture(autouse=True)
def programs(program: Program) -> None:
    """A qemu that starts, a qemu-img that makes what it is to make; both remember their words."""
    program(QEMU, f'echo "$*" >>{Path.cwd()}/qemu.calls')
    program("qemu-img", QEMU_IMG)
    program("ssh", 'echo "$*" >>ssh.calls')


@pytest.fixture(autouse=True)
def bases(project: Path) -> None:
    """Two disks that machines start from."""
    for name in ("base", "other"):
        (project / name).mkdir()
        for file in FILES:
            (project / name / file).write_text(name, "utf-8")


@pytest.fixture
def made(home: Home, said: list[str]) -> Home:
    """A machine that was started once, and is off."""
    power.start(home, settings(), said.append)
    Path("qemu-img.calls").unlink()
    return home


@pytest.fixture
def left() -> int:
    """A port on which nobody listens any more, with a connection in TIME_WAIT."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind(("127.0.0.1", port))
    return port


def calls(program: str) -> list[str]:
    """With which words `program` was called."""
    path = Path(f"{program}.calls")
    return path.read_text("utf-8").splitlines() if path.exists() else []


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


def test_what_it_was_started_with_is_remembered(made: Home) -> None:
    assert made.settings() == settings()
    assert made.read("accelerator") == "tcg"
    assert f"127.0.0.1:{made.read('port')}-:22" in calls("qemu")[-1]


def test_qemus_words_are_told_and_nothing_is_remembered(home: Home, program: Program, said: list[str]) -> None:
    program(QEMU, "echo 'qemu: cannot set up guest memory' >&2; exit 1")
    with pytest.raises(WhereError, match="qemu: qemu: cannot set up guest memory") as failure:
        power.start(home, settings(), said.append)
    assert failure.value.id == "qemu-failed"
    assert home.settings() is None


def test_a_taken_port_is_told_before_qemu_is_started(home: Home, said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WhereError, match=f"port {port} of 127.0.0.1 is taken") as refusal:
            power.start(home, settings(ssh_port=port), said.append)
    assert refusal.value.id == "port-taken"
    assert f"sport = {port}" in refusal.value.remedy[0]
    assert not [line for line in calls("qemu") if "-daemonize" in line]


def test_what_is_left_of_a_connection_takes_no_port(home: Home, said: list[str], left: int) -> None:
    power.start(home, settings(ssh_port=left), said.append)
    assert home.read("port") == str(left)


def test_a_port_that_is_taken_meanwhile_is_told(home: Home, program: Program, said: list[str]) -> None:
    program(QEMU, "echo 'qemu: -netdev user: Could not set up host forwarding rule' >&2; exit 1")
    with pytest.raises(WhereError, match="Could not set up host forwarding rule") as refusal:
        power.start(home, settings(), said.append)
    assert refusal.value.id == "port-taken"


def test_a_larger_disk_grows(made: Home, said: list[str]) -> None:
    power.start(made, settings(disk=12), said.append)
    assert calls("qemu-img") == [f"resize -q {made.disk} 12G"]


def test_a_disk_of_the_same_size_is_left_alone(made: Home, said: list[str]) -> None:
    power.start(made, settings(cpus=1), said.append)
    assert calls("qemu-img") == []


def test_a_smaller_disk_is_refused(made: Home, said: list[str]) -> None:
    with pytest.raises(WhereError, match="a disk of 8 GiB can't become one of 7 GiB") as refusal:
        power.start(made, settings(disk=7), said.append)
    assert refusal.value.id == "disk-shrinks"
    assert "write vm.disk: 8" in refusal.value.remedy[0]
    assert calls("qemu-img") == []


@pytest.mark.usefixtures("impatient")
def test_a_refused_disk_leaves_the_machine_on(made: Home, runs: Runs, orders: list[str], said: list[str]) -> None:
    number = runs()
    with pytest.raises(WhereError, match="can't become one of 7 GiB"):
        power.start(made, settings(disk=7), said.append)
    assert (made.pid(), orders, calls("ssh")) == (number, [], [])


def test_a_machine_keeps_the_disk_it_was_made_from(made: Home, said: list[str]) -> None:
    power.start(made, settings(base="other"), said.append)
    assert (made.folder / "disk.raw").read_text("utf-8") == "base"
    assert (made.folder / "vmlinuz").read_text("utf-8") == "base"
    assert said[0].startswith("the machine keeps the disk it was made from (base)")
    assert made.settings() == settings()  # which are compared at the next start


@pytest.mark.usefixtures("orders")
def test_another_disk_to_start_from_stops_no_machine(made: Home, runs: Runs, said: list[str]) -> None:
    number = runs()
    before = calls("qemu")
    power.start(made, settings(base="other"), said.append)
    assert (made.pid(), calls("qemu"), calls("ssh")) == (number, before, [])
    assert [line.partition(" (")[0] for line in said] == ["the machine keeps the disk it was made from"]


@pytest.mark.parametrize("missing", FILES)
def test_a_disk_to_start_from_that_is_gone_is_told(home: Home, said: list[str], missing: str) -> None:
    Path("base", missing).unlink()
    with pytest.raises(WhereError, match="the disk that machines start from is gone: base") as refusal:
        power.start(home, settings(), said.append)
    assert refusal.value.id == "no-disk"
    assert "down, then" in refusal.value.remedy[0]
    assert list(home.folder.glob("disk.*")) == []


def test_its_disk_stays_when_the_cache_is_emptied(made: Home) -> None:
    shutil.rmtree("base")
    assert (made.folder / "disk.raw").read_text("utf-8") == "base"


def test_no_room_is_told_before_a_disk_is_made(home: Home, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "ROOM", 1 << 40)
    with pytest.raises(WhereError, match=r"MiB free, \d+ MiB are needed") as refusal:
        power.start(home, settings(), said.append)
    assert refusal.value.id == "no-space"
    assert not home.disk.exists()


def test_no_room_leaves_a_machine_on_that_shall_have_other_settings(
    made: Home, runs: Runs, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = runs()
    monkeypatch.setattr(power, "LITTLE", 1 << 40)
    with pytest.raises(WhereError, match="MiB are needed"):
        power.start(made, settings(memory=4096), print)
    assert (made.pid(), orders, calls("ssh")) == (number, [], [])


@pytest.mark.usefixtures("orders")
def test_a_machine_that_runs_so_is_left_alone(made: Home, runs: Runs, said: list[str]) -> None:
    runs()
    before = calls("qemu")
    assert power.start(made, settings(), said.append) == "tcg"
    assert (calls("qemu"), said, calls("ssh")) == (before, [], [])


@pytest.mark.usefixtures("impatient")
def test_a_machine_that_runs_otherwise_is_stopped_first(
    made: Home, runs: Runs, orders: list[str], said: list[str]
) -> None:
    runs()
    power.start(made, settings(cpus=1), said.append)
    assert said[0] == "the machine runs with other settings: it is stopped first"
    assert calls("ssh")[0].endswith("vm systemctl poweroff")
    assert orders == ["quit"]
    assert made.settings() == settings(cpus=1)


@pytest.mark.parametrize("state", ["io-error", "paused"])
def test_a_machine_that_waits_for_room_goes_on_when_there_is_some(
    made: Home, runs: Runs, orders: list[str], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    runs()
    monkeypatch.setattr(power, "run_state", lambda _: state)
    power.start(made, settings(), print)
    assert orders == ["cont"]


def test_a_machine_that_waits_for_room_waits_on_without(
    made: Home, runs: Runs, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()
    monkeypatch.setattr(power, "run_state", lambda _: "io-error")
    monkeypatch.setattr(power, "LITTLE", 1 << 40)
    with pytest.raises(WhereError, match="MiB are needed") as refusal:
        power.start(made, settings(), print)
    assert (refusal.value.id, orders) == ("no-space", [])
