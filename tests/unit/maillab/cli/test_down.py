"""What `down` removes; docker is a script that remembers what it was asked."""

from pathlib import Path

import pytest

from maillab.cli.belongings import Belongings
from maillab.cli.choice import Choice
from maillab.cli.down import remove_lab
from maillab.cli.folders import remember
from maillab.cli.mail_question import mail_goes
from maillab.cli.problem import MaillabError
from maillab.cli.project_images import remove_images
from maillab.cli.stack import Stack
from maillab.cli.sweep import remove_leftovers, sweep
from maillab.where.known import Known
from maillab.where.ownership import Lab
from tests.unit.conftest import Program

DOCKER = """
echo "$*" >>{log}
case "$1 $2" in
  "ps --all") case "$*" in
      *--no-trunc*) ;;
      *status=exited*) {built};;
      *maillab.stack=*) ;;
      *maillab.stack*) {others};;
    esac;;
  "volume ls") printf 'lab-spool\\tlab-spool\\tmine\\tlab\\n{theirs}';;
  "network ls") printf 'n1\\tlab-school\\tmine\\tlab\\nn2\\tbridge\\t\\t\\n';;
  "image ls") case "$*" in
      *maillab.base*reference=debian:trixie-slim*) echo "sha256:4 debian:trixie-slim";;
      *maillab.base*) printf "%s\\n" "sha256:4 debian:trixie-slim" "sha256:5 my/own:1" "sha256:6 <none>:<none>";;
      *maillab.project=maillab*) printf "%s\\n" "sha256:2 maillab/mail:latest" "sha256:2 school/base:1"
        printf "%s\\n" "sha256:1 maillab/machine:latest" "sha256:3 <none>:<none>" "sha256:7 school/mail:1";;
      *) echo "sha256:8 maillab/by-hand:1";;
    esac;;
esac
"""


LAB = Belongings(lab=Lab(stack="lab", label="lab", owner="mine"), known=Known())


@pytest.fixture
def log(tmp_path: Path, program: Program) -> Path:
    """An engine with one lab's leftovers and three images, and no other lab."""
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":", theirs=""))
    return tmp_path / "log"


def asked(log: Path) -> list[str]:
    return [line for line in log.read_text("utf-8").splitlines() if " rm " in line]


def test_volumes_go_only_when_wanted(log: Path) -> None:
    remove_leftovers(LAB, volumes=False)
    assert asked(log) == ["network rm lab-school"]


def test_volumes_go_when_wanted(log: Path) -> None:
    removed = remove_leftovers(LAB, volumes=True)
    assert removed == ["network lab-school", "volume lab-spool"]
    assert "volume rm lab-spool" in asked(log)


def test_images_go_by_their_tags_and_old_builds_by_id(log: Path) -> None:
    assert remove_images() == ["maillab/mail:latest", "maillab/machine:latest", "debian:trixie-slim"]
    assert asked(log) == [
        "image rm maillab/mail:latest",
        "image rm maillab/machine:latest",
        "image rm sha256:3",
        "image rm debian:trixie-slim",
    ]


def test_tags_of_others_stay(log: Path) -> None:
    remove_images()
    assert not [
        line for line in asked(log) if any(other in line for other in ("school/", "my/own", "sha256:5", "sha256:6"))
    ]


def test_an_image_that_was_not_built_here_stays_whatever_it_is_called(log: Path) -> None:
    remove_images()
    assert not [line for line in asked(log) if "by-hand" in line]


def test_images_stay_while_another_lab_runs_on_them(tmp_path: Path, program: Program) -> None:
    other = """echo '["two-mail","mail","two","running"]'"""
    program("docker", DOCKER.format(log=tmp_path / "log", others=other, built=":", theirs=""))
    lines = list(sweep(LAB, volumes=True, images=True))
    assert lines[-1] == "kept the images: labs run on them (two)"
    assert not [line for line in asked(tmp_path / "log") if line.startswith("image")]


def test_only_containers_of_a_build_are_leftovers(tmp_path: Path, program: Program) -> None:
    lines = [
        """echo 'c1 0a1b2c3d4e5f . "/bin/sh -c apt-get…"'""",
        """echo 'c2 maillab/mail . "/bin/sh -c true"'""",
        """echo 'c3 0a1b2c3d4e5f lab. "/bin/sh -c true"'""",
        """echo 'c4 0a1b2c3d4e5f . "/usr/local/sbin/maillab-start"'""",
    ]
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built="; ".join(lines), theirs=""))
    remove_images()
    assert asked(tmp_path / "log")[0] == "container rm --force --volumes c1"
    assert not [line for line in asked(tmp_path / "log") if {"c2", "c3", "c4"} & set(line.split())]


def test_an_image_in_use_by_others_is_left(tmp_path: Path, program: Program) -> None:
    refusal = 'case "$1 $2" in "image rm") echo "conflict: unable to remove repository reference" >&2; exit 1;; esac'
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":", theirs="") + refusal)
    assert remove_images() == []


THEIRS = r"other-spool\tother-spool\ttheirs\tlab\nold-spool\told-spool\t\tlab\n"


def test_what_another_folder_made_stays_and_is_named(tmp_path: Path, program: Program) -> None:
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":", theirs=THEIRS))
    lines = list(sweep(LAB, volumes=True, images=False))
    assert lines[0] == "removed network lab-school, volume lab-spool"
    assert lines[-2:] == [
        "kept, because nothing says which folder made it: old-spool",
        "left alone, because this folder did not make it: volume other-spool (made in another folder, whose id is "
        "theirs: its own `down` removes it)",
    ]
    assert asked(tmp_path / "log") == ["network rm lab-school", "volume rm lab-spool"]


def test_folder_that_made_it_is_named(tmp_path: Path, program: Program) -> None:
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":", theirs=THEIRS))
    other = tmp_path / "other"
    (other / ".pulumi-state").mkdir(parents=True)
    (other / ".pulumi-state" / "owner").write_text("theirs\n", "ascii")
    remember(other, "theirs")
    lines = list(sweep(LAB, volumes=True, images=False))
    assert lines[-1].endswith(f"volume other-spool (made in {other}: its own `down` removes it)")


def test_mail_without_a_mark_goes_when_a_state_knows_it(tmp_path: Path, program: Program) -> None:
    program("docker", DOCKER.format(log=tmp_path / "log", others=":", built=":", theirs=THEIRS))
    known = Known(made=frozenset({("volume", "old-spool")}))
    lines = list(sweep(Belongings(lab=LAB.lab, known=known), volumes=True, images=False))
    assert lines[0] == "removed network lab-school, volumes lab-spool, old-spool"


@pytest.mark.usefixtures("log")
def test_kept_mail_is_named() -> None:
    assert "kept, with the mail: lab-spool" in list(sweep(LAB, volumes=False, images=False))


@pytest.mark.usefixtures("log")
def test_without_a_terminal_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(MaillabError, match="no terminal to ask at") as refusal:
        mail_goes(LAB, yes=False, keep=False)
    assert "make down STACK=lab YES=1" in refusal.value.remedy[0]


def answers(monkeypatch: pytest.MonkeyPatch, *given: str | type[BaseException]) -> list[str]:
    """A person at a terminal who gives these answers; what was asked."""
    asked, left = list[str](), list(given)

    def ask(question: str) -> str:
        asked.append(question)
        answer = left.pop(0)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ask)
    return asked


@pytest.mark.parametrize(
    ("answer", "goes"), [("d", True), ("delete", True), (" D ", True), ("刪除", True), ("k", False), ("保留", False)]
)
@pytest.mark.usefixtures("log")
def test_mail_is_deleted_or_kept(monkeypatch: pytest.MonkeyPatch, answer: str, goes: bool) -> None:
    answers(monkeypatch, answer)
    assert mail_goes(LAB, yes=False, keep=False) is goes


@pytest.mark.parametrize("answer", ["c", "N", "no", "cancel", "取消", EOFError, KeyboardInterrupt])
def test_lab_stays_when_the_person_does_not_want_it(
    log: Path, monkeypatch: pytest.MonkeyPatch, answer: str | type[BaseException]
) -> None:
    answers(monkeypatch, answer)
    with pytest.raises(MaillabError, match="nothing was removed") as cancelled:
        mail_goes(LAB, yes=False, keep=False)
    assert cancelled.value.code == 130
    assert asked(log) == []


@pytest.mark.parametrize("unclear", ["", "y", "yes", "x", "dk"])
@pytest.mark.usefixtures("log")
def test_unclear_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, unclear: str) -> None:
    seen = answers(monkeypatch, unclear, unclear, "k")
    assert not mail_goes(LAB, yes=False, keep=False)
    assert len(seen) == 3


@pytest.mark.usefixtures("log")
def test_question_in_chinese(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    asked = answers(monkeypatch, "k")
    mail_goes(LAB, yes=False, keep=False)
    assert asked == ["您的選擇 [d/k/c]："]
    assert "實驗環境 lab 裡有郵件：磁碟區 lab-spool。" in capsys.readouterr().out


@pytest.mark.parametrize(("yes", "keep", "goes"), [(True, False, True), (False, True, False), (True, True, False)])
def test_options_answer_the_question(yes: bool, keep: bool, goes: bool) -> None:
    assert mail_goes(LAB, yes=yes, keep=keep) is goes


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


LOST = r"""
echo "$*" >>{log}
case "$1 $2" in
  "ps --all") case "$*" in
      *--no-trunc*) printf 'c1\tlab-mail\tmine\tlab\nc2\tlab-dns\ttheirs\tlab\n';;
      *) printf '%s\n' '["lab-mail","mail","lab","running"]' '["lab-dns","dns","lab","running"]';;
    esac;;
esac
"""


def test_by_hand_work_is_copied_out_when_no_state_knows_the_machine(tmp_path: Path, program: Program) -> None:
    """And the machine stops in order; another folder's of the same name is asked for nothing."""
    program("docker", LOST.format(log=tmp_path / "log"))
    script = tmp_path / "files" / "machine" / "keep-by-hand"
    script.parent.mkdir(parents=True)
    script.write_text(
        f"""echo "copy $CONTAINER $STACK $MACHINE" >>{tmp_path}/log; echo "maillab: mail: kept" """, "utf-8"
    )
    lines = list(sweep(Belongings(lab=LAB.lab, known=Known(), root=tmp_path), volumes=False, images=False))
    assert lines[:2] == ["mail: kept", "removed container lab-mail"]
    done = [
        line
        for line in (tmp_path / "log").read_text("utf-8").splitlines()
        if not line.startswith(("ps", "network ls", "volume ls"))
    ]
    assert done == ["copy lab-mail lab mail", "stop --time 20 lab-mail", "container rm --force --volumes lab-mail"]


def down(stack: Stack) -> list[str]:
    return list(remove_lab(Choice(stack=stack, engine=None), yes=True, keep_mail=False, images=False))


def test_without_a_lab_that_is_said(tmp_path: Path, program: Program) -> None:
    (tmp_path / "Pulumi.lab.yaml").write_text("config: {}\n", "utf-8")
    program("docker", "exit 0")
    assert down(Stack(name="lab", root=tmp_path)) == ["there is no lab lab"]


def test_what_the_state_has_lost_is_removed_by_its_mark(tmp_path: Path, program: Program) -> None:
    """And nothing of another folder's lab of the same name."""
    (tmp_path / "Pulumi.lab.yaml").write_text("config: {}\n", "utf-8")
    (tmp_path / ".pulumi-state").mkdir()
    (tmp_path / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    program("docker", LOST.format(log=tmp_path / "log"))
    lines = down(Stack(name="lab", root=tmp_path))
    assert lines[0] == "removed container lab-mail"
    assert lines[-1].startswith("left alone, because this folder did not make it: container lab-dns")
    assert asked(tmp_path / "log") == ["container rm --force --volumes lab-mail"]
