"""A carrier that somebody else has is refused before anything goes."""

import json
from pathlib import Path

import pytest

from maillab.cli.carrier import refuse_taken
from maillab.cli.choice import Choice
from maillab.cli.folders import remember
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state


@pytest.fixture
def school(stack: Stack) -> Stack:
    """A stack that is the tutorial's school: 198.18.32.0/20."""
    for name, source in (("Pulumi.yaml", "Pulumi.yaml"), ("Pulumi.lab.yaml", "Pulumi.dc1es.yaml")):
        (stack.root / name).write_bytes((ROOT / source).read_bytes())
    return stack


def engine(program: Program, subnet: str, lab: str = "", owner: str = "", *, volume: str = "") -> None:
    """An engine that has one network more than Docker's own, and a volume of the lab with `volume` as its mark."""
    labels = {"maillab.stack": lab, "maillab.owner": owner}
    found = [{"Id": "1", "Name": "other-net", "IPAM": {"Config": [{"Subnet": subnet}]}, "Labels": labels}]
    row = f"printf 'lab-mail-mailboxes\\tlab-mail-mailboxes\\t{volume}\\tlab\\n'" if volume else ":"
    program(
        "docker",
        f"""case "$1 $2" in *inspect) echo '{json.dumps(found)}';; "network ls") echo 1;; "volume ls") {row};; esac""",
    )


def save(stack: Stack, type_: str, id_: str) -> None:
    """A state that has this one thing."""
    urn = f"urn:pulumi:lab::maillab::{type_}::x"
    save_state(stack, Engine.OFFLINE, {}, more=[{"urn": urn, "type": type_, "id": id_, "custom": True}])


@pytest.mark.parametrize("subnet", ["198.18.33.0/24", "198.18.32.128/25", "198.18.0.0/16"])
def test_taken_subnet_is_refused_with_a_free_one(school: Stack, program: Program, subnet: str) -> None:
    engine(program, subnet, "other")
    with pytest.raises(MaillabError, match="the network other-net has addresses of this lab's carrier") as refusal:
        refuse_taken(school)
    assert refusal.value.id == "carrier-taken"
    assert "nothing was changed" in str(refusal.value)
    assert refusal.value.remedy[-1] == f"    {subnet} other-net (of the lab other)"


def test_another_folders_network_is_not_advised_away(school: Stack, program: Program) -> None:
    """The same stack's name, another folder: the label alone says nothing."""
    engine(program, "198.18.33.0/24", "lab", "theirs")
    with pytest.raises(MaillabError, match="the network other-net") as refusal:
        refuse_taken(school)
    assert "(of the lab lab)" in refusal.value.remedy[-1]
    assert "docker network rm" not in "".join(refusal.value.remedy)


def test_a_carrier_stays_the_labs_own_under_another_prefix(school: Stack, program: Program) -> None:
    """Its networks still have the old label; the state has them."""
    engine(program, "198.18.33.0/24", "old")
    with pytest.raises(MaillabError):
        refuse_taken(school)
    save(school, "docker:index/network:Network", "1")
    refuse_taken(school)


def test_mail_that_another_folder_has_taken_since_is_refused(school: Stack, program: Program) -> None:
    """This one's state still has its name; the program's Command would not look again."""
    (school.root / ".pulumi-state").mkdir()
    (school.root / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    save(school, "docker:index/volume:Volume", "lab-mail-mailboxes")
    engine(program, "198.18.40.0/24", volume="mine")
    refuse_taken(school)
    engine(program, "198.18.40.0/24", volume="theirs")
    with pytest.raises(MaillabError, match=r"has the names .* volume lab-mail-mailboxes") as refusal:
        refuse_taken(school)
    assert refusal.value.id == "names-taken"


@pytest.mark.parametrize(
    ("subnet", "owner"),
    [
        pytest.param("198.18.33.0/24", "mine", id="the lab's own"),
        pytest.param("198.18.40.0/24", "theirs", id="not used of the block"),
        pytest.param("163.26.182.0/24", "theirs", id="real addresses"),
        pytest.param("fd00::/8", "theirs", id="IPv6"),
    ],
)
def test_free_subnet_is_let_pass(school: Stack, program: Program, subnet: str, owner: str) -> None:
    (school.root / ".pulumi-state").mkdir()
    (school.root / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    engine(program, subnet, "lab", owner)
    refuse_taken(school)


@pytest.mark.parametrize("script", ["exit 1", "echo 'Cannot connect to the Docker daemon' >&2; exit 1"])
def test_engine_that_cant_be_asked_reports_that_itself(school: Stack, program: Program, script: str) -> None:
    program("docker", script)
    refuse_taken(school)


def test_bad_configuration_is_reported_by_the_program(school: Stack, program: Program) -> None:
    engine(program, "198.18.33.0/24")
    path = school.root / "Pulumi.lab.yaml"
    path.write_text(path.read_text("utf-8").replace("carrier: 198.18.32.0/20", "carrier: none of it"), "utf-8")
    refuse_taken(school)


@pytest.mark.parametrize(("place", "asked"), [("local", True), ("vm", False), ("ssh://lab", False)])
def test_this_computers_engine_is_not_asked_for_a_lab_elsewhere(
    school: Stack, program: Program, tmp_path: Path, place: str, asked: bool
) -> None:
    """One that is not there yet: its engine has no networks."""
    program("docker", f"touch {tmp_path}/asked; exit 1")
    path = school.root / "Pulumi.lab.yaml"
    path.write_text(path.read_text("utf-8").replace("config:\n", f"config:\n  maillab:where: {place}\n", 1), "utf-8")
    Choice(stack=school, engine=None).refuse_taken()
    assert (tmp_path / "asked").exists() is asked


def test_network_that_goes_meanwhile_is_no_failure(school: Stack, program: Program, tmp_path: Path) -> None:
    engine(program, "198.18.33.0/24")
    script = (tmp_path / "bin" / "docker").read_text("utf-8").removeprefix("#!/bin/sh\n")
    gone = f"[ -e {tmp_path}/seen ] || {{ touch {tmp_path}/seen; echo 'network 1 not found' >&2; exit 1; }}"
    program("docker", f"[ $2 != inspect ] || {gone}; {script}")
    with pytest.raises(MaillabError, match="the network other-net has addresses"):
        refuse_taken(school)


THERE = r"""
case "$1 $2" in
  "ps --all") printf 'c1\tlab-mail\t{owner}\tlab\n';;
  "network ls") [ "$3" = --quiet ] || printf 'n1\tlab-lan\t{owner}\tlab\n';;
esac
"""


def test_what_this_folder_made_and_no_state_knows_is_named_before_anything_is_made(
    school: Stack, program: Program
) -> None:
    """Docker would say that the name is taken, half-way through."""
    (school.root / ".pulumi-state").mkdir()
    (school.root / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    program("docker", THERE.format(owner="mine"))
    with pytest.raises(MaillabError, match="this folder made container lab-mail for the lab lab") as refusal:
        refuse_taken(school)
    assert refusal.value.id == "state-lost"
    assert "bin/maillab --stack lab down --keep-mail" in refusal.value.remedy[1]
    save(school, "docker:index/container:Container", "c1")
    refuse_taken(school)


def test_folder_that_made_what_is_taken_is_named(school: Stack, program: Program, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".pulumi-state").mkdir(parents=True)
    (other / ".pulumi-state" / "owner").write_text("theirs\n", "ascii")
    remember(other, "theirs")
    program("docker", THERE.format(owner="theirs"))
    with pytest.raises(MaillabError, match="has the names of lab lab: container lab-mail") as refusal:
        refuse_taken(school)
    assert refusal.value.remedy[0] == f"the folder that made it: {other}"
