"""What the tests read in a mail log."""

from maillab.trace.maillog import Delivery, read_maillog

# One message through spamfilter's log, one held, one through an alias on mail; other programs' lines between.
LOG = """\
2026-11-22T14:23:47.787259+00:00 filter postfix/smtpd[483]: 4jXWXM5Zn7z8Yp6: client=mail.example.com[198.51.100.10]
2026-11-22T14:23:47.790822+00:00 filter postfix/cleanup[486]: 4jXWXM5Zn7z8Yp6: message-id=<a@test.invalid>
2026-11-22T14:23:47.801591+00:00 filter postfix/smtpd[485]: disconnect from mail.example.com[198.51.100.10] quit=1
2026-11-22T14:23:47.962916+00:00 filter rspamd[295]: <6f9aaa>; proxy; id: <a@test.invalid>, qid: <4jXWXM5Zn7z8Yp6>
2026-11-22T14:23:47.968755+00:00 filter postfix/qmgr[413]: 4jXWXM5Zn7z8Yp6: from=<wendy@example.com>, size=535
2026-11-22T14:23:48.110464+00:00 filter postfix/smtp[492]: 4jXWXM5Zn7z8Yp6: to=<service@dc1es.tnc.edu.tw>, \
relay=none, delay=0.5, delays=0.2/0/0.3/0, dsn=4.4.1, status=deferred (connect to 163.26.182.2[163.26.182.2]:25: no)
2026-11-22T14:23:48.210464+00:00 filter postfix/smtp[492]: 4jXWXM5Zn7z8Yp6: to=<service@dc1es.tnc.edu.tw>, \
relay=163.26.182.2[163.26.182.2]:25, delay=0.5, delays=0.26/0.02/0.03/0.19, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as 4jXWXN1CGcz8Yp4)
2026-11-22T14:23:48.210732+00:00 filter postfix/qmgr[413]: 4jXWXM5Zn7z8Yp6: removed
2026-11-22T14:23:47.970951+00:00 filter postfix/cleanup[489]: 4jXWXM5m1Xz8Yp2: milter-hold: END-OF-MESSAGE from \
mail.example.com[198.51.100.10]: Spam message quarantined; from=<wendy@example.com> to=<admin@dc1es.tnc.edu.tw>
2026-11-22T14:23:48.243321+00:00 mail postfix/local[651]: 4jXWXN1CGcz8Yp4: to=<admin@dc1es.tnc.edu.tw>, \
orig_to=<service@dc1es.tnc.edu.tw>, relay=local, delay=0.16, delays=0.12/0.01/0/0.03, dsn=2.0.0, \
status=sent (delivered to mailbox)
2026-11-22T14:23:48.265723+00:00 mail postfix/local[651]: 4jXWXN1CGcz8Yp4: to=<service@dc1es.tnc.edu.tw>, \
relay=local, delay=0.18, delays=0.12/0.01/0/0.05, dsn=2.0.0, status=sent (forwarded as 4jXWXN1p90z8Yp6)
2026-11-22T14:23:49.000000+00:00 out postfix/mail.example.com-v4/smtp[54]: 4jXWXM479vz8YnF: \
to=<nobody@dc1es.tnc.edu.tw>, relay=filter[2001:db8:182::249]:25, delay=0.5, delays=0/0/0/0, dsn=5.1.1, \
status=bounced (host filter[2001:db8:182::249] said: 550 5.1.1 <nobody@dc1es.tnc.edu.tw>: unknown (in reply to RCPT))
2026-11-22T14:23:49.100000+00:00 out postfix/qmgr[40]: 4jXWXM5hRdz8Yp1: from=<>, size=2476, nrcpt=1 (queue active)
"""
PASSED, HELD, ALIAS, BOUNCED, NULL = (
    read_maillog(LOG)[queue_id]
    for queue_id in (
        "4jXWXM5Zn7z8Yp6",
        "4jXWXM5m1Xz8Yp2",
        "4jXWXN1CGcz8Yp4",
        "4jXWXM479vz8YnF",
        "4jXWXM5hRdz8Yp1",
    )
)


def test_every_queue_id_has_an_entry() -> None:
    assert len(read_maillog(LOG)) == 5


def test_entry_has_client_sender_and_message_id() -> None:
    got = (PASSED.client, PASSED.sender, PASSED.message_id)
    assert got == ("mail.example.com[198.51.100.10]", "wendy@example.com", "<a@test.invalid>")


def test_removed() -> None:
    assert (PASSED.removed, HELD.removed) == (True, False)


def test_held() -> None:
    assert (HELD.held, PASSED.held) == (True, False)


def test_null_sender_is_not_no_sender() -> None:
    assert (NULL.sender, HELD.sender) == ("", None)


def test_tries_stand_in_their_order() -> None:
    assert [delivery.status for delivery in PASSED.deliveries] == ["deferred", "sent"]


def test_handed_on_names_the_next_hop() -> None:
    assert (PASSED.deliveries[1].address, PASSED.deliveries[1].next_queue_id) == ("163.26.182.2", "4jXWXN1CGcz8Yp4")


def test_deferred_has_no_next_hop() -> None:
    assert (PASSED.deliveries[0].address, PASSED.deliveries[0].next_queue_id) == (None, None)


def test_mailbox_is_the_end() -> None:
    delivery = ALIAS.deliveries[0]
    assert (delivery.in_mailbox, delivery.address, delivery.next_queue_id) == (True, None, None)


def test_alias_leads_on_within_the_machine() -> None:
    delivery = ALIAS.deliveries[1]
    assert (delivery.in_mailbox, delivery.address, delivery.next_queue_id) == (False, None, "4jXWXN1p90z8Yp6")


def test_recipient_is_known_by_both_addresses() -> None:
    delivery = ALIAS.deliveries[0]
    assert delivery.is_for("admin@dc1es.tnc.edu.tw")
    assert delivery.is_for("service@dc1es.tnc.edu.tw")
    assert not delivery.is_for("manager@dc1es.tnc.edu.tw")


def test_log_tag_of_a_senders_transport_is_read() -> None:
    (delivery,) = BOUNCED.deliveries
    assert (delivery.status, delivery.address) == ("bounced", "2001:db8:182::249")


def test_response_may_have_parentheses() -> None:
    assert BOUNCED.deliveries[0].response.endswith("(in reply to RCPT)")


def test_virtual_mailbox_counts() -> None:
    delivery = Delivery(
        to="a@b", orig_to="", relay="virtual", dsn="2.0.0", status="sent", response="delivered to mailbox"
    )
    assert delivery.in_mailbox
