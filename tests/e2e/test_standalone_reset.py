"""Resetting the school without an appliance: its programs, its keys, and what its filter has learnt and kept."""

import shlex

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from maillab.cli.lab_of_exercise import session_of
from maillab.cli.stack import Stack
from tests.support.delivered import deliver
from tests.support.smtp_auth import HOST, log_in, user
from tests.support.status import status_of

ROUNDCUBE, WEBMAIL = "/etc/roundcube/config.inc.php", "/var/lib/roundcube/db"
WENDY, LIN = "wendy@example.com", "lin@yaes.example"
KEY, AUTHORITY = "/etc/ssl/maillab/key.pem", "/var/lib/maillab-authority/key.pem"


def reset(lab: Lab, *names: str) -> None:
    """As `maillab reset` does it; fails when a machine could not be reset, or is not well."""
    found = session_of(Stack(name=lab.stack, root=lab.folder)).lab
    found.reset(names)
    lab.find_machines()
    assert found.edited(names) == []


@pytest.mark.parametrize(
    ("machine", "damage"),
    [
        ("mail", f"echo nonsense >{KEY}"),
        ("mail", f"rm -r {KEY}; mkdir {KEY}"),
        ("mail", "rm /etc/ssl/maillab/certificate.pem /etc/ssl/maillab/ca.pem"),
        ("internet", f"echo nonsense >{AUTHORITY}"),
        ("internet", f"rm {AUTHORITY} && openssl ecparam -name prime256v1 -genkey -noout -out {AUTHORITY}"),
        ("internet", "rm /var/lib/maillab-authority/certificate.pem"),
    ],
)
def test_users_log_in_after_keys_were_spoilt_and_the_machine_was_reset(
    standalone: Lab, machine: str, damage: str
) -> None:
    """The client trusts the lab's authority alone."""
    standalone[machine].succeed(damage)
    reset(standalone, machine)
    assert log_in(standalone, user("chen")).code == 235


def page(lab: Lab) -> str:
    """The status of webmail's first page."""
    words = f"curl --silent --show-error --output /dev/null --write-out '%{{http_code}}' https://{HOST}/"
    return lab["workstation"].succeed(words)


def test_webmail_works_after_its_files_were_spoilt_and_the_machine_was_reset(standalone: Lab) -> None:
    standalone["mail"].succeed(
        f"service lighttpd stop; echo nonsense >{ROUNDCUBE}; echo nonsense >{WEBMAIL}/roundcube.db; rm {WEBMAIL}/key"
        f" /etc/lighttpd/lighttpd.conf; chown root {WEBMAIL}; chmod 0 {WEBMAIL}"
    )
    reset(standalone, "mail")
    assert page(standalone) == "200"


def users(lab: Lab, statement: str) -> str:
    """What webmail's database answers."""
    code = (
        f"""print_r((new PDO('sqlite:{WEBMAIL}/roundcube.db'))->query("{statement}")->fetchAll(PDO::FETCH_COLUMN));"""
    )
    return lab["mail"].succeed(f"php -r {shlex.quote(code)}")


def test_address_books_outlive_the_machine(standalone: Lab) -> None:
    """And the key that was made once."""
    key = standalone["mail"].read(f"{WEBMAIL}/key")
    users(standalone, "INSERT INTO users (username, mail_host) VALUES ('wang', 'localhost')")
    reset(standalone, "mail")
    assert standalone["mail"].read(f"{WEBMAIL}/key") == key != ""
    assert "wang" in users(standalone, "SELECT username FROM users")


def test_filter_works_after_its_files_were_spoilt_and_the_machine_was_reset(standalone: Lab) -> None:
    standalone["mail"].succeed(
        "service amavis stop; service clamav-daemon stop; rm -r /var/lib/amavis/tmp /var/lib/amavis/bayes"
        " /etc/dovecot/dovecot.conf; echo nonsense >>/etc/amavis/conf.d/50-user; chmod 0 /var/lib/amavis /home"
    )
    reset(standalone, "mail")
    assert deliver(standalone, "outside", WENDY, LIN).path == ["outside", "mail", "mail"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("gpasswd -d clamav amavis && service clamav-daemon restart", "clamd can't read what amavis gives it"),
        ("rm /run/clamav/clamd.ctl", "clamd does not answer amavis"),
        ("rm -r /var/lib/amavis/tmp", "amavis can't write into"),
    ],
)
def test_status_knows_why_the_filter_takes_no_message(standalone: Lab, damage: str, said: str) -> None:
    """Both programs run and answer: mail would wait for days beside `well`."""
    standalone["mail"].succeed(damage)
    wait_until("status says so", lambda: any(said in what for what in status_of(standalone).repairs("mail")) or None)
    reset(standalone, "mail")
    assert status_of(standalone).repairs("mail") == {}
