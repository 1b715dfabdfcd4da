"""Sender × recipient: the letters that show a lab's ways, chosen from its configuration."""

from collections.abc import Iterator

from components.config import LabConfig, MachineConfig, Role, SchoolConfig
from components.dns.model import records_of
from components.mail.model import aliases_of, destinations
from components.network.topology import OUTSIDE
from verify.routes import Writer

NOBODY = "no-such-user"


def writers(lab: LabConfig) -> list[Writer]:
    """Each sender of the Internet by each family, the other domain's user, and the users of each school."""
    found = []
    for domain in dict.fromkeys(sender.domain for sender in lab.internet.senders):
        # `someone+v4@` goes by IPv4 only (files/internet/senders.j2).
        found += [Writer(address=f"verify+v{v}@{domain}", machine=OUTSIDE, families=(v,)) for v in (4, 6)]
    mail = lab.internet.mail
    if mail.users:
        found.append(Writer(address=f"{mail.users[0].name}@{mail.domain}", machine=mail.name))
    for school in lab.schools:
        found += _school_writers(school)
    return found


def _school_writers(school: SchoolConfig) -> Iterator[Writer]:
    clients = school.with_role(Role.WORKSTATION)
    for index, server in enumerate(school.with_role(Role.MAIL, Role.SECOND_MAIL)):
        user = next(iter(_plain_users(server)), None)
        if user is None:
            continue
        address = f"{user}@{_domains(school, server)[0]}"
        # The school's mail client has its account on the first server.
        client = clients[0].name if clients and index == 0 else None
        yield Writer(address=address, machine=server.name, client=client)


def recipients(lab: LabConfig) -> list[str]:
    """A user in each mail domain of each school, its aliases' two kinds, somebody unknown, and people outside."""
    found: list[str] = []
    for school in lab.schools:
        for server in school.with_role(Role.MAIL, Role.SECOND_MAIL):
            found += _school_recipients(school, server)
    mail = lab.internet.mail
    found += [f"{user.name}@{mail.domain}" for user in mail.users[:1]]
    found += [f"verify@{sender.domain}" for sender in lab.internet.senders[:1]]
    return list(dict.fromkeys(found))


def _school_recipients(school: SchoolConfig, server: MachineConfig) -> Iterator[str]:
    domains = _domains(school, server)
    for domain in domains:
        yield from (f"{user}@{domain}" for user in _plain_users(server)[:1])
    if server.mail is not None:
        aliases = sorted(aliases_of(server.mail), key=lambda alias: len(alias.targets))
        yield from (f"{alias.name}@{domains[0]}" for alias in (*aliases[:1], *aliases[-1:]))
        yield f"{NOBODY}@{domains[0]}"


def _domains(school: SchoolConfig, server: MachineConfig) -> list[str]:
    """The server's mail domains that DNS knows, the school's own first."""
    if server.mail is None:
        return []
    taken = destinations(server.mail, server.fqdn(school.domain), school.domain)
    names = {record.name.rstrip(".") for record in records_of(school.zone, school.domain)}
    return sorted({name for name in taken if name in names}, key=lambda name: (len(name), name)) or list(taken[:1])


def _plain_users(server: MachineConfig) -> list[str]:
    """Users whose mail stays with them: no alias has their name."""
    if server.mail is None:
        return []
    aliases = {alias.name.lower() for alias in aliases_of(server.mail)}
    return [user.name for user in server.mail.users if user.name not in aliases]
