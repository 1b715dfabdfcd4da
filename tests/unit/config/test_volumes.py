"""Disks with a fault: what a machine may say of them, what is warned of, and what follows for the container."""

import pytest

from components.checks.everything import check
from components.config.problem import ConfigurationError, Problem, Severity
from components.disks.render import VOLUMES_FILE
from components.load import parse
from tests.support.problems import ids
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT, Model, machine, model

SMALL = {"spool": {"size": "4m"}}


def with_volumes(volumes: object, name: str = "mail") -> Model:
    return model(lambda data: machine(data, name).update(volumes=volumes))


def faults(volumes: object, name: str = "mail") -> list[Problem]:
    """The warnings of such a machine."""
    return [one for one in check(with_volumes(volumes, name).lab) if one.id == "volume-fault"]


@pytest.mark.parametrize(
    ("name", "volumes", "expected"),
    [
        ("mail", {"spool": {}}, "volume-fault-missing"),
        ("mail", {"spool": {"full": True}}, "volume-fault-missing"),
        ("mail", {"spool": {"full": False, "read_only": False}}, "volume-fault-missing"),
        ("mail", {"spool": {"read_only": True, "size": "4m"}}, "volume-fault-twice"),
        ("mail", {"spool": {"read_only": True, "full": True}}, "volume-fault-twice"),
        ("mail", {"spool": {"size": "4"}}, "volume-size"),
        ("mail", {"spool": {"size": "4M"}}, "volume-size"),
        ("mail", {"spool": {"size": "4 m"}}, "volume-size"),
        ("mail", {"spool": {"size": "0m"}}, "volume-size"),
        ("mail", {"spool": {"size": "1023k"}}, "volume-size"),
        ("mail", {"spool": {"size": "257m"}}, "volume-size"),
        ("mail", {"spool": {"size": "-4m"}}, "volume-size"),
        ("mail", {"mailboxs": {"size": "4m"}}, "volume-unknown"),
        ("spamfilter", {"mailboxes": {"size": "4m"}}, "volume-unknown"),
        ("dns", {"zones": {"size": "4m"}}, "volume-unknown"),
        ("workstation", SMALL, "volume-unknown"),
        ("mail", {"spool": {"size": 4}}, "wrong-type"),
        ("mail", {"spool": None}, "wrong-type"),
        ("mail", {"spool": {"sise": "4m"}}, "unknown-key"),
    ],
)
def test_bad_volume(name: str, volumes: object, expected: str) -> None:
    data = stack_data(ROOT, "dc1es")
    machine(data, name)["volumes"] = volumes
    with pytest.raises(ConfigurationError) as caught:
        parse(data, "dc1es")
    assert ids(caught.value.problems) == [expected]


@pytest.mark.parametrize("size", ["1m", "1024k", "4m", "256m", "262144k"])
def test_size_within_the_bounds_is_good(size: str) -> None:
    assert with_volumes({"mailboxes": {"size": size}}).lab


@pytest.mark.parametrize(
    ("volumes", "words"),
    [
        ({"mailboxes": {"size": "4m"}}, "a disk of 4m in memory"),
        ({"spool": {"size": "29m"}}, "Postfix takes no message (452) while less than 30m is free"),
        ({"spool": {"size": "40m"}}, "a disk of 40m in memory in the place of the volume, which is untouched"),
        ({"spool": {"size": "40m", "full": True}}, "Postfix takes no message (452)"),
        ({"mailboxes": {"size": "4m", "full": True}}, "a full disk of 4m"),
        ({"spool": {"read_only": True}}, "Postfix does not start"),
        ({"mailboxes": {"read_only": True}}, "returns messages for them to their senders"),
    ],
)
def test_fault_is_a_warning_that_says_what_becomes_of_mail(volumes: dict[str, object], words: str) -> None:
    (found,) = faults(volumes)
    assert found.severity is Severity.WARNING
    assert found.where == f"maillab:schools.dc1es.machines.mail.volumes.{next(iter(volumes))}"
    assert words in found.what


def test_only_small_disks_can_lose_what_is_on_them() -> None:
    assert "lost" in faults(SMALL)[0].remedy
    assert "lost" not in faults({"spool": {"read_only": True}})[0].remedy


def test_machine_without_faults_has_its_volumes_where_they_belong() -> None:
    part = with_volumes({}).plans["mail"].part
    assert part.small == {}
    assert {short: part.place_of(short) for short in part.volumes} == part.volumes
    assert part.files[VOLUMES_FILE] == "mailboxes /var/mail whole\nspool /var/spool/postfix whole\n"
    assert "filling" not in part.roles


def test_small_disk_lies_over_the_volume_which_is_kept_elsewhere() -> None:
    part = with_volumes(SMALL).plans["mail"].part
    assert part.small == {"/var/spool/postfix": 4 * 1024**2}
    assert (part.place_of("spool"), part.place_of("mailboxes")) == ("/mnt/spool", "/var/mail")
    assert part.volumes == with_volumes({}).plans["mail"].part.volumes
    assert part.files[VOLUMES_FILE] == "mailboxes /var/mail whole\nspool /var/spool/postfix small\n"


def test_disks_come_first_and_what_fills_them_last() -> None:
    """Even the log needs the queue's folder; and a full disk leaves no room for what services need to start."""
    roles = with_volumes({"spool": {"size": "40m", "full": True}}).plans["mail"].part.roles
    assert (roles[0], roles[-1]) == ("disks", "filling")


def test_read_only_volume_stays_in_its_place() -> None:
    part = with_volumes({"spool": {"read_only": True}}).plans["mail"].part
    assert (part.small, part.place_of("spool")) == ({}, "/var/spool/postfix")
    assert (part.is_read_only("spool"), part.is_read_only("mailboxes")) == (True, False)


def test_machines_without_mail_have_no_such_disks() -> None:
    assert [name for name, plan in with_volumes({}).plans.items() if "disks" in plan.part.roles] == [
        "mail",
        "mail2",
        "spamfilter",
    ]
