"""A machine's life; qemu, qemu-img and ssh are scripts, and its control socket answers from memory."""

import socket

import pytest

from maillab.where import power
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import QEMU, Runs, calls, settings

pytestmark = pytest.mark.usefixtures("programs", "bases")


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


def test_what_it_was_started_with_is_remembered(made: Home) -> None:
    assert made.settings() == settings()
    assert made.read("accelerator") == "tcg"
    assert f"127.0.0.1:{made.read('port')}-:22" in calls("qemu")[-1]


def test_qemus_words_are_reported_and_nothing_is_remembered(home: Home, program: Program, said: list[str]) -> None:
    program(QEMU, "echo 'qemu: cannot set up guest memory' >&2; exit 1")
    with pytest.raises(WhereError, match="qemu: qemu: cannot set up guest memory") as failure:
        power.start(home, settings(), said.append)
    assert failure.value.id == "qemu-failed"
    assert home.settings() is None


def test_a_taken_port_is_reported_before_qemu_is_started(home: Home, said: list[str]) -> None:
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


def test_qemus_words_are_read_where_it_writes_them(home: Home, program: Program, said: list[str]) -> None:
    """With -D they are in its log, once it has opened that."""
    home.write("qemu.log", "of an earlier start")
    program(QEMU, "echo 'qemu: no memory' >>qemu.log; exit 1")
    with pytest.raises(WhereError, match=r"^qemu: qemu: no memory$"):
        power.start(home, settings(), said.append)


# Another program is always faster, but for the times that are given.
TAKEN = """
[ "$*" != -help ] || exit 0
echo try >>{folder}/tries
[ "$(wc -l <{folder}/tries)" -gt {times} ] || {{
  echo 'qemu: -netdev user: Could not set up host forwarding rule' >&2; exit 1
}}
"""


def tries(home: Home, program: Program, times: int, ssh_port: int = 0) -> int:
    """How often qemu is started when its port is taken so many times. Raises WhereError."""
    program(QEMU, TAKEN.format(folder=home.folder, times=times))
    try:
        power.start(home, settings(ssh_port=ssh_port), print)
    finally:
        found = home.read("tries").count("try")
    return found


def test_a_free_port_that_is_taken_meanwhile_is_not_the_last(home: Home, program: Program) -> None:
    assert tries(home, program, 1) == 2
    assert home.settings() == settings()


def test_ports_that_are_always_taken_are_told(home: Home, program: Program) -> None:
    with pytest.raises(WhereError, match="Could not set up host forwarding rule") as refusal:
        tries(home, program, power.PORTS)
    assert refusal.value.id == "port-taken"
    assert home.settings() is None


def test_a_wanted_port_that_is_taken_meanwhile_is_told_at_once(home: Home, program: Program, left: int) -> None:
    with pytest.raises(WhereError, match="Could not set up host forwarding rule"):
        tries(home, program, 1, ssh_port=left)
    assert home.read("tries") == "try"


def test_the_port_is_chosen_last(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking whether KVM works takes a while."""
    monkeypatch.setattr(power, "choose_accelerator", lambda *_: "tcg" if not home.read("port") else "late")
    assert power.start(home, settings(), print) == "tcg"
    assert home.read("port").isdigit()


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


def test_no_room_is_found_before_a_disk_is_made(home: Home, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
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
