"""The tutorial's six steps from client to client, in both directions, with the path proven at each hop."""

import pytest

from driver.lab import Lab
from driver.mail import received_by, received_ids
from tests.support.delivered import Delivered, deliver

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
TNUSER = "tnuser@tn.edu.tw"


@pytest.fixture(scope="module")
def inbound(lab: Lab) -> Delivered:
    """A message from a client outside to one in the school."""
    return deliver(lab, "outside", WENDY, ADMIN)


@pytest.fixture(scope="module")
def outbound(lab: Lab) -> Delivered:
    """A message from a client in the school to one outside."""
    return deliver(lab, "mail", ADMIN, TNUSER)


def test_mail_from_outside_takes_the_mx_chain(inbound: Delivered) -> None:
    assert inbound.path == ["outside", "spamfilter", "mail"]


def test_mail_to_the_outside_takes_the_relayhost(outbound: Delivered) -> None:
    assert outbound.path == ["mail", "spamfilter", "tn"]


def test_mail_server_asks_no_mx_for_outgoing_mail(outbound: Delivered) -> None:
    """`relayhost = [163.26.182.249]`: the address in brackets, not a name that DNS gave."""
    delivery = outbound.hops[0].delivery
    assert delivery is not None
    assert delivery.relay == "163.26.182.249[163.26.182.249]:25"


@pytest.mark.parametrize(
    ("machine", "domain", "answer"),
    [
        pytest.param(
            "outside",
            "dc1es.tnc.edu.tw",
            ["0 spamfilter.dc1es.tnc.edu.tw.", "10 mail.dc1es.tnc.edu.tw."],
            id="school-asked-outside",
        ),
        pytest.param(
            "outside",
            "dns.dc1es.tnc.edu.tw",
            ["0 spamfilter.dc1es.tnc.edu.tw.", "10 mail.dc1es.tnc.edu.tw."],
            id="name-server-asked-outside",
        ),
        pytest.param("spamfilter", "tn.edu.tw", ["10 mail.tn.edu.tw."], id="tn-asked-by-the-filter"),
    ],
)
def test_mx_answer(lab: Lab, machine: str, domain: str, answer: list[str]) -> None:
    assert sorted(lab[machine].succeed(f"dig +short MX {domain}").splitlines()) == answer


def test_each_hop_took_it_from_the_hop_before(lab: Lab, either: Delivered) -> None:
    clients = [hop.entry.client for hop in either.hops[1:]]
    for client, before in zip(clients, either.path, strict=False):
        assert client.partition("[")[2].rstrip("]") in _addresses(lab, before)


def _addresses(lab: Lab, machine: str) -> list[str]:
    return lab[machine].succeed('ip -o address show scope global | awk \'{sub("/.*", "", $4); print $4}\'').split()


def test_each_hop_is_rid_of_it(lab: Lab, either: Delivered) -> None:
    entries = [lab.entry(hop.machine, hop.entry.queue_id) for hop in either.hops]
    assert [entry.removed for entry in entries] == [True, True, True]


def test_each_hop_wrote_a_received_header_with_its_queue_id(either: Delivered) -> None:
    assert received_ids(either.message) == [hop.entry.queue_id for hop in either.hops]


@pytest.mark.parametrize(
    ("direction", "names"),
    [
        ("inbound", ["mail.example.com", "spamfilter.dc1es.tnc.edu.tw", "mail.dc1es.tnc.edu.tw"]),
        ("outbound", ["mail.dc1es.tnc.edu.tw", "spamfilter.dc1es.tnc.edu.tw", "mail.tn.edu.tw"]),
    ],
)
def test_received_headers_name_the_hops(request: pytest.FixtureRequest, direction: str, names: list[str]) -> None:
    delivered: Delivered = request.getfixturevalue(direction)
    assert received_by(delivered.message) == names


def test_body_arrives_byte_for_byte(either: Delivered) -> None:
    assert either.body == either.mail.stored_body


def test_headers_of_the_writer_arrive_byte_for_byte(either: Delivered) -> None:
    written = either.mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line for line in written if line not in either.header] == []


@pytest.mark.parametrize(("direction", "sender"), [("inbound", WENDY), ("outbound", ADMIN)])
def test_return_path_is_the_envelope_sender(request: pytest.FixtureRequest, direction: str, sender: str) -> None:
    delivered: Delivered = request.getfixturevalue(direction)
    assert delivered.message["Return-Path"] == f"<{sender}>"


@pytest.mark.parametrize(
    ("direction", "client", "server", "login"),
    [
        pytest.param("inbound", "workstation", "mail", "admin lab-admin-2006", id="in-the-school"),
        pytest.param("outbound", "outside", "tn", "tnuser tn-lab-3141", id="outside"),
    ],
)
def test_pop3_gives_the_message_to_the_client(
    lab: Lab, *, request: pytest.FixtureRequest, direction: str, client: str, server: str, login: str
) -> None:
    delivered: Delivered = request.getfixturevalue(direction)
    listed = lab[client].succeed(f"pop3-fetch --server {lab[server].ipv4} --list {login}").splitlines()
    assert [line.split()[2] for line in listed].count(delivered.mail.message_id) == 1


def test_pop3_refuses_a_wrong_password(lab: Lab) -> None:
    fetch = f"pop3-fetch --server {lab['mail'].ipv4} --list admin"
    assert "-ERR" in lab["workstation"].fail(f"{fetch} wrong")
    lab["workstation"].succeed(f"{fetch} lab-admin-2006")


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_both_families_carry_the_mail_in(lab: Lab, family: str) -> None:
    """The sender `…+v6@` has no IPv4."""
    taken = deliver(lab, "outside", f"wendy+{family}@example.com", ADMIN).hops[0].delivery
    assert taken is not None
    assert taken.address == {"v4": lab["spamfilter"].ipv4, "v6": lab["spamfilter"].ipv6}[family]


@pytest.fixture(scope="module", params=["chen@dns.dc1es.tnc.edu.tw", "chen@DC1ES.tnc.edu.tw", "Chen@dc1es.tnc.edu.tw"])
def other_form(lab: Lab, request: pytest.FixtureRequest) -> Delivered:
    """A message from outside to another form of chen's address."""
    return deliver(lab, "outside", WENDY, request.param)


def test_other_forms_of_the_address_take_the_mx_chain_too(other_form: Delivered) -> None:
    assert other_form.path == ["outside", "spamfilter", "mail"]


def test_other_forms_of_the_address_have_a_received_header_of_each_hop(other_form: Delivered) -> None:
    assert received_ids(other_form.message) == [hop.entry.queue_id for hop in other_form.hops]


def test_body_to_other_forms_of_the_address_arrives_byte_for_byte(other_form: Delivered) -> None:
    assert other_form.body == other_form.mail.stored_body


@pytest.mark.parametrize("host", ["dc1es", "mail.dc1es", "dns.dc1es"])
def test_mail_within_the_school_stays_on_the_mail_server(lab: Lab, host: str) -> None:
    assert deliver(lab, "mail", ADMIN, f"lin@{host}.tnc.edu.tw").path == ["mail"]


@pytest.mark.parametrize(
    "domain",
    [
        "example.com",
        "bulk.example.net",
        "moe.edu.tw",
        "mail8.moe.edu.tw",
        "mail34.moe.edu.tw",
        "ncku.edu.tw",
        "boe.tnc.edu.tw",
        "dc2es.tnc.edu.tw",
    ],
)
def test_every_sender_outside_comes_from_its_own_address(lab: Lab, domain: str) -> None:
    host, _, address = deliver(lab, "outside", f"wendy@{domain}", ADMIN).hops[1].entry.client.partition("[")
    assert host.endswith(domain)
    assert lab["internet"].succeed(f"dig +short -x {address.rstrip(']')} @127.0.0.1").strip() == f"{host}."
