"""What is asked of the machines, and how their answers are read; the script itself is tried on this computer."""

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from maillab.trace.machines import MachineError
from maillab.verify.cells import Cell, Verdict, cells
from maillab.verify.probe import AT_ONCE, SCRIPT, probe
from tests.unit.labs import Model
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

WORDS = ["accept", "refuse", "drop", "unreachable"]


def in_turn(asked: Asked) -> str:
    """One line for each question, in an order of its own; the answers go round."""
    numbers = [int(line.split()[0]) for line in asked.text.splitlines()]
    return "".join(f"{number} {WORDS[number % 4]}\n" for number in reversed(numbers))


@pytest.fixture
def some(tutorial: Model) -> list[Cell]:
    """Eight questions from `dns`, six from `mail`."""
    asked = cells(tutorial.lab, tutorial.plans)
    by_machine = {name: [cell for cell in asked if cell.source.machine == name] for name in ("dns", "mail")}
    return [*by_machine["dns"][:8], *by_machine["mail"][:6]]


def test_each_machine_is_asked_once(some: list[Cell]) -> None:
    machines = FakeMachines(answer=in_turn)
    probe(machines, some)
    assert sorted(asked.machine for asked in machines.asked) == ["dns", "mail"]


def test_question_is_a_line_with_both_addresses_and_the_port(some: list[Cell]) -> None:
    machines = FakeMachines(answer=in_turn)
    probe(machines, some)
    (asked,) = [asked for asked in machines.asked if asked.machine == "mail"]
    cell = some[8]
    assert asked.text.splitlines()[0] == f"0 {cell.source.address} {cell.address} {cell.port}"


def test_answers_find_their_questions(some: list[Cell]) -> None:
    found = probe(FakeMachines(answer=in_turn), some)
    assert [found[cell] for cell in some] == [Verdict(WORDS[number % 4]) for number in (*range(8), *range(6))]


def test_time_for_an_answer_is_given(some: list[Cell]) -> None:
    machines = FakeMachines(answer=in_turn)
    probe(machines, some, seconds=7)
    assert {asked.command for asked in machines.asked} == {("perl", "-e", SCRIPT, "7")}


def test_many_questions_are_asked_in_portions(some: list[Cell]) -> None:
    """select(2) knows 1,024 descriptors."""
    many = [replaced(some[0], port) for port in range(1, AT_ONCE + 3)]
    machines = FakeMachines(answer=in_turn)
    found = probe(machines, many)
    assert sorted(len(asked.text.splitlines()) for asked in machines.asked) == [2, AT_ONCE]
    assert len(found) == len(many)


def replaced(cell: Cell, port: int) -> Cell:
    return Cell(source=cell.source, target=cell.target, address=cell.address, port=port)


def test_nothing_to_ask_is_nothing_seen() -> None:
    assert probe(FakeMachines(), []) == {}


def test_machine_that_can_not_be_asked_is_an_error(some: list[Cell]) -> None:
    def absent(asked: Asked) -> str:
        raise MachineError(f"{asked.machine}: no such container")

    with pytest.raises(MachineError, match="no such container"):
        probe(FakeMachines(answer=absent), some)


def test_all_is_unreachable_from_a_machine_that_can_not_be_asked(some: list[Cell]) -> None:
    def answer(asked: Asked) -> str:
        if asked.machine == "mail":
            raise MachineError("mail: no such container")
        return in_turn(asked)

    failures: list[str] = []
    found = probe(FakeMachines(answer=answer), some, failures=failures)
    assert failures == ["mail: no such container"]
    assert {found[cell] for cell in some if cell.source.machine == "mail"} == {Verdict.UNREACHABLE}
    assert {found[cell] for cell in some if cell.source.machine == "dns"} == {Verdict(word) for word in WORDS}


def test_lab_of_which_no_machine_can_be_asked_is_an_error(some: list[Cell]) -> None:
    def absent(asked: Asked) -> str:
        raise MachineError(f"{asked.machine}: no such container")

    with pytest.raises(MachineError, match="no such container"):
        probe(FakeMachines(answer=absent), some, failures=[])


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this computer's loopback that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port of this computer's loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of this computer's loopback that gives no answer: its queue is full (listen(2))."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as server,
        socket.create_connection(server.getsockname()),
    ):
        yield server.getsockname()[1]


def script(*questions: str) -> list[str]:
    """What the script prints, run here; it waits half a second for answers."""
    perl = shutil.which("perl")
    assert perl, "perl-base is essential in Debian and Ubuntu"
    text = "".join(f"{question}\n" for question in questions)
    done = subprocess.run([perl, "-e", SCRIPT, "0.5"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


def test_script_tells_the_three_answers_apart(listener: int, closed: int, silent: int) -> None:
    found = script(*(f"{index} 127.0.0.1 127.0.0.1 {port}" for index, port in enumerate((listener, closed, silent))))
    assert found == ["0 accept", "1 refuse", "2 drop"]


def test_script_knows_where_there_is_no_way(listener: int) -> None:
    """From the loopback nothing leads into the world."""
    assert script(f"7 127.0.0.1 198.51.100.10 {listener}") == ["7 unreachable"]


def test_script_takes_no_address_that_is_not_the_machines(listener: int) -> None:
    with pytest.raises(AssertionError, match=r"198\.51\.100\.10 is no address of this machine"):
        script(f"0 198.51.100.10 127.0.0.1 {listener}")
