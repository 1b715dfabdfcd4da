"""/etc/aliases: many to one, one to many, from inside and from outside."""

import pytest
import yaml

from components.config.programs import SYSTEM_ACCOUNTS, SYSTEM_GROUPS
from driver.lab import Lab
from driver.mail import data, envelope, new_message, post, smtp, stored
from tests.support.delivered import deliver
from tests.support.mailqueue import wait_until_gone

DOMAIN = "dc1es.tnc.edu.tw"
ADMIN = f"admin@{DOMAIN}"
SENDERS = {"outside": "wendy@example.com", "mail": f"chen@{DOMAIN}"}
PATHS = {"outside": ["outside", "spamfilter", "mail"], "mail": ["mail"]}
TO_ADMIN = ["mailer-daemon", "postmaster", "webmaster", "clamav", "root", "abuse", "security", "yh"]
SERVICE = [ADMIN, f"manager@{DOMAIN}", "tnuser@tn.edu.tw"]

FROM_BOTH_SIDES = pytest.mark.parametrize("via", ["outside", "mail"], ids=["from-outside", "from-inside"])


def test_every_alias_of_the_configuration_is_tested_here(lab: Lab) -> None:
    (school,) = yaml.safe_load(lab.stack_file.read_text(encoding="utf-8"))["config"]["maillab:schools"]
    (mail,) = [machine["mail"] for machine in school["machines"] if machine["name"] == "mail"]
    on_the_machine = lab["mail"].succeed("sed -n 's/:.*//p' /etc/aliases | grep -v '^#'").split()
    assert sorted(line.partition(":")[0] for line in mail["aliases"]) == sorted([*TO_ADMIN, "service"])
    assert sorted(on_the_machine) == sorted([*TO_ADMIN, "service"])


@pytest.mark.parametrize("machine", ["mail", "mail2", "tn"])
def test_accounts_and_groups_of_the_system_are_those_that_the_checks_know(lab: Lab, machine: str) -> None:
    """An alias may lead to any of these accounts; a user may have the name of none of them, nor of a group."""
    names = {
        kind: set(lab[machine].succeed(f"getent {kind} | awk -F: '$3 < 1000 || $3 > 60000 {{print $1}}'").split())
        for kind in ("passwd", "group")
    }
    assert names["passwd"] == SYSTEM_ACCOUNTS
    assert names["group"] - SYSTEM_ACCOUNTS == SYSTEM_GROUPS


@FROM_BOTH_SIDES
@pytest.mark.parametrize("alias", TO_ADMIN)
def test_alias_leads_to_admin(lab: Lab, alias: str, via: str) -> None:
    arrived = deliver(lab, via, SENDERS[via], f"{alias}@{DOMAIN}", final=ADMIN)
    assert arrived.path == PATHS[via]
    assert arrived.body == arrived.mail.stored_body


@pytest.mark.parametrize("name", ["abuse", "security", "yh"])
def test_account_behind_an_alias_keeps_nothing(lab: Lab, name: str) -> None:
    """註2: nothing is left in /var/mail/abuse, security, yh, although the accounts are there."""
    deliver(lab, "outside", SENDERS["outside"], f"{name}@{DOMAIN}", final=ADMIN)
    assert lab["mail"].succeed(f"getent passwd {name}").startswith(f"{name}:")
    assert lab["mail"].get(f"/var/mail/{name}") == b""


@FROM_BOTH_SIDES
@pytest.mark.parametrize("final", SERVICE)
def test_service_leads_to_three(lab: Lab, final: str, via: str) -> None:
    arrived = deliver(lab, via, SENDERS[via], f"service@{DOMAIN}", final=final)
    assert arrived.body == arrived.mail.stored_body


@FROM_BOTH_SIDES
def test_service_sends_the_copy_for_the_outside_through_the_filter(lab: Lab, via: str) -> None:
    arrived = deliver(lab, via, SENDERS[via], f"service@{DOMAIN}", final=SERVICE[2])
    assert arrived.path == [*PATHS[via], "mail", "spamfilter", "tn"]


def test_service_keeps_no_copy_of_its_own(lab: Lab) -> None:
    deliver(lab, "mail", SENDERS["mail"], f"service@{DOMAIN}", final=SERVICE[2])
    assert lab["mail"].get("/var/mail/service") == b""


def test_copy_of_service_keeps_its_writer(lab: Lab) -> None:
    arrived = deliver(lab, "outside", SENDERS["outside"], f"service@{DOMAIN}", final=SERVICE[2])
    assert (arrived.message["From"], arrived.message["Return-Path"]) == ("wendy@example.com", "<wendy@example.com>")


def test_message_to_three_names_of_admin_reaches_him_once_for_each(lab: Lab) -> None:
    mail = new_message(SENDERS["mail"], ADMIN)
    recipients = [f"{alias}@{DOMAIN}" for alias in ("abuse", "security", "yh")]
    steps = [*envelope("workstation.dc1es.tnc.edu.tw", SENDERS["mail"], *recipients), data(mail)]
    queue_id = smtp(lab["workstation"], lab["mail"].ipv4, steps)[-1].queue_id
    for recipient in recipients:
        lab.wait_for_delivery("mail", queue_id, recipient, final=ADMIN)
    wait_until_gone([lab["mail"]], *recipients, ADMIN)
    assert len(stored(lab["mail"], "admin", mail.message_id)) == 3


def test_alias_of_root_takes_what_the_machine_itself_says(lab: Lab) -> None:
    mail = new_message(ADMIN, "root")
    lab.wait_for_delivery("mail", post(lab, "mail", ADMIN, "root", mail), "root", final=ADMIN)
    assert len(stored(lab["mail"], "admin", mail.message_id)) == 1


def test_alias_is_taken_whatever_its_case(lab: Lab) -> None:
    assert deliver(lab, "mail", SENDERS["mail"], f"Abuse@{DOMAIN}", final=ADMIN).path == ["mail"]
