"""Two effects that fetch from one mailbox: a POP3 server has it for one session at a time."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from maillab.exercises import look
from maillab.exercises.exercise import Effect, Fetch, Text
from maillab.exercises.finding import State
from maillab.exercises.look import Looker
from tests.unit.maillab.verify.fakes import FakeMachines

SAYS = Text(en="fetches", zh="收信")


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the sessions of a look began and ended; each takes a while, and finds its message."""
    noted: list[str] = []

    def session(_: Looker, mailbox: SimpleNamespace, _id: str) -> str:
        noted.append(f"begin {mailbox.user}")
        time.sleep(0.2)
        noted.append(f"end {mailbox.user}")
        return ""

    def boxes(_: object, _servers: list[str], ids: list[str]) -> dict[str, frozenset[str]]:
        return dict.fromkeys(ids, frozenset({"chen@mail", "lin@mail"}))

    monkeypatch.setattr(look, "mailbox_of", lambda _, user: SimpleNamespace(user=user, server="mail"))
    monkeypatch.setattr(look, "sweep_mailboxes", lambda *_: None)
    monkeypatch.setattr(look, "boxes_with", boxes)
    monkeypatch.setattr(Looker, "_why_not_fetched", session)
    return noted


def looked(*users: str) -> dict[str, State]:
    """What a look finds of an effect for each of these users."""
    machines = FakeMachines()
    plan = SimpleNamespace(machines={})
    scene: Any = SimpleNamespace(
        name_servers=[], mail_servers=[], still=dict, machines=machines, plan=plan, mailbox_machines=[]
    )
    effects = {str(number): Effect(says=SAYS, fetches=Fetch(user=user)) for number, user in enumerate(users)}
    found = Looker(scene=scene, effects=effects).look()
    return {name: one.state for name, one in found.items()}


def test_one_after_the_other_from_one_mailbox(sessions: list[str]) -> None:
    assert set(looked("chen", "chen").values()) == {State.MET}
    assert sessions == ["begin chen", "end chen"] * 2


def test_side_by_side_from_two(sessions: list[str]) -> None:
    assert set(looked("chen", "lin").values()) == {State.MET}
    assert {one.split()[0] for one in sessions[:2]} == {"begin"}


def test_mailbox_that_is_still_in_use_is_asked_again(monkeypatch: pytest.MonkeyPatch, sessions: list[str]) -> None:
    """A session before this one may not have ended yet."""
    answers = [f"{look.IN_USE} Mailbox in use", ""]
    monkeypatch.setattr(look, "AGAIN", 0)
    monkeypatch.setattr(Looker, "_why_not_fetched", lambda *_: answers.pop(0))
    assert set(looked("chen").values()) == {State.MET}
    assert (answers, sessions) == ([], [])
