"""Who gets into his mailbox with the password that the configuration gives him, and that nobody does with another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from components.part import LoginProtocol, LoginService
from maillab.verify.cells import LOOPBACK, Cell, Policy, Source, Verdict, predict

ACCEPTED, REFUSED = "accepted", "refused"
NO_CONNECTION = "no connection"
NO_TRUST = "no trust"  # in the server's certificate: no password is sent then
USERS = 100  # of one server whose passwords are tried: each costs some processor time (crypt(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One try to log in on `machine` itself, at a TCP port of its. `is_right`: `password` is the user's.

    `host`: the name that its certificate must have, where the protocol asks for one.
    """

    machine: str
    host: str = ""
    protocol: LoginProtocol
    port: int
    user: str
    password: str = field(repr=False)
    is_right: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginResult:
    """A try, and what was predicted and seen of it."""

    login: Login
    predicted: str
    seen: str

    @property
    def agrees(self) -> bool:
        """Was it as predicted?"""
        return self.seen == self.predicted


def logins(policy: Policy, wrong: str) -> list[Login]:
    """Each user of each server with his password, and the first of each server with `wrong`, which is nobody's."""
    found: list[Login] = []
    for machine, service in _services(policy):
        right = [
            Login(
                machine=machine,
                host=policy.plans[machine].host.fqdn,
                protocol=service.protocol,
                port=service.port,
                user=user.name,
                password=user.password,
            )
            for user in service.users[:USERS]
        ]
        found += [*right, *(replace(login, password=wrong, is_right=False) for login in right[:1])]
    return found


def untried_users(policy: Policy) -> list[str]:
    """What is not tried because a server has more than `USERS` users."""
    counts = [(machine, len(service.users) - USERS) for machine, service in _services(policy)]
    return [f"the passwords of {count} further users of {machine}" for machine, count in counts if count > 0]


def _services(policy: Policy) -> Iterator[tuple[str, LoginService]]:
    """What users can log in to over the loopback, with its machine."""
    for name, plan in policy.plans.items():
        ports = plan.part.listens | plan.part.listens_inside
        yield from ((name, service) for service in plan.part.logins if (service.port, 4) in ports)


def predict_logins(policy: Policy, asked: Iterable[Login]) -> dict[Login, str]:
    """Who gets in; a packet filter may keep everybody out."""
    found = {}
    for login in asked:
        source = Source(name="loopback", machine=login.machine, address=LOOPBACK[4])
        cell = Cell(source=source, target=login.machine, address=LOOPBACK[4], port=login.port)
        is_open = predict(policy, cell).verdict is Verdict.ACCEPT
        found[login] = (ACCEPTED if login.is_right else REFUSED) if is_open else NO_CONNECTION
    return found
