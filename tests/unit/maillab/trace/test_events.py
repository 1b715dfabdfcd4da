"""Lines that nobody captured: what people do by hand, what is given up, and what no program of the lab writes."""

from maillab.trace.events import Kind, events_of
from maillab.trace.found import Messages
from maillab.trace.journey import Journey, Stay
from maillab.trace.lines import read_lines
from maillab.trace.outcome import Outcome, ends

ID, NEXT = "4jd5MC62gBz8hGs", "4jd5PT0PtVz8hJJ"
TAKEN = [
    "postfix/smtpd[1]: connect from mail.example.com[198.51.100.10]",
    f"postfix/smtpd[1]: {ID}: client=mail.example.com[198.51.100.10]",
    f"postfix/cleanup[2]: {ID}: message-id=<1@example.com>",
]
QUEUED = f"postfix/qmgr[3]: {ID}: from=<a@example.com>, size=500, nrcpt=1 (queue active)"
HELD = (
    f"postfix/cleanup[2]: {ID}: milter-hold: END-OF-MESSAGE from mail.example.com[198.51.100.10]: Spam message"
    " quarantined; from=<a@example.com> to=<b@b.tw> proto=ESMTP helo=<mail.example.com>"
)
DEFERRED = (
    f"postfix/smtp[4]: {ID}: to=<b@b.tw>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred"
    " (connect to 10.0.0.1[10.0.0.1]:25: Connection refused)"
)


def text(lines: list[str]) -> str:
    return "".join(f"2026-11-30T09:01:{n:02}.000000+08:00 filter {line}\n" for n, line in enumerate(lines))


def journey(*lines: str) -> Journey:
    messages = Messages(logs={"filter": read_lines(text([*TAKEN, *lines]))}, owners={"198.51.100.10": "outside"})
    (found,) = messages.named("1@example.com")
    return found


def outcomes(*lines: str) -> list[Outcome]:
    return [end.outcome for end in ends(journey(*lines))]


def kinds(stay: Stay) -> list[Kind]:
    return [event.kind for event in stay.events]


def test_released_from_hold() -> None:
    released = f"postfix/postsuper[9]: {ID}: released from hold"
    assert outcomes(HELD) == [Outcome.HELD]
    assert outcomes(HELD, released) == [Outcome.QUEUED]
    assert outcomes(HELD, released, f"postfix/postsuper[9]: {ID}: placed on hold") == [Outcome.HELD]


def test_deleted_by_hand() -> None:
    assert outcomes(QUEUED, DEFERRED, f"postfix/postsuper[9]: {ID}: removed") == [Outcome.DELETED]


def test_put_into_the_queue_once_more() -> None:
    again = [
        f"postfix/postsuper[9]: {ID}: requeued",
        f"postfix/pickup[5]: {NEXT}: uid=109 from=<a@example.com> orig_id={ID}",
        f"postfix/cleanup[2]: {NEXT}: message-id=<1@example.com>",
    ]
    assert outcomes(HELD, again[0]) == [Outcome.QUEUED]
    (root,) = journey(HELD, *again).roots
    assert [stay.queue_id for stay in root.following] == [NEXT]
    assert outcomes(HELD, *again) == [Outcome.QUEUED]


def test_given_up() -> None:
    expired = f"postfix/qmgr[3]: {ID}: from=<a@example.com>, status=expired, returned to sender"
    assert outcomes(QUEUED, DEFERRED, expired, f"postfix/qmgr[3]: {ID}: removed") == [Outcome.EXPIRED]


def test_to_a_program() -> None:
    sent = (
        f"postfix/local[4]: {ID}: to=<b@b.tw>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (delivered"
        f" to command: cat)"
    )
    assert outcomes(QUEUED, sent, f"postfix/qmgr[3]: {ID}: removed") == [Outcome.GONE]


def test_second_recipient_has_not_been_tried() -> None:
    assert outcomes(QUEUED.replace("nrcpt=1", "nrcpt=2"), DEFERRED) == [Outcome.DEFERRED]
    sent = DEFERRED.replace(
        "status=deferred (connect to 10.0.0.1[10.0.0.1]:25: Connection refused)", "status=sent (ok)"
    )
    assert outcomes(QUEUED.replace("nrcpt=1", "nrcpt=2"), sent) == [Outcome.GONE, Outcome.QUEUED]


def test_through_another_program_on_the_same_machine() -> None:
    passed = (
        f"postfix/smtp[4]: {ID}: to=<b@b.tw>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=1/0/0/0, dsn=2.0.0,"
        f" status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {NEXT})"
    )
    (root,) = journey(QUEUED, passed, f"postfix/cleanup[2]: {NEXT}: message-id=<1@example.com>").roots
    assert [(stay.machine, stay.queue_id) for stay in root.following] == [("filter", NEXT)]


def test_refused_recipient_beside_another() -> None:
    refused = (
        f"postfix/smtpd[1]: {ID}: reject: RCPT from mail.example.com[198.51.100.10]: 550 5.1.1 <c@b.tw>: Recipient"
        " address rejected: User unknown; from=<a@example.com> to=<c@b.tw> proto=ESMTP helo=<mail.example.com>"
    )
    found = [(end.recipient, end.outcome) for end in ends(journey(refused, QUEUED, DEFERRED))]
    assert found == [("c@b.tw", Outcome.REFUSED), ("b@b.tw", Outcome.DEFERRED)]


def test_session_that_was_there_before_the_message() -> None:
    """A client keeps its session for the next message (connection cache, smtp(8)): that one did not begin with it."""
    second = [line.replace(ID, NEXT).replace("<1@", "<2@") for line in TAKEN[1:]]
    entries = read_lines(text([*TAKEN, *second])).entries
    assert [line.when.second for line in entries[ID]] == [0, 1, 2]
    assert [line.when.second for line in entries[NEXT]] == [3, 4]
    assert [event.kind for event in events_of(entries[NEXT])] == [Kind.CONNECTED]


def test_session_whose_first_line_is_gone() -> None:
    lines = read_lines(text(TAKEN[1:])).entries[ID]
    assert [(event.kind, event.values["name"]) for event in events_of(lines)] == [(Kind.CONNECTED, "mail.example.com")]


def test_line_of_no_known_form_is_shown_as_it_is() -> None:
    (root,) = journey(f"postfix/qmgr[3]: {ID}: skipped, still being delivered").roots
    assert kinds(root) == [Kind.CONNECTED, Kind.OTHER]
    assert root.events[-1].values == {"program": "qmgr", "text": "skipped, still being delivered"}


def test_what_is_no_line_is_left_out() -> None:
    log = read_lines(f"\n\0garbage\nNov 30 09:01:00 filter postfix/cleanup[2]: {ID}: message-id=<1@example.com>\n")
    assert log.entries == {}


def test_tries_with_one_result_come_once() -> None:
    (root,) = journey(QUEUED, DEFERRED, QUEUED, DEFERRED, QUEUED, DEFERRED).roots
    (event,) = [event for event in root.events if event.kind is Kind.DEFERRED]
    assert (event.times, event.latest.second, event.when.second) == (3, 8, 4)


def test_refusal_of_an_older_message_is_no_message_of_its_own() -> None:
    """It was refused again after the newer one had begun: among the last ones to the address it is the older."""
    sessions = {ID: (1, 9), NEXT: (5, 7)}  # when each message begins, and when the filter refuses it
    outside, server = {}, {}
    for queue_id, (begins, refused) in sessions.items():
        said = f"450 4.2.0 <b@b.tw>: Recipient address rejected: {queue_id}"
        envelope = "from=<a@example.com> to=<b@b.tw> proto=ESMTP helo=<mail.example.com>"
        outside[begins] = f"postfix/cleanup[2]: {queue_id}: message-id=<{queue_id}@example.com>"
        outside[begins + 1] = QUEUED.replace(ID, queue_id)
        outside[refused + 1] = DEFERRED.replace(ID, queue_id).replace(
            "connect to 10.0.0.1[10.0.0.1]:25: Connection refused",
            f"host filter[10.0.0.9] said: {said} (in reply to RCPT TO command)",
        )
        server[refused] = f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from mail[10.0.0.8]: {said}; {envelope}"
    logs = {
        name: read_lines("".join(f"2026-11-30T09:01:{n:02}+08:00 x {line}\n" for n, line in sorted(lines.items())))
        for name, lines in {"outside": outside, "filter": server}.items()
    }
    messages = Messages(logs=logs, owners={"10.0.0.8": "outside", "10.0.0.9": "filter"})
    assert [one.message_id for one in messages.to("b@b.tw", 1)] == [f"<{NEXT}@example.com>"]
    assert len(messages.to("b@b.tw")) == 2


BLOCKED = (
    f"amavis[9]: (00207-03) Blocked INFECTED (Eicar-Test-Signature.UNOFFICIAL) {{DiscardedInbound,Quarantined}},"
    f" [198.51.100.10]:5 [198.51.100.10] <a@example.com> -> <b@b.tw>, quarantine: r/virus-rX, Queue-ID: {ID},"
    " Message-ID: <1@example.com>, mail_id: rX, Hits: -, size: 12, 3 ms"
)
PASSED = (
    f"amavis[9]: (00207-04) Passed SPAMMY {{RelayedTaggedInbound}}, [198.51.100.10]:5 [198.51.100.10]"
    f" <a@example.com> -> <b@b.tw>, Queue-ID: {ID}, Message-ID: <1@example.com>, mail_id: rY, Hits: 7.6, size: 12, "
    f"queued_as: {NEXT}, 3 ms"
)


def test_amavis_says_what_it_found_and_where_it_keeps_it() -> None:
    event = journey(QUEUED, BLOCKED).roots[0].first(Kind.VERDICT)
    assert event is not None
    assert event.values == {"text": "Blocked INFECTED (Eicar-Test-Signature.UNOFFICIAL)", "quarantine": "r/virus-rX"}


def test_what_the_filter_keeps_is_not_handed_on() -> None:
    sent = (
        f"postfix/smtp[4]: {ID}: to=<b@b.tw>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=1/0/0/0, dsn=2.7.0,"
        " status=sent (250 2.7.0 Ok, discarded, id=00207-03 - INFECTED)"
    )
    (end,) = ends(journey(QUEUED, BLOCKED, sent, f"postfix/qmgr[3]: {ID}: removed"))
    assert end.outcome.is_final
    assert (end.outcome, end.text) == (Outcome.BLOCKED, "Blocked INFECTED (Eicar-Test-Signature.UNOFFICIAL)")


def test_amavis_says_how_many_points_it_counted() -> None:
    event = journey(QUEUED, PASSED).roots[0].first(Kind.VERDICT)
    assert event is not None
    assert event.values == {"text": "Passed SPAMMY", "points": "7.6"}


def test_dovecot_says_who_fetched_his_mail() -> None:
    delivered = f"postfix/local[5]: {ID}: to=<b@b.tw>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent"
    session = "dovecot: pop3(b)<7><xwfUH39h>: Disconnected: Logged out messages=1 retr=1 del=1"
    stay = journey(QUEUED, f"{delivered} (delivered to mailbox)", f"postfix/qmgr[3]: {ID}: removed", session).roots[0]
    event = stay.first(Kind.LOGGED_IN)
    assert event is not None
    assert event.values == {"user": "b", "messages": "1"}
