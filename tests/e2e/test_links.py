"""`links`: a slow wire where the kernel has netem; where it has none, a refusal that leaves the lab as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.machine import Machine
from tests.support.delivered import deliver
from tests.support.program import run, unrestarted, up

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
SCHOOLS = "  maillab:schools:\n"
FILE = "/etc/maillab/network"
# A tc for machines on a kernel without netem: it keeps in files what it was told.
STAND_IN = """#!/bin/sh
echo "$*" >>/run/tc-calls
dev=$(echo " $* " | sed -n 's/.* dev \\([^ ]*\\) .*/\\1/p')
case $2 in
  show) cat /run/tc-root."${dev:-*}" 2>/dev/null || cat /run/tc-root.* 2>/dev/null ;;
  add | replace) echo "qdisc netem 8001: root refcnt 2 ${*#*netem }" >"/run/tc-root.$dev" ;;
  del) rm "/run/tc-root.$dev" ;;
esac
exit 0
"""


@pytest.fixture
def netem(workshop: Lab) -> bool:
    """Whether the engine's kernel can slow a wire down, asked on a machine's loopback."""
    asked = workshop["outside"].execute("tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root")
    assert asked.status == 0 or "qdisc kind is unknown" in asked.output, asked.output
    return asked.status == 0


def link(lab: Lab, words: str) -> str:
    """Gives `outside` wires like `words`; the text that is now in the configuration."""
    entry = f"  maillab:links:\n    outside: {{{words}}}\n"
    lab.edit(SCHOOLS, f"{entry}{SCHOOLS}")
    return entry


def connect_seconds(lab: Lab) -> float:
    """How long a connection from the workstation to `outside` takes: the shortest of five."""
    code = (
        "import socket, sys, time\n"
        "def once():\n"
        "    started = time.monotonic()\n"
        "    socket.create_connection((sys.argv[1], 25), timeout=10).close()\n"
        "    return time.monotonic() - started\n"
        "print(min(once() for _ in range(5)))\n"
    )
    return float(lab["workstation"].python(code, lab["outside"].ipv4))


def takes_effect(lab: Lab) -> None:
    """The link slows down every answer of `outside`, mail still comes, and all is fast again without it."""
    entry = link(lab, "delay: 200ms")
    with unrestarted(lab):
        assert up(lab) == {"outside-config": "update"}
        assert 0.2 <= connect_seconds(lab) < 2
        assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]
        lab.edit(entry, "")
        assert up(lab) == {"outside-config": "update"}
        assert connect_seconds(lab) < 0.1


def is_refused(lab: Lab) -> None:
    """The update says why, and the old configuration serves on."""
    serving = lab["outside"].read(FILE)
    link(lab, "delay: 200ms")
    with unrestarted(lab):
        failed = run(lab, "up", "--yes")
    assert not failed.ok
    assert "links: this engine's kernel has no netem (module sch_netem)" in failed.words
    assert "take `links` away, or run the lab where the kernel has it (maillab:where: vm)" in failed.words
    assert "the old configuration is in force again" not in failed.words, "it was switched away from"
    assert lab["outside"].read(FILE) == serving
    assert connect_seconds(lab) < 0.1
    assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


def test_link_slows_the_wire_where_the_kernel_can_and_is_refused_where_it_cannot(workshop: Lab, netem: bool) -> None:
    (takes_effect if netem else is_refused)(workshop)


@contextmanager
def stand_in_for_tc(machine: Machine) -> Iterator[None]:
    """A `tc` that takes everything, in front of the real one."""
    machine.put("/usr/local/sbin/tc", STAND_IN.encode())
    machine.succeed("chmod +x /usr/local/sbin/tc")
    try:
        yield
    finally:
        machine.succeed("rm -f /usr/local/sbin/tc /run/tc-calls /run/tc-root.*")


def calls(machine: Machine) -> list[str]:
    """What `tc` was told since the last look, without the questions."""
    found = machine.succeed("cat /run/tc-calls; rm /run/tc-calls").splitlines()
    return [call for call in found if not call.startswith("qdisc show")]


def test_edits_of_a_link_as_tc_is_told_them(workshop: Lab) -> None:
    """What a kernel without netem can show: the words that the kernel would get, whichever kernel it is."""
    outside = workshop["outside"]
    dev = outside.succeed("ip -o -4 route get 203.0.113.53 | sed 's/.* dev \\([^ ]*\\) .*/\\1/'").strip()
    with stand_in_for_tc(outside), unrestarted(workshop):
        entry = link(workshop, "delay: 200ms, rate: 1mbit")
        up(workshop)
        asked = ["qdisc add dev lo root netem delay 0ms", "qdisc del dev lo root"]
        assert calls(outside) == [*asked, f"qdisc replace dev {dev} root netem delay 200ms rate 1mbit"]
        workshop.edit("rate: 1mbit", "loss: 0.5%")
        up(workshop)
        # The rate is gone only when tc is asked to remove it; and netem is there, so that nobody asks for it.
        assert calls(outside) == [f"qdisc replace dev {dev} root netem delay 200ms loss 0.5% rate 0bit"]
        workshop.edit(entry.replace("rate: 1mbit", "loss: 0.5%"), "")
        up(workshop)
        assert calls(outside) == [f"qdisc del dev {dev} root"]
