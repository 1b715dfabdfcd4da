"""Servers that are down: other ways are found, mail waits where it should, nothing is lost, no loop lives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import (
    Message,
    data,
    envelope,
    find,
    mailbox,
    new_message,
    post,
    queue_id_of,
    queue_ids_of,
    received_by,
    smtp,
    submit,
)
from maillab.trace.hops import Hop
from tests.support.delivered import Delivered, arrived
from tests.support.mailqueue import Queued, mail_queue, wait_for_queue, wait_until_gone
from tests.support.outage import edited, machine_stopped, postfix_stopped

DOMAIN = "dc1es.tnc.edu.tw"
ADMIN, CHEN, LIN = f"admin@{DOMAIN}", f"chen@{DOMAIN}", f"lin@{DOMAIN}"
TNUSER = "tnuser@tn.edu.tw"
# Ranges that the school's firewall lets through to the mail server itself.
ALLOWED = ["moe.edu.tw", "mail8.moe.edu.tw", "mail34.moe.edu.tw", "ncku.edu.tw", "boe.tnc.edu.tw", "dc2es.tnc.edu.tw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message on its way: where it was handed in, and under which queue id."""

    mail: Message
    machine: str
    queue_id: str
    recipient: str

    def arrive(self, lab: Lab) -> Delivered:
        """The message in its mailbox, once it is there."""
        return arrived(lab, self.mail, self.wait(lab))

    def wait(self, lab: Lab) -> list[Hop]:
        """Its way, once it is in a mailbox."""
        return lab.wait_for_delivery(self.machine, self.queue_id, self.recipient)


def from_outside(lab: Lab, sender: str, recipient: str) -> Sent:
    mail = new_message(sender, recipient)
    queue_id = post(lab, "outside", sender, recipient, mail)
    return Sent(mail=mail, machine="outside", queue_id=queue_id, recipient=recipient)


def from_school(lab: Lab, sender: str, recipient: str) -> Sent:
    mail = new_message(sender, recipient)
    queue_id = submit(lab, "mail", sender, recipient, mail)
    return Sent(mail=mail, machine="mail", queue_id=queue_id, recipient=recipient)


@pytest.fixture(scope="module")
def while_filter_refused(lab: Lab) -> dict[str, Delivered]:
    """Messages from every allowed range, sent and delivered while the filter refused connections."""
    with postfix_stopped(lab["spamfilter"]):
        sent = {domain: from_outside(lab, f"chen@{domain}", ADMIN) for domain in ALLOWED}
        return {domain: one.arrive(lab) for domain, one in sent.items()}


@pytest.mark.parametrize("domain", ALLOWED)
def test_sender_takes_the_second_mx(while_filter_refused: dict[str, Delivered], domain: str) -> None:
    assert while_filter_refused[domain].path == ["outside", "mail"]


def test_sender_tried_the_filter_first(lab: Lab, while_filter_refused: dict[str, Delivered]) -> None:
    delivery = while_filter_refused["dc2es.tnc.edu.tw"].hops[0].delivery
    assert delivery is not None
    assert delivery.relay == "mail.dc1es.tnc.edu.tw[163.26.182.2]:25"
    refusal = r"dc2es.tnc.edu.tw/smtp\[[0-9]*\]: connect to spamfilter.dc1es.tnc.edu.tw\[163.26.182.249\]:25: "
    lab["outside"].succeed(f"grep '{refusal}Connection refused' /var/log/mail.log")


def test_message_by_the_second_mx_is_unchanged(while_filter_refused: dict[str, Delivered]) -> None:
    delivered = while_filter_refused["moe.edu.tw"]
    assert delivered.body == delivered.mail.stored_body
    assert received_by(delivered.message) == ["mail.example.com", "mail.dc1es.tnc.edu.tw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOff:
    """What happened while the filter's machine was switched off, and when it was back."""

    inbound: Delivered
    seconds: float
    waiting: Queued
    outbound: Delivered


@pytest.fixture(scope="module")
def filter_off(lab: Lab) -> FilterOff:
    """A message in and a message out while the filter's machine is switched off."""
    with machine_stopped(lab, "spamfilter"):
        started = time.monotonic()
        going_out = from_school(lab, CHEN, TNUSER)
        inbound = from_outside(lab, "chen@dc2es.tnc.edu.tw", ADMIN).arrive(lab)
        seconds = time.monotonic() - started
        waiting = wait_for_queue(lab["mail"], going_out.queue_id, "deferred")
    lab["mail"].succeed("postqueue -f")
    return FilterOff(inbound=inbound, seconds=seconds, waiting=waiting, outbound=going_out.arrive(lab))


def test_sender_takes_the_second_mx_when_the_filter_is_switched_off(filter_off: FilterOff) -> None:
    assert filter_off.inbound.path == ["outside", "mail"]


def test_a_silent_filter_costs_its_time_out_only(filter_off: FilterOff) -> None:
    """3 s for each of its two addresses (smtp_connect_timeout), and what the machines need."""
    assert filter_off.seconds < 30


def test_outgoing_mail_waits_for_the_relayhost(filter_off: FilterOff) -> None:
    """Never straight to the outside: only the filter is asked."""
    assert filter_off.waiting.recipients == (TNUSER,)
    assert "163.26.182.249" in filter_off.waiting.reasons[0]


def test_waiting_outgoing_mail_takes_the_relayhost_when_it_is_back(filter_off: FilterOff) -> None:
    assert filter_off.outbound.path == ["mail", "spamfilter", "tn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOff:
    """What waited on the filter while the mail server was down, and what came of it."""

    waiting: list[Queued]
    delivered: list[Delivered]


RECIPIENTS = [ADMIN, CHEN, LIN, f"wang@{DOMAIN}", f"chen@dns.{DOMAIN}"]


@pytest.fixture(scope="module", params=["refusing", "switched-off"])
def server_off(lab: Lab, request: pytest.FixtureRequest) -> ServerOff:
    """Messages from outside while the mail server refuses connections, or does not answer at all."""
    outage = postfix_stopped(lab["mail"]) if request.param == "refusing" else machine_stopped(lab, "mail")
    with outage:
        sent = [from_outside(lab, "wendy@example.com", recipient) for recipient in RECIPIENTS]
        ids = [queue_id_of(lab, "spamfilter", one.mail.message_id) for one in sent]
        waiting = [wait_for_queue(lab["spamfilter"], queue_id, "deferred") for queue_id in ids]
    lab["spamfilter"].succeed("postqueue -f")
    for one in sent:
        one.wait(lab)
    wait_until_gone([lab[name] for name in ("outside", "spamfilter", "mail")], *RECIPIENTS)
    return ServerOff(waiting=waiting, delivered=[one.arrive(lab) for one in sent])


def test_filter_keeps_what_the_mail_server_cannot_take(server_off: ServerOff) -> None:
    assert [entry.recipients for entry in server_off.waiting] == [(recipient,) for recipient in RECIPIENTS]
    assert all("163.26.182.2" in entry.reasons[0] for entry in server_off.waiting)


def test_nothing_is_lost_and_nothing_doubled(server_off: ServerOff) -> None:
    """`arrived` has found each exactly once in its mailbox, when nothing was on its way any more."""
    assert [one.path for one in server_off.delivered] == [["outside", "spamfilter", "mail"]] * len(RECIPIENTS)
    assert all(one.body == one.mail.stored_body for one in server_off.delivered)


def test_queue_of_the_filter_is_rid_of_them(lab: Lab, server_off: ServerOff) -> None:
    left = {entry.queue_id for entry in mail_queue(lab["spamfilter"])}
    assert left.isdisjoint(entry.queue_id for entry in server_off.waiting)


def test_mail2_is_served_while_the_mail_server_is_down(lab: Lab) -> None:
    with postfix_stopped(lab["mail"]):
        sent = from_outside(lab, "wendy@example.com", f"kao@mail2.{DOMAIN}")
        assert sent.arrive(lab).path == ["outside", "spamfilter", "mail2"]


def test_filter_keeps_what_goes_to_a_dead_server_outside(lab: Lab) -> None:
    with postfix_stopped(lab["tn"]):
        sent = from_school(lab, CHEN, TNUSER)
        waiting = wait_for_queue(lab["spamfilter"], queue_id_of(lab, "spamfilter", sent.mail.message_id), "deferred")
    assert "Connection refused" in waiting.reasons[0]
    lab["spamfilter"].succeed("postqueue -f")
    assert sent.arrive(lab).path == ["mail", "spamfilter", "tn"]


@contextmanager
def name_server_stopped(lab: Lab) -> Iterator[None]:
    """The school's name server is down, and the outside has forgotten what it said."""
    lab["dns"].succeed("service named stop")
    try:
        lab["internet"].succeed("rndc flush")
        yield
    finally:
        lab["dns"].succeed("service named start")
        lab["dns"].wait_until_succeeds(f"dig +short +time=1 +tries=1 @127.0.0.1 SOA {DOMAIN} | grep -q .")
        lab["internet"].succeed("rndc flush")
        lab["internet"].wait_until_succeeds(f"dig +short @127.0.0.1 MX {DOMAIN} | grep -q spamfilter")


def test_sender_keeps_mail_for_a_school_without_its_name_server(lab: Lab) -> None:
    with name_server_stopped(lab):
        sent = from_outside(lab, "wendy@example.com", CHEN)
        waiting = wait_for_queue(lab["outside"], sent.queue_id, "deferred", timeout=60)
    assert "Host or domain name not found" in waiting.reasons[0]
    lab["outside"].succeed("postqueue -f")
    assert sent.arrive(lab).path == ["outside", "spamfilter", "mail"]


@pytest.fixture
def strange_domain(lab: Lab) -> Iterator[str]:
    """A domain that the filter brings to the mail server, and the mail server does not know: somebody's slip."""
    domain, filter_ = f"strange.{DOMAIN}", lab["spamfilter"]
    folder = "/etc/maillab/current/etc/postfix"
    paths = [f"{folder}/{name}" for name in ("main.cf", "transport", "relay_recipients")]
    with edited(filter_, "postfix reload", *paths):
        filter_.succeed(f'postconf -e "relay_domains = $(postconf -h relay_domains), {domain}"')
        filter_.succeed(f"echo '{domain} smtp:[{lab['mail'].ipv4}]' >>{folder}/transport")
        filter_.succeed(f"echo 'chen@{domain} mail' >>{folder}/relay_recipients")
        filter_.succeed("postfix reload")
        yield domain


def hand_to_filter(lab: Lab, recipient: str) -> tuple[Message, str]:
    """A message that a server outside brings to the filter, whatever DNS says of its domain; its queue id there."""
    mail = new_message("wendy@example.com", recipient)
    steps = [*envelope("mail.example.com", "wendy@example.com", recipient), data(mail), "QUIT"]
    return mail, smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].queue_id


def test_loop_between_filter_and_mail_server_ends_at_once(lab: Lab, strange_domain: str) -> None:
    """The mail server does not take what it would have to give back: no round at all, let alone 24."""
    mail, queue_id = hand_to_filter(lab, f"chen@{strange_domain}")
    wait_until("the end of it", lambda: lab.entry("spamfilter", queue_id).removed)
    (delivery,) = lab.entry("spamfilter", queue_id).deliveries
    assert delivery.status == "bounced"
    assert "554 5.7.1" in delivery.response
    assert queue_ids_of(lab, "spamfilter", mail.message_id) == [queue_id]
    assert queue_ids_of(lab, "mail", mail.message_id) == []


def test_sender_is_told_of_the_loop(lab: Lab, strange_domain: str) -> None:
    mail, _ = hand_to_filter(lab, f"chen@{strange_domain}")
    (bounce,) = bounces(lab, "outside", "example.com", mail)
    assert "Relay access denied" in bounce


def bounces(lab: Lab, machine: str, box: str, mail: Message) -> list[str]:
    """The bounces of a message that are in a mailbox, once there is one."""
    return wait_until(
        f"a bounce of {mail.message_id}",
        lambda: [str(message) for message in mailbox(lab[machine], box) if mail.message_id in str(message)],
    )


@pytest.fixture
def forward_back(lab: Lab) -> Iterator[None]:
    """tnuser forwards his mail to service@, which has him among its three: round and round."""
    lab["tn"].succeed(f"echo service@{DOMAIN} >/home/tnuser/.forward && chown tnuser /home/tnuser/.forward")
    try:
        yield
    finally:
        lab["tn"].succeed("rm /home/tnuser/.forward")


@pytest.mark.usefixtures("forward_back")
def test_forwarding_loop_between_two_schools_ends(lab: Lab) -> None:
    """The second time round, local(8) finds its own Delivered-To header: one message for each, and a bounce."""
    mail = from_school(lab, CHEN, f"service@{DOMAIN}").mail
    (bounce,) = bounces(lab, "mail", "chen", mail)
    assert f"mail forwarding loop for service@{DOMAIN}" in bounce
    assert [len(find(lab["mail"], user, mail.message_id)) for user in ("admin", "manager")] == [1, 1]
