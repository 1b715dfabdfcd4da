"""Mailboxes of the lab's users, looked into by POP3 as their mail programs do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from components.config.lab import Role
from components.config.network import Address
from components.part import LoginProtocol, LoginService
from components.plan import Plan
from maillab.postman.problem import Fault, PostError
from maillab.postman.way import LOOPBACK
from maillab.trace.machines import Machines

SCRIPT = (Path(__file__).parent / "pop3_session.pl").read_text(encoding="utf-8")
SECONDS = 30  # for each answer
MOST = 200  # messages that are listed, the newest


class Pop3Error(Exception):
    """The server's words, or why it has none, at a `step` of the session."""

    def __init__(self, step: str, words: str) -> None:
        self.step, self.words = step, words
        super().__init__(f"{step}: {words}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A user's mailbox on `server`, and the machine that he reads on."""

    user: str
    password: str = field(repr=False)
    client: str
    server: str
    address: Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A message in a mailbox by its number there: `raw` is the whole of it, or its header."""

    number: int
    size: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one session brought: how many messages the mailbox has, and those that were asked for."""

    total: int
    messages: tuple[Stored, ...]


def mailbox_of(plan: Plan, name: str) -> Mailbox:
    """The mailbox of `chen` (the first server's that has such a user), or of `chen@mail2.dc1es.tnc.edu.tw`.

    Raises:
        PostError: nobody who logs in anywhere has that name.
    """
    user, _, domain = name.lower().partition("@")
    for server, service in _services(plan):
        mail = plan.machines[server].part.mail
        if domain and (mail is None or domain not in mail.domains):
            continue
        for one in service.users:
            if one.name == user:
                client = _client(plan, server)
                address = LOOPBACK if client == server else ip_address(plan.machines[server].host.first(4))
                return Mailbox(
                    user=user, password=one.password, client=client, server=server, address=address, port=service.port
                )
    raise PostError(Fault.USER, name, users(plan))


def users(plan: Plan) -> list[str]:
    """Everybody with a mailbox, by an address."""
    found = []
    for server, service in _services(plan):
        mail = plan.machines[server].part.mail
        domain = min(mail.domains, key=lambda name: (len(name), name)) if mail and mail.domains else server
        found += [f"{user.name}@{domain}" for user in service.users]
    return found


def fetch(
    machines: Machines, mailbox: Mailbox, number: int | None = None, *, delete: bool = False, seconds: int = SECONDS
) -> Fetched:
    """The headers of the newest messages; with a `number` that message, which is removed if `delete`.

    Raises:
        Pop3Error: the server does not answer, refuses the password, or has no such message.
        MachineError: the client's machine is not there.
    """
    wanted = f"list {MOST}" if number is None else f"{'delete' if delete else 'get'} {number}"
    command = ["perl", "-e", SCRIPT, str(mailbox.address), str(mailbox.port), str(seconds)]
    # By stdin: everybody on the machine can read a command line.
    return _read(machines.run(mailbox.client, command, f"{mailbox.user}\n{mailbox.password}\n{wanted}\n"))


def _read(printed: str) -> Fetched:
    """What the program printed."""
    total, found, lines = 0, [], printed.split("\n")
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        word, _, rest = line.partition(" ")
        if word == "total":
            total = int(rest)
        elif word == "message":
            number, size, text = rest.split(" ")
            found.append(Stored(number=int(number), size=int(size), raw=bytes.fromhex(text)))
        elif word == "error":
            raise Pop3Error(rest, after)
        elif word == "done":
            return Fetched(total=total, messages=tuple(found))
    raise Pop3Error("end", "the session ended early")


def _services(plan: Plan) -> Iterator[tuple[str, LoginService]]:
    """(machine, what users log in to): the schools' machines first."""
    schools = [machine.name for school in plan.config.schools for machine in school.machines]
    for name in [*schools, *(one for one in plan.machines if one not in schools)]:
        for service in plan.machines[name].part.logins:
            if service.protocol is LoginProtocol.POP3:
                yield name, service


def _client(plan: Plan, server: str) -> str:
    """The school's workstation, else the server itself."""
    for school in plan.config.schools:
        if any(machine.name == server for machine in school.machines):
            return next((machine.name for machine in school.with_role(Role.WORKSTATION)), server)
    return server
