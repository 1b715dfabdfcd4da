"""Forged source addresses: datagrams that pretend to come from elsewhere, and the router that should stop them.

A TCP connection from a forged address never comes about, whatever the router does: its answers go elsewhere. So
these are datagrams, and the target says which of them came.
"""

import pathlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address

from components.config.firewall import Action, Protocol
from components.config.lab import OUTSIDE, LabConfig, Role, SchoolConfig, assigned_addresses
from components.config.network import Address
from components.firewall.policy import martians
from components.part import Blueprint
from maillab.trace.machines import Machines, Running
from maillab.verify.cells import Cell, Policy, Prediction, Source, Verdict, predict

FOLDER = pathlib.Path(__file__).parent
SEND = (FOLDER / "forged_send.pl").read_text(encoding="utf-8")
RECEIVE = (FOLDER / "forged_receive.pl").read_text(encoding="utf-8")
PORT = 20009  # below those that a program gets for its own connections
ROUNDS = 20  # of a tenth of a second: a link may lose some (`links:`)
SECONDS = 10  # that a datagram may be on its way once all are sent


def forged_cells(lab: LabConfig, plans: Mapping[str, Blueprint]) -> list[Cell]:
    """From outside as somebody of each school and as nobody at all; from each school as somebody it would let in.

    Before them, from the same machines to the same targets, datagrams with true sources: what shows that the way
    is open.
    """
    found: list[Cell] = []
    for school in lab.schools:
        servers = [*school.with_role(Role.MAIL), *school.with_role(Role.DNS)]
        target = servers[0].name
        lies = [*_unused(lab, school), *_nobody(lab)]
        found += _cells(plans, OUTSIDE, target, lies)
        for client in school.with_role(Role.WORKSTATION)[:1]:
            found += _cells(plans, client.name, lab.internet.mail.name, _allowed(lab, school))
    return found


def _cells(plans: Mapping[str, Blueprint], machine: str, target: str, lies: Iterable[Address]) -> Iterator[Cell]:
    true = [(machine, ip_address(plans[machine].host.first(version))) for version in (4, 6)]
    for name, address in [*true, *((f"{machine}, forged", lie) for lie in lies)]:
        source = Source(name=name, machine=machine, address=address)
        to = ip_address(plans[target].host.first(address.version))
        yield Cell(source=source, target=target, address=to, port=PORT)


def _given(lab: LabConfig) -> set[Address]:
    return {address for _, address, _ in assigned_addresses(lab)}


def _unused(lab: LabConfig, school: SchoolConfig) -> Iterator[Address]:
    """An address of the school that no machine has, of each family."""
    taken = _given(lab)
    for network in (school.network.ipv4, school.network.ipv6):
        candidates = (network[number] for number in range(1, network.num_addresses - 1))
        yield from [next(address for address in candidates if address not in taken)]


def _nobody(lab: LabConfig) -> Iterator[Address]:
    """An address that nobody on the Internet has, of each family."""
    for version, skipped in ((4, ("0.0.0.0/8", "127.0.0.0/8")), (6, ("::/128", "::1/128"))):
        usable = [network for network in martians(lab, version) if str(network) not in skipped]
        yield from [network[1] for network in usable[:1]]


def _allowed(lab: LabConfig, school: SchoolConfig) -> Iterator[Address]:
    """An address that the mail servers let in, not of the school and nobody's, of each family."""
    for version, own in ((4, school.network.ipv4), (6, school.network.ipv6)):
        for rule in school.firewall.mail:
            network, inverted = rule.source_for(version)
            if rule.action is not Action.ACCEPT or network is None or inverted:
                continue
            if network.is_loopback or network.num_addresses < 4:
                continue
            address = network[-3]
            if address not in own and address not in _given(lab):
                yield address
                break


def predict_forged(policy: Policy, asked: Iterable[Cell]) -> dict[Cell, Prediction]:
    """Which datagrams the packet filters let through; whether one is dropped or rejected, its target does not see."""
    found = {cell: predict(policy, cell, Protocol.UDP) for cell in asked}
    return {c: p if p.verdict is Verdict.ACCEPT else replace(p, verdict=Verdict.DROP) for c, p in found.items()}


def try_forged(machines: Machines, expected: Mapping[Cell, Prediction]) -> dict[Cell, Verdict]:
    """Which datagrams came.

    Raises:
        MachineError: a machine could not be asked.
    """
    asked = list(expected)
    true = {n for n, c in enumerate(asked) if not _is_forged(c) and expected[c].verdict is Verdict.ACCEPT}
    by_target: dict[str, list[int]] = {cell.target: [] for cell in asked}
    by_machine: dict[str, list[int]] = defaultdict(list)
    # The true ones last: when they have come, the others of their round have come too.
    for number in sorted(range(len(asked)), key=lambda number: number in true):
        by_machine[asked[number].source.machine].append(number)
        if number in true:
            by_target[asked[number].target].append(number)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max(len(by_target), len(by_machine), 1)))
        receivers = [stack.enter_context(_receiver(machines, name, numbers)) for name, numbers in by_target.items()]
        for receiver in receivers:
            receiver.line()  # it listens
        senders = [pool.submit(_send, machines, name, numbers, asked) for name, numbers in by_machine.items()]
        for sender in senders:
            sender.result()
        came = {
            int(line)
            for numbers in pool.map(lambda receiver: receiver.end(), receivers)
            for line in numbers.splitlines()
        }
    return {cell: Verdict.ACCEPT if number in came else Verdict.DROP for number, cell in enumerate(asked)}


def _is_forged(cell: Cell) -> bool:
    return cell.source.name != cell.source.machine


def _receiver(machines: Machines, name: str, numbers: Iterable[int]) -> Running:
    return machines.start(name, ["perl", "-e", RECEIVE, str(PORT), str(SECONDS), *map(str, numbers)])


def _send(machines: Machines, name: str, numbers: Iterable[int], asked: Sequence[Cell]) -> None:
    lines = (f"{number} {asked[number].source.address} {asked[number].address}\n" for number in numbers)
    machines.run(name, ["perl", "-e", SEND, str(PORT), str(ROUNDS)], "".join(lines))
