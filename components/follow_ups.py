"""Which problems are there only because something else could not be read: nobody can mend them, so they are not said.

The checks see the whole configuration, with a stand-in at each gap. What they find is a follow-up when

- its place is a gap or lies in one (a role could not be read: the machine is not without a role);
- its words name a stand-in (250.0.0.1 is no address in 163.26.182.0/24);
- it rests on a gap (no machine has the relayhost's address, but one machine's address could not be read).

The third kind says that something is *missing*, and only the check knows where it has looked:
`Problem.rests_on`. Everything else stays wrong whatever will be written into the gaps.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence

from components.config import LabConfig
from components.problem import Problem
from components.stand_in import Gap

Path = tuple[str, ...]


def without_follow_ups(problems: Iterable[Problem], gaps: Sequence[Gap], config: LabConfig) -> list[Problem]:
    """Those of `problems` (what the checks say of `config`) that are there whatever belongs into the gaps."""
    names = _names(gaps)
    ways = _ways_to_say(config)
    broken = [_path(gap.where, ways) for gap in gaps]
    words = [word for gap in gaps for word in gap.words if word not in names]

    def follows(problem: Problem) -> bool:
        place = _path(problem.where, ways)
        rests_on = [_path(where, ways) for where in problem.rests_on]
        return (
            any(place[: len(gap)] == gap for gap in broken)
            or any(word in problem.what for word in words)
            or any(_meet(rest, gap) for rest in rests_on for gap in broken)
        )

    return [_as_shown(problem, names, words) for problem in problems if not follows(problem)]


def _names(gaps: Iterable[Gap]) -> dict[str, str]:
    """The stand-in of each name that could not be read, and what its owner is called instead.

    That is `machines[3]` or `internet.mail`: a problem that only names its machine does not depend on the name.
    """
    owners = ((re.search(r"(\w+\[\d+\]|maillab:[\w.]+)\.name\Z", gap.where), gap.words) for gap in gaps)
    return {word: owner[1].removeprefix("maillab:") for owner, words in owners if owner for word in words}


def _ways_to_say(config: LabConfig) -> list[tuple[str, str]]:
    """Two ways to say one place: the checks' by name and the reader's by number; what has one name is one place."""
    ways = []
    schools = [school.name for school in config.schools]
    for index, school in enumerate(config.schools):
        place = f"maillab:schools[{schools.index(school.name)}]"
        ways += [(f"maillab:schools.{school.name}", place), (f"maillab:schools[{index}]", place)]
        machines = [machine.name for machine in school.machines]
        for number, name in enumerate(machines):
            machine = f"{place}.machines[{machines.index(name)}]"
            ways += [(f"{place}.machines.{name}", machine), (f"{place}.machines[{number}]", machine)]
    return ways


def _path(where: str, ways: Iterable[tuple[str, str]]) -> Path:
    """The words of a place: `maillab:schools.dc1es.zone.records[3] (…)` is maillab, schools, 0, zone, records, 3."""
    for other, place in ways:
        if f"{where}.".startswith(f"{other}."):
            where = f"{place}{where.removeprefix(other)}"
    return tuple(re.findall(r"[^][.:]+", where.partition(" ")[0]))


def _meet(rest: Path, gap: Path) -> bool:
    """Whether one is the other or lies in it; `*` is any item."""
    return all(word in ("*", other) for word, other in zip(rest, gap, strict=False))


def _as_shown(problem: Problem, names: Mapping[str, str], words: Iterable[str]) -> Problem:
    """`problem` with no stand-in in its words."""
    where, what, remedy = problem.where, problem.what, problem.remedy
    for name, owner in names.items():
        where, what = (text.replace(f"{owner.partition('[')[0]}.{name}", owner) for text in (where, what))
        what, remedy = what.replace(name, owner), remedy.replace(name, owner)
    for word in words:
        remedy = remedy.replace(word, "…")
    return dataclasses.replace(problem, where=where, what=what, remedy=remedy)
