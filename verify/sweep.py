"""Removes what a run of letters left: in queues, and in mailboxes by POP3 (RFC 1939), as their owners would."""

import pathlib
from collections.abc import Iterable, Mapping

from components.config import LabConfig, Role
from components.mail.model import User
from components.network.topology import OUTSIDE
from components.part import Blueprint
from verify.machines import Machines
from verify.maillog import Entry

SCRIPT = (pathlib.Path(__file__).parent / "sweep_mailboxes.py").read_text(encoding="utf-8")
# Mailboxes of the outside's domains belong to mail (files/internet/main.cf.j2): nobody else may rewrite them.
AS_MAIL = ("setpriv", "--reuid=mail", "--regid=mail", "--clear-groups")


def sweep_queues(machines: Machines, logs: Mapping[str, Mapping[str, Entry]], mark: str) -> None:
    """Deletes from every queue the letters whose Message-ID has `mark` in it."""
    for name, entries in logs.items():
        left = [entry.queue_id for entry in entries.values() if mark in entry.message_id and not entry.removed]
        if left:
            machines.run(name, ["postsuper", "-d", "-"], "".join(f"{queue_id}\n" for queue_id in left))


def sweep_mailboxes(lab: LabConfig, plans: Mapping[str, Blueprint], machines: Machines, mark: str) -> None:
    """Deletes from every mailbox the letters, and the bounces, that have `mark` in their text."""
    for school in lab.schools:
        # POP3 from where the school's users read their mail; without such a machine nobody there reads any.
        for client in school.with_role(Role.WORKSTATION)[:1]:
            servers = [machine for machine in school.machines if machine.mail is not None]
            lines = [line for m in servers for line in _accounts(plans, m.name, m.mail.users if m.mail else ())]
            machines.run(client.name, ["python3", "-c", SCRIPT, mark], "".join(lines))
    mail = lab.internet.mail
    machines.run(OUTSIDE, ["python3", "-c", SCRIPT, mark], "".join(_accounts(plans, mail.name, mail.users)))
    domains = sorted({sender.domain for sender in lab.internet.senders})
    machines.run(OUTSIDE, [*AS_MAIL, "python3", "-c", SCRIPT, mark, *(f"/var/mail/{name}" for name in domains)])


def _accounts(plans: Mapping[str, Blueprint], machine: str, users: Iterable[User]) -> list[str]:
    return [f"{plans[machine].host.first(4)} {user.name} {user.password}\n" for user in users]
