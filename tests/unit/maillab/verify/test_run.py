"""Predictions and sights side by side: when a proof holds, and what a run leaves when it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from components.config.links import LinkConfig
from components.plan import plan_of
from maillab.postman.session import SCRIPT as SESSION
from maillab.trace import watch
from maillab.trace.ending import Ending, How
from maillab.trace.machines import MachineError, Machines
from maillab.trace.trail import Trail
from maillab.verify import run as module
from maillab.verify.cells import Verdict, cells
from maillab.verify.forged import forged_cells, predict_forged
from maillab.verify.logins import REFUSED
from maillab.verify.messages import Postman
from maillab.verify.pairs import pairs
from maillab.verify.relays import TAKEN, predict_answers, questions
from maillab.verify.run import Proof, expect, prove
from maillab.verify.sweep import SCRIPT
from tests.unit.labs import ROOT, Model, machine, model, school
from tests.unit.maillab.verify.fakes import Asked, FakeMachines
from tests.unit.maillab.verify.results import cell_result, good_proof, message_result

SERVERS = {"mail", "mail2", "spamfilter", "tn", "outside"}
WAITING = Ending(hops=("outside",), how=How.WAITS)


@pytest.fixture(scope="module")
def good(tutorial: Model) -> Proof:
    """A run in which all was as predicted."""
    return good_proof(tutorial)


def broken_cell(given: Model, good: Proof) -> Proof:
    return replace(good, cells=(cell_result(given, good.cells[0].cell, Verdict.UNREACHABLE), *good.cells[1:]))


def broken_datagram(given: Model, good: Proof) -> Proof:
    return replace(good, forged=(cell_result(given, good.cells[0].cell, Verdict.UNREACHABLE),))


def broken_message(given: Model, good: Proof) -> Proof:
    return replace(
        good, messages=(*good.messages[:-1], message_result(given, 19, WAITING, *good.messages[19].predicted))
    )


def test_proof_of_a_good_lab_holds(good: Proof) -> None:
    assert good.holds


@pytest.mark.parametrize("broken", [broken_cell, broken_datagram, broken_message])
def test_one_disagreement_is_enough(tutorial: Model, good: Proof, broken: object) -> None:
    assert callable(broken)
    assert not broken(tutorial, good).holds


def test_disagreements_of_all_kinds_are_counted(tutorial: Model, good: Proof) -> None:
    bad = broken_message(tutorial, broken_datagram(tutorial, broken_cell(tutorial, good)))
    assert bad.wrong == 3


def test_message_of_which_one_end_is_missing_disagrees(tutorial: Model) -> None:
    result = message_result(tutorial, 4)
    assert len(result.predicted) == 3
    assert not replace(result, seen=frozenset([*result.predicted][1:])).agrees


@pytest.mark.parametrize("seconds", [{}, {"predict": 1.0, "connections": 1.0, "all": 1.0}])
def test_proof_of_nothing_does_not_hold(seconds: dict[str, float]) -> None:
    assert not Proof(seconds=seconds).holds


@pytest.mark.parametrize("kind", ["cells", "messages"])
def test_proof_of_one_kind_holds(good: Proof, kind: str) -> None:
    """The control: a run without mail, for one, tries connections only."""
    assert Proof(**{kind: getattr(good, kind)}).holds


def test_a_message_without_an_end_agrees_with_nothing(tutorial: Model) -> None:
    result = message_result(tutorial, 0)
    assert result.agrees
    assert not replace(result, predicted=frozenset(), seen=frozenset()).agrees


def test_everything_is_predicted_without_a_machine(tutorial: Model) -> None:
    machines = FakeMachines()
    expected = expect(tutorial.lab, tutorial.plans, Postman(machines, tutorial.plans))
    said = f"({len(expected.cells):,} connections and {len(expected.messages)} messages for the tutorial's school)"
    assert said in (ROOT / "docs" / "en" / "how-to" / "verify.md").read_text(encoding="utf-8").replace("\n", " ")
    assert machines.asked == []


@dataclass(slots=True)
class Lab:
    """The tutorial's lab, in which all but the messages is as predicted; they come nowhere.

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
        if SESSION in asked.command:
            return "".join(f"reply {n} 250 .\n 250 2.0.0 Ok\n" for n in range(asked.text.count("Message-ID: ")))
        return ""

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
    answers = predict_answers(tutorial.post, questions(tutorial.post, cells(tutorial.lab, tutorial.plans)))
    monkeypatch.setattr(module, "ask_servers", lambda _, asked: {question: answers[question] for question in asked})
    monkeypatch.setattr(module, "try_logins", lambda _, asked: asked)
    monkeypatch.setattr(Postman, "follow", Postman.seen)
    return found


def test_machines_are_those_of_the_labs_engine(running: Lab, tutorial: Model) -> None:
    prove(tutorial.plan, mail=False, environment={"DOCKER_HOST": "unix:///x"})
    (machines,) = running.machines
    assert (machines.prefix, machines.environment) == ("dc1es-", {"DOCKER_HOST": "unix:///x"})


@pytest.mark.usefixtures("running")
def test_what_was_seen_stands_beside_every_prediction(tutorial: Model) -> None:
    found = prove(tutorial.plan, mail=False)
    assert [result.cell for result in found.cells] == cells(tutorial.lab, tutorial.plans)
    assert [result.cell for result in found.forged] == forged_cells(tutorial.lab, tutorial.plans)
    assert found.holds


@pytest.mark.usefixtures("running")
def test_machines_with_a_link_are_named(tutorial: Model) -> None:
    lab = replace(tutorial.lab, links={"tn": LinkConfig(delay="1s"), "mail": LinkConfig(loss="2%")})
    assert prove(plan_of(lab), mail=False).links == ("mail", "tn")


def test_without_mail_no_message_is_sent(running: Lab, tutorial: Model) -> None:
    assert prove(tutorial.plan, mail=False).messages == ()
    assert running.commands() == {"ls", "bash"}  # for the empty mailboxes that logins make


def test_a_lab_in_which_nothing_could_be_tried_does_not_hold(
    running: Lab, tutorial: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cells", lambda *_: [])
    monkeypatch.setattr(module, "forged_cells", lambda *_: [])
    monkeypatch.setattr(module, "logins", lambda *_: [])
    assert not prove(tutorial.plan, mail=False).holds
    assert running.commands() == {"ls", "bash"}  # mailboxes are looked at, nobody is asked


@pytest.mark.usefixtures("running")
def test_messages_that_come_nowhere_disagree(tutorial: Model) -> None:
    found = prove(tutorial.plan)
    assert found.wrong == len(found.messages) == len(pairs(tutorial.post))


def test_mailboxes_are_swept_after_the_messages(running: Lab, tutorial: Model) -> None:
    prove(tutorial.plan)
    assert running.swept()


def test_mailboxes_are_swept_after_a_failure(running: Lab, tutorial: Model) -> None:
    running.broken = "sendmail"
    found = prove(tutorial.plan)
    assert running.swept()
    assert not found.holds
    assert found.messages == ()
    assert [failure.partition(": ")[0] for failure in found.failures] == ["messages"]


@pytest.fixture
def bounces(monkeypatch: pytest.MonkeyPatch, running: Lab) -> list[bool]:
    """Two looks at a bounce on its way, and one after it came; of each, whether the mailboxes were swept before."""
    looks: list[bool] = []

    def under_way(*_: object) -> int:
        looks.append(running.swept())
        return 1 if len(looks) < 3 else 0

    monkeypatch.setattr(watch, "POLL", 0)
    monkeypatch.setattr(Trail, "bounces_under_way", under_way)
    return looks


def test_mailboxes_are_swept_when_no_bounce_is_on_its_way(bounces: list[bool], tutorial: Model) -> None:
    prove(tutorial.plan)
    assert bounces == [False, False, False]


def test_bounce_that_never_comes_is_given_up(
    monkeypatch: pytest.MonkeyPatch, running: Lab, bounces: list[bool], tutorial: Model
) -> None:
    monkeypatch.setattr(module, "BOUNCES", 0)
    prove(tutorial.plan)
    assert len(bounces) == 1
    assert running.swept()


def test_mailbox_that_could_not_be_swept_is_told(running: Lab, tutorial: Model) -> None:
    running.words = "/var/mail/chen: in use"
    assert "mail: /var/mail/chen: in use" in prove(tutorial.plan).remarks


def test_messages_that_can_not_be_followed_spoil_nothing_else(running: Lab, tutorial: Model) -> None:
    running.broken = "sh"
    found = prove(tutorial.plan)
    assert found.failures
    assert all(result.agrees for result in (*found.cells, *found.forged))


@pytest.mark.usefixtures("running")
def test_datagrams_that_can_not_be_tried_spoil_nothing_else(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise MachineError("mail: port 20009: Address already in use")

    monkeypatch.setattr(module, "try_forged", busy)
    found = prove(tutorial.plan, mail=False)
    assert found.failures == ("datagrams: mail: port 20009: Address already in use",)
    assert found.wrong == 0
    assert not found.holds


@pytest.mark.usefixtures("running")
def test_servers_are_asked_over_every_connection_that_came_about(tutorial: Model) -> None:
    found = prove(tutorial.plan, mail=False)
    opened = {result.cell for result in found.cells if result.seen is Verdict.ACCEPT and result.cell.port == 25}
    assert {result.question.cell for result in found.answers} == {cell for cell in opened if cell.target in SERVERS}


@pytest.mark.parametrize(("name", "part"), [("ask_servers", "answers"), ("try_logins", "logins")])
@pytest.mark.usefixtures("running")
def test_what_can_not_be_asked_spoils_nothing_else(
    tutorial: Model, monkeypatch: pytest.MonkeyPatch, name: str, part: str
) -> None:
    def busy(*_: object) -> None:
        raise MachineError("mail: `perl` failed")

    monkeypatch.setattr(module, name, busy)
    found = prove(tutorial.plan, mail=False)
    assert ["mail: `perl` failed" in failure for failure in found.failures] == [True]
    assert getattr(found, part) == ()
    assert found.wrong == 0
    assert not found.holds


@pytest.mark.usefixtures("running")
def test_open_relay_disagrees(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ask_servers", lambda _, asked: dict.fromkeys(asked, TAKEN))
    found = prove(tutorial.plan, mail=False)
    assert found.wrong == sum(result.predicted != TAKEN for result in found.answers) > 300


@pytest.mark.usefixtures("running")
def test_changed_password_disagrees(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "try_logins", lambda _, asked: dict.fromkeys(asked, REFUSED))
    found = prove(tutorial.plan, mail=False)
    assert found.wrong == sum(login.login.is_right for login in found.logins) == 12


@pytest.mark.usefixtures("running")
def test_parameters_that_no_prediction_knows_are_named() -> None:
    given = model(lambda data: machine(data, "mail")["mail"].update(main_cf={"transport_maps": "inline:{a.tw=error:}"}))
    assert prove(given.plan, mail=False).unknown == ("mail: transport_maps = inline:{a.tw=error:}",)


@pytest.mark.parametrize("mail", [True, False])
@pytest.mark.usefixtures("running")
def test_seconds_are_told(tutorial: Model, mail: bool) -> None:
    assert set(prove(tutorial.plan, mail=mail).seconds) == {"predict", "connections", "all"}


@pytest.mark.usefixtures("running")
def test_ranges_that_nobody_asks_from_are_told() -> None:
    # Behind the others: the datagrams' sources are of the first range.
    rule = {"action": "ACCEPT", "port": 25, "source": "192.0.2.0/24"}
    given = model(lambda data: school(data)["firewall"]["mail"].insert(7, rule))
    assert prove(given.plan, mail=False).untried == ("192.0.2.0/24",)
