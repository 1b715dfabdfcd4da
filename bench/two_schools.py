"""What the school costs that filters on its mail server, beside the one with an appliance, in one lab."""

import contextlib
import pathlib
import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.measures import first_message, megabytes_of, rate
from driver.lab import Lab, make_lab, remove_lab

SERVER, ADMIN = "yaes-mail", "admin@yaes.example"
THROUGH_AMAVIS = 100  # messages: some seconds' work


@contextlib.contextmanager
def _unfiltered(lab: Lab) -> Iterator[None]:
    """Without amavis: Postfix hands what it takes to nobody else."""
    was = lab[SERVER].succeed("postconf -h content_filter").strip()
    lab[SERVER].succeed("postconf -e content_filter= && postfix reload")
    try:
        yield
    finally:
        lab[SERVER].succeed(f"postconf -e content_filter={was} && postfix reload")


def two_schools(folder: pathlib.Path, runs: int) -> list[Figure]:
    """`up` and the first message, with images present; messages a second three ways; memory after them."""
    first = []
    for run in range(runs):
        lab = make_lab(folder / f"two-{run}", "two")
        try:
            begin = time.monotonic()
            lab.engine("up", "--yes")
            up = time.monotonic() - begin
            first_message(lab, SERVER, ADMIN)
            if run or runs == 1:  # the first one may have built images
                first.append((up, time.monotonic() - begin))
            lab.find_machines()
            if run == runs - 1:
                throughput, memory = _throughput(lab, runs), _memory(lab)
        finally:
            remove_lab(lab)
    return [
        Figure(name="up of two schools", unit="s", readings=[one for one, _ in first]),
        Figure(name="first message to the second", unit="s", readings=[one for _, one in first], wanted="≤ 20 s"),
        *throughput,
        *memory,
    ]


def _throughput(lab: Lab, runs: int) -> list[Figure]:
    amavis, rspamd, plain = [], [], []
    for _ in range(runs):
        amavis.append(rate(lab, SERVER, SERVER, ADMIN, THROUGH_AMAVIS))
        rspamd.append(rate(lab, "spamfilter"))
        with _unfiltered(lab):
            plain.append(rate(lab, SERVER, SERVER, ADMIN))
    without, appliance = "messages without a filter", "messages through the appliance"
    return [
        Figure(name="messages through amavis", unit="/s", readings=amavis, against=without),
        Figure(name="amavis beside the appliance", unit="/s", readings=amavis, against=appliance),
        Figure(name=appliance, unit="/s", readings=rspamd, against=without),
        Figure(name=without, unit="/s", readings=plain),
    ]


def _memory(lab: Lab) -> list[Figure]:
    machines = {name: megabytes_of(machine) for name, machine in lab.machines.items()}
    whole = "memory of both schools"
    return [
        Figure(name=f"memory of {SERVER}", unit="MB", readings=[machines[SERVER]], against=whole),
        Figure(name=whole, unit="MB", readings=[sum(machines.values())], wanted="≤ 1200 MB"),
    ]
