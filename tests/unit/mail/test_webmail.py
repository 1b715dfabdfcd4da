"""Webmail: what it needs, what it is told, and what else a mail server gets for it."""

from collections.abc import Mapping

import pytest

from components.config.mail import MailServerConfig, check_mail
from components.config.programs import Pop3
from components.part import Page
from maillab.verify.cells import ports
from tests.unit.labs import Data, Model, machine, model

ROUNDCUBE = "/etc/roundcube/config.inc.php"
DOVECOT = "/etc/dovecot/dovecot.conf"
MORE = (80, 443, 993, 995)


def lab(**keys: object) -> Model:
    """The school without an appliance, with other keys of its mail server; None: without it."""

    def edit(data: Data) -> None:
        mail = machine(data, "mail")["mail"]
        for key, value in keys.items():
            mail[key] = value
            if value is None:
                del mail[key]

    return model(edit, "standalone")


def files(given: Model) -> Mapping[str, str]:
    return given.plans["mail"].part.files


@pytest.mark.parametrize(("pop3", "found"), [(Pop3.XINETD, ["webmail-without-imap"]), (Pop3.DOVECOT, [])])
def test_webmail_needs_imap(pop3: Pop3, found: list[str]) -> None:
    config = MailServerConfig(mydestination=("$mydomain",), aliases=("postmaster: root",), pop3=pop3, webmail=True)
    assert [problem.id for problem in check_mail(config, "mail")] == found


def test_page_has_the_servers_name() -> None:
    assert lab().plans["mail"].part.pages == (Page(name="webmail", url="https://mail.yaes.example/"),)


def test_without_webmail_there_is_none_of_it() -> None:
    part = lab(webmail=None).plans["mail"].part
    assert part.pages == ()
    assert {"webmail"}.isdisjoint({*part.roles, *part.recipes, *part.volumes})


def test_users_send_with_their_own_login() -> None:
    text = files(lab())[ROUNDCUBE]
    assert "$config['smtp_host'] = 'tls://localhost:587';" in text
    assert "$config['smtp_user'] = '%u';" in text
    assert "'peer_name' => 'mail.yaes.example'" in text


def test_without_logins_for_sending_nobody_changes_his_address() -> None:
    text = files(lab(auth=None))[ROUNDCUBE]
    assert "$config['smtp_host'] = '127.0.0.1:25';" in text
    assert "$config['identities_level'] = 1;" in text


@pytest.mark.parametrize(
    ("mydestination", "domain"),
    [
        (["$myhostname", "$mydomain"], "yaes.example"),
        (["mail.yaes.example", "yaes.example"], "yaes.example"),
        (["$myhostname"], "mail.yaes.example"),
        (["else.example"], "else.example"),
    ],
)
def test_users_addresses_have_a_domain_that_the_server_takes(mydestination: list[str], domain: str) -> None:
    text = files(lab(mydestination=mydestination, webmail=True))[ROUNDCUBE]
    assert f"$config['mail_domain'] = '{domain}';" in text


def test_no_key_is_in_the_files() -> None:
    """It is made on the machine."""
    (line,) = [line for line in files(lab())[ROUNDCUBE].splitlines() if "des_key" in line]
    assert line == "$config['des_key'] = trim(file_get_contents('/var/lib/roundcube/db/key'));"


@pytest.mark.parametrize(
    ("auth", "webmail", "encrypted"),
    [("sasl", None, True), (None, True, True), ("sasl", True, True), (None, None, False)],
)
def test_dovecot_encrypts_where_the_server_has_a_certificate(
    auth: str | None, webmail: bool | None, encrypted: bool
) -> None:
    given = lab(auth=auth, webmail=webmail)
    part = given.plans["mail"].part
    assert ("/etc/maillab/certificate" in part.files) is encrypted
    assert ("ssl = yes" in part.files[DOVECOT]) is encrypted
    assert ({(993, 4), (993, 6), (995, 4), (995, 6)} <= part.listens) is encrypted


def test_prover_asks_for_the_ports_where_they_are_served() -> None:
    assert [port for port in ports(lab().plans) if port in MORE] == list(MORE)
    assert set(MORE).isdisjoint(ports(model().plans))


def test_logged_in_users_are_themselves_on_the_server_itself_too() -> None:
    """`smtpd_sender_restrictions` of main.cf begins with permit_mynetworks, and the machine is one of those."""
    text = files(lab())["/etc/postfix/master.cf"]
    assert text.count("-o smtpd_sender_restrictions=reject_sender_login_mismatch") == 2
