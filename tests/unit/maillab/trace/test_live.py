"""Events of messages as their lines come."""

import pytest

from maillab.trace import live as module
from maillab.trace.events import Kind
from maillab.trace.live import Heard, Live
from tests.unit.maillab.trace.captured import CAPTURED, OWNERS


def heard_of(live: Live, *lines: tuple[str, str]) -> list[Heard]:
    return [heard for machine, line in lines for heard in live.take(machine, line)]


def all_lines() -> list[tuple[str, str]]:
    """Of all captured logs, in the order of their times."""
    found = [(path.stem, line) for path in CAPTURED.glob("*.txt") for line in path.read_text("utf-8").splitlines()]
    return sorted(found, key=lambda one: one[1].split()[0])


@pytest.fixture(scope="module")
def everything() -> list[Heard]:
    return heard_of(Live(owners=OWNERS), *all_lines())


def of_message(everything: list[Heard], name: str) -> list[Heard]:
    return [one for one in everything if one.message and one.message.message_id == f"<{name}@trace.invalid>"]


def test_one_message_has_one_number_on_all_machines(everything: list[Heard]) -> None:
    found = of_message(everything, "alias")
    assert len({one.message.number for one in found if one.message}) == 1
    assert {one.machine for one in found} == {"outside", "spamfilter", "mail", "tn"}
    assert [one.event.kind for one in found].count(Kind.MAILBOX) == 3


def test_first_event_of_each_message_is_marked_once(everything: list[Heard]) -> None:
    new = [one.message.number for one in everything if one.is_new and one.message]
    assert new == sorted(set(new))
    assert set(new) == {one.message.number for one in everything if one.message}


def test_what_came_before_the_name_belongs_to_the_message(everything: list[Heard]) -> None:
    first = of_message(everything, "plain")[0]
    assert (first.machine, first.event.kind, first.is_new) == ("outside", Kind.HANDED_IN, True)
    kinds = [one.event.kind for one in of_message(everything, "spam") if one.machine == "spamfilter"]
    assert kinds == [Kind.CONNECTED, Kind.VERDICT, Kind.HELD]


def test_other_machine_is_named(everything: list[Heard]) -> None:
    connected = next(one for one in of_message(everything, "plain") if one.event.kind is Kind.CONNECTED)
    assert connected.event.values["peer"] == "outside"


def test_refusal_before_there_is_a_message(everything: list[Heard]) -> None:
    found = [one for one in everything if one.event.kind is Kind.REFUSED and one.message is None]
    assert found
    assert {one.machine for one in found} <= {"spamfilter", "mail", "tn"}


def test_login() -> None:
    text = (
        "2026-11-30T08:43:00.000000+08:00 mail pop3d[9]: user `lin' logged in with mailbox `/var/mail/lin' (2 messages)"
    )
    (found,) = heard_of(Live(owners={}), ("mail", text))
    assert (found.event.kind, found.event.values["user"], found.message) == (Kind.LOGGED_IN, "lin", None)


@pytest.mark.parametrize("line", ["", "\x1b[2J", "2026-11-30 something", "x" * 100_000])
def test_what_is_no_line_of_a_mail_log_is_left_out(line: str) -> None:
    assert heard_of(Live(owners={}), ("mail", line)) == []


def test_remembers_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be left running for days."""
    monkeypatch.setattr(module, "KEPT", 10)
    live = Live(owners={})
    head = "2026-11-30T08:43:00.000000+08:00 mail postfix/"
    for number in range(1000):
        queue_id = f"BCDFGH{number:06}"
        lines = [f"smtpd[1]: {queue_id}: client=a[10.0.0.1]", f"cleanup[1]: {queue_id}: message-id=<{number}@a>"]
        waits = f"smtpd[1]: Z{queue_id}: client=a[10.0.0.1]"
        heard_of(live, *(("mail", head + line) for line in (*lines, waits)))
    assert [len(kept) for kept in (live._by_name, live._by_id, live._waiting)] == [10, 10, 10]


def test_queue_id_without_a_name_keeps_no_endless_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 5)
    line = "2026-11-30T08:43:00.000000+08:00 mail postfix/smtp[1]: BCDFGHJKLMNP: something else"
    assert len(heard_of(Live(owners={}), *(("mail", line) for _ in range(5)))) == 5


SMTPD = "2026-11-30T21:24:42.845429+08:00 mail postfix/submission/smtpd[1657]: "
CLIENT = "workstation.yaes.example[163.26.182.100]"


def test_who_logged_in_to_send_is_named() -> None:
    live = Live(owners=OWNERS)
    heard_of(live, ("mail", f"{SMTPD}connect from {CLIENT}"))
    own = "4jdPrZ5x8pz6qbZ"
    lines = (f"{own}: client={CLIENT}, sasl_method=PLAIN, sasl_username=chen", f"{own}: message-id=<1@x>")
    found = [one.event for one in heard_of(live, *(("mail", SMTPD + line) for line in lines))]
    assert [event.kind for event in found] == [Kind.CONNECTED, Kind.AUTHENTICATED]
    assert (found[1].values["user"], found[1].values["method"]) == ("chen", "PLAIN")


def test_refused_login_is_no_messages_event() -> None:
    words = f"warning: {CLIENT}: SASL PLAIN authentication failed: authentication failure, sasl_username=chen"
    (found,) = heard_of(Live(owners=OWNERS), ("mail", SMTPD + words))
    assert (found.message, found.event.kind, found.event.values["user"]) == (None, Kind.NOT_AUTHENTICATED, "chen")
    assert found.event.values["peer"] == "workstation"


@pytest.mark.parametrize(
    "words", ["warning: SASL authentication failure: Password verification failed", "connect from x[1.2.3.4]"]
)
def test_other_words_of_smtpd_are_no_refused_login(words: str) -> None:
    assert heard_of(Live(owners=OWNERS), ("mail", SMTPD + words)) == []
