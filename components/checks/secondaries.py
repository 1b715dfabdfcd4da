"""What is wrong with the secondary name servers of the schools' zones."""

from components.config.lab import LabConfig, SchoolConfig
from components.config.problem import Problem, problem, shown
from components.config.reader import did_you_mean
from components.network.topology import fqdns


def check_secondaries(config: LabConfig) -> list[Problem]:
    """Secondaries that no machine can be, that are named twice, or that the zone's records name once more."""
    return [found for school in config.schools for found in _check_school(config, school)]


def _check_school(config: LabConfig, school: SchoolConfig) -> list[Problem]:
    where = f"maillab:schools.{school.name}.zone"
    # Of the Internet's machines this one is no root, no resolver and no crowd of senders.
    known = [config.internet.mail.name]
    problems = []
    for index, name in enumerate(school.zone.secondaries):
        place = f"{where}.secondaries[{index}]"
        if name not in known:
            values = {"name": shown(name), "near": did_you_mean(name, known), "machines": ", ".join(known)}
            problems.append(problem("secondary-unknown", place, **values))
        elif name in school.zone.secondaries[:index]:
            problems.append(problem("secondary-twice", place, name=name))
    servers = {f"{fqdns(config)[name]}.": name for name in school.zone.secondaries if name in known}
    for record in school.good_records:
        target = record.data.lower() if record.type == "NS" else ""
        if record.name == f"{school.domain}." and target in servers:
            problems.append(problem("secondary-in-records", f"{where}.records", server=target, name=servers[target]))
    return problems
