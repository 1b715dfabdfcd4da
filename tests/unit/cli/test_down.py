"""What `down` removes; docker is a script that remembers what it was asked."""

from pathlib import Path

import pytest

from cli import down
from cli.problem import MaillabError
from cli.stack import Stack
from tests.unit.conftest import Program

DOCKER = """
echo "$*" >>{log}
case "$1 $2" in
  "ps --all") case "$*" in
      *status=exited*) {built};;
      *maillab.stack=*) ;;
      *maillab.stack*) {others};;
    esac;;
  "volume ls") echo lab-spool;;
  "network ls") echo lab-school;;
  "image ls") case "$*" in
      *maillab.base*reference=debian:trixie-slim*) echo "sha256:4 debian:trixie-slim";;
      *maillab.base*) printf "%s\\n" "sha256:4 debian:trixie-slim" "sha256:5 my/own:1" "sha256:6 <none>:<none>";;
      *maillab.project=maillab*) printf "%s\\n" "sha256:2 maillab/mail:latest" "sha256:2 school/base:1"
        printf "%s\\n" "sha256:1 maillab/machine:latest" "sha256:3 <none>:<none>" "sha256:7 school/mail:1";;
      *) echo "sha256:8 maillab/by-hand:1";;
    esac;;
esac
"""


@pytest.fixture
def log(tmp_path: Path, program: Program) -> Path:
    """An engine with one lab's leftovers and three images, and no other lab."""
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":"))
    return tmp_path / "log"


def asked(log: Path) -> list[str]:
    return [line for line in log.read_text("utf-8").splitlines() if " rm " in line]


def test_volumes_go_only_when_wanted(log: Path) -> None:
    down.remove_leftovers("lab", volumes=False)
    assert asked(log) == ["network rm lab-school"]


def test_volumes_go_when_wanted(log: Path) -> None:
    removed = down.remove_leftovers("lab", volumes=True)
    assert removed == ["network lab-school", "volume lab-spool"]
    assert "volume rm lab-spool" in asked(log)


def test_images_go_by_their_tags_and_old_builds_by_id(log: Path) -> None:
    assert down.remove_images() == ["maillab/mail:latest", "maillab/machine:latest", "debian:trixie-slim"]
    assert asked(log) == [
        "image rm maillab/mail:latest",
        "image rm maillab/machine:latest",
        "image rm sha256:3",
        "image rm debian:trixie-slim",
    ]


def test_tags_of_others_stay(log: Path) -> None:
    down.remove_images()
    assert not [
        line for line in asked(log) if any(other in line for other in ("school/", "my/own", "sha256:5", "sha256:6"))
    ]


def test_an_image_that_was_not_built_here_stays_whatever_it_is_called(log: Path) -> None:
    down.remove_images()
    assert not [line for line in asked(log) if "by-hand" in line]


def test_images_stay_while_another_lab_runs_on_them(tmp_path: Path, program: Program) -> None:
    other = """echo '["two-mail","mail","two","running"]'"""
    program("docker", DOCKER.format(log=tmp_path / "log", others=other, built=":"))
    lines = list(down.sweep("lab", volumes=True, images=True))
    assert lines[-1] == "kept the images: the lab two runs on them"
    assert not [line for line in asked(tmp_path / "log") if line.startswith("image")]


def test_only_containers_of_a_build_are_leftovers(tmp_path: Path, program: Program) -> None:
    lines = [
        """echo 'c1 0a1b2c3d4e5f . "/bin/sh -c apt-get…"'""",
        """echo 'c2 maillab/mail . "/bin/sh -c true"'""",
        """echo 'c3 0a1b2c3d4e5f lab. "/bin/sh -c true"'""",
        """echo 'c4 0a1b2c3d4e5f . "/usr/local/sbin/maillab-start"'""",
    ]
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built="; ".join(lines)))
    down.remove_images()
    assert asked(tmp_path / "log")[0] == "container rm --force --volumes c1"
    assert not [line for line in asked(tmp_path / "log") if {"c2", "c3", "c4"} & set(line.split())]


def test_an_image_in_use_by_others_is_left(tmp_path: Path, program: Program) -> None:
    refusal = 'case "$1 $2" in "image rm") echo "conflict: unable to remove repository reference" >&2; exit 1;; esac'
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":") + refusal)
    assert down.remove_images() == []


@pytest.mark.usefixtures("log")
def test_kept_mail_is_named() -> None:
    assert "kept, with the mail: lab-spool" in list(down.sweep("lab", volumes=False, images=False))


@pytest.mark.usefixtures("log")
def test_without_a_terminal_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(MaillabError, match="no terminal to ask at") as refusal:
        down.mail_goes("lab", yes=False, keep=False)
    assert "make down YES=1" in refusal.value.remedy[0]


@pytest.mark.parametrize(("answer", "goes"), [("y", True), ("yes", True), ("", False), ("n", False)])
@pytest.mark.usefixtures("log")
def test_the_question(monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert down.mail_goes("lab", yes=False, keep=False) is goes


@pytest.mark.parametrize(("yes", "keep", "goes"), [(True, False, True), (False, True, False), (True, True, False)])
def test_options_answer_the_question(yes: bool, keep: bool, goes: bool) -> None:
    assert down.mail_goes("lab", yes=yes, keep=keep) is goes


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        pytest.param("config: {}\n", "school", id="the stack's name"),
        pytest.param("config: {'maillab:prefix': other-}\n", "other", id="the prefix"),
    ],
)
def test_two_folders_with_stacks_of_one_name_are_told_apart(tmp_path: Path, settings: str, label: str) -> None:
    (tmp_path / "Pulumi.school.yaml").write_text(settings, encoding="utf-8")
    assert Stack(name="school", root=tmp_path).label == label
