"""Where the aliases of a school's mail servers lead: on one server, and over two."""

import pytest

from components.checks.aliases import MailServer, check_aliases
from components.config.mail import MailServerConfig, User
from tests.support.problems import ids

DOMAIN = "dc1es.tnc.edu.tw"
MAIL2 = f"mail2.{DOMAIN}"


def server(*aliases: str, name: str = "mail", domains: tuple[str, ...] = (DOMAIN, f"mail.{DOMAIN}")) -> MailServer:
    """A server with the user admin."""
    config = MailServerConfig(mydestination=domains, users=(User(name="admin", password="x"),), aliases=aliases)
    return MailServer(name=name, config=config, domains=frozenset(domains), where=name)


def mail2(*aliases: str) -> MailServer:
    return server(*aliases, name="mail2", domains=(MAIL2,))


@pytest.mark.parametrize(
    "good",
    [
        pytest.param([server("root: admin", "postmaster: root")], id="chain"),
        pytest.param([server("admin: admin, tnuser@tn.edu.tw")], id="a copy for oneself is no loop"),
        pytest.param([server(f"admin: admin@{DOMAIN}, tnuser@tn.edu.tw")], id="a copy for oneself, with domain"),
        pytest.param([server("yh: yh@example.com")], id="an address elsewhere may have the same name"),
        pytest.param([server(f"yh: admin@{DOMAIN}")], id="own domain"),
        pytest.param([server("yh: ADMIN@DC1ES.tnc.edu.tw")], id="in capital letters"),
        pytest.param([server("yh: root")], id="system account"),
        pytest.param([server("a: b, c", "b: d", "c: d", "d: admin")], id="two ways to one target"),
        pytest.param([server(*(f"a{n}: a{n + 1}" for n in range(3000)), "a3000: admin")], id="a very long chain"),
        pytest.param([server(f"x: x@{MAIL2}"), mail2("x: admin")], id="to the other server"),
        pytest.param([server(f"admin: admin@{MAIL2}"), mail2()], id="to a user of the other server"),
        pytest.param([server(f"admin: admin@{MAIL2}"), mail2("admin: admin")], id="who keeps it"),
        pytest.param([server("x: amdin@both.tw"), *[server(name=n, domains=("both.tw",)) for n in "ab"]], id="either"),
    ],
)
def test_good_aliases(good: list[MailServer]) -> None:
    assert check_aliases(good) == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param([server("root: amdin")], ["alias-to-nobody"], id="target is nobody"),
        pytest.param([server("office: fax")], ["alias-to-nobody"], id="a group of the system"),
        pytest.param([server("root: clamav")], ["alias-to-nobody"], id="an account of the filter only"),
        pytest.param([server(f"root: amdin@{DOMAIN}")], ["alias-to-nobody"], id="target is nobody of the own domain"),
        pytest.param([server("a: amdin", "a: admin")], ["alias-to-nobody"], id="in the first of two lines of one name"),
        pytest.param([server("a: b", "b: c", "c: a")], ["alias-loop"], id="loop of three"),
        pytest.param([server("a: a")], ["alias-loop"], id="loop of one"),
        pytest.param([server("a: a, a")], ["alias-loop"], id="loop of one, twice"),
        pytest.param([server("a: admin, b", f"b: a@{DOMAIN}")], ["alias-loop"], id="loop through the own domain"),
        pytest.param([server("a: b", "b: a", "c: d", "d: c")], ["alias-loop"] * 2, id="two loops"),
        pytest.param([server("a: b, c", "b: a", "c: a")], ["alias-loop"] * 2, id="two loops through one alias"),
        pytest.param([server("x: a", "a: b", "b: a")], ["alias-loop"], id="a way into a loop is none"),
        pytest.param([server(f"x: x@{MAIL2}"), mail2(f"x: x@{DOMAIN}")], ["alias-loop"], id="over two servers"),
        pytest.param(
            [server(f"admin: admin, admin@{MAIL2}"), mail2(f"admin: admin@{DOMAIN}")],
            ["alias-loop"],
            id="over two servers, with a copy for oneself",
        ),
        pytest.param([server(f"x: y@{MAIL2}"), mail2("x: admin")], ["alias-to-nobody"], id="nobody of the other"),
        pytest.param([server(f"x: y@{DOMAIN}"), server(name="b")], ["alias-to-nobody"], id="of a domain of both"),
        pytest.param(
            [server("y: admin", f"x: y@{MAIL2}"), mail2()], ["alias-to-nobody"], id="an alias of this one only"
        ),
    ],
)
def test_bad_aliases(bad: list[MailServer], expected: list[str]) -> None:
    assert ids(check_aliases(bad)) == expected


def test_loop_on_one_server_names_none() -> None:
    (problem,) = check_aliases([server("c: a", "a: b", "b: c"), mail2()])
    assert (problem.where, problem.what) == ("mail.aliases", "the aliases go round: c → a → b → c")


def test_loop_over_two_servers_names_both() -> None:
    (problem,) = check_aliases([server(f"x: x@{MAIL2}"), mail2(f"x: X@{DOMAIN}")])
    assert problem.where == "mail.aliases, mail2.aliases"
    assert problem.what == "the aliases go round: mail:x → mail2:x → mail:x"


def test_long_loop_is_told_by_its_ends() -> None:
    (problem,) = check_aliases([server(*(f"a{n}: a{(n + 1) % 500}" for n in range(500)))])
    assert problem.what.count("→") < 15
    assert "…" in problem.what


def test_nobody_of_the_other_server_is_said_with_its_name() -> None:
    office = server(name="office", domains=(MAIL2,))
    (problem,) = check_aliases([server(f"x: y@{MAIL2}"), office])
    assert problem.where == "mail.aliases"
    assert problem.what == f"x goes to y@{MAIL2}, who is neither a user nor an alias of office"
    assert problem.remedy == "add the user y to office or correct the name"


def test_repaired_where_it_is_reported_nothing_goes_round_any_more() -> None:
    # Circles share the step from c to a: one report, and without that step none is left.
    assert len(check_aliases([server("a: b, d", "b: c", "d: b", "c: a")])) == 1
    assert check_aliases([server("a: b, d", "b: c", "d: b", "c: admin")]) == []
