"""Sender × recipient: the messages that show a lab's ways, chosen from its configuration."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from components.config.lab import OUTSIDE, LabConfig, MachineConfig, Role, SchoolConfig
from components.config.mail import destinations
from maillab.postman.way import login_of
from maillab.verify.routes import Post, Writer

NOBODY = "no-such-user"
NAMES = 100  # of one mail server that get a message of their own: thousands would take minutes
ALIASES = 10  # of one mail server whose addresses somebody else tries to send with
Pair = tuple[Writer, str]


def pairs(post: Post) -> list[Pair]:
    """Every writer to every recipient; strangers to strangers; one to each name; spam for each filter; forgeries."""
    lab = post.lab
    found = [(writer, recipient) for writer in writers(lab) for recipient in recipients(lab)]
    found += [*_strangers(post), *_names(lab, found), *_spam(post)]
    return [*((_with_login(post, writer), recipient) for writer, recipient in found), *_forgeries(post)]


def _with_login(post: Post, writer: Writer) -> Writer:
    """A user at his school's mail client logs in, where his server asks him to."""
    if writer.client in (None, OUTSIDE):
        return writer
    return replace(writer, login=login_of(post.policy.plans[writer.machine], writer.address))


def _forgeries(post: Post) -> Iterator[Pair]:
    """By a user who has logged in: with the address of another one, of each alias, and of a stranger, to somebody else.

    Only what is mail for him as well may be his.
    """
    tn, senders = post.lab.internet.mail, post.lab.internet.senders
    recipient = f"{tn.users[0].name if tn.users else 'postmaster'}@{tn.domain}"
    for school in post.lab.schools:
        for writer in _school_writers(school):
            one = _with_login(post, writer)
            _, server = post.servers.config(writer.machine)
            if one.login is None or server is None or server.mail is None:
                continue
            domain = writer.address.rpartition("@")[2]
            others = [user for user in plain_users(server) if user != one.login.user][:1]
            names = [*others, *(alias.name.lower() for alias in server.mail.good_aliases[:ALIASES])]
            forged = [*(f"{name}@{domain}" for name in names), f"verify@{senders[0].domain}"]
            yield from ((replace(one, address=address), recipient) for address in forged)


def _strangers(post: Post) -> Iterator[Pair]:
    """To each mail server, by each family, from somebody who may connect: will it send a stranger's mail to a stranger?

    Where nobody may connect, from the first sender.
    """
    lab, tn = post.lab, post.lab.internet.mail
    senders = lab.internet.senders
    user = tn.users[0].name if tn.users else "postmaster"
    for name, plan in sorted(post.policy.plans.items()):
        if name == OUTSIDE or plan.part.mail is None:
            continue
        for version in (4, 6):
            target = ip_address(plan.host.first(version))
            own = {sender: sender.ipv4 if version == 4 else sender.ipv6 for sender in senders}
            sender = next((s for s in senders if post.reaches(OUTSIDE, own[s], target)), senders[0])
            address = f"relay+v{version}@{sender.domain}"
            recipient = f"verify@{senders[-1].domain}" if name == tn.name else f"{user}@{tn.domain}"
            yield Writer(address=address, machine=name, client=OUTSIDE, source=own[sender]), recipient


def _names(lab: LabConfig, before: list[Pair]) -> Iterator[Pair]:
    """From the first sender to each user and each alias, for whom nothing came from there yet.

    And from each server's own user to somebody with an extension (`recipient_delimiter`, postconf(5)).
    """
    writer = writers(lab)[0]
    known = {recipient for other, recipient in before if other == writer}
    for school in lab.schools:
        own = {w.machine: w for w in _school_writers(school)}
        for server in school.with_role(Role.MAIL, Role.SECOND_MAIL):
            domain = next(iter(domains_of(school, server)), "")
            found = [f"{name}@{domain}" for name in names_of(server)[:NAMES]]
            yield from ((writer, address) for address in found if address not in known)
            user = next(iter(plain_users(server)), None)
            if server.name in own and user is not None and server.mail is not None:
                delimiter = server.mail.main_cf.get("recipient_delimiter") or "+"
                yield own[server.name], f"{user}{delimiter[0]}verify@{domain}"


def names_of(server: MachineConfig) -> list[str]:
    """Everybody who gets mail on a server, users first."""
    if server.mail is None:
        return []
    aliases = [alias.name.lower() for alias in server.mail.good_aliases]
    return list(dict.fromkeys([*(user.name for user in server.mail.users), *aliases]))


def unnamed(lab: LabConfig) -> list[str]:
    """What is not tried because a server has more than `NAMES` names."""
    counts = [(m.name, len(names_of(m)) - NAMES) for s in lab.schools for m in s.with_role(Role.MAIL, Role.SECOND_MAIL)]
    return [f"a message to each of {count} further names on {name}" for name, count in counts if count > 0]


def _spam(post: Post) -> Iterator[Pair]:
    """The test message for spam filters, from the first sender to somebody behind each server that passes mail on."""
    writer = replace(writers(post.lab)[0], gtube=True)
    for plan in post.policy.plans.values():
        for relay in plan.part.mail.relays[:1] if plan.part.mail else ():
            _, server = post.servers.config(relay.server)
            users = (plain_users(server) if server else []) or [NOBODY]
            yield writer, f"{users[0]}@{relay.domain}"


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
        user = next(iter(plain_users(server)), None)
        if user is None:
            continue
        address = f"{user}@{domains_of(school, server)[0]}"
        # The school's mail client has its account on the first server.
        client = clients[0].name if clients and index == 0 else None
        yield Writer(address=address, machine=server.name, client=client)


def recipients(lab: LabConfig) -> list[str]:
    """A user in each mail domain of each school, two kinds of aliases, somebody unknown, and people outside."""
    found: list[str] = []
    for school in lab.schools:
        for server in school.with_role(Role.MAIL, Role.SECOND_MAIL):
            found += _school_recipients(school, server)
    mail = lab.internet.mail
    found += [f"{user.name}@{mail.domain}" for user in mail.users[:1]]
    found += [f"verify@{sender.domain}" for sender in lab.internet.senders[:1]]
    return list(dict.fromkeys(found))


def _school_recipients(school: SchoolConfig, server: MachineConfig) -> Iterator[str]:
    domains = domains_of(school, server)
    for domain in domains:
        yield from (f"{user}@{domain}" for user in plain_users(server)[:1])
    if server.mail is not None:
        aliases = sorted(server.mail.good_aliases, key=lambda alias: len(alias.targets))
        yield from (f"{alias.name}@{domains[0]}" for alias in (*aliases[:1], *aliases[-1:]))
        yield f"{NOBODY}@{domains[0]}"


def domains_of(school: SchoolConfig, server: MachineConfig) -> list[str]:
    """The server's mail domains that DNS knows, the school's own first."""
    if server.mail is None:
        return []
    taken = destinations(server.mail, server.fqdn(school.domain), school.domain)
    names = {record.name.rstrip(".") for record in school.good_records}
    return sorted({name for name in taken if name in names}, key=lambda name: (len(name), name)) or list(taken[:1])


def plain_users(server: MachineConfig) -> list[str]:
    """Users whose mail stays with them: no alias has their name."""
    if server.mail is None:
        return []
    aliases = {alias.name.lower() for alias in server.mail.good_aliases}
    return [user.name for user in server.mail.users if user.name not in aliases]
