"""POP3 as the school's mail client speaks it: logins, and what pop3-fetch prints."""

import json
import pathlib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from driver.machine import Machine

LOGINS_SCRIPT = (pathlib.Path(__file__).parent / "pop3_logins.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A user name and a password, and the server's answers: the greeting, to USER, to PASS."""

    user: str
    password: str
    answers: tuple[str, ...]

    @property
    def opened(self) -> bool:
        """The mailbox is open."""
        return len(self.answers) == 3 and self.answers[2].startswith("+OK")


def log_in(client: Machine, server: Machine, logins: Iterable[tuple[str, str]]) -> list[Login]:
    """Tries every (user, password) from `client` on `server`."""
    tried = list(logins)
    answers = json.loads(client.python(LOGINS_SCRIPT, server.ipv4, json.dumps(tried)))
    return [
        Login(user=user, password=password, answers=tuple(said))
        for (user, password), said in zip(tried, answers, strict=True)
    ]


def passwords(server: Machine) -> dict[str, str]:
    """The accounts that the configuration gives a mail server, with their passwords."""
    lines = server.read("/etc/maillab/current/etc/maillab/users.secret").splitlines()
    return {name: password for name, _, password in (line.partition(":") for line in lines)}


def fetch(client: Machine, server: Machine, user: str, *options: str) -> str:
    """What pop3-fetch prints for a configured user."""
    words = ["pop3-fetch", "--server", server.ipv4, *options, user, passwords(server)[user]]
    return client.succeed(shlex.join(words))
