"""Bounces are waited for before a run sweeps up: those that came later would stay."""

import pytest

from tests.unit.maillab.trace.logs import (
    FIRST,
    MAILBOX,
    SECOND,
    THIRD,
    TO_FILTER,
    USER,
    passed,
    received,
    removed,
    trail,
    tried,
)

MARK = ".abc@verify.invalid"
BOUNCED = tried(FIRST, USER, "none", "bounced (no)", dsn="5.4.6")
TOLD = f"postfix/bounce[1]: {FIRST}: sender non-delivery notification: {SECOND}"


MESSAGE = [received(FIRST), BOUNCED, TOLD, removed(FIRST)]
HANDED_ON = [passed(SECOND, USER, TO_FILTER, THIRD), removed(SECOND)]


@pytest.mark.parametrize(
    ("log", "beyond"),
    [
        pytest.param([], [], id="not yet seen"),
        pytest.param([passed(SECOND, USER, TO_FILTER, THIRD)], [removed(THIRD)], id="not yet gone on"),
        pytest.param(HANDED_ON, [], id="not yet seen at the next hop"),
        pytest.param(HANDED_ON, [tried(THIRD, USER, "none", "deferred (no)", dsn="4.4.1")], id="waits there"),
    ],
)
def test_bounce_on_its_way(log: list[str], beyond: list[str]) -> None:
    assert trail(mail=[*MESSAGE, *log], filter=beyond).bounces_under_way(MARK) == 1


@pytest.mark.parametrize(
    ("log", "beyond"),
    [
        pytest.param([tried(SECOND, USER, "local", MAILBOX), removed(SECOND)], [], id="in a mailbox here"),
        pytest.param(HANDED_ON, [tried(THIRD, USER, "local", MAILBOX), removed(THIRD)], id="in one elsewhere"),
    ],
)
def test_bounce_at_its_end(log: list[str], beyond: list[str]) -> None:
    assert trail(mail=[*MESSAGE, *log], filter=beyond).bounces_under_way(MARK) == 0


def test_message_that_did_not_bounce() -> None:
    assert trail(mail=[received(FIRST), tried(FIRST, USER, "local", MAILBOX)]).bounces_under_way(MARK) == 0


def test_bounces_of_others_are_not_waited_for() -> None:
    strange = [received(FIRST, "<message@example.com>"), BOUNCED, TOLD]
    assert trail(mail=strange).bounces_under_way(MARK) == 0


@pytest.mark.parametrize(
    ("log", "beyond", "left"),
    [
        pytest.param([received(FIRST)], [], {"mail": [FIRST]}, id="a message"),
        pytest.param([received(FIRST), removed(FIRST)], [], {}, id="gone on"),
        pytest.param([received(FIRST, "<message@example.com>")], [], {}, id="somebody else's"),
        pytest.param([received(FIRST, "<1.def@verify.invalid>")], [], {}, id="another run's"),
        pytest.param(MESSAGE, [], {"mail": [SECOND]}, id="a bounce"),
        pytest.param(
            [*MESSAGE, *HANDED_ON],
            [tried(THIRD, USER, "none", "deferred (no)", dsn="4.4.1")],
            {"filter": [THIRD]},
            id="a bounce that waits elsewhere",
        ),
    ],
)
def test_what_is_left_in_the_queues(log: list[str], beyond: list[str], left: dict[str, list[str]]) -> None:
    assert trail(mail=log, filter=beyond).left(MARK) == left
