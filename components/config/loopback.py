"""What programs of the mail server itself ask of Postfix' addresses: they bring it mail on 127.0.0.1."""

from collections.abc import Mapping

from components.config.mynetworks import words
from components.config.problem import Problem, problem

# Words of these parameters (postconf(5)) that 127.0.0.1 belongs to: one is enough.
ENOUGH = {
    "inet_protocols": frozenset({"ipv4", "all"}),
    "inet_interfaces": frozenset({"all", "loopback-only", "localhost", "127.0.0.1", "[127.0.0.1]"}),
}


def check_loopback(parameters: Mapping[str, str], users: Mapping[str, bool], where: str) -> list[Problem]:
    """A problem for each parameter that takes 127.0.0.1 from Postfix. `users`: the programs' keys, and are they used?

    With one address in `inet_interfaces` Postfix' own client has it too, and amavis takes mail from the loopback alone.
    """
    keys = [key for key, there in users.items() if there]
    return [
        problem(f"needs-loopback.{name}", f"{where}.main_cf.{name}", keys=", ".join(keys))
        for name, good in ENOUGH.items()
        if keys and not good.intersection(words(parameters.get(name, "all")))
    ]
