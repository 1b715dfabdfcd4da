"""Datagrams with sources that are not the sender's: what the router makes of them, and how they are tried."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from maillab.trace.machines import Running
from maillab.verify.cells import Cell, Prediction, Verdict
from maillab.verify.forged import RECEIVE, forged_cells, predict_forged, try_forged
from tests.unit.labs import Data, Model, model, school
from tests.unit.maillab.verify.fakes import Asked, FakeMachines


def verdicts(given: Model, name: str) -> dict[str, tuple[Verdict, str]]:
    """Source address to what becomes of the datagram and which machine decides, for the sources called `name`."""
    found = expected_of(given)
    return {str(c.source.address): (p.verdict, p.machine) for c, p in found.items() if c.source.name == name}


@pytest.mark.parametrize("name", ["outside", "workstation"])
def test_true_sources_come_through(tutorial: Model, name: str) -> None:
    assert {verdict for verdict, _ in verdicts(tutorial, name).values()} == {Verdict.ACCEPT}


@pytest.mark.parametrize("name", ["outside, forged", "workstation, forged"])
def test_forged_sources_end_at_the_router(tutorial: Model, name: str) -> None:
    assert set(verdicts(tutorial, name).values()) == {(Verdict.DROP, "router")}


def test_outside_speaks_for_the_school_and_for_nobody(tutorial: Model) -> None:
    addresses = verdicts(tutorial, "outside, forged")
    assert [text.rpartition(".")[0] or text.rpartition("::")[0] for text in addresses] == [
        *("163.26.182", "2001:db8:182"),
        *("10.0.0", "fc00"),
    ]


def test_address_of_the_school_is_nobodys(tutorial: Model) -> None:
    for address in verdicts(tutorial, "outside, forged"):
        with pytest.raises(KeyError):
            tutorial.owner(address)


def test_school_speaks_for_a_range_that_the_mail_servers_let_in(tutorial: Model) -> None:
    assert [address.split(":")[0].split(".")[0] for address in verdicts(tutorial, "workstation, forged")] == [
        "163",
        "2001",
    ]


def test_each_school_is_spoken_for(two_schools: Model) -> None:
    targets = {cell.target for cell in forged_cells(two_schools.lab, two_schools.plans)}
    assert {"mail", "mail3", "tn"} == targets


def test_every_machine_says_the_truth_in_both_families(tutorial: Model) -> None:
    true = [cell for cell in forged_cells(tutorial.lab, tutorial.plans) if "forged" not in cell.source.name]
    assert [(cell.source.name, cell.address.version) for cell in true] == [
        *(("outside", 4), ("outside", 6)),
        *(("workstation", 4), ("workstation", 6)),
    ]


def test_school_without_a_workstation_sends_nothing() -> None:
    given = model(lambda data: school(data)["machines"].pop())
    assert {cell.source.machine for cell in forged_cells(given.lab, given.plans)} == {"outside"}


def test_range_that_the_lab_uses_is_not_nobodys() -> None:
    """With a sender in 10.0.0.0/8 the router lets it in: the next one that nobody has is taken."""

    def give_away(data: Data) -> None:
        data["internet"]["senders"][0] |= {"ipv4": "10.0.0.7"}

    assert "100.64.0.1" in verdicts(model(give_away), "outside, forged")


def expected_of(given: Model) -> dict[Cell, Prediction]:
    """The prover's datagrams, in their order."""
    return predict_forged(given.policy, forged_cells(given.lab, given.plans))


@pytest.fixture
def expected(tutorial: Model) -> dict[Cell, Prediction]:
    """The tutorial's datagrams."""
    return expected_of(tutorial)


@pytest.fixture
def asked(expected: dict[Cell, Prediction]) -> list[Cell]:
    """The same without what becomes of them."""
    return list(expected)


def receiving(*numbers: int) -> Callable[[Asked], str]:
    """Every machine that listens says that these datagrams came, if they are its own."""

    def answer(found: Asked) -> str:
        return "".join(f"{number}\n" for number in numbers) if found.command[2] == RECEIVE else ""

    return answer


def test_what_came_is_accepted_and_the_rest_dropped(asked: list[Cell], expected: dict[Cell, Prediction]) -> None:
    found = try_forged(FakeMachines(answer=receiving(0, 3)), expected)
    assert [found[cell] for cell in asked[:4]] == [Verdict.ACCEPT, Verdict.DROP, Verdict.DROP, Verdict.ACCEPT]


def test_receiver_waits_for_the_true_ones(asked: list[Cell], expected: dict[Cell, Prediction]) -> None:
    machines = FakeMachines(answer=receiving())
    try_forged(machines, expected)
    (receiver,) = [found for found in machines.asked if found.machine == "mail"]
    numbers = [int(word) for word in receiver.command[5:]]
    assert [asked[number].source.name for number in numbers] == ["outside", "outside"]


def test_true_ones_are_sent_last(asked: list[Cell], expected: dict[Cell, Prediction]) -> None:
    """When they have come, the forged ones of their round have come too."""
    machines = FakeMachines(answer=receiving())
    try_forged(machines, expected)
    (sender,) = [found for found in machines.asked if found.machine == "outside"]
    numbers = [int(line.split()[0]) for line in sender.text.splitlines()]
    assert [asked[number].source.name for number in numbers] == [*["outside, forged"] * 4, *["outside"] * 2]


def test_datagram_is_a_line_with_both_addresses(expected: dict[Cell, Prediction]) -> None:
    machines = FakeMachines(answer=receiving())
    try_forged(machines, expected)
    (sender,) = [found for found in machines.asked if found.machine == "outside"]
    assert "0 198.51.100.10 163.26.182.2" in sender.text.splitlines()


def with_rule(place: str, **rule: object) -> Model:
    """The tutorial's school with a rule before all others."""
    return model(lambda data: school(data)["firewall"].setdefault(place, []).insert(0, rule))


def test_true_one_that_a_rule_keeps_out_is_not_waited_for() -> None:
    given = with_rule("router", action="DROP", source="198.51.100.0/24")
    machines = FakeMachines(answer=receiving())
    expected = expected_of(given)
    try_forged(machines, expected)
    (receiver,) = [found for found in machines.asked if found.machine == "mail"]
    assert [str([*expected][int(number)].source.address) for number in receiver.command[5:]] == ["2001:db8:198::10"]


def test_rejected_datagram_does_not_come() -> None:
    """The target can not tell it from one that was dropped."""
    given = with_rule("router", action="REJECT", source="198.51.100.0/24")
    assert verdicts(given, "outside")["198.51.100.10"] == (Verdict.DROP, "router")


def test_school_speaks_for_nobody_whom_a_rule_keeps_out() -> None:
    given = with_rule("mail", action="DROP", port=25, source="192.0.2.0/24")
    assert not [address for address in verdicts(given, "workstation, forged") if address.startswith("192.")]


def test_way_that_is_shut_for_all_is_seen_as_such(expected: dict[Cell, Prediction]) -> None:
    found = try_forged(FakeMachines(answer=receiving()), expected)
    assert set(found.values()) == {Verdict.DROP}


@contextmanager
def receiving_here(*wanted: int, seconds: float) -> Iterator[tuple[Running, Callable[[int], object]]]:
    """The script, run here on a free port, and what sends it a datagram."""
    perl = shutil.which("perl")
    assert perl, "perl-base is essential in Debian and Ubuntu"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        port = sender.getsockname()[1] ^ 1
        argv = [perl, "-e", RECEIVE, str(port), str(seconds), *map(str, wanted)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        with Running(machine="here", program="perl", process=process) as running:
            assert running.line() == "ready\n"
            yield running, lambda number: sender.sendto(str(number).encode(), ("127.0.0.1", port))


def test_receiver_says_all_that_came_once() -> None:
    with receiving_here(1, seconds=20) as (running, send):
        for number in (0, 1, 0, 1):
            send(number)
        assert sorted(running.end().split()) == ["0", "1"]


def test_receiver_that_waits_for_nobody_takes_what_has_come() -> None:
    with receiving_here(seconds=0.2) as (running, send):
        send(7)
        assert running.end() == "7\n"


def test_receiver_waits_for_what_is_still_on_its_way() -> None:
    """On a slow or long link a datagram comes after all were sent."""
    with receiving_here(0, 1, seconds=20) as (running, send):
        send(0)
        late = threading.Timer(0.5, send, [1])
        late.start()
        assert sorted(running.end().split()) == ["0", "1"]
        late.join()


def test_receiver_gives_up_what_never_comes() -> None:
    with receiving_here(0, 1, seconds=0.2) as (running, send):
        send(0)
        assert running.end() == "0\n"


def test_receiver_that_waits_for_nobody_waits_to_its_times_end() -> None:
    """What should not come may be as long on its way as what should."""
    with receiving_here(seconds=1) as (running, send):
        late = threading.Timer(0.2, send, [0])
        late.start()
        assert running.end() == "0\n"
        late.join()


def test_nothing_is_sent_before_all_listen_and_all_is_sent_before_anybody_is_asked(
    expected: dict[Cell, Prediction],
) -> None:
    listening: list[int] = []

    def answer(_: Asked) -> str:
        listening.append(len(machines.lines))
        return ""

    machines = FakeMachines(answer=answer)
    try_forged(machines, expected)
    assert [asked.command[2] == RECEIVE for asked in machines.asked] == [False, False, True, True]
    assert listening == [2, 2, 2, 2]
