"""What each mail server knows of its own mail and its clients."""

from ipaddress import ip_address

import pytest

from maillab.verify.servers import Servers, domain_of
from tests.unit.labs import Model


@pytest.fixture(scope="module")
def servers(tutorial: Model) -> Servers:
    """The tutorial's."""
    return Servers(tutorial.lab, tutorial.plans)


def test_domain_has_no_case() -> None:
    assert domain_of("Chen@DC1ES.tnc.edu.tw") == "dc1es.tnc.edu.tw"


@pytest.mark.parametrize(
    ("machine", "recipient", "known"),
    [
        pytest.param("mail", "chen@dc1es.tnc.edu.tw", True, id="user"),
        pytest.param("mail", "CHEN@dns.dc1es.tnc.edu.tw", True, id="user of the name server"),
        pytest.param("mail", "service@mail.dc1es.tnc.edu.tw", True, id="alias"),
        pytest.param("mail", "nobody-here@dc1es.tnc.edu.tw", False, id="nobody"),
        pytest.param("mail", "kao@mail2.dc1es.tnc.edu.tw", None, id="another server's"),
        pytest.param("mail2", "kao@mail2.dc1es.tnc.edu.tw", True, id="the second server's"),
        pytest.param("mail2", "admin@dc1es.tnc.edu.tw", None, id="the first server's"),
        pytest.param("spamfilter", "chen@dc1es.tnc.edu.tw", True, id="filter: a server's user"),
        pytest.param("spamfilter", "service@dns.dc1es.tnc.edu.tw", True, id="filter: a server's alias"),
        pytest.param("spamfilter", "chen@mail2.dc1es.tnc.edu.tw", False, id="filter: the other server's user"),
        pytest.param("spamfilter", "chen@mail.dc1es.tnc.edu.tw", None, id="filter: not in its table"),
        pytest.param("tn", "tnuser@tn.edu.tw", True, id="outside: user"),
        pytest.param("tn", "chen@tn.edu.tw", False, id="outside: nobody"),
        pytest.param("tn", "chen@dc1es.tnc.edu.tw", None, id="outside: a school's"),
        pytest.param("outside", "anybody@mail.ncku.edu.tw", True, id="senders: everybody"),
        pytest.param("workstation", "chen@dc1es.tnc.edu.tw", None, id="no mail server"),
    ],
)
def test_whose_mail_a_server_has(servers: Servers, machine: str, recipient: str, known: bool | None) -> None:
    assert servers.takes(machine, recipient) is known


SCHOOL, FILTER, COUNTY = ["163.26.182.100", "2001:db8:182::8"], ["163.26.182.249", "2001:db8:182::249"], "163.26.1.10"


@pytest.mark.parametrize(
    ("machine", "trusted", "strange"),
    [
        # Mail that the filter brings for a strange domain would go back to it by the relayhost, round and round.
        pytest.param("mail", [*SCHOOL, "127.0.0.1", "::1"], [*FILTER, COUNTY, "198.51.100.10"], id="mail server"),
        pytest.param("spamfilter", [*SCHOOL, *FILTER, "127.0.0.1", "::1"], [COUNTY, "2001:db8:198::10"], id="filter"),
        pytest.param("tn", ["127.0.0.1", "::1"], [*SCHOOL, "203.68.102.10"], id="other domain"),
    ],
)
def test_who_may_send_through(servers: Servers, machine: str, trusted: list[str], strange: list[str]) -> None:
    found = {address: servers.trusts(machine, ip_address(address)) for address in [*trusted, *strange]}
    assert found == dict.fromkeys(trusted, True) | dict.fromkeys(strange, False)
