"""More text than a process can be handed is found in the configuration, before anything is made."""

import copy
import pathlib
from typing import Any

from components.checks.files import check_files
from components.config.problem import Problem
from components.load import parse
from components.plan import plan_of
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]
Data = dict[str, Any]


def school() -> tuple[Data, Data, Data]:
    """The tutorial's lab, its school, and its mail server."""
    data = copy.deepcopy(stack_data(ROOT, "dc1es"))
    one: Data = data["schools"][0]  # type: ignore[index]
    return data, one, one["machines"][1]["mail"]


def problems_of(data: Data) -> list[Problem]:
    """What the check of the rendered files says."""
    made = plan_of(parse(data, "dc1es"))
    return check_files(made.config, made.machines)


def users(count: int) -> list[Data]:
    """That many accounts."""
    return [{"name": f"s{n:05}", "password": f"lab-{n:05}-2006", "gecos": f"學生 {n:05}"} for n in range(count)]


def test_two_thousand_users_are_taken() -> None:
    data, _, mail = school()
    mail["users"] += users(2000)
    mail["aliases"] += [f"class-{n:05}: s{n:05}, admin, manager, service, chen, lin, wang" for n in range(2000)]
    mail["aliases"] += ["all: " + ", ".join(f"s{n:05}" for n in range(2000))]
    assert problems_of(data) == []


def test_line_that_is_too_long_has_its_place() -> None:
    data, _, mail = school()
    mail["aliases"] += ["all: " + ", ".join(f"someone{n}@example.com" for n in range(6000))]
    (problem,) = problems_of(data)
    assert problem.id == "line-too-long"
    assert problem.where == "maillab:schools.dc1es.machines.mail.mail.aliases"
    assert "/etc/aliases" in problem.what
    assert "(all: someone0@example.com" in problem.what
    assert problem.remedy


def test_too_many_users_have_their_place() -> None:
    data, _, mail = school()
    mail["users"] += [user | {"gecos": "x" * 120} for user in users(11_000)]
    (problem,) = problems_of(data)
    assert (problem.id, problem.where) == ("files-too-large", "maillab:schools.dc1es.machines.mail.mail.users")
    assert "/etc/maillab/users" in problem.what


def test_too_many_records_have_their_place() -> None:
    data, one, _ = school()
    text = " ".join([f'"{"x" * 240}"'] * 10)
    one["zone"]["records"] += [f"host{n} TXT {text}" for n in range(700)]
    (problem,) = problems_of(data)
    assert (problem.id, problem.where) == ("files-too-large", "maillab:schools.dc1es.zone.records")
    assert "/etc/bind/db.dc1es.tnc.edu.tw" in problem.what
