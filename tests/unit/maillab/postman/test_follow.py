"""What was sent is looked at in the logs until nothing more comes of it for now."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from maillab.postman.follow import Logs, is_at_rest
from maillab.trace import watch
from maillab.trace.machines import MachineError
from tests.unit.labs import Model
from tests.unit.maillab.trace.captured import CAPTURED, traced
from tests.unit.maillab.verify.fakes import Asked, FakeMachines


@pytest.mark.parametrize("name", ["plain", "alias", "spam", "virus", "nosuch", "bounce", "two", "mail2"])
def test_message_rests_where_it_is_over_or_on_hold(name: str) -> None:
    assert is_at_rest(traced(name))


def test_message_that_a_server_will_try_again_rests() -> None:
    assert is_at_rest(traced("deferred", "08:42:41"))


@pytest.mark.parametrize(
    ("name", "until", "why"),
    [
        pytest.param("plain", "08:42:11.700", "its first server has not tried it", id="not tried"),
        pytest.param("spam", "08:42:13.560", "the filter has not decided", id="not looked at"),
    ],
)
def test_message_on_its_way_does_not_rest(name: str, until: str, why: str) -> None:
    assert not is_at_rest(traced(name, until)), why


def test_message_that_nobody_has_yet_does_not_rest() -> None:
    """The filter took it, and its log was read too early."""
    assert not is_at_rest(traced("spam", without="spamfilter"))


WORK = ExitStack()


@pytest.fixture(autouse=True)
def _work_ends() -> Iterator[None]:
    yield
    WORK.close()


def followed(tutorial: Model, answers: dict[str, list[str]]) -> tuple[Logs, FakeMachines]:
    """Logs whose machines have at each look the next text, and the last one from then on."""

    def answer(asked: Asked) -> str:
        if asked.machine == "mail2":
            raise MachineError("mail2: it is off")
        texts = answers.get(asked.machine, [""])
        return texts.pop(0) if len(texts) > 1 else texts[0]

    machines = FakeMachines(answer=answer)
    logs = Logs(machines=machines, plan=tutorial.plan)
    WORK.enter_context(logs.at_work())
    return logs, machines


def lines(machine: str) -> str:
    return (CAPTURED / f"{machine}.txt").read_text(encoding="utf-8")


def test_it_is_followed_until_it_rests(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL", 0)
    logs, machines = followed(
        tutorial, {"outside": ["", lines("outside")], "spamfilter": ["", "", "", lines("spamfilter")]}
    )
    journey = logs.follow("<spam@trace.invalid>")
    assert journey is not None
    assert is_at_rest(journey)
    assert len([one for one in machines.asked if one.machine == "spamfilter"]) == 4


def test_it_is_given_up_where_there_is_no_news(tutorial: Model) -> None:
    logs, _ = followed(tutorial, {})
    assert logs.follow("<spam@trace.invalid>", still=0) is None


def test_machine_that_can_not_be_asked_is_named(tutorial: Model) -> None:
    logs, _ = followed(tutorial, {})
    logs.messages()
    assert logs.unread == {"mail2"}
