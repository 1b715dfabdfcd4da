"""PAM alone decides who opens a mailbox: not /etc/passwd, not a removed password, not a lost configuration file."""

import shlex
from collections.abc import Iterator

import pytest

from driver.lab import Lab
from driver.machine import Machine
from tests.support.pop3 import Login, log_in, passwords

# What stands in the password fields of /etc/passwd and /etc/shadow; and each account's own name is tried.
COMMON = ["", "x", "*", "!", "!*"]
WANG = "wang"


def accounts(server: Machine) -> list[str]:
    """Every account of the machine, the system's own too."""
    return [line.split(":")[0] for line in server.succeed("getent passwd").splitlines()]


@pytest.fixture(scope="module", params=["mail", "mail2", "tn", "onehost"])
def guessed(request: pytest.FixtureRequest) -> tuple[Machine, list[Login]]:
    """A POP3 server, and logins to all its accounts: with the passwords above, and with the right one."""
    name: str = request.param
    lab: Lab = request.getfixturevalue("onehost" if name == "onehost" else "lab")
    server = lab["dns" if name == "onehost" else name]
    guesses = [(user, password) for user in accounts(server) for password in [*COMMON, user]]
    client = lab["outside" if name == "tn" else "workstation"]
    return server, log_in(client, server, [*guesses, *passwords(server).items()])


def test_no_mailbox_opens_without_its_password(guessed: tuple[Machine, list[Login]]) -> None:
    server, logins = guessed
    own = passwords(server)
    refused = [login for login in logins if own.get(login.user) != login.password]
    assert {login.user for login in refused} >= {"root", "daemon", "mail", "nobody", *own}
    assert [login for login in refused if login.answers[2:] != ("-ERR [AUTH] Bad login",)] == []


def test_every_mailbox_opens_with_its_password(guessed: tuple[Machine, list[Login]]) -> None:
    server, logins = guessed
    own = passwords(server)
    assert {login.user: login.password for login in logins if login.opened} == own


@pytest.mark.parametrize("user", ["wang@dc1es.tnc.edu.tw", "wang@mail.dc1es.tnc.edu.tw", "WANG", "wang ", "../wang"])
def test_other_form_of_the_name_needs_the_password_too(lab: Lab, user: str) -> None:
    (login,) = log_in(lab["workstation"], lab["mail"], [(user, "x")])
    assert not login.opened
    assert log_in(lab["workstation"], lab["mail"], [(WANG, passwords(lab["mail"])[WANG])])[0].opened


@pytest.mark.parametrize("command", ["APOP wang 0123456789abcdef0123456789abcdef", "AUTH PLAIN AHdhbmcAeA==", "STAT"])
def test_other_commands_open_nothing(lab: Lab, command: str) -> None:
    session = f"printf '%s\\r\\n' {shlex.quote(command)} STAT QUIT | timeout 20 bash -c {shlex.quote(SPEAK)}"
    answers = lab["workstation"].succeed(session.replace("SERVER", lab["mail"].ipv4)).splitlines()
    assert answers[0].startswith("+OK")
    assert [answer[:4] for answer in answers[1:3]] == ["-ERR", "-ERR"]


# QUIT ends the session, so that the server closes the connection.
SPEAK = "exec 3<>/dev/tcp/SERVER/110; cat >&3; cat <&3"


@pytest.fixture
def changed_account(lab: Lab) -> Iterator[Machine]:
    """The mail server, where wang's account may be changed: it is put back."""
    mail = lab["mail"]
    try:
        yield mail
    finally:
        mail.succeed("chage -E -1 wang; chpasswd -c SHA512 </etc/maillab/current/etc/maillab/users.secret")


@pytest.mark.parametrize("change", ["passwd -d wang", "passwd -l wang", "usermod -L wang", "chage -E 1 wang"])
def test_removed_and_locked_accounts_open_to_nobody(lab: Lab, changed_account: Machine, change: str) -> None:
    """pam_unix's nullok would let everybody in where a password was removed, with any password."""
    logins = [(WANG, password) for password in ("", "x", "!", passwords(changed_account)[WANG])]
    assert [login.opened for login in log_in(lab["workstation"], changed_account, logins)][-1:] == [True]
    changed_account.succeed(change)
    assert [login.opened for login in log_in(lab["workstation"], changed_account, logins)] == [False] * 4


CONFIGURATION = "/etc/mailutils.conf"


@pytest.fixture
def configuration(lab: Lab) -> Iterator[Machine]:
    """The mail server, where /etc/mailutils.conf may be changed: it is put back."""
    mail = lab["mail"]
    before = mail.get(CONFIGURATION)
    assert b"authentication pam;" in before
    try:
        yield mail
    finally:
        mail.put(CONFIGURATION, before)


@pytest.mark.parametrize("text", [None, "logging {\n  syslog yes;\n}\n", "auth {\n  authorization system;\n}\n"])
def test_pam_decides_whatever_the_file_says(lab: Lab, configuration: Machine, text: str | None) -> None:
    """Without `authentication pam` pop3d goes through its own chain; nor may a second `auth` bring that back."""
    configuration.succeed(f"rm {CONFIGURATION}")
    if text is not None:
        configuration.put(CONFIGURATION, text.encode())
    logins = log_in(lab["workstation"], configuration, [(WANG, "x"), (WANG, passwords(configuration)[WANG])])
    assert [login.opened for login in logins] == [False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("auth {\n  authentication (pam);\n}\n", "required argument missing"),
        ("auth {\n  authentication pam\n}\n", "syntax error"),
        ("auth {\n  authentication pan;\n}\n", "no such module: pan"),
        ("nonsense yes;\n", "unknown keyword"),
        ("", "syntax error"),
    ],
)
def test_error_of_configuration_goes_to_the_log(lab: Lab, configuration: Machine, text: str, words: str) -> None:
    configuration.put(CONFIGURATION, text.encode())
    (login,) = log_in(lab["workstation"], configuration, [(WANG, "x")])
    assert login.answers[0] == "-ERR [SYS/PERM] pop3d ended with an error; see /var/log/mail.log"
    assert words in configuration.succeed("grep ' pop3d: ' /var/log/mail.log | tail -n 1")


SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o NumberOfPasswordPrompts=1 -o LogLevel=ERROR"


@pytest.mark.parametrize("user", ["root", "mail", WANG])
def test_ssh_asks_pam_too(lab: Lab, user: str) -> None:
    mail = lab["mail"]
    # A client that has guessed three times is turned away for a while, whatever the password (PerSourcePenalties).
    mail.succeed("service ssh restart")

    def ssh(name: str, password: str) -> int:
        script = f"printf '#!/bin/sh\\nprintf %s {shlex.quote(password)}\\n' >/tmp/askpass && chmod +x /tmp/askpass"
        asked = "SSH_ASKPASS=/tmp/askpass SSH_ASKPASS_REQUIRE=force"
        return lab["workstation"].execute(f"{script}; {asked} ssh {SSH} {name}@{mail.ipv4} true </dev/null").status

    assert ssh(WANG, passwords(mail)[WANG]) == 0
    assert [ssh(user, password) for password in ("x", "")] == [255, 255]
