"""Which machines are reset, in which order the state is written, and what a failure leaves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.offline.schema import COMMAND, NETWORK
from maillab.offline.values import OfflineError
from maillab.reset.record import Machine, Resource
from maillab.reset.run import Outcome, reset
from maillab.reset.steps import Reset, Wish
from tests.unit.maillab.reset.states import Entry, entry, lab, of

WISH = Wish(folder=Path(), say=print)
SERIAL = "school.tw 2006030802"


class Memory:
    """A state in memory, and what was done on machines and in it, in order."""

    def __init__(self) -> None:
        self.known = lab()
        self.steps: list[str] = []

    def resources(self) -> list[Entry]:
        return self.known

    def change(self, change: Callable[[list[Entry]], list[Entry]]) -> None:
        self.known = change(self.known)
        self.steps.append("written")

    def container_of(self, name: str) -> tuple[str, str]:
        """(the container, the one that its configuration was brought to), as the state says."""
        return of(self.known, name)["id"], of(self.known, f"{name}-config")["inputs"]["environment"]["CONTAINER"]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """Machines on which every step succeeds."""
    memory = Memory()

    def put_away(one: Reset) -> None:
        memory.steps.append(f"{one.machine.name} away")

    def make(one: Reset) -> None:
        memory.steps.append(f"{one.machine.name} made")
        one.made = f"new-{one.machine.name}"

    def configure(one: Reset) -> None:
        memory.steps.append(f"{one.machine.name} configured")
        one.reported = SERIAL if one.machine.name == "dns" else ""
        one.is_configured = True

    monkeypatch.setattr(Reset, "put_away", put_away)
    monkeypatch.setattr(Reset, "make", make)
    monkeypatch.setattr(Reset, "configure", configure)
    monkeypatch.setattr(Reset, "compare", lambda _: None)
    monkeypatch.setattr("maillab.reset.run.ensure", lambda resource: resource.id)
    monkeypatch.setattr("maillab.reset.run.forget", lambda one: memory.steps.append(f"{one.name} forgets"))
    return memory


def test_state_has_new_containers_before_they_are_configured(memory: Memory) -> None:
    assert [one.failure for one in reset(memory, ["mail"], WISH)] == [""]
    assert memory.steps == ["mail away", "mail made", "written", "mail configured", "written", "dns forgets"]
    assert memory.container_of("mail") == ("new-mail", "new-mail")
    assert memory.container_of("dns") == ("old-dns", "old-dns")


def test_without_a_name_all_are_reset(memory: Memory) -> None:
    assert [one.name for one in reset(memory, [], WISH)] == ["dns", "mail"]
    assert of(memory.known, "maillab-lab")["outputs"]["serials"] == {"school": SERIAL}


def test_of_who_is_not_configured_the_state_says_so(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def configure(one: Reset) -> None:
        if one.machine.name == "mail":
            raise OfflineError("mail: exit status 1: running 'secret script':\nmail: postfix does not answer")
        one.is_configured = True

    monkeypatch.setattr(Reset, "configure", configure)
    assert [(one.name, one.failure) for one in reset(memory, [], WISH)] == [
        ("dns", ""),
        ("mail", "mail: postfix does not answer"),
    ]
    assert memory.container_of("mail") == ("new-mail", "old-mail")
    assert memory.container_of("dns") == ("new-dns", "new-dns")


def test_next_reset_configures_who_was_not(memory: Memory) -> None:
    of(memory.known, "mail-config")["inputs"]["environment"]["CONTAINER"] = "older"
    reset(memory, ["mail"], WISH)
    assert memory.container_of("mail") == ("new-mail", "new-mail")


def test_ctrl_c_leaves_a_true_state(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(one: Reset) -> None:
        one.made = f"new-{one.machine.name}"
        raise KeyboardInterrupt

    monkeypatch.setattr(Reset, "make", make)
    with pytest.raises(KeyboardInterrupt):
        reset(memory, ["mail"], WISH)
    assert memory.container_of("mail") == ("new-mail", "old-mail")


def test_who_could_not_be_put_away_is_not_made_again(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_away(_: Reset) -> None:
        raise OfflineError("Container mail: there is a container lab-mail that this stack did not make")

    monkeypatch.setattr(Reset, "put_away", put_away)
    (found,) = reset(memory, ["mail"], WISH)
    assert found == Outcome(
        name="mail", seconds=0.0, failure="Container mail: there is a container lab-mail that this stack did not make"
    )
    assert memory.known == lab()


def test_network_that_is_gone_takes_its_machines_along(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(resource: Resource) -> str:
        return "new-net" if resource.id == "net-id" else resource.id

    monkeypatch.setattr("maillab.reset.run.ensure", ensure)
    assert [one.name for one in reset(memory, ["mail"], WISH)] == ["dns", "mail"]
    assert of(memory.known, "net")["id"] == "new-net"
    assert of(memory.known, "mail")["inputs"]["networksAdvanced"][0]["name"] == "new-net"


def test_state_has_a_network_although_the_next_is_refused(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry(NETWORK, "other", "other-id", {"name": "lab-other"})
    of(memory.known, "mail")["inputs"]["networksAdvanced"].append({"name": "other-id"})
    memory.known.insert(3, other)

    def ensure(resource: Resource) -> str:
        if resource.id == "other-id":
            raise OfflineError("Network other: Pool overlaps with other one on this address space")
        return "new-net"

    monkeypatch.setattr("maillab.reset.run.ensure", ensure)
    with pytest.raises(OfflineError, match="Pool overlaps"):
        reset(memory, [], WISH)
    assert of(memory.known, "net")["id"] == "new-net"
    assert of(memory.known, "other")["id"] == "other-id"


def test_unknown_machine_begins_nothing(memory: Memory) -> None:
    with pytest.raises(KeyError, match="mial"):
        reset(memory, ["mail", "mial"], WISH)
    assert memory.steps == []


@pytest.fixture
def certified(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(server, authority), by their containers, of each certificate that is brought: `mail` has one of `dns`."""
    told = {"CONTAINER": "old-mail", "AUTHORITY": "old-dns"}
    memory.known.append(entry(COMMAND, "mail-certificate", "certificate1", {"create": "sign", "environment": told}))
    found: list[tuple[str, str]] = []

    def certify(one: Machine) -> None:
        assert one.certificate is not None
        told = one.certificate.inputs["environment"]
        found.append((told["CONTAINER"], told["AUTHORITY"]))
        memory.steps.append(f"{one.name} certified")

    monkeypatch.setattr("maillab.reset.run.certify", certify)
    return found


@pytest.mark.parametrize(
    ("names", "brought"),
    [(["mail"], ("new-mail", "old-dns")), (["dns"], ("old-mail", "new-dns")), ([], ("new-mail", "new-dns"))],
)
def test_certificate_is_brought_to_and_from_new_containers(
    memory: Memory, certified: list[tuple[str, str]], names: list[str], brought: tuple[str, str]
) -> None:
    assert {one.failure for one in reset(memory, names, WISH)} == {""}
    assert certified == [brought]
    assert memory.steps.index("mail certified") > max(n for n, x in enumerate(memory.steps) if "configured" in x)
    told = of(memory.known, "mail-certificate")["inputs"]["environment"]
    assert (told["CONTAINER"], told["AUTHORITY"]) == brought


def test_server_without_its_certificate_has_failed(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"CONTAINER": "old-mail", "AUTHORITY": "old-dns"}
    memory.known.append(entry(COMMAND, "mail-certificate", "certificate1", {"create": "sign", "environment": told}))

    def certify(_: Machine) -> None:
        raise OfflineError("mail: exit status 1: running 'sign':\nthe authority's key is missing")

    monkeypatch.setattr("maillab.reset.run.certify", certify)
    assert [one.failure for one in reset(memory, ["mail"], WISH)] == ["the authority's key is missing"]
    # The next `up` sees that it is not the new container's.
    assert of(memory.known, "mail-certificate")["inputs"]["environment"] == told
