"""Removing a lab on another computer; ssh and docker are scripts, docker remembers whom it asked for what."""

from pathlib import Path

import pytest

from maillab.cli import docker, where
from maillab.cli.choice import Choice
from maillab.cli.down import forget_lab, remove_lab
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.where.known import known_of
from maillab.where.tunnel import Tunnel
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import TOLD, configure, image, other_run, save_lab, save_state

FAR, HERE = "ssh://teacher@lab", "unix:///here"
# On each engine there are a container, a network, a volume and an image with the lab's label.
DOCKER = """
echo "$DOCKER_HOST $*" >>{log}
case "$*" in
  *status=exited*) ;;
  "ps --all --filter label=maillab.stack=lab "*) echo '["lab-mail","mail","lab","exited"]';;
  "ps --all --no-trunc "*) printf 'c1\\tlab-mail\\tmine\\tlab\\n';;
  "volume ls "*) printf 'lab-spool\\tlab-spool\\tmine\\tlab\\n';;
  "network ls "*) printf 'n1\\tlab-school\\tmine\\tlab\\n';;
  "image ls "*label=maillab.project=maillab*) echo "sha256:1 maillab/mail:latest";;
esac
"""


@pytest.fixture(autouse=True)
def done(stack: Stack, program: Program, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine did; the other computer is reached, and its engine answers."""
    steps: list[str] = []
    monkeypatch.setattr(docker, "_host", None)
    monkeypatch.setattr(Choice, "run", lambda _self, verb: steps.append(verb))
    monkeypatch.setattr(where, "environment", lambda: {"DOCKER_HOST": HERE})
    monkeypatch.setattr(Tunnel, "alive", lambda *_: True)
    program("docker", DOCKER.format(log=stack.root / "log"))
    program("ssh", "exit 0")
    (stack.root / ".pulumi-state").mkdir()
    (stack.root / ".pulumi-state" / "owner").write_text("mine\n", "utf-8")
    return steps


@pytest.fixture
def lab(stack: Stack) -> Stack:
    """A lab on another computer."""
    save_lab(stack, FAR, Engine.OFFLINE, where.PROVIDER)
    configure(stack, FAR)
    return stack


def down(stack: Stack, *, yes: bool = True, keep_mail: bool = False, images: bool = True) -> list[str]:
    return list(remove_lab(Choice(stack=stack, engine=None), yes=yes, keep_mail=keep_mail, images=images))


def asked(stack: Stack) -> list[tuple[str, str]]:
    """Which engine was asked for what."""
    path = stack.root / "log"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [(host, words) for host, _, words in (line.partition(" ") for line in lines)]


def removed(stack: Stack) -> list[tuple[str, str]]:
    return [(host, words) for host, words in asked(stack) if " rm " in words]


def test_all_of_it_is_removed_there(lab: Stack, done: list[str]) -> None:
    far = Tunnel(where.home_of(lab)).docker_host
    down(lab)
    assert {host for host, _ in asked(lab)} == {far}
    kinds = [words.partition(" ")[0] for _, words in removed(lab)]
    assert (done, kinds) == (["destroy"], ["container", "network", "volume", "image"])


def test_the_way_there_is_made_again_when_it_was_removed_with_the_lab(
    lab: Stack, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tunnel, "alive", lambda *_: "destroy" not in done)
    monkeypatch.setattr(where, "connect", lambda *_: done.append("connect"))
    down(lab)
    assert done == ["destroy", "connect"]


def test_mail_that_was_kept_is_removed_there_later(lab: Stack, done: list[str]) -> None:
    """The state is empty then; this computer's engine may have a lab of that name too."""
    save_state(lab, Engine.OFFLINE, {}, made=False)
    far = Tunnel(where.home_of(lab)).docker_host
    down(lab)
    assert {host for host, _ in asked(lab)} == {far}
    assert ((far, "volume rm lab-spool") in removed(lab), done) == (True, [])


def test_mail_is_kept_there(lab: Stack) -> None:
    assert "kept, with the mail: lab-spool" in down(lab, keep_mail=True)
    assert known_of(lab.root, "lab").kept == {"lab-spool"}
    assert not [words for _, words in removed(lab) if words.startswith("volume")]


def test_a_computer_that_is_away_is_told_before_anything_is_removed(
    lab: Stack, done: list[str], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tunnel, "alive", lambda *_: False)
    program("ssh", "echo 'ssh: connect to host lab port 22: No route to host' >&2; exit 255")
    with pytest.raises(MaillabError, match="no SSH server answers there") as refusal:
        down(lab)
    assert refusal.value.remedy[-1].endswith("down --forget")
    assert (done, asked(lab)) == ([], [])


def test_a_lab_of_which_only_the_place_is_known_connects_to_nobody(
    stack: Stack, done: list[str], program: Program
) -> None:
    save_lab(stack, FAR)
    program("ssh", f"touch {stack.root}/asked")
    assert down(stack) == []
    assert done == ["destroy"]
    assert docker.host_environment({}) == {}
    assert not (stack.root / "asked").exists()


def test_the_connection_goes_last_and_leaves_nothing(lab: Stack, program: Program) -> None:
    program("ssh", f'echo "$*" >>{lab.root}/ssh.calls')
    sockets = where.home_of(lab).sockets
    down(lab)
    assert "-O exit" in (lab.root / "ssh.calls").read_text("utf-8")
    assert (sockets.exists(), where.home_of(lab).folder.exists()) == (False, False)


def test_a_machines_disk_that_was_kept_stays(lab: Stack) -> None:
    """`down --keep-mail` of a lab in a virtual machine, then the lab was made on another computer."""
    disk = where.home_of(lab).disk
    disk.parent.mkdir(parents=True)
    disk.touch()
    down(lab)
    assert disk.exists()


@pytest.mark.parametrize(("place", "made"), [("vm", where.MACHINE), (FAR, where.PROVIDER)])
def test_of_this_computers_engine_only_images_are_removed(stack: Stack, place: str, made: str) -> None:
    """What else has the lab's label there is another folder's lab of that name, and other images are other labs'."""
    both, alone = (image(f"maillab/{name}:1") for name in ("machine", "mail"))
    place_of_it = {"urn": f"urn:pulumi:lab::maillab::{where.GUARD}", "custom": True}
    guard = place_of_it | {"inputs": {"environment": {"WHERE": place}}}
    rest = {"urn": f"urn:pulumi:lab::maillab::{made}", "custom": True, "inputs": {"environment": TOLD}}
    save_state(stack, Engine.OFFLINE, {}, more=[guard, rest, both, alone])
    save_state(Stack(name="other", root=stack.root), Engine.OFFLINE, {}, more=[both])
    configure(stack, place, build="here")
    down(stack)
    here = [words for host, words in removed(stack) if host == HERE]
    assert here == ["image rm maillab/mail:1"]


@pytest.mark.parametrize(("build", "images"), [("there", True), ("here", False)])
def test_this_computers_engine_is_left_alone(lab: Stack, build: str, images: bool) -> None:
    configure(lab, FAR, build=build)
    down(lab, images=images)
    assert HERE not in {host for host, _ in asked(lab)}


@pytest.mark.parametrize("place", [FAR, "vm", "local unix:///gone"])
def test_a_place_that_is_gone_is_forgotten(stack: Stack, done: list[str], place: str) -> None:
    save_lab(stack, place, Engine.OFFLINE, where.PROVIDER)
    lines = list(forget_lab(Choice(stack=stack, engine=None)))
    assert lines == [f"forgotten: what may be left of lab at {place}"]
    assert (stack.makers(), done, asked(stack)) == ([], [], [])


def test_no_lab_is_forgotten(stack: Stack) -> None:
    assert list(forget_lab(Choice(stack=stack, engine=None))) == ["there is no lab lab"]


def test_a_machine_that_is_here_is_not_forgotten(stack: Stack, tmp_path: Path) -> None:
    """It may run, and nobody would know of it, nor of the mail in it."""
    save_lab(stack, "vm", Engine.OFFLINE, where.MACHINE)
    disk = tmp_path / ".vm" / "lab" / "disk.qcow2"
    disk.parent.mkdir(parents=True)
    disk.touch()
    with pytest.raises(MaillabError, match=r"virtual machine of the lab lab, with its mail, is on this") as refusal:
        list(forget_lab(Choice(stack=stack, engine=None)))
    assert refusal.value.id == "vm-is-here"
    assert refusal.value.remedy[0].endswith("bin/maillab --stack lab down")
    assert (disk.exists(), stack.makers()) == (True, [Engine.OFFLINE])


def test_a_lab_on_which_another_run_works_is_not_forgotten(lab: Stack) -> None:
    with other_run(lab), pytest.raises(MaillabError, match="another run works on stack lab"):
        list(forget_lab(Choice(stack=lab, engine=None)))
    assert lab.makers() == [Engine.OFFLINE]
