"""Whose what is there is, before a lab takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from maillab.where import ownership
from maillab.where.known import Known, Thing, known_of, note_kept
from maillab.where.ownership import Lab, is_own, refuse_late, refuse_overlaps, refuse_taken
from maillab.where.problem import WhereError
from tests.unit.conftest import Program

LAB = Lab(stack="dc1es", label="dc1es", owner="mine")
WANTED = [("container", "dc1es-mail"), ("network", "dc1es-school"), ("volume", "dc1es-mail-spool")]
MINE, OTHERS, OLD, NOBODYS = ("mine", "dc1es"), ("theirs", "dc1es"), ("", "dc1es"), ("", "")


def thing(kind: str, name: str, mark: tuple[str, str], made: str = "id") -> Thing:
    return Thing(kind=kind, id=name if kind == "volume" else made, name=name, owner=mark[0], label=mark[1])


def known(*things: Thing) -> Known:
    return Known(made=frozenset((one.kind, one.id) for one in things))


MACHINE = {mark: thing("container", "dc1es-mail", mark) for mark in (MINE, OTHERS, OLD, NOBODYS)}
SPOOL = {mark: thing("volume", "dc1es-mail-spool", mark) for mark in (MINE, OTHERS, OLD, NOBODYS)}
ELSEWHERE = thing("container", "dc1es-dns", OLD, "another")

OWN = {
    "nothing is there": ([], Known()),
    "a machine of this folder, which its state has": ([MACHINE[MINE]], known(MACHINE[MINE])),
    "a machine from before the marks, which the state has": ([MACHINE[OLD]], known(MACHINE[OLD])),
    "what a run of this folder made and could not record": ([MACHINE[MINE]], Known()),
    "what a run began before there were marks": ([MACHINE[OLD]], Known(begun=frozenset({("container", "dc1es-mail")}))),
    "mail that a removed lab of this folder left": ([SPOOL[MINE]], Known()),
    "the same from before the marks": ([SPOOL[OLD]], Known()),
    "the same, and machines that the state has": ([SPOOL[OLD], ELSEWHERE], known(ELSEWHERE)),
    "a volume without a mark that the state has": ([SPOOL[NOBODYS]], known(SPOOL[NOBODYS])),
    "a marked volume that the state has": ([SPOOL[MINE]], known(SPOOL[MINE])),
    "the state's volume of an earlier prefix": (
        [thing("volume", "dc1es-mail-spool", ("", "old"))],
        known(thing("volume", "dc1es-mail-spool", ("", "old"))),
    ),
    "other names of others": ([thing("volume", "other-spool", OTHERS), thing("network", "lan", NOBODYS)], Known()),
    "another kind of this name": ([thing("network", "dc1es-mail", NOBODYS)], Known()),
}
TAKEN = {
    "another folder's machine": ([MACHINE[OTHERS]], Known()),
    "another folder's mail": ([SPOOL[OTHERS]], Known()),
    "a machine that nobody marked": ([MACHINE[NOBODYS]], Known()),
    "a volume that nobody marked": ([SPOOL[NOBODYS]], Known()),
    "a machine from before the marks, which the state has not": ([MACHINE[OLD]], Known()),
    "a machine that took the place of the state's": ([MACHINE[OLD]], Known(made=frozenset({("container", "old id")}))),
    "mail from before the marks beside machines of that lab": ([SPOOL[OLD], ELSEWHERE], Known()),
    "what another stack of this folder has": (
        [SPOOL[MINE]],
        Known(others=frozenset({("volume", "dc1es-mail-spool")})),
    ),
    "another folder's volume of the name of one that this folder had": ([SPOOL[OTHERS]], known(SPOOL[OTHERS])),
    "the state's name, on a volume from before the marks beside another folder's machines": (
        [SPOOL[OLD], thing("container", "dc1es-dns", OTHERS, "another")],
        known(SPOOL[OLD]),
    ),
    "the same without a label": (
        [SPOOL[NOBODYS], thing("network", "dc1es-internet", OTHERS, "another")],
        known(SPOOL[NOBODYS]),
    ),
    "a network by hand": ([thing("network", "dc1es-school", NOBODYS)], Known()),
}


@pytest.mark.parametrize(("there", "state"), OWN.values(), ids=OWN)
def test_what_is_this_folders_or_free(there: list[Thing], state: Known) -> None:
    refuse_taken(LAB, WANTED, there, state)


@pytest.mark.parametrize(("there", "state"), TAKEN.values(), ids=TAKEN)
def test_what_is_anothers(there: list[Thing], state: Known) -> None:
    with pytest.raises(WhereError, match=str(there[0])) as refused:
        refuse_taken(LAB, WANTED, there, state)
    assert refused.value.id == "names-taken"
    assert "docker volume rm" not in refused.value.text


@pytest.mark.parametrize("owner", ["", "mine"])
def test_a_folder_without_an_id_takes_no_mail_that_is_in_use(owner: str) -> None:
    """A fresh clone has no id yet, and a lab from before the marks has none either."""
    fresh = Lab(stack="dc1es", label="dc1es", owner=owner)
    assert is_own(SPOOL[OLD], fresh, [SPOOL[OLD]], Known())
    assert not is_own(SPOOL[OLD], fresh, [SPOOL[OLD], ELSEWHERE], Known())
    assert not is_own(SPOOL[OTHERS], fresh, [SPOOL[OTHERS]], Known())


def test_a_folder_that_is_gone_can_be_replaced() -> None:
    with pytest.raises(WhereError) as refused:
        refuse_taken(LAB, WANTED, [SPOOL[OTHERS]], Known())
    assert "echo theirs >.pulumi-state/owner" in refused.value.text


def net(name: str, mark: tuple[str, str], *pools: str) -> Thing:
    subnets = tuple(ip_network(pool) for pool in pools)
    return Thing(kind="network", id=name, name=name, owner=mark[0], label=mark[1], subnets=subnets)


SUBNETS = {"dc1es-school": ip_network("198.18.0.0/24")}


@pytest.mark.parametrize(
    ("other", "state"),
    [
        pytest.param(net("lan", NOBODYS, "198.18.1.0/24"), Known(), id="beside it"),
        pytest.param(net("six", NOBODYS, "2001:db8::/64"), Known(), id="of the other family"),
        pytest.param(net("host", NOBODYS), Known(), id="without any"),
        pytest.param(net("dc1es-old", MINE, "198.18.0.0/23"), Known(), id="this folder's"),
        pytest.param(
            net("dc1es-old", OLD, "198.18.0.0/23"), Known(made=frozenset({("network", "dc1es-old")})), id="the state's"
        ),
    ],
)
def test_subnets_that_may_be(other: Thing, state: Known) -> None:
    refuse_overlaps(LAB, SUBNETS, [other], state)


@pytest.mark.parametrize("mark", [NOBODYS, OLD, OTHERS])
@pytest.mark.parametrize("pool", ["198.18.0.0/24", "198.18.0.0/16", "198.18.0.128/25"])
def test_subnets_that_are_taken(mark: tuple[str, str], pool: str) -> None:
    there = [net("lan", mark, "2001:db8::/64", pool), net("vpn", NOBODYS, "10.0.0.0/8")]
    with pytest.raises(WhereError, match=f"the network lan.* has {pool}") as refused:
        refuse_overlaps(LAB, SUBNETS, there, Known())
    assert refused.value.id == "pool-taken"
    assert ("(of the lab dc1es)" in str(refused.value)) == (mark != NOBODYS)
    # It may be anybody's: it is not advised away.
    assert "docker network rm" not in refused.value.text
    assert ("docker network inspect lan" in refused.value.text) == (mark == NOBODYS)
    assert refused.value.remedy[-2:] == ("    10.0.0.0/8 vpn", f"    {pool} lan")


BOTH = {"dc1es-internet": ip_network("198.18.1.0/24"), "dc1es-school": ip_network("198.18.2.0/23")}
GONE = net("dc1es-gone", MINE, "198.18.3.0/24")


def lent(number: int, gone: Thing = GONE) -> Known:
    return Known(made=frozenset({("network", gone.id)}), lent=frozenset({(number, gone.subnets[0])}))


def test_a_subnet_that_goes_too_late_is_found_before_anything_goes() -> None:
    """A school was removed, and another one grows over its addresses in the same update."""
    with pytest.raises(
        WhereError, match=r"dc1es-school shall have 198\.18\.2\.0/23, of which .* dc1es-gone"
    ) as refused:
        refuse_late(LAB, BOTH, [GONE], lent(2))
    assert refused.value.id == "subnet-late"


@pytest.mark.parametrize(
    ("there", "state"),
    [
        pytest.param(GONE, lent(1), id="renamed: its lease gets another holder and goes first"),
        pytest.param(net("dc1es-school", MINE, "198.18.3.0/24"), lent(2), id="it goes itself to another lease"),
        pytest.param(net("dc1es-gone", MINE, "198.18.9.0/24"), lent(2), id="other addresses"),
        pytest.param(net("dc1es-gone", OTHERS, "198.18.3.0/24"), Known(lent=lent(2).lent), id="not this lab's"),
    ],
)
def test_subnets_that_go_in_time(there: Thing, state: Known) -> None:
    refuse_late(LAB, BOTH, [there], state)


RESOURCES = [
    {
        "type": "command:local:Command",
        "urn": "urn:pulumi:dc1es::maillab::x::subnet-2",
        "outputs": {"stdout": "198.18.3.0/24"},
    },
    {"type": "command:local:Command", "urn": "urn:pulumi:dc1es::maillab::x::subnet-3", "outputs": {}},
    {"type": "docker:index/network:Network", "id": "n1"},
    {"type": "docker:index/volume:Volume", "id": "dc1es-mail-spool"},
    {"type": "command:local:Command", "id": "where"},
]
PENDING = [{"type": "creating", "resource": {"type": "docker:index/container:Container", "inputs": {"name": "box"}}}]


@pytest.mark.parametrize(
    ("path", "state"),
    [
        pytest.param("offline/dc1es.json", {"deployment": {"resources": RESOURCES, "pending_operations": PENDING}}),
        pytest.param(
            ".pulumi/stacks/maillab/dc1es.json",
            {"checkpoint": {"latest": {"resources": RESOURCES, "pending_operations": PENDING}}},
        ),
    ],
    ids=["offline", "pulumi"],
)
def test_both_engines_states_are_read(tmp_path: Path, path: str, state: object) -> None:
    file = tmp_path / ".pulumi-state" / path
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(state), "utf-8")
    found = known_of(tmp_path, "dc1es")
    assert found.made == {("network", "n1"), ("volume", "dc1es-mail-spool")}
    assert found.begun == {("container", "box")}
    assert found.others == set()
    assert found.lent == {(2, ip_network("198.18.3.0/24"))}
    assert known_of(tmp_path, "onehost") == Known(others=found.made)


def test_mail_without_a_mark_that_a_removal_kept_is_known_afterwards(tmp_path: Path) -> None:
    """Docker made the volume by itself: it has no label, and the state is empty after the removal."""
    assert not is_own(SPOOL[NOBODYS], LAB, [], known_of(tmp_path, "dc1es"))
    note_kept(tmp_path, "dc1es", ["dc1es-mail-spool"])
    state = known_of(tmp_path, "dc1es")
    assert is_own(SPOOL[NOBODYS], LAB, [], state)
    assert not is_own(SPOOL[NOBODYS], LAB, [ELSEWHERE], state)
    assert not is_own(SPOOL[OTHERS], LAB, [], state)
    assert not is_own(MACHINE[NOBODYS], LAB, [], Known(kept=frozenset({MACHINE[NOBODYS].name})))
    assert known_of(tmp_path, "onehost") == Known()
    note_kept(tmp_path, "dc1es", [])
    assert known_of(tmp_path, "dc1es") == Known()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"checkpoint": null}'])
def test_a_state_that_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".pulumi-state" / "offline").mkdir(parents=True)
    (tmp_path / ".pulumi-state" / "offline" / "dc1es.json").write_text(text, "utf-8")
    assert known_of(tmp_path, "dc1es") == Known()


DOCKER = r"""
case "$1 $2" in
  "ps --all") printf 'c1\tdc1es-mail\t%s\tdc1es\n' {owner};;
  "network ls") printf 'n1\tlan\t\t\nn2\tgone\t\t\n';;
  "network inspect") printf 'n1 198.18.0.0/24\n\n'; echo "Error: No such network: n2" >&2; exit 1;;
  "volume ls") printf 'dc1es-mail-spool\tdc1es-mail-spool\tmine\tdc1es\n';;
esac
"""
ASKED = {
    "NAME": "dc1es", "STACK": "dc1es", "OWNER": "mine",
    "NAMES": "container dc1es-mail\nvolume dc1es-mail-spool\n", "SUBNETS": "dc1es-school 198.18.1.0/24\n",
}  # fmt: skip


MADE = {"type": "docker:index/container:Container", "id": "c1"}


def save_state(folder: Path, *resources: Mapping[str, object]) -> None:
    """The state of the lab, with these resources."""
    path = folder / ".pulumi-state" / "offline" / "dc1es.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"deployment": {"resources": resources}}), "utf-8")


def test_the_engine_is_asked(program: Program, tmp_path: Path) -> None:
    """A network that goes while it is looked at is no failure."""
    program("docker", DOCKER.replace("{owner}", "mine"))
    save_state(tmp_path, MADE)
    assert ownership.look(ASKED, tmp_path) == ""


def test_machine_of_this_folder_that_no_state_knows_is_found_before_its_name_is_refused(
    program: Program, tmp_path: Path
) -> None:
    """Its volume is no hindrance: that is taken."""
    program("docker", DOCKER.replace("{owner}", "mine"))
    with pytest.raises(WhereError, match="this folder made container dc1es-mail, and no state knows") as refused:
        ownership.look(ASKED, tmp_path)
    assert refused.value.id == "state-lost"
    assert "bin/maillab --stack dc1es down --keep-mail" in refused.value.text


def test_machine_that_an_interrupted_run_began_is_no_lost_one() -> None:
    there = [Thing(kind="container", id="c1", name="dc1es-mail", owner="mine", label="dc1es")]
    begun = Known(begun=frozenset({("container", "dc1es-mail")}))
    wanted = [("container", "dc1es-mail")]
    assert ownership.forgotten(LAB, wanted, there, begun) == []
    assert ownership.forgotten(LAB, wanted, there, Known()) == there


@pytest.mark.parametrize(
    ("owner", "subnet", "failure"),
    [("theirs", "198.18.1.0/24", "names-taken"), ("mine", "198.18.0.0/23", "pool-taken")],
)
def test_what_the_engine_says_counts(program: Program, tmp_path: Path, owner: str, subnet: str, failure: str) -> None:
    program("docker", DOCKER.replace("{owner}", owner))
    save_state(tmp_path, *([MADE] if owner == "mine" else []))
    with pytest.raises(WhereError) as refused:
        ownership.look({**ASKED, "SUBNETS": f"dc1es-school {subnet}\n"}, tmp_path)
    assert refused.value.id == failure


def test_a_subnet_that_goes_too_late_is_found_on_the_engine(program: Program, tmp_path: Path) -> None:
    program("docker", DOCKER.replace("{owner}", "mine"))
    state = {"type": "docker:index/network:Network", "id": "n1"}
    lease = {"urn": "urn:pulumi:dc1es::maillab::x::subnet-1", "outputs": {"stdout": "198.18.0.0/24"}}
    save_state(tmp_path, MADE, state, lease)
    assert ownership.look(ASKED, tmp_path) == ""
    with pytest.raises(WhereError, match="too late"):
        ownership.look({**ASKED, "SUBNETS": "dc1es-school 198.18.0.0/23\n"}, tmp_path)


def test_an_engine_that_does_not_answer_is_a_failure(program: Program, tmp_path: Path) -> None:
    program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(WhereError, match="Cannot connect"):
        ownership.look(ASKED, tmp_path)


def test_an_engine_that_hangs_is_not_waited_for_without_end(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "never").touch()
    program("docker", f"exec tail -f {tmp_path}/never")
    monkeypatch.setattr(ownership, "LIMIT", 0.1)
    with pytest.raises(WhereError, match="has not ended") as refused:
        ownership.look(ASKED, tmp_path)
    assert refused.value.id == "no-end"
