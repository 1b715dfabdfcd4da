"""A receiver that checks the names of its clients: whose address has one, and what becomes of the others' mail."""

from ipaddress import ip_address

import pytest

from maillab.verify.cells import sources
from maillab.verify.client_names import named_clients
from tests.unit.labs import Data, Model, machine, model, school

OUT = ("admin@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw")
FILTER = {"163.26.182.249", "2001:db8:182::249"}


def strict(data: Data) -> None:
    data["internet"]["mail"]["checks_client_names"] = True


def other_name(data: Data) -> None:
    """The reverse zones have the filter by a name that has no address."""
    strict(data)
    machine(data, "spamfilter")["hostname"] = "filter"


def without_ipv4(data: Data) -> None:
    """The name has no IPv4 address, and in the zone above a copy of nothing."""
    strict(data)
    zone = school(data)["zone"]
    zone["records"] = [line for line in zone["records"] if line.split() != ["spamfilter", "A", "163.26.182.249"]]


def nameless(given: Model) -> set[str]:
    named = named_clients(given.plans)
    return {str(source.address) for source in sources(given.plans) if source.address not in named}


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_everybody_in_the_lab_has_a_name(stack: str) -> None:
    given = model(stack=stack)
    assert ip_address("198.51.100.66") in named_clients(given.plans)
    assert nameless(given) == set()


def test_name_must_lead_back() -> None:
    assert nameless(model(other_name)) == FILTER
    assert nameless(model(without_ipv4)) == {"163.26.182.249"}


def test_pointer_in_another_zone_is_no_name_of_an_address() -> None:
    def services(data: Data) -> None:
        strict(data)
        school(data)["zone"]["records"].append("_http._tcp PTR mail")

    assert nameless(model(services)) == set()


def test_named_senders_are_let_in() -> None:
    given = model(strict)
    assert given.ways(*OUT) == {"workstation → mail → spamfilter → tn: in the mailbox tnuser"}
    assert given.ways("verify+v6@example.com", OUT[1]) == {"outside → tn: in the mailbox tnuser"}


def test_mail_of_who_has_no_name_waits() -> None:
    given = model(other_name)
    assert given.ways(*OUT) == {"workstation → mail → spamfilter: waits in the queue"}
    answers = {address: given.post.servers.refusal("tn", ip_address(address), OUT[1]) for address in FILTER}
    assert answers == dict.fromkeys(FILTER, "4.7.25")


def test_other_family_is_tried_next() -> None:
    assert model(without_ipv4).ways(*OUT) == {"workstation → mail → spamfilter → tn: in the mailbox tnuser"}


def test_nobody_is_asked_for_a_name_by_itself() -> None:
    def lonely(data: Data) -> None:
        other_name(data)
        data["internet"]["mail"]["checks_client_names"] = False

    assert model(lonely).ways(*OUT) == {"workstation → mail → spamfilter → tn: in the mailbox tnuser"}
    assert model(other_name).post.servers.refusal("tn", ip_address("127.0.0.1"), OUT[1]) == ""
