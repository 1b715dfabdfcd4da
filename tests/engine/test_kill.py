"""A run killed at any moment is finished by the next up, with nothing doubled and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

import pytest

from tests.engine.conftest import make_stack
from tests.engine.kill_at import Moment, run_until
from tests.engine.stacks import OfflineStack

CREATED = """
    net = lab.network("lan", {"delete_before_replace": True})
    spool = lab.volume("spool", {"retain_on_delete": True})
    box = lab.container(
        "box", networks_advanced=[{"name": net.id}], volumes=[{"volume_name": spool.name, "container_path": "/spool"}]
    )
    lab.command("config", "true", environment={"CONTAINER": box.id})
"""
CHANGED = CREATED.replace('"lan", {', '"lan", attachable=True, opts={').replace('"true"', '"echo again"')
REMOVED = 'lab.volume("other")'
MOMENTS = [(number, moment) for number in range(1, 40) for moment in get_args(Moment)]


class Killed(OfflineStack):
    """Runs in processes of their own that can be killed."""

    def killed_up(self, number: int, moment: Moment, *, may_fail: bool = False) -> bool:
        """Up until the moment; False when the run ended before it."""
        arguments = ["up", "--cwd", str(self.root)]
        ended = run_until(number, moment, arguments, self.root.with_suffix(".log"))
        assert may_fail or ended.killed or ended.code == 0, ended.words
        return ended.killed


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    made = make_stack(Killed, tmp_path_factory.mktemp("killed"))
    yield made
    made.clean()


def whole(stack: Killed, containers: set[str], networks: set[str], volumes: set[str]) -> None:
    """Up ends well, leaves exactly this, and nothing to do."""
    done = stack.up()
    assert done.ok, done.text
    assert stack.names("containers") == containers
    assert stack.names("networks") == networks
    assert stack.names("volumes") == volumes
    assert all(stack.container(name).status == "running" for name in containers)
    assert stack.preview("--refresh").ops == {}
    state = stack.state()
    urns = [entry["urn"] for entry in state["resources"]]
    assert len(urns) == len(set(urns))
    assert state["pending_operations"] == []


def every_moment(stack: Killed, *steps: tuple[str, Callable[[], None]]) -> list[int]:
    """Go round the steps (a program, and what must hold after it), each time killed one moment later.

    Answers for each step how often its run was killed; ends when a whole round was not.
    """
    kills = [0] * len(steps)
    for number, moment in MOMENTS:
        before = list(kills)
        for index, (program, check) in enumerate(steps):
            stack.program(program)
            kills[index] += stack.killed_up(number, moment)
            check()
        if kills == before:
            return kills
    raise AssertionError(f"a run has more than {len(MOMENTS)} moments: extend MOMENTS")


@pytest.mark.timeout(900)
def test_killed_while_creating_replacing_and_deleting(killed: Killed) -> None:
    def created() -> None:
        whole(killed, {"box"}, {"lan"}, {"spool"})

    def replaced() -> None:
        whole(killed, {"box"}, {"lan"}, {"spool"})
        assert killed.docker.networks.get(f"{killed.prefix}lan").attrs["Attachable"]

    def deleted() -> None:
        whole(killed, set(), set(), {"spool", "other"})

    creations, replacements, deletions = every_moment(
        killed, (CREATED, created), (CHANGED, replaced), (REMOVED, deleted)
    )
    assert creations >= 14
    assert replacements >= 16
    assert deletions >= 8


@pytest.mark.timeout(900)
def test_half_deleted_and_then_wanted_again(killed: Killed) -> None:
    """What a killed run was deleting must not be taken for whole when the program has it again."""
    killed.program(CREATED)
    assert killed.up().ok
    for number, moment in MOMENTS:
        # Nothing new in it: a volume that a killed run made stays, wanted or not, because it may hold mail.
        killed.program("")
        alive = not killed.killed_up(number, moment)
        killed.program(CREATED)
        whole(killed, {"box"}, {"lan"}, {"spool"})
        if alive:
            return
    raise AssertionError("no run came to its end")


def test_what_is_not_the_stacks_own_is_spared(killed: Killed) -> None:
    """A container of the same name that was there before the interrupted run is not taken for its leftover."""
    killed.program("")
    assert killed.up().ok
    labels = {"maillab.stack": killed.prefix}
    other = killed.docker.containers.create("debian:trixie-slim", "true", name=f"{killed.prefix}box", labels=labels)
    killed.program('lab.container("box")')
    assert [killed.killed_up(*moment, may_fail=True) for moment in MOMENTS[:7]] == [True] * 6 + [False]
    assert not killed.up().ok
    assert killed.container("box").id == other.id
    other.remove()
