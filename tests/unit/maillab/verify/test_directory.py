"""What DNS says of mail, from the configuration."""

from ipaddress import ip_address

import pytest

from maillab.verify.directory import Directory
from tests.unit.labs import Model, model, school

FILTER = ["163.26.182.249", "2001:db8:182::249"]
MAIL = ["163.26.182.2", "2001:db8:182::2"]
MAIL2 = ["163.26.182.8", "2001:db8:182::8"]


@pytest.mark.parametrize(
    ("domain", "servers"),
    [
        pytest.param("dc1es.tnc.edu.tw", [*FILTER, *MAIL], id="the school: MX 0 and 10"),
        pytest.param("dns.dc1es.tnc.edu.tw", [*FILTER, *MAIL], id="the name server's users"),
        pytest.param("mail2.dc1es.tnc.edu.tw", [*FILTER, *MAIL2], id="the second server: MX 10 and 20"),
        pytest.param("mail.dc1es.tnc.edu.tw", MAIL, id="no MX: its own server (RFC 5321)"),
        pytest.param("tn.edu.tw", ["203.68.102.25", "2001:db8:203::25"], id="the other domain"),
        pytest.param("example.com", ["198.51.100.10", "2001:db8:198::10"], id="a sender's domain"),
        pytest.param("mail.example.com", ["198.51.100.10", "2001:db8:198::10"], id="a sender's host"),
        pytest.param("nowhere.example.org", [], id="unknown"),
    ],
)
def test_servers_of_a_domain_best_first(tutorial: Model, domain: str, servers: list[str]) -> None:
    assert [str(address) for _, address in tutorial.post.directory.servers(domain)] == servers


def test_servers_have_their_preferences(tutorial: Model) -> None:
    assert [preference for preference, _ in tutorial.post.directory.servers("mail2.dc1es.tnc.edu.tw")] == [
        10,
        10,
        20,
        20,
    ]


def with_records(*records: str) -> Directory:
    """The tutorial's school with further records in its zone."""
    return model(lambda data: school(data)["zone"]["records"].extend(records)).post.directory


def test_names_have_no_case() -> None:
    found = with_records("Loud MX 0 SpamFilter", "Loud MX 10 MAIL.DC1ES.tnc.edu.tw.").servers("loud.dc1es.tnc.edu.tw")
    assert [str(address) for _, address in found] == [*FILTER, *MAIL]


@pytest.mark.parametrize(
    ("records", "servers"),
    [
        pytest.param(["www CNAME mail"], MAIL, id="to a host"),
        pytest.param(["www CNAME Mail2.dc1es.tnc.edu.tw."], [*FILTER, *MAIL2], id="to a mail domain"),
        pytest.param(["www CNAME old", "old CNAME mail"], MAIL, id="twice"),
        pytest.param(["www CNAME old", "old CNAME mail2"], [*FILTER, *MAIL2], id="twice, to a mail domain"),
        pytest.param(["www CNAME example.com."], ["198.51.100.10", "2001:db8:198::10"], id="outside"),
        pytest.param(["www CNAME old", "old CNAME www"], [], id="round"),
    ],
)
def test_other_name_has_the_servers_of_the_name_it_stands_for(records: list[str], servers: list[str]) -> None:
    found = with_records(*records).servers("www.dc1es.tnc.edu.tw")
    assert [str(address) for _, address in found] == servers


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("163.26.182.249", "spamfilter"),
        ("163.26.182.254", "router"),
        ("2001:db8:113::254", "router"),
        ("140.116.2.10", "outside"),
        ("203.0.113.53", "internet"),
    ],
)
def test_address_has_an_owner(tutorial: Model, address: str, owner: str) -> None:
    assert tutorial.post.directory.owners[ip_address(address)] == owner
