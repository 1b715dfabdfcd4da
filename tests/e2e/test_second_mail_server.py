"""mail2, the second mail server: through the spamfilter in and out, with users of its own."""

import pytest

from driver.lab import Lab
from driver.mail import envelope, received_ids, smtp, stored
from tests.support.delivered import Delivered, deliver

WENDY = "wendy@example.com"
KAO = "kao@mail2.dc1es.tnc.edu.tw"
ADMIN2 = "admin@mail2.dc1es.tnc.edu.tw"


@pytest.fixture(scope="module")
def inbound(lab: Lab) -> Delivered:
    """A message from outside to kao."""
    return deliver(lab, "outside", WENDY, KAO)


@pytest.mark.parametrize("machine", ["outside", "workstation", "spamfilter"])
def test_mx_records_of_mail2(lab: Lab, machine: str) -> None:
    answer = lab[machine].succeed("dig +short MX mail2.dc1es.tnc.edu.tw").splitlines()
    assert sorted(answer) == ["10 spamfilter.dc1es.tnc.edu.tw.", "20 mail2.dc1es.tnc.edu.tw."]


def test_address_of_mail2(lab: Lab) -> None:
    assert lab["outside"].succeed("dig +short A mail2.dc1es.tnc.edu.tw").strip() == "163.26.182.8"


def test_mail_reaches_mail2_through_the_filter(inbound: Delivered) -> None:
    assert inbound.path == ["outside", "spamfilter", "mail2"]


def test_received_headers_have_the_queue_ids(inbound: Delivered) -> None:
    assert received_ids(inbound.message) == [hop.entry.queue_id for hop in inbound.hops]


def test_body_arrives_byte_for_byte(inbound: Delivered) -> None:
    assert inbound.body == inbound.mail.stored_body


def test_main_cf_has_the_tutorials_lines(lab: Lab) -> None:
    """mydestination 不動, 就是 hostname 而已, and the relayhost."""
    lines = lab["mail2"].succeed("postconf -n mydestination relayhost").splitlines()
    assert lines == ["mydestination = $myhostname", "relayhost = [163.26.182.249]"]


def test_same_name_on_two_servers_is_two_mailboxes(lab: Lab) -> None:
    arrived = deliver(lab, "outside", WENDY, ADMIN2)
    assert arrived.path[-1] == "mail2"
    assert stored(lab["mail"], "admin", arrived.mail.message_id) == []


@pytest.mark.parametrize("alias", ["mailer-daemon", "postmaster", "root"])
def test_aliases_of_mail2_lead_to_its_own_admin(lab: Lab, alias: str) -> None:
    arrived = deliver(lab, "outside", WENDY, f"{alias}@mail2.dc1es.tnc.edu.tw", final=ADMIN2)
    assert arrived.path == ["outside", "spamfilter", "mail2"]


def test_outgoing_mail_takes_the_relayhost(lab: Lab) -> None:
    assert deliver(lab, "mail2", KAO, "tnuser@tn.edu.tw").path == ["mail2", "spamfilter", "tn"]


def test_mail_for_the_school_leaves_mail2(lab: Lab) -> None:
    """`mydestination = $myhostname`: the school's domain is not mail2's."""
    assert deliver(lab, "mail2", KAO, "admin@dc1es.tnc.edu.tw").path == ["mail2", "spamfilter", "mail"]


def test_mail_server_sends_mail_for_mail2_through_the_filter(lab: Lab) -> None:
    assert deliver(lab, "mail", "chen@dc1es.tnc.edu.tw", KAO).path == ["mail", "spamfilter", "mail2"]


@pytest.mark.parametrize("domain", ["dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw", "mail.dc1es.tnc.edu.tw"])
def test_mail2_takes_no_mail_for_the_schools_other_names(lab: Lab, domain: str) -> None:
    steps = envelope("mail.dc2es.tnc.edu.tw", "chen@dc2es.tnc.edu.tw", f"admin@{domain}")[:-1]
    reply = smtp(lab["outside"], lab["mail2"].ipv4, steps, source="163.26.1.10")[-1]
    assert (reply.code, reply.text[:9]) == (554, "554 5.7.1"), reply
