"""Sendmail's lines, as a lab's mail server wrote them, in Postfix' words: what reads logs knows the message's way."""

import pytest

from maillab.trace.events import Kind
from maillab.trace.found import Messages
from maillab.trace.journey import Link, Stay
from maillab.trace.lines import read_lines
from maillab.trace.live import Live
from maillab.trace.maillog import Entry, read_maillog
from maillab.trace.outcome import Outcome, ends
from maillab.trace.sendmail import in_postfix_words

DOMAIN = "dc1es.tnc.edu.tw"
OWNERS = {"163.26.182.2": "mail", "163.26.182.249": "spamfilter", "2001:db8:182::249": "spamfilter"}
SMTP = "proto=ESMTP, daemon=MTA"
LOCAL = "delay=00:00:00, xdelay=00:00:00, mailer=local, pri=91394"
SENT = "dsn=2.0.0, stat=Sent"
FILTER = "relay=spamfilter.dc1es.tnc.edu.tw [163.26.182.249]"


def log(*lines: str) -> str:
    """Lines of /var/log/mail.log, each with a stamp: `PROCESS TEXT` of sm-mta, or `PROGRAM[PROCESS]: TEXT`."""
    whole = (
        line if "]: " in line.partition(" ")[0] + " " else f"sm-mta[{line.replace(' ', ']: ', 1)}" for line in lines
    )
    return "".join(f"2026-12-01T01:05:{number:02}.000000+08:00 mail {line}\n" for number, line in enumerate(whole))


INBOUND = log(
    f"612 NOQUEUE: connect from spamfilter.{DOMAIN} [163.26.182.249]",
    "612 AUTH warning: no mechanisms",
    "612 6AUH5PQa000672: Milter: no active filter",
    f"612 6AUH5PQa000672: from=<friend@example.com>, size=1157, class=0, nrcpts=1, msgid=<in@test.invalid>,"
    f" {SMTP}, {FILTER}",
    f"673 6AUH5PQa000672: alias <service@{DOMAIN}> => outs, manager, tnuser@tn.edu.tw",
    "673 6AUH5PQa000672: alias outs => friend@example.com",
    f"673 6AUH5PQa000672: to=manager, {LOCAL}, {SENT}",
    "673 6AUH5PQa000672: SMTP outgoing connect on mail.dc1es.tnc.edu.tw",
    "673 6AUH5PQa000672: to=friend@example.com,tnuser@tn.edu.tw, delay=00:00:00, xdelay=00:00:00, mailer=relay,"
    " pri=91394,"
    " relay=spamfilter.dc1es.tnc.edu.tw. [IPv6:2001:db8:182:0:0:0:0:249], dsn=2.0.0, stat=Sent (Ok: queued as"
    " 4jdVl92NLjz6r32)",
    "673 6AUH5PQa000672: done; delay=00:00:00, ntries=1",
)


def entry(text: str) -> Entry:
    """The only message of a log."""
    (found,) = read_maillog(text).values()
    return found


def stays(text: str, message_id: str) -> list[Stay]:
    """Where a message stayed first, by the log of `mail` alone."""
    (found,) = Messages(logs={"mail": read_lines(text)}, owners=OWNERS).named(message_id)
    return list(found.roots)


def test_message_that_was_taken() -> None:
    found = entry(INBOUND)
    assert (found.queue_id, found.message_id, found.sender) == (
        "6AUH5PQa000672",
        "<in@test.invalid>",
        "friend@example.com",
    )
    assert (found.client, found.recipients, found.removed) == (f"spamfilter.{DOMAIN}[163.26.182.249]", 1, True)


def test_mailbox_by_an_alias() -> None:
    (first, *_) = entry(INBOUND).deliveries
    assert (first.in_mailbox, first.mailbox, first.to) == (True, "manager", f"manager@{DOMAIN}")
    assert first.orig_to == f"service@{DOMAIN}"


def test_each_recipient_that_one_server_took_has_a_line() -> None:
    (_, friend, tnuser) = entry(INBOUND).deliveries
    assert [one.to for one in (friend, tnuser)] == ["friend@example.com", "tnuser@tn.edu.tw"]
    assert {(one.address, one.next_queue_id) for one in (friend, tnuser)} == {("2001:db8:182::249", "4jdVl92NLjz6r32")}


def test_alias_of_an_alias_leads_back_to_the_first() -> None:
    assert entry(INBOUND).deliveries[1].orig_to == f"service@{DOMAIN}"


def test_session_is_shown_and_joined() -> None:
    (stay,) = stays(INBOUND, "<in@test.invalid>")
    first = stay.first(Kind.CONNECTED)
    assert first is not None
    assert first.values["peer"] == "spamfilter"
    assert stay.unseen == {"4jdVl92NLjz6r32"}, "the filter's log is not here"


REFUSED = log(
    f"616 NOQUEUE: connect from spamfilter.{DOMAIN} [163.26.182.249]",
    f"616 6AUH5IYK000654: <nobodyz@{DOMAIN}>... User unknown",
    "616 6AUH5IYK000654: ruleset=check_rcpt, arg1=<x@tn.edu.tw>, relay=spamfilter.dc1es.tnc.edu.tw [163.26.182.249],"
    " reject=550 5.7.1 <x@tn.edu.tw>... Relaying denied",
    f"616 6AUH5IYK000654: from=<friend@example.com>, size=0, class=0, nrcpts=0, {SMTP}, {FILTER}",
)


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        (f"nobodyz@{DOMAIN}", f"550 5.1.1 <nobodyz@{DOMAIN}>... User unknown"),
        ("x@tn.edu.tw", "550 5.7.1 <x@tn.edu.tw>... Relaying denied"),
    ],
)
def test_recipient_that_was_refused(recipient: str, said: str) -> None:
    (journey,) = Messages(logs={"mail": read_lines(REFUSED)}, owners=OWNERS).to(recipient)
    (end,) = ends(journey)
    assert (end.outcome, end.recipient, end.text) == (Outcome.REFUSED, recipient, said)
    assert journey.sender == "friend@example.com"


def test_session_that_was_refused_has_no_place_in_the_queue() -> None:
    assert read_lines(REFUSED).entries == {}


def test_session_of_the_machines_own_check_is_no_message() -> None:
    probe = log(
        "212 NOQUEUE: connect from probe.invalid [192.0.0.8]",
        f"212 6AUH4WSf000212: to=<admin@mail.{DOMAIN}>, delay=00:00:00, pri=0, stat=RSET",
        "212 6AUH4WSf000212: from=<>, size=0, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=probe.invalid"
        " [192.0.0.8]",
    )
    assert read_maillog(probe) == {}


def test_recipient_beside_one_that_was_taken_is_the_messages() -> None:
    both = REFUSED.replace("size=0, class=0, nrcpts=0,", "size=245, class=0, nrcpts=1, msgid=<half@test.invalid>,")
    (stay,) = stays(both, "<half@test.invalid>")
    assert [event.values["to"] for event in stay.events if event.kind is Kind.REFUSED] == [
        f"nobodyz@{DOMAIN}",
        "x@tn.edu.tw",
    ]


def test_message_that_is_announced_too_large() -> None:
    text = log(f"633 6AUH5HGF000633: from=<chen@{DOMAIN}>, size=99999999, class=0, nrcpts=0, {SMTP}, {FILTER}")
    (refusal,) = read_lines(text).refusals
    assert refusal.line.text.startswith("reject: MAIL from spamfilter.dc1es.tnc.edu.tw[163.26.182.249]: 552 5.2.3 ")


def test_session_that_ends_after_an_honest_size_was_not_refused() -> None:
    text = log(f"633 6AUH5HGF000633: from=<chen@{DOMAIN}>, size=900, class=0, nrcpts=0, {SMTP}, {FILTER}")
    assert read_lines(text).refusals == []


def test_text_that_is_too_large() -> None:
    text = log(
        f"595 6AUHBb6k001595: from=<chen@{DOMAIN}>, size=21978046, class=0, nrcpts=1, msgid=<big@test.invalid>,"
        f" proto=ESMTP,"
        f" daemon=MTA, {FILTER}",
        "595 6AUHBb6k001595: message size (21978046) exceeds maximum (20971520)",
        f"595 6AUHBb6k001595: to=<lin@{DOMAIN}>, delay=00:00:01, pri=22008046,"
        " stat=Message exceeds maximum fixed size (20971520)",
    )
    (stay,) = stays(text, "<big@test.invalid>")
    (refused,) = [event for event in stay.events if event.kind is Kind.REFUSED]
    assert refused.values["text"] == "552 5.2.3 Message exceeds maximum fixed size (20971520)"
    assert stay.removed


TAKEN = f"591 6AUHBZG7001589: from=<chen@{DOMAIN}>, size=302, class=0, nrcpts=1, msgid=<out@test.invalid>, {SMTP}, "


@pytest.mark.parametrize(
    ("said", "status", "response"),
    [
        pytest.param(
            "relay=spamfilter.dc1es.tnc.edu.tw. [163.26.182.249], dsn=4.4.1, stat=Deferred: Connection refused by x.",
            "deferred",
            "Connection refused by x.",
            id="no connection",
        ),
        pytest.param(
            "relay=[163.26.182.249] [163.26.182.249], dsn=5.1.1, reply=550 5.1.1 <x@tn.edu.tw>... User unknown,"
            " stat=User unknown",
            "bounced",
            "host unknown[163.26.182.249] said: 550 5.1.1 <x@tn.edu.tw>... User unknown",
            id="refused by the next server",
        ),
        pytest.param(
            "relay=[163.26.182.2] [163.26.182.2], dsn=5.3.5, stat=Local configuration error",
            "bounced",
            "5.3.5 Local configuration error",
            id="a loop",
        ),
    ],
)
def test_message_that_was_not_passed_on(said: str, status: str, response: str) -> None:
    line = "591 6AUHBZG7001589: to=<x@tn.edu.tw>, ctladdr=<chen@dc1es.tnc.edu.tw> (2006/2006), delay=00:00:00,"
    text = log(TAKEN + FILTER, f"{line} xdelay=00:00:00, mailer=relay, pri=30302, {said}")
    (delivery,) = entry(text).deliveries
    assert (delivery.status, delivery.response) == (status, response)


def test_loop_is_named() -> None:
    words = "SYSERR(root): [163.26.182.2] config error: mail loops back to me (MX problem?)"
    (stay,) = stays(log(TAKEN + FILTER, f"591 6AUHBZG7001589: {words}"), "<out@test.invalid>")
    assert [event.values["text"] for event in stay.events if event.kind is Kind.OTHER] == [words]


SUBMITTED = log(
    "sendmail[648]: NOQUEUE: connect from root@localhost",
    f"sendmail[648]: 6AUH5IIX000648: from=chen@{DOMAIN}, size=48, class=0, nrcpts=1, msgid=<own@test.invalid>,"
    f" relay=root@localhost",
    "649 NOQUEUE: connect from localhost [127.0.0.1]",
    f"649 6AUH5IWt000649: from=<chen@{DOMAIN}>, size=271, class=0, nrcpts=1, msgid=<own@test.invalid>, proto=ESMTP,"
    " daemon=MTA, relay=localhost [127.0.0.1]",
    f"sendmail[648]: 6AUH5IIX000648: to=lin@{DOMAIN}, ctladdr=chen@{DOMAIN} (0/0), delay=00:00:00, xdelay=00:00:00,"
    " mailer=relay, pri=30048, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6AUH5IWt000649 Message"
    " accepted for delivery)",
    "sendmail[648]: 6AUH5IIX000648: done; delay=00:00:00, ntries=1",
    f"650 6AUH5IWt000649: to=<lin@{DOMAIN}>, {LOCAL}, {SENT}",
    "650 6AUH5IWt000649: done; delay=00:00:00, ntries=1",
)


def test_both_queues_of_a_message_that_was_written_here_are_joined() -> None:
    (stay,) = stays(SUBMITTED, "<own@test.invalid>")
    assert stay.first(Kind.HANDED_IN)
    assert [(one.queue_id, one.link) for one in stay.following] == [("6AUH5IWt000649", Link.PASSED)]


def test_name_without_a_domain_gets_the_hosts() -> None:
    text = log(
        TAKEN + FILTER,
        "591 6AUHBZG7001589: SMTP outgoing connect on mail.dc1es.tnc.edu.tw",
        f"591 6AUHBZG7001589: to=admin, {LOCAL}, {SENT}",
    )
    assert entry(text).deliveries[0].to == "admin@mail.dc1es.tnc.edu.tw"


def test_notice_to_the_sender_is_joined() -> None:
    text = log(
        TAKEN + FILTER,
        "591 6AUHBZG7001589: 6AUH5HGD000623: DSN: User unknown",
        f"591 6AUH5HGD000623: to=<chen@{DOMAIN}>, {LOCAL}, {SENT}",
    )
    (stay,) = stays(text, "<out@test.invalid>")
    assert [(one.queue_id, one.link) for one in stay.following] == [("6AUH5HGD000623", Link.NOTICE)]


@pytest.mark.parametrize(
    ("target", "mailer", "response"),
    [
        ('"|/bin/true"', "prog", "delivered to command: /bin/true"),
        ("/tmp/xfile", "*file*", "delivered to file: /tmp/xfile"),
    ],
)
def test_program_and_file_are_no_mailboxes(target: str, mailer: str, response: str) -> None:
    text = log(
        TAKEN + FILTER,
        f"591 6AUHBZG7001589: alias <prog@{DOMAIN}> => {target}",
        f"591 6AUHBZG7001589: to={target}, ctladdr=<prog@{DOMAIN}> (8/0), delay=00:00:01, xdelay=00:00:00,"
        f" mailer={mailer},"
        " pri=180323, dsn=2.0.0, stat=Sent",
    )
    (delivery,) = entry(text).deliveries
    assert (delivery.to, delivery.response, delivery.in_mailbox) == (f"prog@{DOMAIN}", response, False)


def test_extension_is_no_relay() -> None:
    text = log(
        TAKEN + FILTER,
        f"591 6AUHBZG7001589: to=<chen+foo@{DOMAIN}>, delay=00:00:02, xdelay=00:00:00, mailer=local,"
        f" pri=120303, relay=foo,"
        " dsn=2.0.0, stat=Sent",
    )
    (delivery,) = entry(text).deliveries
    assert (delivery.in_mailbox, delivery.mailbox, delivery.address) == (True, "chen", None)


def test_what_was_not_tried_is_no_delivery() -> None:
    text = log(
        TAKEN + FILTER,
        f"591 6AUHBZG7001589: to=<lin@{DOMAIN}>, delay=00:00:00, mailer=local, pri=30068, dsn=4.4.3, stat=queued",
    )
    assert entry(text).deliveries == []


def test_postfixs_lines_stay_as_they_are() -> None:
    lines = ["2026-12-01T01:05:00+08:00 mail postfix/qmgr[1]: 4jdVl92NLjz6r32: removed", "", "sm-mta[ is no line"]
    assert list(in_postfix_words(lines)) == lines


def test_message_is_followed_live() -> None:
    live = Live(owners=OWNERS)
    heard = [one for line in INBOUND.splitlines() for one in live.take("mail", line)]
    assert [one.event.kind for one in heard] == [Kind.CONNECTED, Kind.QUEUED, Kind.MAILBOX, Kind.PASSED, Kind.PASSED]
    assert {one.message.message_id for one in heard if one.message} == {"<in@test.invalid>"}
