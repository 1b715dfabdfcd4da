"""The program against what is there: what is as it should be is left alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from driver.lab import Lab
from tests.support.delivered import deliver
from tests.support.own_engine import OwnEngine
from tests.support.program import lifetimes, run, up

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"


def test_nothing_to_do_after_up(lab: Lab) -> None:
    preview = run(lab, "preview", "--expect-no-changes")
    assert preview.ok
    assert preview.steps == {}


def test_nothing_to_do_after_refresh(lab: Lab) -> None:
    assert run(lab, "refresh").steps == {}
    assert run(lab, "preview", "--expect-no-changes").ok


def test_second_up_changes_nothing(lab: Lab) -> None:
    before = lifetimes(lab)
    assert up(lab) == {}
    assert lifetimes(lab) == before


@pytest.fixture(scope="module")
def restarted(edited_lab: Lab) -> Lab:
    """A lab all of whose machines were restarted (`docker restart`)."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda machine: machine.container.restart(), edited_lab.machines.values()))
    return edited_lab


def test_nothing_to_do_after_all_machines_were_restarted(restarted: Lab) -> None:
    assert run(restarted, "refresh").steps == {}
    assert run(restarted, "preview", "--expect-no-changes").ok


def test_restarted_machines_deliver_mail(restarted: Lab) -> None:
    for name in ("outside", "spamfilter", "mail"):
        restarted[name].wait_for_open_port(25)
    assert deliver(restarted, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


@pytest.fixture(scope="module")
def engine_restarted(own_engine: OwnEngine, lone_lab: Lab) -> Lab:
    """A lab whose Docker engine was restarted: the engine started the same containers again."""
    before = lifetimes(lone_lab)
    own_engine.restart()
    after = lifetimes(lone_lab, running=True)
    assert {name: kept for name, (kept, _) in after.items()} == {name: kept for name, (kept, _) in before.items()}
    assert all(after[name][1] > started for name, (_, started) in before.items()), "no container was started again"
    return lone_lab


def test_nothing_to_do_after_the_docker_engine_was_restarted(engine_restarted: Lab) -> None:
    assert run(engine_restarted, "refresh").steps == {}
    assert run(engine_restarted, "preview", "--expect-no-changes").ok


def test_lab_delivers_mail_after_the_docker_engine_was_restarted(engine_restarted: Lab) -> None:
    for name in ("outside", "spamfilter", "mail"):
        engine_restarted[name].wait_for_open_port(25)
    assert deliver(engine_restarted, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]
