"""What is wrong with `maillab:links`."""

from components.config.lab import INTERNET, OUTSIDE, ROUTER, LabConfig
from components.config.links import check_link
from components.config.problem import Problem, problem, shown
from components.config.reader import did_you_mean


def check_links(config: LabConfig) -> list[Problem]:
    """Entries of machines that are not there, and values that a wire can't have."""
    own = [ROUTER, INTERNET, OUTSIDE, config.internet.mail.name]
    machines = sorted([*own, *(machine.name for school in config.schools for machine in school.machines)])
    problems = []
    for name, link in config.links.items():
        where = f"maillab:links.{shown(name)}"
        if name not in machines:
            values = {"name": shown(name), "near": did_you_mean(name, machines), "machines": ", ".join(machines)}
            problems.append(problem("link-unknown", where, **values))
        problems += check_link(link, where)
    return problems
