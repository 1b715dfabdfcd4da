"""What a stack on disk says."""

import pytest

from maillab.cli.problem import MaillabError
from maillab.cli.stack import SECRET, Engine, Stack
from tests.unit.maillab.cli.conftest import save_state


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


def configure(stack: Stack, text: bytes) -> None:
    (stack.root / "Pulumi.lab.yaml").write_bytes(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"config: {'maillab:where': vm}", "vm", id="a word"),
        pytest.param(b"config: {'maillab:where': }", "", id="nothing"),
        pytest.param(b"config: {'maillab:prefix': x-}", "", id="left out"),
        pytest.param(b"config:", "", id="no settings"),
        pytest.param(b"encryptionsalt: v1", "", id="no config"),
        pytest.param(b"", "", id="an empty file"),
    ],
)
def test_a_setting(stack: Stack, text: bytes, value: str) -> None:
    configure(stack, text)
    assert stack.setting("where") == value


def test_a_setting_without_a_file(stack: Stack) -> None:
    assert stack.setting("where") == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"config: {", id="cut"),
        pytest.param(b"config: vm", id="a text for the settings"),
        pytest.param(b"config: [vm]", id="a list for the settings"),
        pytest.param(b"where: vm: x", id="two colons"),
        pytest.param(b"just a text", id="a text"),
        pytest.param(b"# \xa4\xa4\xa4\xe5", id="Big5"),
    ],
)
def test_a_file_that_can_not_be_read_is_named(stack: Stack, text: bytes) -> None:
    configure(stack, text)
    with pytest.raises(MaillabError, match=r"Pulumi\.lab\.yaml: ") as refusal:
        stack.setting("where")
    assert refusal.value.remedy == ("correct it there",)
