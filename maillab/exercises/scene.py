"""The lab that an exercise is in: what is right there, who writes from where, and which machines run."""

import base64
import json
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from components.config.lab import OUTSIDE, Role
from components.config.network import Address
from components.plan import Plan
from maillab.exercises.exercise import Connection, Mail, Sent
from maillab.exercises.library import message_file
from maillab.postman.message import EICAR
from maillab.postman.way import login_of
from maillab.trace.machines import MachineError, Machines
from maillab.verify.cells import Cell, Policy, Source
from maillab.verify.directory import directory
from maillab.verify.messages import Message
from maillab.verify.pairs import domains_of
from maillab.verify.routes import Post, Writer

# How a RAR archive begins, which ClamAV without its unfree part can't open; filters decode base64 wherever it stands.
ARCHIVE = base64.b64encode(b"Rar!\x1a\x07\x01\x00" + bytes(64))


class SceneError(Exception):
    """The exercise speaks of something that this lab has not: it is none for this lab."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`plan`: of the good configuration. `folder`: of the exercises."""

    plan: Plan
    machines: Machines
    folder: Path = Path("exercises")

    @cached_property
    def policy(self) -> Policy:
        """Who may connect to whom, as the good configuration says."""
        return Policy(self.plan.machines)

    @cached_property
    def post(self) -> Post:
        """How mail goes, as the good configuration says."""
        return Post(self.plan.config, self.policy, directory(self.plan.config, self.plan.machines))

    def message(self, mail: Mail | Sent, message_id: str) -> Message:
        """The message to send. Raises SceneError: the lab has no such sender."""
        rest = message_file(self.folder, mail.file).read_bytes() if mail.file else b""
        return Message(writer=self.writer(mail), recipient=str(mail.to), message_id=message_id,
                       body=body_of(mail.body), rest=rest)  # fmt: skip

    def writer(self, mail: Mail | Sent) -> Writer:
        """Who sends: by the sender's domain, and with whose password. Raises SceneError: the lab has no such sender."""
        writer = self._writer(mail)
        name = mail.login or (mail.sender or "").partition("@")[0]
        login = login_of(self.plan.machines[writer.machine], name) if writer.client and mail.via is None else None
        port = mail.port if isinstance(mail, Mail) else None
        if login is None and (mail.login or port) is not None:
            raise SceneError(f"nobody in this lab logs in as {name} to send as {mail.sender}")
        return replace(writer, login=replace(login, port=port) if login and port else login)

    def _writer(self, mail: Mail | Sent) -> Writer:
        address = mail.sender or ""
        domain = address.rpartition("@")[2].lower()
        gtube = mail.body == "spam"
        lab = self.plan.config
        if mail.via is not None:
            return self._via(address, domain, mail.via, gtube=gtube)
        for school in lab.schools:
            clients = school.with_role(Role.WORKSTATION)
            for index, server in enumerate(school.with_role(Role.MAIL, Role.SECOND_MAIL)):
                if domain in domains_of(school, server):
                    client = clients[0].name if clients and index == 0 else None
                    return Writer(address=address, machine=server.name, client=client, gtube=gtube)
        if domain == lab.internet.mail.domain:
            return Writer(address=address, machine=lab.internet.mail.name, gtube=gtube)
        if domain in {sender.domain for sender in lab.internet.senders}:
            return Writer(address=address, machine=OUTSIDE, gtube=gtube)
        raise SceneError(f"nobody in this lab writes as {address}")

    def _via(self, address: str, domain: str, via: str, *, gtube: bool) -> Writer:
        """Straight to one machine, from a sender's host, or from the school's workstation."""
        self._known(via)
        for sender in self.plan.config.internet.senders:
            if sender.domain == domain:
                return Writer(address=address, machine=via, client=OUTSIDE, source=sender.ipv4, gtube=gtube)
        for school in self.plan.config.schools:
            if domain.endswith(school.domain.lower()) and (clients := school.with_role(Role.WORKSTATION)):
                return Writer(address=address, machine=via, client=clients[0].name, gtube=gtube)
        raise SceneError(f"nobody in this lab writes as {address}")

    def cells(self, connection: Connection) -> list[Cell]:
        """The connections of an effect, one of each family. Raises SceneError."""
        self._known(connection.to)
        host = self.plan.machines[connection.to].host
        found = []
        for version in connection.families:
            source = self._source(connection.source, version)
            target = next(one.ip for one in host.addresses if one.version == version)
            found.append(Cell(source=source, target=connection.to, address=target, port=connection.port))
        return found

    def _source(self, name: str, version: int) -> Source:
        for sender in self.plan.config.internet.senders:
            if name in (sender.host, sender.domain):
                own: Address = sender.ipv4 if version == 4 else sender.ipv6
                return Source(name=sender.host, machine=OUTSIDE, address=own)
        self._known(name)
        own = next(one.ip for one in self.plan.machines[name].host.addresses if one.version == version)
        return Source(name=name, machine=name, address=own)

    def address(self, machine: str) -> str:
        """The machine's first IPv4 address. Raises SceneError."""
        self._known(machine)
        return str(self.plan.machines[machine].host.first(4))

    def _known(self, machine: str) -> None:
        if machine not in self.plan.machines:
            raise SceneError(f"this lab has no machine {machine}")

    @property
    def mail_servers(self) -> list[str]:
        """The machines that have a mail log and a queue."""
        return [name for name, plan in self.plan.machines.items() if plan.part.mail is not None]

    @property
    def mailbox_machines(self) -> list[str]:
        """The machines that have mailboxes."""
        return [name for name, plan in self.plan.machines.items() if "/var/mail" in plan.part.volumes.values()]

    @property
    def kept_machines(self) -> list[str]:
        """The machines that have mail in any form."""
        return list(dict.fromkeys([*self.mail_servers, *self.mailbox_machines]))

    @property
    def name_servers(self) -> list[str]:
        """The machines that answer DNS, and remember what others answered."""
        return [name for name, plan in self.plan.machines.items() if "bind" in plan.part.roles]

    def still(self) -> dict[str, str]:
        """The machines that do not run, and Docker's word for it. Raises MachineError: the engine can't be asked."""
        containers = [f"{self.machines.prefix}{name}" for name in self.plan.machines]
        argv = ["docker", "inspect", "--type", "container", "--format", '"{{.Name}}" "{{.State.Status}}"', *containers]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=self.machines.environment)
        if done.returncode and not done.stdout and "No such" not in done.stderr:
            raise MachineError(done.stderr.strip() or "the Docker engine can't be asked")
        seen = {}
        for line in done.stdout.splitlines():
            name, state = (json.loads(word) for word in line.split())
            seen[name.removeprefix("/").removeprefix(self.machines.prefix)] = state
        return {name: seen.get(name, "missing") for name in self.plan.machines if seen.get(name) != "running"}


def body_of(body: str | None) -> str:
    """What a message's text is beside its id; empty: it follows from the writer."""
    if body in (None, "spam"):
        return ""
    if body == "virus":
        return EICAR.decode()
    if body == "archive":
        return ARCHIVE.decode()
    return "x" * (int(body.removesuffix("k")) * (1000 if body.endswith("k") else 1))
