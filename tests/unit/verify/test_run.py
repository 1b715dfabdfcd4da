"""Predictions and sights side by side: when a proof holds, and what a run leaves when it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from components.network.links import LinkConfig
from tests.unit.labs import ROOT, Model, model, school
from tests.unit.verify.fakes import Asked, FakeMachines
from tests.unit.verify.results import cell_result, good_proof, letter_result
from verify import letters
from verify import run as module
from verify.cells import Verdict, cells
from verify.forged import forged_cells, predict_forged
from verify.letters import Postman
from verify.machines import MachineError, Machines
from verify.pairs import recipients, writers
from verify.routes import Ending, How
from verify.run import Proof, expect, prove
from verify.sweep import SCRIPT
from verify.trail import Trail

WAITING = Ending(hops=("outside",), how=How.WAITS)


@pytest.fixture(scope="module")
def good(tutorial: Model) -> Proof:
    """A run in which all was as predicted."""
    return good_proof(tutorial)


def broken_cell(given: Model, good: Proof) -> Proof:
    return replace(good, cells=(cell_result(given, good.cells[0].cell, Verdict.UNREACHABLE), *good.cells[1:]))


def broken_datagram(given: Model, good: Proof) -> Proof:
    return replace(good, forged=(cell_result(given, good.cells[0].cell, Verdict.UNREACHABLE),))


def broken_letter(given: Model, good: Proof) -> Proof:
    return replace(good, letters=(*good.letters[:-1], letter_result(given, 19, WAITING, *good.letters[19].predicted)))


def test_proof_of_a_good_lab_holds(good: Proof) -> None:
    assert good.holds


@pytest.mark.parametrize("broken", [broken_cell, broken_datagram, broken_letter])
def test_one_disagreement_is_enough(tutorial: Model, good: Proof, broken: object) -> None:
    assert callable(broken)
    assert not broken(tutorial, good).holds


def test_disagreements_of_all_kinds_are_counted(tutorial: Model, good: Proof) -> None:
    bad = broken_letter(tutorial, broken_datagram(tutorial, broken_cell(tutorial, good)))
    assert bad.wrong == 3


def test_letter_of_which_one_end_is_missing_disagrees(tutorial: Model) -> None:
    result = letter_result(tutorial, 4)
    assert len(result.predicted) == 3
    assert not replace(result, seen=frozenset([*result.predicted][1:])).agrees


def test_empty_proof_holds() -> None:
    assert Proof().holds


def test_everything_is_predicted_without_a_machine(tutorial: Model) -> None:
    machines = FakeMachines()
    expected = expect(tutorial.lab, tutorial.plans, Postman(machines, tutorial.plans))
    said = f"({len(expected.cells):,} connections and {len(expected.letters)} letters for the tutorial's school)"
    assert said in (ROOT / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    assert machines.asked == []


@dataclass(slots=True)
class Lab:
    """The tutorial's lab, in which all but the letters is as predicted; they come nowhere.

    `broken`: a command that fails; `words`: what the sweep of mailboxes says.
    """

    broken: str = ""
    words: str = ""
    asked: list[Asked] = field(default_factory=list)
    machines: list[Machines] = field(default_factory=list)

    def answer(self, asked: Asked) -> str:
        self.asked.append(asked)
        if asked.command[0] == self.broken or (self.broken == "sendmail" and "sendmail" in asked.command[-1]):
            raise MachineError(f"{asked.machine}: `{asked.command[0]}` failed")
        if SCRIPT in asked.command:
            return self.words
        return {"stat": "0\n", "python3": "{}"}.get(asked.command[0], "")

    def swept(self) -> bool:
        """Were the mailboxes swept?"""
        return any(SCRIPT in asked.command for asked in self.asked)

    def commands(self) -> set[str]:
        """First words of what the machines were asked."""
        return {asked.command[0] for asked in self.asked}


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> Lab:
    """A lab whose machines answer; a test may break a command."""
    found = Lab()

    def machines(prefix: str, environment: Mapping[str, str] | None) -> Machines:
        found.machines.append(FakeMachines(prefix=prefix, environment=environment, answer=found.answer))
        return found.machines[-1]

    monkeypatch.setattr(module, "Machines", machines)
    monkeypatch.setattr(module, "probe", lambda _, asked, **__: {cell: asked[cell].verdict for cell in asked})
    datagrams = predict_forged(tutorial.policy, forged_cells(tutorial.lab, tutorial.plans))
    monkeypatch.setattr(module, "try_forged", lambda *_: {cell: datagrams[cell].verdict for cell in datagrams})
    monkeypatch.setattr(Postman, "follow", Postman.seen)
    return found


def test_machines_are_those_of_the_labs_engine(running: Lab, tutorial: Model) -> None:
    prove(tutorial.lab, mail=False, environment={"DOCKER_HOST": "unix:///x"})
    (machines,) = running.machines
    assert (machines.prefix, machines.environment) == ("dc1es-", {"DOCKER_HOST": "unix:///x"})


@pytest.mark.usefixtures("running")
def test_what_was_seen_stands_beside_every_prediction(tutorial: Model) -> None:
    found = prove(tutorial.lab, mail=False)
    assert [result.cell for result in found.cells] == cells(tutorial.lab, tutorial.plans)
    assert [result.cell for result in found.forged] == forged_cells(tutorial.lab, tutorial.plans)
    assert found.holds


@pytest.mark.usefixtures("running")
def test_machines_with_a_link_are_named(tutorial: Model) -> None:
    lab = replace(tutorial.lab, links={"tn": LinkConfig(delay="1s"), "mail": LinkConfig(loss="2%")})
    assert prove(lab, mail=False).links == ("mail", "tn")


def test_without_mail_no_letter_is_sent(running: Lab, tutorial: Model) -> None:
    assert prove(tutorial.lab, mail=False).letters == ()
    assert running.commands() == set()


@pytest.mark.usefixtures("running")
def test_letters_that_come_nowhere_disagree(tutorial: Model) -> None:
    found = prove(tutorial.lab)
    assert found.wrong == len(found.letters) == len(writers(tutorial.lab)) * len(recipients(tutorial.lab))


def test_mailboxes_are_swept_after_the_letters(running: Lab, tutorial: Model) -> None:
    prove(tutorial.lab)
    assert running.swept()


def test_mailboxes_are_swept_after_a_failure(running: Lab, tutorial: Model) -> None:
    running.broken = "sendmail"
    found = prove(tutorial.lab)
    assert running.swept()
    assert not found.holds
    assert found.letters == ()
    assert [failure.partition(": ")[0] for failure in found.failures] == ["letters"]


@pytest.fixture
def bounces(monkeypatch: pytest.MonkeyPatch, running: Lab) -> list[bool]:
    """Two looks at a bounce on its way, and one after it came; of each, whether the mailboxes were swept before."""
    looks: list[bool] = []

    def under_way(*_: object) -> int:
        looks.append(running.swept())
        return 1 if len(looks) < 3 else 0

    monkeypatch.setattr(letters, "POLL", 0)
    monkeypatch.setattr(Trail, "bounces_under_way", under_way)
    return looks


def test_mailboxes_are_swept_when_no_bounce_is_on_its_way(bounces: list[bool], tutorial: Model) -> None:
    prove(tutorial.lab)
    assert bounces == [False, False, False]


def test_bounce_that_never_comes_is_given_up(
    monkeypatch: pytest.MonkeyPatch, running: Lab, bounces: list[bool], tutorial: Model
) -> None:
    monkeypatch.setattr(module, "BOUNCES", 0)
    prove(tutorial.lab)
    assert len(bounces) == 1
    assert running.swept()


def test_mailbox_that_could_not_be_swept_is_told(running: Lab, tutorial: Model) -> None:
    running.words = "/var/mail/chen: in use"
    assert "mail: /var/mail/chen: in use" in prove(tutorial.lab).remarks


def test_letters_that_can_not_be_followed_spoil_nothing_else(running: Lab, tutorial: Model) -> None:
    running.broken = "stat"
    found = prove(tutorial.lab)
    assert found.failures
    assert all(result.agrees for result in (*found.cells, *found.forged))


@pytest.mark.usefixtures("running")
def test_datagrams_that_can_not_be_tried_spoil_nothing_else(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise MachineError("mail: port 20009: Address already in use")

    monkeypatch.setattr(module, "try_forged", busy)
    found = prove(tutorial.lab, mail=False)
    assert found.failures == ("datagrams: mail: port 20009: Address already in use",)
    assert found.wrong == 0
    assert not found.holds


@pytest.mark.parametrize("mail", [True, False])
@pytest.mark.usefixtures("running")
def test_seconds_are_told(tutorial: Model, mail: bool) -> None:
    assert set(prove(tutorial.lab, mail=mail).seconds) == {"predict", "connections", "all"}


@pytest.mark.usefixtures("running")
def test_ranges_that_nobody_asks_from_are_told() -> None:
    # Behind the others: the datagrams' sources are of the first range.
    rule = {"action": "ACCEPT", "port": 25, "source": "192.0.2.0/24"}
    given = model(lambda data: school(data)["firewall"]["mail"].insert(7, rule))
    assert prove(given.lab, mail=False).untried == ("192.0.2.0/24",)
