"""What is wrong with a mail server's accounts, aliases and parameters."""

from collections.abc import Mapping

import pytest

from components.mail.model import MailServerConfig, User, check_mail
from tests.support.problems import ids

DOMAIN = "dc1es.tnc.edu.tw"
ADMIN = User(name="admin", password="x")


def server(
    *aliases: str,
    users: tuple[User, ...] = (ADMIN,),
    mydestination: tuple[str, ...] = ("$myhostname", "$mydomain"),
    main_cf: Mapping[str, str] | None = None,
) -> MailServerConfig:
    return MailServerConfig(mydestination=mydestination, users=users, aliases=aliases, main_cf=main_cf or {})


def problems_of(config: MailServerConfig) -> list[str]:
    return ids(check_mail(config, f"mail.{DOMAIN}", DOMAIN, "mail"))


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(server(), id="users only"),
        pytest.param(server("root: admin", "postmaster: root"), id="chain"),
        pytest.param(server("admin: admin, tnuser@tn.edu.tw"), id="a copy for oneself is no loop"),
        pytest.param(server("yh: yh@example.com"), id="an address elsewhere may have the same name"),
        pytest.param(server("yh: admin@$mydomain".replace("$mydomain", DOMAIN)), id="own domain"),
        pytest.param(server("yh: root"), id="system account"),
        pytest.param(server(main_cf={"message_size_limit": "1"}), id="parameter"),
    ],
)
def test_good_server(good: MailServerConfig) -> None:
    assert problems_of(good) == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(server("root admin"), ["bad-alias"], id="no colon"),
        pytest.param(server("root:"), ["bad-alias"], id="no target"),
        pytest.param(server("root: admin,"), ["bad-alias"], id="empty target"),
        pytest.param(server("root: |/bin/sh"), ["bad-alias"], id="program"),
        pytest.param(server("root: /etc/passwd"), ["bad-alias"], id="file"),
        pytest.param(server("root: :include:x"), ["bad-alias"], id="include"),
        pytest.param(server("a b: admin"), ["bad-alias"], id="blank in the name"),
        pytest.param(server("root: admin", "Root: admin"), ["alias-twice"], id="two lines of one name"),
        pytest.param(server("root: amdin"), ["alias-to-nobody"], id="target is nobody"),
        pytest.param(server(f"root: amdin@{DOMAIN}"), ["alias-to-nobody"], id="target is nobody of the own domain"),
        pytest.param(server("a: b", "b: c", "c: a"), ["alias-loop"], id="loop of three"),
        pytest.param(server("a: a"), ["alias-loop"], id="loop of one"),
        pytest.param(server("a: admin, b", f"b: a@{DOMAIN}"), ["alias-loop"], id="loop through the own domain"),
        pytest.param(server("a: b", "b: a", "c: d", "d: c"), ["alias-loop"] * 2, id="two loops"),
        pytest.param(server(users=(User(name="Admin", password="x"),)), ["bad-user-name"], id="capital letter"),
        pytest.param(server(users=(User(name="陳", password="x"),)), ["bad-user-name"], id="Chinese"),
        pytest.param(server(users=(User(name="a" * 33, password="x"),)), ["bad-user-name"], id="too long"),
        pytest.param(server(users=(User(name="1st", password="x"),)), ["bad-user-name"], id="begins with a figure"),
        pytest.param(server(users=(User(name="root", password="x"),)), ["system-user"], id="root"),
        pytest.param(server(users=(ADMIN, ADMIN)), ["user-twice"], id="user twice"),
        pytest.param(server(users=(User(name="a", password=""),)), ["bad-password"], id="no password"),
        pytest.param(server(users=(User(name="a", password="x:y"),)), ["bad-password"], id="colon in the password"),
        pytest.param(
            server(users=(User(name="a", password="x", gecos="a,b"),)), ["bad-gecos"], id="comma in the full name"
        ),
        pytest.param(server(main_cf={"My Name": "x"}), ["bad-parameter"], id="parameter"),
        pytest.param(server(mydestination=()), ["no-destination"], id="no destination"),
    ],
)
def test_bad_server(bad: MailServerConfig, expected: list[str]) -> None:
    assert problems_of(bad) == expected


def test_loop_is_told_in_its_order() -> None:
    (problem,) = check_mail(server("a: b", "b: c", "c: a"), f"mail.{DOMAIN}", DOMAIN, "mail")
    assert "a → b → c → a" in problem.what
