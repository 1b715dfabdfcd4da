"""What tests look at in a list of problems."""

from collections.abc import Iterable

from components.config.problem import Problem


def ids(problems: Iterable[Problem]) -> list[str]:
    """The problems' ids, sorted; each problem must say where, what and what to do."""
    problems = list(problems)
    for problem in problems:
        assert problem.where, problem
        assert problem.what, problem
        assert problem.remedy, problem
    return sorted(problem.id for problem in problems)
