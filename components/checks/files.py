"""Whether every machine's rendered files can be brought to it: the operating system limits how much at once."""

from collections.abc import Mapping

from components.config.lab import LabConfig, MachineConfig, SchoolConfig
from components.config.problem import Problem, problem
from components.environment import MACHINE_LIMIT, environment_size, files_environment, too_long_line
from components.part import Blueprint, Part

# What a rendered file comes from, in a machine's section of the configuration.
SECTIONS = {
    "/etc/aliases": "mail.aliases",
    "/etc/maillab/users": "mail.users",
    "/etc/maillab/users.secret": "mail.users",
    "/etc/postfix/main.cf": "mail.main_cf",
    "/etc/postfix/relay_recipients": "spamfilter.domains",
    "/etc/postfix/transport": "spamfilter.domains",
}
SHOWN = 40  # characters of a line that is too long


def check_files(config: LabConfig, plans: Mapping[str, Blueprint]) -> list[Problem]:
    """A problem for each line, and for each machine, with more text than a process can be handed."""
    problems = []
    machines = {machine.name: (school, machine) for school in config.schools for machine in school.machines}
    for name, plan in plans.items():
        of_school = machines.get(name)
        files = {**plan.part.all_files, **plan.part.secret_files}
        for path, text in files.items():
            if found := too_long_line(path, text):
                problems.append(_long_line(path, *found, _place(path, of_school)))
        size = environment_size(_environment(plan.part))
        if size > MACHINE_LIMIT:
            largest = max(files, key=lambda path: len(files[path]))
            problems.append(_too_much(name, size, largest, len(files[largest].encode()), _place(largest, of_school)))
    return problems


def _environment(part: Part) -> dict[str, str]:
    return files_environment(part.all_files) | files_environment(part.secret_files, secret=True)


def _place(path: str, of_school: tuple[SchoolConfig, MachineConfig] | None) -> str:
    """Where in the configuration the file comes from; None: a machine of the Internet."""
    if of_school is None:
        return "maillab:internet"
    school, machine = of_school
    where = f"maillab:schools.{school.name}"
    if path.startswith("/etc/bind/"):
        return f"{where}.zone.records"
    if path == "/etc/rc.local":
        return f"{where}.firewall"
    section = SECTIONS.get(path)
    if section == "mail.main_cf" and machine.mail is None:
        section = "spamfilter.domains"
    return f"{where}.machines.{machine.name}{f'.{section}' if section else ''}"


def _long_line(path: str, number: int, line: str, place: str) -> Problem:
    start = "" if path.endswith(".secret") else f" ({line[:SHOWN]}…)"
    size = len(line.encode())
    return problem("line-too-long", place, number=number, path=path, start=start, size=size)


def _too_much(name: str, size: int, largest: str, bytes_of_largest: int, place: str) -> Problem:
    values = {"machine": name, "size": size, "limit": MACHINE_LIMIT, "file": largest, "part": bytes_of_largest}
    return problem("files-too-large", place, **values)
