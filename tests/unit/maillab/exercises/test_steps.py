"""Texts that are replaced exactly once, or not at all."""

import pytest

from maillab.exercises.exercise import Step
from maillab.exercises.steps import StepError, edited


def test_stack_file_is_edited() -> None:
    steps = [Step(stack="a: 1", by="a: 2"), Step(machine="mail", run="date"), Step(stack="b", by="")]
    assert edited("a: 1\nb", steps, "Pulumi.x.yaml") == "a: 2\n"


@pytest.mark.parametrize("text", ["", "a: 1\na: 1\n"])
def test_text_that_is_not_there_once_is_an_error_with_its_place(text: str) -> None:
    with pytest.raises(StepError, match=r"Pulumi.x.yaml: this text is there \d times"):
        edited(text, [Step(stack="a: 1", by="a: 2")], "Pulumi.x.yaml")
