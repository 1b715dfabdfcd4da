"""Messages of all kinds, followed through the logs that a lab wrote about them."""

import pytest

from maillab.trace.events import Kind
from maillab.trace.found import Messages
from maillab.trace.journey import Journey, Stay
from maillab.trace.outcome import End, Outcome, ends
from tests.unit.maillab.trace.captured import OWNERS, captured, shape, traced

LIN, SERVICE, WENDY = "lin@dc1es.tnc.edu.tw", "service@dc1es.tnc.edu.tw", "wendy@example.com"


def stays(journey: Journey) -> list[Stay]:
    found, todo = [], [*journey.roots]
    while todo:
        found.append(todo.pop(0))
        todo[:0] = found[-1].following
    return found


def at(journey: Journey, machine: str) -> Stay:
    return next(stay for stay in stays(journey) if stay.machine == machine)


def only(journey: Journey) -> End:
    (end,) = ends(journey)
    return end


@pytest.mark.parametrize(
    ("name", "tree"),
    [
        pytest.param("plain", "outside(spamfilter(mail))", id="to a mailbox"),
        pytest.param("mail2", "outside(spamfilter(mail2))", id="to the second mail server"),
        pytest.param("alias", "outside(spamfilter(mail(mail*(spamfilter(tn)))))", id="to an alias that leads outside"),
        pytest.param("two", "mail(spamfilter(tn))", id="to two, one of them here"),
        pytest.param("spam", "outside(spamfilter)", id="held"),
        pytest.param("virus", "outside(spamfilter!, outside=)", id="refused after its text"),
        pytest.param("nosuch", "outside(spamfilter!, outside=)", id="refused before its text"),
        pytest.param("bounce", "mail(spamfilter(tn!, spamfilter=(mail)))", id="its bounce comes back"),
        pytest.param("noclam", "outside(spamfilter!, spamfilter(mail))", id="not taken at first"),
        pytest.param("partly", "spamfilter(mail)", id="one of two recipients was refused"),
    ],
)
def test_way(name: str, tree: str) -> None:
    journey = traced(name)
    assert [shape(root) for root in journey.roots] == [tree]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("plain", [(LIN, "mail", "mailbox", "lin")], id="one mailbox"),
        pytest.param(
            "alias",
            [
                ("admin@dc1es.tnc.edu.tw", "mail", "mailbox", "admin"),
                ("manager@dc1es.tnc.edu.tw", "mail", "mailbox", "manager"),
                ("tnuser@tn.edu.tw", "tn", "mailbox", "tnuser"),
            ],
            id="all members of an alias",
        ),
        pytest.param("spam", [(LIN, "spamfilter", "held", "Spam message quarantined")], id="held"),
        pytest.param(
            "virus",
            [
                (LIN, "spamfilter", "refused", "554 5.7.1 virus found: Eicar-Test-Signature.UNOFFICIAL"),
                (WENDY, "outside", "mailbox", "example.com"),
            ],
            id="refused, and the bounce",
        ),
        pytest.param("noclam", [(LIN, "mail", "mailbox", "lin")], id="not taken at first"),
    ],
)
def test_ends(name: str, found: list[tuple[str, ...]]) -> None:
    assert [(end.recipient, end.machine, end.outcome, end.text) for end in ends(traced(name))] == found


def test_bounce_is_a_notice() -> None:
    assert [end.notice for end in ends(traced("bounce"))] == [False, True]


def test_waits_in_a_queue_with_the_reason() -> None:
    end = only(traced("deferred", until="08:42:41"))
    assert (end.machine, end.outcome, end.tries) == ("spamfilter", Outcome.DEFERRED, 2)
    assert end.text == "connect to 163.26.182.2[163.26.182.2]:25: Connection refused"
    assert f"{end.since:%H:%M:%S} {end.last:%H:%M:%S}" == "08:42:26 08:42:40"  # taken, tried last


def test_no_longer_waits_when_it_was_taken() -> None:
    assert only(traced("deferred")).outcome is Outcome.MAILBOX


def test_has_not_been_tried() -> None:
    end = only(traced("deferred", until="08:42:26.6"))
    assert (end.machine, end.outcome) == ("spamfilter", Outcome.QUEUED)


def test_on_its_way_from_one_machine_to_the_next() -> None:
    """The server has logged it, the client has no answer yet."""
    journey = traced("deferred", until="08:42:26.533")
    assert [shape(root) for root in journey.roots] == ["outside(spamfilter)"]
    assert [(end.machine, end.outcome) for end in ends(journey)] == [
        ("outside", Outcome.QUEUED),
        ("spamfilter", Outcome.QUEUED),
    ]


def test_refused_and_the_client_does_not_know_yet() -> None:
    journey = traced("virus", until="08:42:14.5")
    assert [shape(root) for root in journey.roots] == ["outside(spamfilter!)"]
    assert only(journey).machine == "outside"


def test_log_that_is_not_there() -> None:
    end = only(traced("plain", without="mail"))
    assert (end.machine, end.outcome) == ("spamfilter", Outcome.UNSEEN)


def test_log_of_a_machine_whose_address_was_changed_by_hand() -> None:
    changed = {address: name for address, name in OWNERS.items() if name != "mail"}
    (journey,) = Messages(logs=captured().logs, owners=changed).named("plain@trace.invalid")
    assert shape(journey.roots[0]) == "outside(spamfilter(mail))"


def test_verdict_of_the_filter() -> None:
    event = at(traced("spam"), "spamfilter").first(Kind.VERDICT)
    assert event is not None
    assert event.verdict is not None
    assert (event.verdict.action, event.verdict.score, event.verdict.required) == ("quarantine", 1000.1, 15.0)
    assert event.verdict.symbols[:2] == (("GTUBE_TEST", 1000.0), ("RCVD_NO_TLS_LAST", 0.1))


def test_verdict_that_was_forced() -> None:
    event = at(traced("virus"), "spamfilter").first(Kind.VERDICT)
    assert event is not None
    assert event.verdict is not None
    assert event.verdict.forced == "virus found: Eicar-Test-Signature.UNOFFICIAL"


def test_session_of_the_message() -> None:
    event = at(traced("plain"), "mail").first(Kind.CONNECTED)
    assert event is not None
    assert event.values["peer"] == "spamfilter"
    assert f"{event.when:%H:%M:%S.%f}" == "08:42:13.246225"


def test_server_that_was_not_reached() -> None:
    event = at(traced("deferred"), "spamfilter").first(Kind.UNREACHED)
    assert event is not None
    assert (event.values["peer"], event.times) == ("mail", 2)


def test_pop3_login_after_the_message() -> None:
    event = at(traced("plain"), "mail").first(Kind.LOGGED_IN)
    assert event is not None
    assert (event.values["user"], event.values["messages"], event.times) == ("lin", "2", 1)
    assert at(traced("plain", until="08:42:57"), "mail").first(Kind.LOGGED_IN) is None


def test_envelope() -> None:
    journey = traced("two")
    assert (journey.sender, journey.recipients) == ("chen@dc1es.tnc.edu.tw", [LIN, "tnuser@tn.edu.tw"])


@pytest.mark.parametrize("name", ["plain@trace.invalid", "<plain@trace.invalid>", "4jd4wj1xG3z8hN6"])
def test_found_by_its_names(name: str) -> None:
    (journey,) = captured().named(name)
    assert journey.message_id == "<plain@trace.invalid>"


def test_no_such_message() -> None:
    assert captured().named("nope") == []


def test_queue_id_of_a_bounce_finds_the_message() -> None:
    (journey,) = captured().named("4jd4wp08p0z8hV6")
    assert journey.message_id == "<bounce@trace.invalid>"


def test_last_messages() -> None:
    assert [one.message_id for one in captured("08:42:15.600").last(3)] == [
        "<virus@trace.invalid>",
        "<nosuch@trace.invalid>",
        "<mail2@trace.invalid>",
    ]


def test_refused_before_there_was_a_message() -> None:
    (journey,) = captured().to("friend@example.org")
    end = only(journey)
    assert (journey.message_id, journey.sender, shape(journey.roots[0])) == ("", WENDY, "spamfilter")
    assert (end.outcome, end.text) == (Outcome.REFUSED, "554 5.7.1 <friend@example.org>: Relay access denied")


def test_refusal_that_belongs_to_a_message_comes_once() -> None:
    assert [one.message_id for one in captured().to("nosuch@dc1es.tnc.edu.tw")] == ["<nosuch@trace.invalid>"]
    assert [one.message_id for one in captured().to("nosuch@dc1es.tnc.edu.tw", 1)] == ["<nosuch@trace.invalid>"]


def test_refused_recipient_of_a_message_to_others_too() -> None:
    (journey,) = captured().to("nosuch2@dc1es.tnc.edu.tw")
    assert only(journey).recipient == "nosuch2@dc1es.tnc.edu.tw"


def test_messages_to_an_address_in_any_case() -> None:
    names = [one.message_id.split("@")[0] for one in captured().to("LIN@dc1es.tnc.edu.tw")]
    assert names == ["<plain", "<spam", "<virus", "<two", "<deferred", "<partly", "<noclam"]


def test_last_messages_to_an_address() -> None:
    assert [one.message_id for one in captured().to(LIN, 1)] == ["<noclam@trace.invalid>"]


def test_no_stay_is_in_two_messages() -> None:
    journeys = captured().last(100)
    met = [(stay.machine, stay.queue_id) for one in journeys for stay in stays(one) if stay.queue_id]
    assert len(met) == len(set(met)) > len(journeys) == 11
