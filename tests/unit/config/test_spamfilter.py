"""What is wrong with the filter's domain table."""

import pytest

from components.config.spamfilter import DomainRoute, SpamFilterConfig, check_spamfilter
from tests.support.problems import ids

SERVERS = {"mail": frozenset({"dc1es.tnc.edu.tw"}), "mail2": frozenset({"mail2.dc1es.tnc.edu.tw"})}


def table(*routes: tuple[str, str], mark: int = 6, hold: int = 15) -> SpamFilterConfig:
    lines = tuple(DomainRoute(domain=domain, server=server) for domain, server in routes)
    return SpamFilterConfig(domains=lines, mark_score=mark, hold_score=hold)


def test_good_table_has_no_problem() -> None:
    good = table(("DC1ES.tnc.edu.tw", "mail"), ("mail2.dc1es.tnc.edu.tw", "mail2"))
    assert check_spamfilter(good, SERVERS, "spamfilter") == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(
            table(("dc1es.tnc.edu.tw", "mail"), ("dc1es.tnc.edu.tw", "mail2")),
            ["domain-routed-twice", "route-not-taken"],
            id="to two servers",
        ),
        pytest.param(
            table(("dc1es.tnc.edu.tw", "mail"), ("Dc1es.tnc.edu.tw", "mail")), ["domain-routed-twice"], id="twice"
        ),
        pytest.param(table(("dc1es.tnc.edu.tw", "post")), ["route-to-no-server"], id="no such server"),
        pytest.param(table(("example.com", "mail")), ["route-not-taken"], id="not the server's domain"),
        pytest.param(table(mark=15, hold=15), ["bad-scores"], id="scores equal"),
        pytest.param(table(mark=0), ["bad-scores"], id="everything is marked"),
    ],
)
def test_bad_table(bad: SpamFilterConfig, expected: list[str]) -> None:
    assert ids(check_spamfilter(bad, SERVERS, "spamfilter")) == expected
