"""The Internet around the schools: name servers, another mail server and senders in many ranges."""

from collections.abc import Iterable
from ipaddress import IPv4Address

from components.config.mail import User, check_users
from components.config.names import LONGEST_DOMAIN, LONGEST_NAME, name_fault
from components.config.network import SegmentConfig
from components.config.problem import Problem, problem, quoted
from components.config.section import HostAddress6, section


@section
class OutsideMailServer:
    """The mail server of another domain (the tutorial: tnuser@tn.edu.tw).

    `checks_client_names`: a client whose address has no name in DNS, or one that does not lead back to the address,
    has to wait (reject_unknown_client_hostname, postconf(5)).
    """

    name: str
    domain: str
    ipv4: IPv4Address
    ipv6: HostAddress6
    users: tuple[User, ...]
    checks_client_names: bool = False


@section
class Sender:
    """One identity of the machine `outside`: a host with a domain of its own that sends from its address."""

    host: str
    ipv4: IPv4Address
    ipv6: HostAddress6

    @property
    def domain(self) -> str:
        """The part behind the host's first label: its mail domain."""
        return self.host.partition(".")[2]


@section
class InternetConfig:
    """`maillab:internet`: the segment, the name server's addresses, `tn`, and the senders."""

    segment: SegmentConfig
    name_server: IPv4Address
    name_server6: HostAddress6
    mail: OutsideMailServer
    senders: tuple[Sender, ...]


def check_internet(config: InternetConfig, domains: Iterable[str], where: str) -> list[Problem]:
    """Every problem of the outside's mail domains. `domains` are the schools'."""
    problems = check_users(config.mail.users, f"{where}.mail")
    if not config.senders:
        problems.append(problem("no-sender", f"{where}.senders"))
    names = [(f"{where}.mail.domain", config.mail.domain, 2, LONGEST_DOMAIN)]
    # A sender's mail domain is what stands behind the host's first label.
    names += [(f"{where}.senders[{i}].host", sender.host, 3, LONGEST_NAME) for i, sender in enumerate(config.senders)]
    seen: set[str] = set()
    taken = tuple(domains)
    for place, name, least, longest in names:
        if fault := name_fault(name, least=least, longest=longest):
            problems.append(problem("bad-mail-name", place, name=quoted(name), fault=fault.what, hint=fault.remedy))
            continue
        if any(f".{name}".endswith(f".{other}") for other in taken):
            problems.append(problem("mail-name-taken", place, name=name))
        if name == config.mail.domain:
            taken = (*taken, name)
        if name in seen:
            problems.append(problem("mail-name-twice", place, name=name))
        seen.add(name)
    return problems
