"""What a stack on disk says."""

import pytest

from cli.problem import MaillabError
from cli.stack import SECRET, Engine, Stack
from tests.unit.cli.conftest import save_state


def test_no_state_means_no_maker(stack: Stack) -> None:
    assert stack.makers() == []


@pytest.mark.parametrize("engine", list(Engine))
def test_the_engine_with_resources_is_the_maker(stack: Stack, engine: Engine) -> None:
    save_state(stack, engine, {})
    assert stack.makers() == [engine]


@pytest.mark.parametrize("engine", list(Engine))
def test_a_destroyed_lab_has_no_maker(stack: Stack, engine: Engine) -> None:
    save_state(stack, engine, {}, made=False)
    assert stack.makers() == []


@pytest.mark.parametrize("engine", list(Engine))
def test_outputs_are_read_from_either_state(stack: Stack, engine: Engine) -> None:
    save_state(stack, engine, {"counts": {"machines": 9}})
    assert stack.outputs() == {"counts": {"machines": 9}}


def test_a_nested_secret_is_hidden(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {"users": [{"admin": {SECRET: "1", "plaintext": '"pw"'}}]})
    assert stack.outputs() == {"users": [{"admin": "[secret]"}]}


def test_a_damaged_state_is_named(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    stack.state_file(Engine.OFFLINE).write_text("{", "utf-8")
    with pytest.raises(MaillabError, match=r"lab\.json: the state of stack lab is damaged"):
        stack.makers()
