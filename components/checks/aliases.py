"""What is wrong with the aliases of a school's mail servers taken together: an alias can lead to another server."""

import graphlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.config.mail import Alias, MailServerConfig
from components.config.problem import Problem, problem, shown

# A mail server (its index) and a local part there, in lower case.
Recipient = tuple[int, str]
# So many names of a circle are shown.
LONGEST_CIRCLE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server among the others: its machine's `name`, the `domains` it takes, the place of its `config`."""

    name: str
    config: MailServerConfig
    domains: frozenset[str]
    where: str


def check_aliases(servers: Sequence[MailServer]) -> list[Problem]:
    """Aliases that lead to nobody or go round. `servers`: all of one school, which pass mail on to each other."""
    aliases = [
        ((index, alias.name.lower()), alias)
        for index, server in enumerate(servers)
        for alias in server.config.good_aliases
    ]
    users = {(index, user.name) for index, server in enumerate(servers) for user in server.config.users}
    known = users | {recipient for recipient, _ in aliases}
    problems = []
    steps: dict[Recipient, list[Recipient]] = {recipient: [] for recipient, _ in aliases}
    for recipient, alias in aliases:
        for target in alias.targets:
            to = _recipient(target, recipient[0], servers)
            # A user's own name among his alias's targets ends the expansion (aliases(5)): it is no loop.
            if to is None or (to == recipient and to in users):
                continue
            steps[recipient].append(to)
            if to not in known and to[1] not in servers[to[0]].config.system_accounts:
                problems.append(_to_nobody(alias, target, servers[recipient[0]], servers[to[0]], to[1]))
    return problems + [_round(circle, servers) for circle in _circles(steps)]


def _recipient(target: str, here: int, servers: Sequence[MailServer]) -> Recipient | None:
    """Whom a target of the server `here` means; None when no server of the school takes it, or more than one could."""
    name, at, domain = target.lower().rpartition("@")
    if not at:
        return here, target.lower()
    if domain in servers[here].domains:
        return here, name
    takers = [index for index, server in enumerate(servers) if domain in server.domains]
    return (takers[0], name) if len(takers) == 1 else None


def _circles(steps: dict[Recipient, list[Recipient]]) -> Iterator[list[Recipient]]:
    """Circles (first is last) such that nothing goes round any more when each has lost its last step.

    Not every circle: their number can be larger than any list. `steps` is used up.
    """
    while True:
        try:
            graphlib.TopologicalSorter(steps).prepare()
        except graphlib.CycleError as error:
            # graphlib goes from a step's end to its beginning.
            circle = list(reversed(error.args[1]))
            steps[circle[-2]] = [step for step in steps[circle[-2]] if step != circle[-1]]
            yield circle
        else:
            return


def _to_nobody(alias: Alias, target: str, server: MailServer, other: MailServer, name: str) -> Problem:
    """The problem of `target` at `server`, which means `name` at `other` (mostly the same)."""
    values = {"alias": shown(alias.name), "target": shown(target), "user": shown(name)}
    if other is server:
        return problem("alias-to-nobody.here", f"{server.where}.aliases", **values)
    return problem("alias-to-nobody.elsewhere", f"{server.where}.aliases", server=other.name, **values)


def _round(circle: Sequence[Recipient], servers: Sequence[MailServer]) -> Problem:
    """The problem of a circle. Its servers are named when it leads over several."""
    places = list(dict.fromkeys(f"{servers[index].where}.aliases" for index, _ in circle))
    names = [name if len(places) == 1 else f"{servers[index].name}:{name}" for index, name in circle]
    if len(names) > LONGEST_CIRCLE:
        names = [*names[: LONGEST_CIRCLE - 3], "…", *names[-2:]]
    sentence = "alias-loop.here" if len(places) == 1 else "alias-loop.elsewhere"
    return problem(sentence, ", ".join(places), circle=" → ".join(names))
