"""The stack `two`: the schools of the other stack files, side by side."""

from dataclasses import replace

from components.config.lab import SchoolConfig
from tests.golden.rendering import lab_of


def renamed(school: SchoolConfig) -> SchoolConfig:
    """The school with its machines called as in a lab of its own: names are unique in a lab."""
    machines = tuple(replace(one, name=one.hostname or one.name, hostname=None) for one in school.machines)
    return replace(school, machines=machines)


def test_first_school_is_that_of_dc1es() -> None:
    assert lab_of("two").schools[0] == lab_of("dc1es").schools[0]


def test_second_school_is_that_of_standalone() -> None:
    assert renamed(lab_of("two").schools[1]) == lab_of("standalone").schools[0]
