"""Every exercise keeps its contract: half of them here, so that two workers share them."""

import pytest

from driver.lab import Lab
from maillab.exercises.exercise import STACK
from maillab.exercises.session import Session
from tests.support.exercises import Case, cases, keeps_its_contract

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("case", cases(STACK, 0), ids=str)
def test_exercise_keeps_its_contract(exercises: Session, workbench: Lab, case: Case) -> None:
    keeps_its_contract(exercises, workbench, case)
