"""The logins of `logins.py`, tried on the servers."""

import pathlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from components.part import LoginProtocol
from maillab.trace.machines import Machines
from maillab.verify.cells import LOOPBACK
from maillab.verify.logins import Login

PROGRAMS = {LoginProtocol.POP3: "login_probe.pl", LoginProtocol.SMTP: "smtp_login_probe.pl"}
# Each takes an address, a port, seconds and the server's name, and reads and prints what `login_probe.pl` does.
SCRIPTS: Mapping[LoginProtocol, str] = {
    protocol: (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8") for protocol, name in PROGRAMS.items()
}
SECONDS = 120  # for one answer: a wrong password takes two or three, on an emulated processor ten times that


def try_logins(machines: Machines, asked: Iterable[Login]) -> dict[Login, str]:
    """What came of each try, all servers at once.

    Raises:
        MachineError: a machine could not be asked.
    """
    by_service: dict[tuple[str, LoginProtocol, int], list[Login]] = defaultdict(list)
    for login in asked:
        by_service[login.machine, login.protocol, login.port].append(login)
    with ThreadPoolExecutor(max(len(by_service), 1)) as pool:
        answers = pool.map(lambda logins: _try(machines, logins), by_service.values())
        return {login: seen for found in answers for login, seen in found.items()}


def _try(machines: Machines, asked: list[Login]) -> dict[Login, str]:
    # Passwords come by stdin: everybody can read a command line.
    text = "".join(f"{number} {login.user} {login.password}\n" for number, login in enumerate(asked))
    first = asked[0]
    command = ["perl", "-e", SCRIPTS[first.protocol], str(LOOPBACK[4]), str(first.port), str(SECONDS), first.host]
    printed = machines.run(first.machine, command, text)
    answers = (line.split(maxsplit=1) for line in printed.splitlines())
    return {asked[int(number)]: words for number, words in answers}
