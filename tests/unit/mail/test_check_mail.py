"""What is wrong with a mail server's accounts, lines of aliases and parameters."""

from collections.abc import Mapping

import pytest

from components.mail.model import MailServerConfig, User, check_mail
from tests.support.problems import ids

ADMIN = User(name="admin", password="x")


def server(
    *aliases: str,
    users: tuple[User, ...] = (ADMIN,),
    mydestination: tuple[str, ...] = ("$myhostname", "$mydomain"),
    main_cf: Mapping[str, str] | None = None,
) -> MailServerConfig:
    return MailServerConfig(mydestination=mydestination, users=users, aliases=aliases, main_cf=main_cf or {})


def problems_of(config: MailServerConfig) -> list[str]:
    return ids(check_mail(config, "mail"))


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(server(), id="users only"),
        pytest.param(server("root: admin", "postmaster: root, tnuser@tn.edu.tw"), id="aliases"),
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
        pytest.param(server(users=(User(name="Admin", password="x"),)), ["bad-user-name"], id="capital letter"),
        pytest.param(server(users=(User(name="陳", password="x"),)), ["bad-user-name"], id="Chinese"),
        pytest.param(server(users=(User(name="a" * 33, password="x"),)), ["bad-user-name"], id="too long"),
        pytest.param(server(users=(User(name="1st", password="x"),)), ["bad-user-name"], id="begins with a figure"),
        pytest.param(server(users=(User(name="root", password="x"),)), ["system-user"], id="root"),
        pytest.param(server(users=(User(name="fax", password="x"),)), ["system-user"], id="a group of the system"),
        pytest.param(server(users=(ADMIN, ADMIN)), ["user-twice"], id="user twice"),
        pytest.param(server(users=(User(name="a", password=""),)), ["bad-password"], id="no password"),
        pytest.param(server(users=(User(name="a", password="x:y"),)), ["bad-password"], id="colon in the password"),
        pytest.param(
            server(users=(User(name="a", password="x", gecos="a,b"),)), ["bad-gecos"], id="comma in the full name"
        ),
        pytest.param(server(main_cf={"My Name": "x"}), ["bad-parameter"], id="parameter"),
        pytest.param(server(main_cf={"relayhost": ""}), ["parameter-has-key"], id="parameter with a key of its own"),
        pytest.param(server(mydestination=()), ["no-destination"], id="no destination"),
    ],
)
def test_bad_server(bad: MailServerConfig, expected: list[str]) -> None:
    assert problems_of(bad) == expected
