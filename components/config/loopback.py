"""What programs of the mail server itself ask of Postfix' addresses: they bring it mail on 127.0.0.1."""

import ipaddress
import re
from collections.abc import Mapping

from components.config.problem import Problem, problem

# Words of `inet_interfaces` (postconf(5)) that 127.0.0.1 belongs to.
WORDS = frozenset({"all", "loopback-only", "localhost"})


def check_loopback(parameters: Mapping[str, str], users: Mapping[str, bool], where: str) -> list[Problem]:
    """A problem for each parameter that takes 127.0.0.1 from Postfix. `users`: the programs' keys, and are they used?

    With one address in `inet_interfaces` Postfix' own client has it too, and amavis takes mail from the loopback alone.
    """
    keys = [key for key, there in users.items() if there]
    protocols = re.split(r"[,\s]+", parameters.get("inet_protocols", "all").strip())
    interfaces = re.split(r"[,\s]+", parameters.get("inet_interfaces", "all").strip())
    wrong = {
        "inet_protocols": not {"ipv4", "all"} & set(protocols),
        "inet_interfaces": not any(map(_has_loopback, interfaces)),
    }
    return [
        problem(f"needs-loopback.{name}", f"{where}.main_cf.{name}", keys=", ".join(keys))
        for name, is_wrong in wrong.items()
        if is_wrong and keys
    ]


def _has_loopback(word: str) -> bool:
    try:
        return ipaddress.ip_address(word.strip("[]")) == ipaddress.ip_address("127.0.0.1")
    except ValueError:
        return word in WORDS
