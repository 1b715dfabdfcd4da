"""A lab whose machine has an address of the computer under it."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from components.checks.this_computer import check_this_computer, own_addresses
from tests.unit.labs import model

SOCKET = "unix:///var/run/docker.sock"
TABLE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 163.26.182.0/24 2 0 2
        |-- 163.26.182.0
           /24 link UNICAST
        |-- 163.26.182.2
           /32 host LOCAL
        |-- 163.26.182.255
           /32 link BROADCAST
"""


def test_own_addresses_are_the_local_ones(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(TABLE)
    assert own_addresses(tmp_path / "fib_trie") == {IPv4Address("163.26.182.2")}


def test_computer_without_the_table_has_none(tmp_path: Path) -> None:
    assert own_addresses(tmp_path / "nothing") == frozenset()


@pytest.mark.parametrize("host", [SOCKET, "tcp://localhost:2375", "tcp://127.0.0.1:2375"])
def test_machine_with_an_address_of_the_computer_is_refused(host: str) -> None:
    (problem,) = check_this_computer(model().lab, [IPv4Address("163.26.182.2")], host)
    assert (problem.id, problem.where) == ("address-of-this-computer", "maillab:schools.dc1es.machines.mail")


@pytest.mark.parametrize("host", ["ssh://teacher@lab.example", "tcp://203.0.113.1:2375"])
def test_engine_elsewhere_does_not_care(host: str) -> None:
    assert check_this_computer(model().lab, [IPv4Address("163.26.182.2")], host) == []


def test_lab_in_a_virtual_machine_does_not_care() -> None:
    lab = model(lambda data: data.update(where="vm")).lab
    assert check_this_computer(lab, [IPv4Address("163.26.182.2")], SOCKET) == []


def test_other_address_in_the_schools_network_is_no_fault() -> None:
    assert check_this_computer(model().lab, [IPv4Address("163.26.182.77")], SOCKET) == []
