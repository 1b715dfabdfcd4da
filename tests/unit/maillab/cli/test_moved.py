"""A lab is not moved by a changed configuration; one that came no further than its place is forgotten."""

import pytest

from maillab.cli import where
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.where import place_of, refuse_moved
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, save_lab, save_old_lab, save_state

LOCAL = "local unix:///var/run/docker.sock"


@pytest.fixture(autouse=True)
def no_engine_of_the_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says that this computer's engine is another one than Docker's own."""
    monkeypatch.setattr(where, "environment", dict)


@pytest.mark.parametrize(
    ("was", "wanted", "made"),
    [
        pytest.param("vm", "local", where.MACHINE, id="out of the machine"),
        pytest.param(LOCAL, "vm", where.PROVIDER, id="into a machine"),
        pytest.param("ssh://teacher@one", "ssh://teacher@two", where.PROVIDER, id="to another computer"),
        pytest.param("ssh://lab", "ssh://teacher@lab", where.PROVIDER, id="another user"),
        pytest.param("local tcp://127.0.0.1:2375", "local", where.PROVIDER, id="another engine of this computer"),
    ],
)
def test_a_lab_is_not_moved(stack: Stack, was: str, wanted: str, made: str) -> None:
    save_lab(stack, was, Engine.OFFLINE, made)
    configure(stack, wanted)
    with pytest.raises(MaillabError, match="nothing was changed") as refusal:
        refuse_moved(stack)
    assert refusal.value.id == "where-changed"
    assert f"the lab lab is at {was}," in str(refusal.value)
    assert "bin/maillab --stack lab down" in refusal.value.remedy[0]


def test_a_place_that_is_gone_can_be_forgotten(stack: Stack) -> None:
    save_lab(stack, "ssh://one", Engine.OFFLINE, where.PROVIDER)
    configure(stack, "ssh://two")
    with pytest.raises(MaillabError, match="nothing was changed") as refusal:
        refuse_moved(stack)
    assert refusal.value.remedy[1].endswith("gone for good: bin/maillab --stack lab down --forget")
    assert stack.makers() == [Engine.OFFLINE]


def test_a_machine_of_this_computer_is_removed_not_forgotten(stack: Stack) -> None:
    save_lab(stack, "vm", Engine.OFFLINE, where.MACHINE)
    configure(stack, "local")
    with pytest.raises(MaillabError, match="nothing was changed") as refusal:
        refuse_moved(stack)
    assert "--forget" not in " ".join(refusal.value.remedy)


def test_another_docker_host_would_move_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(stack, LOCAL, Engine.OFFLINE, where.PROVIDER)
    monkeypatch.setattr(where, "environment", lambda: {"DOCKER_HOST": "tcp://192.0.2.1:2375"})
    with pytest.raises(MaillabError, match=r"says local tcp://192\.0\.2\.1:2375 now"):
        refuse_moved(stack)


@pytest.mark.parametrize("place", ["vm", "ssh://teacher@lab"])
def test_a_lab_stays_where_it_is(stack: Stack, place: str) -> None:
    save_lab(stack, place, Engine.OFFLINE, where.MACHINE)
    configure(stack, place)
    refuse_moved(stack)


def test_a_local_lab_stays_without_a_word(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    save_lab(stack, LOCAL, Engine.OFFLINE, where.PROVIDER)
    refuse_moved(stack)
    assert capsys.readouterr() == ("", "")


def test_a_new_lab_may_be_anywhere(stack: Stack) -> None:
    configure(stack, "vm")
    refuse_moved(stack)


def test_a_misspelt_place_is_forgotten(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    save_lab(stack, "ssh://lba")
    configure(stack, "ssh://lab")
    refuse_moved(stack)
    assert stack.makers() == []
    assert capsys.readouterr().err == "  nothing was made at ssh://lba yet: the lab goes to ssh://lab\n"


def test_pulumi_forgets_it_too(stack: Stack, program: Program) -> None:
    save_lab(stack, "ssh://lba", Engine.PULUMI)
    program("pulumi", 'echo "$*" >calls')
    configure(stack, "ssh://lab")
    refuse_moved(stack)
    assert (stack.root / "calls").read_text("utf-8") == "stack rm --force --yes --preserve-config lab\n"


def test_a_preview_forgets_nothing(stack: Stack) -> None:
    save_lab(stack, "ssh://lba")
    configure(stack, "ssh://lab")
    refuse_moved(stack, look_only=True)
    assert place_of(stack) == "ssh://lba"


def test_a_place_that_was_not_changed_is_not_forgotten(stack: Stack) -> None:
    """The next `up` goes on there."""
    save_lab(stack, "vm")
    configure(stack, "vm")
    refuse_moved(stack)
    assert stack.makers() == [Engine.OFFLINE]


@pytest.mark.parametrize("host", ["unix:///var/run/docker.sock", ""])
def test_a_lab_from_before_the_guard_goes_on(stack: Stack, host: str) -> None:
    save_old_lab(stack, host)
    refuse_moved(stack)
    assert stack.makers() == [Engine.OFFLINE]


def test_a_lab_from_before_the_guard_is_not_moved_either(stack: Stack) -> None:
    save_old_lab(stack, "unix:///var/run/docker.sock")
    configure(stack, "vm")
    with pytest.raises(MaillabError, match=f"is at {LOCAL}, and"):
        refuse_moved(stack)


def test_a_lab_of_which_no_place_is_known_goes_on(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    refuse_moved(stack)
