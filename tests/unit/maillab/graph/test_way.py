"""The way of a message in the picture: its hops, in order, and how each went, from logs that were captured."""

import pytest

from maillab.graph.scene import Way
from maillab.graph.way import LONGEST, note_of, way_of
from maillab.trace.outcome import End, Outcome
from tests.unit.maillab.graph.labs import drawn_of
from tests.unit.maillab.trace.captured import traced

STEPS = {
    "plain": ["outside spamfilter good", "spamfilter mail good"],
    "spam": ["outside spamfilter good"],
    "virus": ["outside spamfilter bad"],
    "nosuch": ["outside spamfilter bad"],
    "alias": ["outside spamfilter good", "spamfilter mail good", "mail spamfilter good", "spamfilter tn good"],
    "mail2": ["outside spamfilter good", "spamfilter mail2 good"],
}


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def way(name: str, until: str = "23:59") -> Way:
    return way_of(traced(name, until), drawn_of().stations)


def steps(found: Way) -> list[str]:
    return [f"{hop.source} {hop.target} {hop.tone}" for hop in found.hops]


@pytest.mark.parametrize("name", STEPS)
def test_hops(name: str) -> None:
    found = way(name)
    assert steps(found) == STEPS[name]
    assert [hop.number for hop in found.hops] == list(range(1, len(found.hops) + 1))


def test_notice_to_the_sender_goes_another_way() -> None:
    found = way("bounce")
    assert "notice" in {hop.tone for hop in found.hops}
    assert "notice" in {tone for notes in found.notes.values() for tone, _ in notes}


def test_server_that_does_not_answer() -> None:
    found = way("deferred", "08:42:41")
    assert steps(found)[-1] == "spamfilter mail wait"
    assert found.notes["spamfilter"] == [
        ("wait", "… waits in the queue: connect to 163.26.182.2[163.26.182.2]:25: Connection refused")
    ]


def test_what_became_of_it() -> None:
    assert way("plain").notes == {"mail": [("good", "✓ in the mailbox lin")]}
    assert way("spam").notes == {"spamfilter": [("wait", "… on hold: Spam message quarantined")]}
    (note,) = way("nosuch").notes["spamfilter"]
    assert note == ("bad", "✗ refused: 550 5.1.1")


def test_machine_that_the_picture_has_not_is_left_out() -> None:
    assert steps(way_of(traced("plain"), ["spamfilter", "mail"])) == ["spamfilter mail good"]


def test_long_reason_is_shortened() -> None:
    when = traced("plain").began
    end = End(recipient="", machine="mail", outcome=Outcome.HELD, since=when, last=when, text="x" * 200)
    assert len(note_of(end)) < LONGEST + 20


@pytest.mark.parametrize("outcome", Outcome)
def test_there_are_words_for_every_outcome(outcome: Outcome) -> None:
    when = traced("plain").began
    assert note_of(End(recipient="", machine="mail", outcome=outcome, since=when, last=when, notice=True))
