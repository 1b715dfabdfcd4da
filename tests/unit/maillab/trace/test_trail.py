"""What became of a message, from logs as the machines write them."""

import pytest

from maillab.trace.ending import Ending, How
from maillab.trace.trail import Fate, Trail
from tests.unit.labs import Model
from tests.unit.maillab.trace.logs import (
    FIFTH,
    FIRST,
    FOURTH,
    ID,
    MAILBOX,
    SECOND,
    SERVICE,
    THIRD,
    TNUSER,
    TO_FILTER,
    TO_MAIL,
    USER,
    passed,
    received,
    removed,
    trail,
    tried,
)


def ends(start: str, **logs: list[str]) -> set[Ending]:
    """The ends of the message that was handed in at `start`; a machine's log lines by its name."""
    return set(fate(start, **logs).ends)


def fate(start: str, **logs: list[str]) -> Fate:
    """What became of it, and whether that is all."""
    return trail(**logs).fate(start, ID, (start,))


def mailbox(*hops: str, user: str = "chen") -> Ending:
    return Ending(hops=hops, how=How.MAILBOX, what=user)


def test_message_in_a_mailbox() -> None:
    assert ends("mail", mail=[received(FIRST), tried(FIRST, USER, "local", MAILBOX)]) == {mailbox("mail")}


@pytest.mark.parametrize("relay", [TO_FILTER, "filter[fd00::2]:25"])
def test_message_is_followed_from_hop_to_hop(relay: str) -> None:
    found = ends(
        "outside",
        outside=[received(FIRST), passed(FIRST, USER, relay, SECOND)],
        filter=[received(SECOND), passed(SECOND, USER, TO_MAIL, THIRD)],
        mail=[received(THIRD), tried(THIRD, USER, "local", MAILBOX)],
    )
    assert found == {mailbox("outside", "filter", "mail")}


def test_mailbox_of_a_domain_has_the_domains_name() -> None:
    log = [received(FIRST), tried(FIRST, "verify@example.com", "virtual", "sent (delivered to maildir)")]
    assert ends("outside", outside=log) == {mailbox("outside", user="example.com")}


def test_alias_has_an_end_for_each_target_here() -> None:
    log = [
        received(FIRST),
        tried(FIRST, "admin@b.tw", "local", MAILBOX, orig_to=SERVICE),
        tried(FIRST, "manager@b.tw", "local", MAILBOX, orig_to=SERVICE),
    ]
    assert ends("mail", mail=log) == {mailbox("mail", user="admin"), mailbox("mail", user="manager")}


def test_alias_that_leads_away_is_followed_and_passes_a_machine_twice() -> None:
    """The copy has a queue id of its own on the same machine, and the same Message-ID."""
    found = ends(
        "filter",
        filter=[
            received(FIRST),
            passed(FIRST, SERVICE, TO_MAIL, SECOND),
            received(FOURTH),
            passed(FOURTH, TNUSER, "mail.tn.edu.tw[1.1.1.4]:25", FIFTH),
        ],
        mail=[
            received(SECOND),
            tried(SECOND, "admin@b.tw", "local", MAILBOX, orig_to=SERVICE),
            tried(SECOND, SERVICE, "local", f"sent (forwarded as {THIRD})"),
            received(THIRD),
            passed(THIRD, TNUSER, TO_FILTER, FOURTH),
        ],
        tn=[received(FIFTH), tried(FIFTH, TNUSER, "local", MAILBOX)],
    )
    there = mailbox("filter", "mail", "filter", "tn", user="tnuser")
    assert found == {mailbox("filter", "mail", user="admin"), there}


def test_user_who_keeps_a_copy_of_what_goes_on_has_two_ends() -> None:
    """Both lines name him: `chen: chen, tnuser@tn.edu.tw`."""
    found = ends(
        "mail",
        mail=[
            received(FIRST),
            tried(FIRST, USER, "local", MAILBOX),
            tried(FIRST, USER, "local", f"sent (forwarded as {SECOND})"),
            received(SECOND),
            passed(SECOND, TNUSER, "mail.tn.edu.tw[1.1.1.4]:25", THIRD),
        ],
        tn=[received(THIRD), tried(THIRD, TNUSER, "local", MAILBOX)],
    )
    assert found == {mailbox("mail"), mailbox("mail", "tn", user="tnuser")}


def test_deferred_message_waits_where_it_is() -> None:
    log = [
        received(FIRST),
        tried(FIRST, USER, "none", "deferred (connect to b.tw[1.1.1.3]:25: timed out)", dsn="4.4.1"),
    ]
    assert ends("filter", filter=log) == {Ending(hops=("filter",), how=How.WAITS)}


def test_message_that_went_on_after_a_while_waits_no_more() -> None:
    found = ends(
        "filter",
        filter=[
            received(FIRST),
            tried(FIRST, USER, "none", "deferred (connect to 1.1.1.3[1.1.1.3]:25: Connection refused)", dsn="4.4.1"),
            passed(FIRST, USER, TO_MAIL, SECOND),
        ],
        mail=[received(SECOND), tried(SECOND, USER, "local", MAILBOX)],
    )
    assert found == {mailbox("filter", "mail")}


def test_mailbox_that_was_full_for_a_while_waits_no_more() -> None:
    log = [received(FIRST), tried(FIRST, USER, "local", "deferred (cannot append)", dsn="4.2.2")]
    assert ends("mail", mail=[*log, tried(FIRST, USER, "local", MAILBOX)]) == {mailbox("mail")}


def test_one_recipients_success_does_not_hide_anothers_waiting() -> None:
    log = [
        received(FIRST),
        tried(FIRST, USER, "local", MAILBOX),
        tried(FIRST, "lin@b.tw", "local", "deferred (cannot append)", dsn="4.2.2"),
    ]
    assert ends("mail", mail=log) == {mailbox("mail"), Ending(hops=("mail",), how=How.WAITS)}


def test_refusal_names_the_server_that_refused() -> None:
    log = [
        received(FIRST),
        tried(FIRST, USER, TO_FILTER, "bounced (host filter[1.1.1.2] said: 550 5.1.1)", dsn="5.1.1"),
    ]
    assert ends("outside", outside=log) == {Ending(hops=("outside", "filter"), how=How.REFUSED, what="5.1.1")}


def test_message_that_nobody_was_asked_to_take_is_refused_by_its_own_server() -> None:
    log = [received(FIRST), tried(FIRST, USER, "none", "bounced (mail for b.tw loops back to myself)", dsn="5.4.6")]
    assert ends("filter", filter=log) == {Ending(hops=("filter",), how=How.REFUSED, what="5.4.6")}


@pytest.mark.parametrize(
    "log",
    [
        pytest.param([], id="not yet handed in"),
        pytest.param([received(FIRST)], id="not yet tried"),
        pytest.param([received(FIRST), passed(FIRST, USER, TO_FILTER, SECOND)], id="next log is behind"),
        pytest.param([received(FIRST, "<2.abc@verify.invalid>"), tried(FIRST, USER, "local", MAILBOX)], id="another's"),
    ],
)
def test_message_on_its_way_has_no_end(log: list[str]) -> None:
    assert ends("outside", outside=log, filter=[]) == set()


def test_address_that_is_no_machines_stays_where_it_was() -> None:
    log = [received(FIRST), tried(FIRST, USER, "far[192.0.2.7]:25", "bounced (550 5.7.1 no)", dsn="5.7.1")]
    assert ends("mail", mail=log) == {Ending(hops=("mail",), how=How.REFUSED, what="5.7.1")}


@pytest.mark.parametrize("address", ["163.26.182.249", "2001:db8:182::249"])
def test_machines_are_known_by_the_addresses_that_logs_have(tutorial: Model, address: str) -> None:
    assert Trail.of({}, tutorial.plans).owners[address] == "spamfilter"


HELD = f"postfix/cleanup[1]: {FIRST}: milter-hold: END-OF-MESSAGE from a.tw[1.1.1.9]: milter triggers HOLD action;"
RELEASED = f"postfix/postsuper[1]: {FIRST}: released from hold"
COMMAND, FILE = "sent (delivered to command: /bin/cat)", "sent (delivered to file: /tmp/box)"


def test_message_on_hold() -> None:
    assert ends("filter", filter=[received(FIRST), HELD]) == {Ending(hops=("filter",), how=How.HELD)}


def test_message_that_was_released_is_not_on_hold() -> None:
    assert ends("filter", filter=[received(FIRST), HELD, RELEASED]) == set()


@pytest.mark.parametrize("outcome", [COMMAND, FILE])
def test_what_a_program_or_a_file_got_is_in_no_mailbox(outcome: str) -> None:
    words = outcome.removeprefix("sent (").removesuffix(")")
    found = ends("mail", mail=[received(FIRST), tried(FIRST, USER, "local", outcome)])
    assert found == {Ending(hops=("mail",), how=How.GONE, what=words)}


@pytest.mark.parametrize("outcome", [COMMAND, FILE])
def test_copy_for_a_program_or_a_file_is_an_end_beside_the_mailbox(outcome: str) -> None:
    """`chen: chen, "|/bin/cat"`: both lines name him."""
    log = [received(FIRST), tried(FIRST, USER, "local", outcome), tried(FIRST, USER, "local", MAILBOX)]
    assert {ending.how for ending in ends("mail", mail=log)} == {How.MAILBOX, How.GONE}


def test_message_that_was_thrown_away_is_gone() -> None:
    log = [received(FIRST), tried(FIRST, USER, "none", "sent (no spam)")]
    assert ends("mail", mail=log) == {Ending(hops=("mail",), how=How.GONE, what="no spam")}


def test_mailbox_is_named_without_the_extension() -> None:
    log = [received(FIRST), tried(FIRST, "chen+verify@b.tw", "local", MAILBOX)]
    assert ends("mail", mail=log) == {mailbox("mail")}


DEFERRED = tried(FIRST, USER, "none", "deferred (no)", dsn="4.4.1")
QUEUED = f"postfix/qmgr[1]: {FIRST}: from=<a@b.tw>, size=300, nrcpt=2 (queue active)"
IN_MAILBOX = tried(FIRST, USER, "local", MAILBOX)


@pytest.mark.parametrize(
    ("log", "beyond", "is_over", "is_at_rest"),
    [
        pytest.param([], [], False, False, id="not handed in"),
        pytest.param([received(FIRST)], [], False, False, id="not tried"),
        pytest.param([received(FIRST), IN_MAILBOX], [], False, True, id="in a mailbox"),
        pytest.param([received(FIRST), IN_MAILBOX, removed(FIRST)], [], True, True, id="in a mailbox, and that is all"),
        pytest.param([received(FIRST), QUEUED, IN_MAILBOX], [], False, False, id="one of two"),
        pytest.param([received(FIRST), DEFERRED], [], False, True, id="waits"),
        pytest.param([received(FIRST), HELD], [], True, True, id="on hold"),
        pytest.param(
            [received(FIRST), passed(FIRST, USER, TO_FILTER, SECOND), removed(FIRST)], [], False, False, id="gone on"
        ),
        pytest.param(
            [received(FIRST), passed(FIRST, USER, TO_FILTER, SECOND), removed(FIRST)],
            [received(SECOND), tried(SECOND, USER, "local", MAILBOX), removed(SECOND)],
            True,
            True,
            id="in a mailbox elsewhere",
        ),
        pytest.param(
            [received(FIRST), passed(FIRST, USER, TO_FILTER, SECOND), removed(FIRST)],
            [received(SECOND), tried(SECOND, USER, "none", "deferred (no)", dsn="4.4.1")],
            False,
            True,
            id="waits elsewhere",
        ),
    ],
)
def test_whether_more_may_come(log: list[str], beyond: list[str], is_over: bool, is_at_rest: bool) -> None:
    found = fate("mail", mail=log, filter=beyond)
    assert (found.is_over, found.is_at_rest) == (is_over, is_at_rest)
