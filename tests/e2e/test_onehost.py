"""The tutorial's own layout: `dns` is name server and mail server, and the filter stands before it."""

import pytest

from driver.lab import Lab
from driver.mail import envelope, received_ids, smtp
from tests.support.delivered import Delivered, deliver
from tests.support.mailqueue import wait_for_queue
from tests.support.outage import postfix_stopped

DOMAIN = "dc1es.tnc.edu.tw"
WENDY, ADMIN, TNUSER = "wendy@example.com", f"admin@{DOMAIN}", "tnuser@tn.edu.tw"
SERVICE = [ADMIN, f"manager@{DOMAIN}", TNUSER]


@pytest.fixture(scope="module")
def inbound(onehost: Lab) -> Delivered:
    """A message from a client outside to one in the school."""
    return deliver(onehost, "outside", WENDY, ADMIN)


@pytest.fixture(scope="module")
def outbound(onehost: Lab) -> Delivered:
    """A message from a client in the school to one outside."""
    return deliver(onehost, "dns", ADMIN, TNUSER)


def test_mail_from_outside_takes_the_mx_chain(inbound: Delivered) -> None:
    assert inbound.path == ["outside", "spamfilter", "dns"]


def test_mail_to_the_outside_takes_the_relayhost(outbound: Delivered) -> None:
    assert outbound.path == ["dns", "spamfilter", "tn"]


def test_body_arrives_byte_for_byte(either: Delivered) -> None:
    assert either.body == either.mail.stored_body


def test_each_hop_wrote_a_received_header_with_its_queue_id(either: Delivered) -> None:
    assert received_ids(either.message) == [hop.entry.queue_id for hop in either.hops]


def test_pop3_gives_the_message_to_the_client(onehost: Lab, inbound: Delivered) -> None:
    fetch = f"pop3-fetch --server {onehost['dns'].ipv4} --list admin lab-admin-2006"
    listed = onehost["workstation"].succeed(fetch).splitlines()
    assert [line.split()[2] for line in listed].count(inbound.mail.message_id) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (f"MX {DOMAIN}", [f"0 spamfilter.{DOMAIN}.", f"10 mail.{DOMAIN}."]),
        (f"MX dns.{DOMAIN}", [f"0 spamfilter.{DOMAIN}.", f"10 dns.{DOMAIN}."]),
        (f"MX mail2.{DOMAIN}", [f"10 spamfilter.{DOMAIN}.", f"20 mail2.{DOMAIN}."]),
        (f"NS {DOMAIN}", [f"dns.{DOMAIN}."]),
        (f"A {DOMAIN}", ["163.26.182.1"]),
        (f"A dns.{DOMAIN}", ["163.26.182.1"]),
        (f"A mail.{DOMAIN}", ["163.26.182.1"]),
        (f"A mail2.{DOMAIN}", ["163.26.182.8"]),
        (f"A spamfilter.{DOMAIN}", ["163.26.182.249"]),
        (f"A sapmfilter.{DOMAIN}", []),
    ],
)
def test_record_as_printed_with_its_typing_errors_mended(onehost: Lab, question: str, answer: list[str]) -> None:
    kind, name = question.split()
    assert sorted(onehost["outside"].succeed(f"dig +short {kind} {name}").splitlines()) == answer


def test_soa_as_printed(onehost: Lab) -> None:
    soa = onehost["outside"].succeed(f"dig +short SOA {DOMAIN}").split()
    assert soa == [f"dns.{DOMAIN}.", f"admin.dns.{DOMAIN}.", "2006030801", "86400", "1800", "1728000", "1200"]


def test_main_cf_has_the_tutorials_lines(onehost: Lab) -> None:
    lines = onehost["dns"].succeed("postconf -n mydestination inet_protocols relayhost").splitlines()
    assert lines == [
        "mydestination = $myhostname, $mydomain, mail.$mydomain",
        "inet_protocols = ipv4, ipv6",
        "relayhost = [163.26.182.249]",
    ]


@pytest.mark.parametrize("host", ["", "dns.", "mail."])
def test_mail_within_the_school_stays_on_the_server(onehost: Lab, host: str) -> None:
    assert deliver(onehost, "dns", ADMIN, f"lin@{host}{DOMAIN}").path == ["dns"]


def test_mail_for_the_hosts_own_name_takes_the_mx_chain(onehost: Lab) -> None:
    assert deliver(onehost, "outside", WENDY, f"chen@dns.{DOMAIN}").path == ["outside", "spamfilter", "dns"]


@pytest.mark.parametrize("alias", ["postmaster", "webmaster", "clamav", "root", "abuse", "security", "yh"])
def test_alias_leads_to_admin(onehost: Lab, alias: str) -> None:
    delivered = deliver(onehost, "outside", WENDY, f"{alias}@{DOMAIN}", final=ADMIN)
    assert delivered.path == ["outside", "spamfilter", "dns"]


@pytest.mark.parametrize("name", ["abuse", "security", "yh"])
def test_account_behind_an_alias_keeps_nothing(onehost: Lab, name: str) -> None:
    deliver(onehost, "dns", ADMIN, f"{name}@{DOMAIN}", final=ADMIN)
    assert onehost["dns"].get(f"/var/mail/{name}") == b""


@pytest.mark.parametrize("final", SERVICE)
def test_service_leads_to_three(onehost: Lab, final: str) -> None:
    delivered = deliver(onehost, "outside", WENDY, f"service@{DOMAIN}", final=final)
    after = ["dns", "spamfilter", "tn"] if final == TNUSER else []
    assert delivered.path == ["outside", "spamfilter", "dns", *after]


def test_mail2_stands_beside_it(onehost: Lab) -> None:
    assert deliver(onehost, "outside", WENDY, f"kao@mail2.{DOMAIN}").path == ["outside", "spamfilter", "mail2"]


@pytest.mark.parametrize(("recipient", "code"), [(f"nobody-has-this-name@{DOMAIN}", 550), ("a@example.net", 554)])
@pytest.mark.parametrize("server", ["dns", "spamfilter"])
def test_refusals(onehost: Lab, server: str, recipient: str, code: int) -> None:
    steps = envelope("mail.dc2es.tnc.edu.tw", "chen@dc2es.tnc.edu.tw", recipient)[:-1]
    assert smtp(onehost["outside"], onehost[server].ipv4, steps, source="163.26.1.10")[-1].code == code


def test_sender_takes_the_second_mx_when_the_filter_is_down(onehost: Lab) -> None:
    with postfix_stopped(onehost["spamfilter"]):
        assert deliver(onehost, "outside", "chen@dc2es.tnc.edu.tw", ADMIN).path == ["outside", "dns"]


def test_outgoing_mail_waits_for_the_filter(onehost: Lab) -> None:
    with postfix_stopped(onehost["spamfilter"]):
        steps = [*envelope("workstation.dc1es.tnc.edu.tw", ADMIN, TNUSER), b"Subject: later\r\n\r\nlater\r\n.\r\n"]
        queue_id = smtp(onehost["workstation"], onehost["dns"].ipv4, steps)[-1].queue_id
        wait_for_queue(onehost["dns"], queue_id, "deferred")
    onehost["dns"].succeed("postqueue -f")
    hops = onehost.wait_for_delivery("dns", queue_id, TNUSER)
    assert [hop.machine for hop in hops] == ["dns", "spamfilter", "tn"]
