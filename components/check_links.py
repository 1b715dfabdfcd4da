"""What is wrong with `maillab:links`."""

from components.config import LabConfig
from components.network.links import check_link
from components.network.topology import INTERNET, OUTSIDE, ROUTER
from components.problem import Problem
from components.reader import did_you_mean

# Where the names of machines stand; the other machines' names are the lab's own.
NAMES = ("maillab:schools[*].machines[*].name", "maillab:internet.mail.name")


def check_links(config: LabConfig) -> list[Problem]:
    """Entries of machines that are not there, and values that a wire can't have."""
    own = [ROUTER, INTERNET, OUTSIDE, config.internet.mail.name]
    machines = sorted([*own, *(machine.name for school in config.schools for machine in school.machines)])
    problems = []
    for name, link in config.links.items():
        where = f"maillab:links.{name}"
        if name not in machines:
            what, remedy = f"{name} is no machine", f"{did_you_mean(name, machines)}one of: {', '.join(machines)}"
            problems.append(Problem(id="link-unknown", where=where, what=what, remedy=remedy, rests_on=NAMES))
        problems += check_link(link, where)
    return problems
