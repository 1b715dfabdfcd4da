"""What a look makes of a server that takes no message, and of messages that are slow."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maillab.cli.configuration import stack_plan
from maillab.cli.stack import ROOT, Stack
from maillab.exercises.exercise import Effect, Fetch, Mail, Text
from maillab.exercises.finding import Known, State
from maillab.exercises.look import PUT, Looker
from maillab.exercises.scene import Scene
from maillab.exercises.whereabouts import IN_MAILBOXES, MARKED
from maillab.trace.ending import Ending, How
from maillab.trace.trail import Fate

FULL = "sendmail: fatal: root(0): queue file write error"


class Full:
    """Machines whose mail server's disk is full."""

    def run(self, _: str, command: list[str], __: str = "") -> str:
        """What a program printed."""
        return f"postdrop: warning: No space left on device\n{FULL}\n" if PUT in command else ""


def test_refusal_of_a_message_to_fetch_is_a_miss() -> None:
    """The server is at fault, not the look."""
    scene = Scene(plan=stack_plan(Stack(name="dc1es", root=ROOT)), machines=cast("Any", Full()))
    effect = Effect(says=Text(en="x", zh="x"), fetches=Fetch(user="chen@dc1es.tnc.edu.tw"))
    finding = Looker(scene=scene, effects={"fetch": effect})._fetch("fetch")
    assert (finding.state, finding.seen) == (State.MISSED, FULL)


ENDS = frozenset({Ending(hops=("mail",), how=How.MAILBOX, what="chen")})


def followed(monkeypatch: pytest.MonkeyPatch, fates: list[Fate]) -> frozenset[Ending]:
    """The ends of a message of which these are the news, one a second; the last of them goes on."""
    clock = [0.0]
    monkeypatch.setattr("maillab.exercises.look.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("maillab.exercises.look.time.sleep", lambda _: clock.__setitem__(0, clock[0] + 1))
    postman: Any = SimpleNamespace(
        fates=lambda messages: dict.fromkeys(messages, fates[min(int(clock[0]), len(fates) - 1)])
    )
    effect = Effect(says=Text(en="x", zh="x"), arrives=Mail(sender="parent@example.com", to="chen@dc1es.tnc.edu.tw"))
    scene = Scene(plan=stack_plan(Stack(name="dc1es", root=ROOT)), machines=cast("Any", Full()))
    message: Any = "the message"
    return Looker(scene=scene, effects={"in": effect})._follow(postman, {"in": message})["in"]


def test_message_that_still_moves_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a crowded computer: no fault of the student's."""
    moving = [Fate(stays=number // 3) for number in range(15)]
    assert followed(monkeypatch, [*moving, Fate(ends=ENDS, is_over=True)]) == ENDS


def test_message_that_stands_still_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    standing = [Fate(stays=1)] * 15
    assert followed(monkeypatch, [*standing, Fate(ends=ENDS, is_over=True)]) == frozenset()


def test_nor_one_that_moves_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = [Fate(stays=number) for number in range(40)]
    assert followed(monkeypatch, [*moving, Fate(ends=ENDS, is_over=True)]) == frozenset()


MAILBOX = """From somebody Mon Nov 30 16:00:00 2026
Subject: about {id}
X-Spam-Flag: NO

Message-ID: {id}
X-Spam-Flag: YES

From somebody Mon Nov 30 16:00:00 2026
Message-ID: {id}
{flag}Subject: x

x
"""


@pytest.mark.parametrize(
    ("flag", "seen"),
    [
        ("X-Spam-Flag: YES\n", "marked"),
        ("X-Spam-Flag: NO\n", "plain"),
        ("", "plain"),
        ("Subject: ***UNCHECKED*** x\n", "unchecked"),
        ("Subject: ***SPAM*** x\nX-Spam-Flag: YES\n", "marked"),
    ],
)
def test_mark_is_that_of_the_messages_own_header(tmp_path: Path, flag: str, seen: str) -> None:
    """Not of another one's, and not of a text that looks like a header."""
    (tmp_path / "chen").write_text(MAILBOX.format(id="<1@x>", flag=flag), "utf-8")
    program = MARKED.replace("/var/mail/", f"{tmp_path}/")
    done = subprocess.run(["sh", "-c", program], input="<1@x>\n", capture_output=True, text=True, check=True)
    assert done.stdout.split() == [seen]


def test_notice_of_a_message_is_not_the_message(tmp_path: Path) -> None:
    """amavis tells the postmaster of a virus, with the header that it had."""
    (tmp_path / "chen").write_text(MAILBOX.format(id="<1@x>", flag=""), "utf-8")
    (tmp_path / "admin").write_text(MAILBOX.format(id="<2@x>", flag="").partition("\n\nFrom ")[0], "utf-8")
    program = IN_MAILBOXES.replace("/var/mail", str(tmp_path))
    done = subprocess.run(["sh", "-c", program], input="<1@x>\n<2@x>\n", capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["chen:<1@x>"]


@pytest.mark.parametrize(
    ("queues", "boxes", "state"),
    [
        ([{"mail"}, {"mail"}, set()], set(), State.MET),
        ([{"mail"}] * 60, set(), State.MISSED),
        ([{"mail"}, set()], {"chen@mail"}, State.MISSED),
    ],
)
def test_message_in_a_queue_may_still_go(
    monkeypatch: pytest.MonkeyPatch, queues: list[set[str]], boxes: set[str], state: State
) -> None:
    """To a filter that throws it away; one in a mailbox stays."""
    clock, looks = [0.0], iter(queues)
    monkeypatch.setattr("maillab.exercises.look.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("maillab.exercises.look.time.sleep", lambda _: clock.__setitem__(0, clock[0] + 1))
    monkeypatch.setattr("maillab.exercises.look.queues_with", lambda *_: {"1@x": frozenset(next(looks))})
    monkeypatch.setattr("maillab.exercises.look.boxes_with", lambda *_: {"1@x": frozenset(boxes)})
    scene = Scene(plan=stack_plan(Stack(name="dc1es", root=ROOT)), machines=cast("Any", Full()))
    effect = Effect(says=Text(en="x", zh="x"), gone=Mail(message="virus"))
    known = {"virus": [Known(message_id="1@x", mail=Mail(sender="a@example.com", to="chen@dc1es.tnc.edu.tw"))]}
    assert Looker(scene=scene, effects={"gone": effect}, known=known)._sent("gone").state is state
