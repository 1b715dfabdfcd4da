"""From where a message is sent, and to which server: what follows from the sender's address."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from components.config.internet import Sender
from components.config.lab import OUTSIDE, LabConfig, MachineConfig, Role, SchoolConfig
from components.config.mail import destinations
from components.config.network import Address
from components.part import Blueprint, LoginProtocol
from components.plan import Plan
from maillab.postman.message import Message
from maillab.postman.problem import Fault, PostError, refuse_form

LOOPBACK = ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """With what somebody logs in before he sends, at TCP port `port` of a server whose certificate says `host`."""

    port: int
    host: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A session from the machine `client`, by its address `source`, to the machine `server` at `address`.

    `source` None: the client is the sender's own server, and hands the message to itself. `helo`: the client's name.
    `login`: None where nobody is asked for a password.
    """

    client: str
    source: Address | None
    server: str
    address: Address
    helo: str
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Whose address it is: `server` is his mail server, `client` the machine that he writes on."""

    client: str
    server: str
    sources: tuple[Address, Address]  # IPv4, IPv6
    helo: str


def way_of(plan: Plan, message: Message) -> Way:
    """The way to the first server.

    Without `via` that is the sender's own mail server: a school's for its workstation, `tn` and `outside` for those who
    write on them. `someone+v6@…` of the Internet goes by IPv6 (as `outside` itself would have it).

    Raises:
        PostError: nobody in the lab has the sender's address, there is no such machine, or something has a form that no
            session could say.
    """
    refuse_form(message)
    origin = _origin(plan, message.sender)
    helo = message.helo or origin.helo
    server = origin.server
    if message.via is not None:
        server = server_of(plan, message.via)
    elif origin.client == origin.server:
        return Way(client=origin.client, source=None, server=server, address=LOOPBACK, helo=helo)
    version = 6 if origin.client == OUTSIDE and message.sender.partition("@")[0].endswith("+v6") else 4
    return Way(
        client=origin.client,
        source=origin.sources[version == 6],
        server=server,
        address=ip_address(plan.machines[server].host.first(version)),
        helo=helo,
        login=None if message.via is not None else login_of(plan.machines[server], message.sender),
    )


def login_of(server: Blueprint, sender: str) -> Login | None:
    """How the user with this address logs in to the server before he sends; None: it asks nobody, or he is no user."""
    name = sender.partition("@")[0].lower()
    for service in server.part.logins:
        for user in service.users if service.protocol is LoginProtocol.SMTP else ():
            if user.name == name:
                return Login(port=service.port, host=server.host.fqdn, user=name, password=user.password)
    return None


def servers_of(plan: Plan) -> list[str]:
    """The machines with a mail server, the schools' first."""
    schools = [machine.name for school in plan.config.schools for machine in school.machines]
    names = [*schools, *(name for name in plan.machines if name not in schools)]
    return [name for name in names if plan.machines[name].part.mail is not None]


def server_of(plan: Plan, name: str) -> str:
    """The machine `name`, if it has a mail server.

    Raises:
        PostError: it has none, or there is no such machine.
    """
    servers = servers_of(plan)
    if name in servers:
        return name
    raise PostError(Fault.NO_SERVER if name in plan.machines else Fault.MACHINE, name, servers)


def addresses(plan: Plan) -> list[str]:
    """Who can send: every user, and somebody of each sender of the Internet."""
    return [*school_addresses(plan.config), *_internet_addresses(plan.config)]


def school_addresses(lab: LabConfig) -> list[str]:
    """Every user with a mailbox at a school, and at tn, by the first of the server's domains."""
    found = [
        f"{user.name}@{domain}"
        for school, machine in _servers(lab)
        for domain in _domains(school, machine)[:1]
        for user in (machine.mail.users if machine.mail else ())
    ]
    return [*found, *(f"{user.name}@{lab.internet.mail.domain}" for user in lab.internet.mail.users)]


def whole_address(plan: Plan, name: str) -> str:
    """The address of a user who is named without a domain: the first one of that name. Others stay as they are."""
    if not name or "@" in name:
        return name
    return next((one for one in addresses(plan) if one.partition("@")[0] == name.lower()), name)


def _internet_addresses(lab: LabConfig) -> Iterator[str]:
    yield from (f"friend@{domain}" for domain in dict.fromkeys(sender.domain for sender in lab.internet.senders))


def _origin(plan: Plan, sender: str) -> _Origin:
    lab = plan.config
    name, _, domain = sender.lower().rpartition("@")
    if not sender:
        return _of_internet(lab.internet.senders[0])
    for one in lab.internet.senders:
        if domain in (one.domain, one.host) and name:
            return _of_internet(one)
    server = _own_server(plan, name, domain)
    if server is None:
        raise PostError(Fault.SENDER, sender, addresses(plan))
    client = _client(lab, server)
    host = plan.machines[client].host
    sources = (ip_address(host.first(4)), ip_address(host.first(6)))
    return _Origin(client=client, server=server, sources=sources, helo=host.fqdn)


def _of_internet(sender: Sender) -> _Origin:
    return _Origin(client=OUTSIDE, server=OUTSIDE, sources=(sender.ipv4, sender.ipv6), helo=sender.host)


def _own_server(plan: Plan, name: str, domain: str) -> str | None:
    """The machine that has the address: by a mailbox, or by an alias."""
    names = [machine.name for _, machine in _servers(plan.config)] + [plan.config.internet.mail.name]
    for machine in names:
        service = plan.machines[machine].part.mail
        if service and domain in service.domains and service.has_account(name, name.partition("+")[0]):
            return machine
    return None


def _client(lab: LabConfig, server: str) -> str:
    """Where somebody with an account on `server` writes: at his school's workstation, else on the server itself."""
    for school in lab.schools:
        if any(machine.name == server for machine in school.machines):
            return next((machine.name for machine in school.with_role(Role.WORKSTATION)), server)
    return server


def _servers(lab: LabConfig) -> Iterator[tuple[SchoolConfig, MachineConfig]]:
    for school in lab.schools:
        yield from ((school, machine) for machine in school.with_role(Role.MAIL, Role.SECOND_MAIL))


def _domains(school: SchoolConfig, machine: MachineConfig) -> list[str]:
    """The server's domains, the shortest first: the school's own where it is one of them."""
    taken = destinations(machine.mail, machine.fqdn(school.domain), school.domain) if machine.mail else ()
    return sorted(taken, key=lambda name: (len(name), name))
