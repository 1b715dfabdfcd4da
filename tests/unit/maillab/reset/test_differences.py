"""What of a machine is in no file, as it was and as it is configured."""

import os
import subprocess
from pathlib import Path

from maillab.reset.differences import LOOK, MOST, as_text, differing, keep, seen
from tests.unit.conftest import Program

RULES = "== rules\n# Generated on {day}\n*filter\n:INPUT ACCEPT [{count}:20]\n{rule}COMMIT\n"
DROP = "-A INPUT -p tcp -m tcp --dport 25 -j DROP\n"
ADDRESSES = (
    "== addresses\n{number}: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "{number}: eth0    inet 163.26.182.2/24 scope global eth0\\       valid_lft forever preferred_lft forever\n{more}"
)


def test_time_counters_and_numbers_of_interfaces_are_no_difference() -> None:
    before = RULES.format(day="Monday", count=7, rule=DROP) + ADDRESSES.format(number=1, more="")
    after = RULES.format(day="Tuesday", count=0, rule=DROP) + ADDRESSES.format(number=23, more="")
    assert seen(before)["rules"] == {DROP.strip()}
    assert len(seen(before)["addresses"]) == 2
    assert differing(seen(before), seen(after)) == []


def test_flushed_rule_and_added_address() -> None:
    more = "2: eth0    inet 10.0.0.1/8 scope global eth0\\       valid_lft forever preferred_lft forever\n"
    found = seen(RULES.format(day=1, count=1, rule="") + ADDRESSES.format(number=2, more=more))
    wanted = seen(RULES.format(day=1, count=1, rule=DROP) + ADDRESSES.format(number=2, more=""))
    assert as_text(found, wanted) == (f"rules:\n+{DROP}addresses:\n-eth0 inet 10.0.0.1/8 scope global eth0\n")


def test_policy_and_chain_of_somebodys_own() -> None:
    found = seen("== rules\n*filter\n:INPUT DROP [0:0]\n:mine - [0:0]\nCOMMIT\n")
    assert found["rules"] == {":INPUT DROP", ":mine -"}


def test_answer_without_an_end_is_cut_off(program: Program) -> None:
    program("docker", "exec yes 'default via 163.26.182.254'")
    environment = {**os.environ, "PATIENCE": "20", "CONTAINER": "c1"}
    said = subprocess.run(["/bin/bash", "-c", LOOK], stdout=subprocess.PIPE, check=True, env=environment).stdout
    assert len(said) == MOST


def test_what_the_machine_was_not_asked_is_no_difference() -> None:
    """It hung before that; of one whose program is gone the section is empty."""
    wanted = seen("== routes\ndefault via 163.26.182.254 dev eth0 \n")
    assert differing(seen("== ports\n"), wanted) == []
    assert differing(seen("== routes\n"), wanted) == ["routes"]


def test_probe_and_link_local_addresses_come_and_go() -> None:
    more = "1: lo    inet 192.0.0.8/32 scope global lo\n2: eth0    inet6 fe80::1/64 scope link \\ valid_lft forever\n"
    assert seen(ADDRESSES.format(number=2, more=more)) == seen(ADDRESSES.format(number=2, more=""))


def test_ports_are_told_without_their_queues() -> None:
    assert seen("== ports\ntcp   LISTEN 3      100     0.0.0.0:25    0.0.0.0:*\n")["ports"] == {"tcp 0.0.0.0:25"}


def test_kept_for_its_owner_alone_beside_what_else_is_kept(tmp_path: Path) -> None:
    first = keep("one", tmp_path / "mail")
    assert first.parent.parent == tmp_path / "mail"
    assert first.stat().st_mode & 0o777 == 0o600
    second = keep("two", first.parent)
    assert second == first
    assert second.read_text() == "two"
