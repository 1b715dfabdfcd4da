"""Every exercise for the school without an appliance keeps its contract."""

import pytest

from driver.lab import Lab
from maillab.exercises.session import Session
from tests.support.exercises import Case, cases, keeps_its_contract

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("case", cases("standalone"), ids=str)
def test_exercise_keeps_its_contract(standalone_exercises: Session, sound_standalone: Lab, case: Case) -> None:
    keeps_its_contract(standalone_exercises, sound_standalone, case)
