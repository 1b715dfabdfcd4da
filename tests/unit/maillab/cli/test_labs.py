"""The labs of an engine; docker is a script."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from maillab.cli import labs
from maillab.cli.folders import remember
from maillab.cli.stack import Engine, Stack
from maillab.cli.where import PROVIDER
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, save_lab

NETWORK = {
    "Id": "n1", "Name": "lab-school", "IPAM": {"Config": [{"Subnet": "198.18.64.0/24"}]},
    "Labels": {"maillab.stack": "lab", "maillab.owner": "mine"},
}  # fmt: skip
DOCKER = r"""
case "$1 $2" in
  "ps --all") case "$*" in
      *--no-trunc*) printf 'c1\tlab-mail\tmine\tlab\nc2\tlab-dns\tmine\tlab\nc3\ttwo-mail\ttheirs\ttwo\nc4\tx\t\t\n';;
      *) printf '%s\n' '["lab-mail","mail","lab","running"]' '["lab-dns","dns","lab","exited"]'
        printf '%s\n' '["two-mail","mail","two","exited"]';;
    esac;;
  "network ls") case "$*" in *--quiet*) echo n1;; *) printf 'n1\tlab-school\tmine\tlab\nn2\tbridge\t\t\n';; esac;;
  "network inspect") echo '{networks}';;
  "volume ls") printf 'old-spool\told-spool\t\told\nlab-spool\tlab-spool\tmine\tlab\n';;
esac
"""


@pytest.fixture
def root(stack: Stack, program: Program) -> Path:
    """A folder with the stack `lab` and an engine with three labs, of which one is this folder's."""
    program("docker", DOCKER.replace("{networks}", json.dumps([NETWORK])))
    (stack.root / ".pulumi-state").mkdir()
    (stack.root / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    configure(stack, "local")
    return stack.root


def shown(rows: list[labs.LabRow]) -> list[str]:
    out = io.StringIO()
    labs.show(rows, Console(file=out, width=80))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_labs_stand_by_their_folders_this_one_first(root: Path) -> None:
    assert shown(labs.labs(root)) == [
        f"this folder, {root}:",
        "  lab  runs in part (1 of 2 machines)  198.18.64.0/24",
        "without a mark of a folder:",
        "  old  removed, its mail is kept",
        "another folder, with the id theirs:",
        "  two  stopped",
    ]


def test_folder_of_another_lab_is_named(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".pulumi-state").mkdir(parents=True)
    (other / ".pulumi-state" / "owner").write_text("theirs\n", "ascii")
    remember(other, "theirs")
    assert f"{other}" in shown(labs.labs(root))


def test_labs_for_programs(root: Path) -> None:
    first = json.loads(json.dumps(labs.as_json(labs.labs(root))))[0]
    assert first == {
        "lab": "lab", "stack": "lab", "folder": str(root), "owner": "mine", "here": True, "place": "", "running": 1,
        "machines": 2, "volumes": 1, "carriers": ["198.18.64.0/24"], "state": "partly",
    }  # fmt: skip


def test_lab_of_this_folder_in_another_place_is_listed(root: Path) -> None:
    far = Stack(name="far", root=root)
    save_lab(far, "ssh://teacher@lab", Engine.OFFLINE, PROVIDER)
    (line,) = [line for line in shown(labs.labs(root)) if "far" in line]
    assert line.split(maxsplit=1) == ["far", "at ssh://teacher@lab"]


def test_address_in_brackets_is_shown_whole(root: Path) -> None:
    far = Stack(name="far", root=root)
    save_lab(far, "ssh://teacher@[fd00::5]", Engine.OFFLINE, PROVIDER)
    (line,) = [line for line in shown(labs.labs(root)) if "far" in line]
    assert line.endswith("at ssh://teacher@[fd00::5]")


def test_label_of_somebody_else_is_no_markup(root: Path, program: Program) -> None:
    program("docker", r"""[ "$1" != volume ] || printf 'spool\tspool\ttheirs\t[/bold]\033[2J\n'""")
    assert "  [/bold]?[2J  removed, its mail is kept" in shown(labs.labs(root))


def test_folder_without_an_id_has_no_lab(root: Path) -> None:
    (root / ".pulumi-state" / "owner").unlink()
    assert not any(row.here for row in labs.labs(root))


def test_engine_without_labs(root: Path, program: Program) -> None:
    program("docker", "exit 0")
    assert shown(labs.labs(root)) == ["There are no labs on this Docker engine."]


def test_labs_in_chinese(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert "部分執行中（2 台機器中的 1 台）" in "\n".join(shown(labs.labs(root)))


ROW = labs.LabRow(
    lab="a", stack="a", folder="/srv/lab", owner="mine", here=True, place="", running=1, machines=2, volumes=1,
    carriers=("198.18.64.0/24",),
)  # fmt: skip


@pytest.mark.parametrize("width", [30, 40, 60])
def test_no_name_is_broken_on_a_narrow_terminal(width: int) -> None:
    rows = [
        replace(ROW, lab="class-of-2026-group-07", stack="class-of-2026-group-07"),
        replace(ROW, lab="b", stack="b", carriers=("198.18.104.0/24", "198.18.105.0/24")),
    ]
    out = io.StringIO()
    labs.show(rows, Console(file=out, width=width))
    words = out.getvalue().replace(",", "").split()
    assert {"class-of-2026-group-07", "198.18.104.0/24", "198.18.105.0/24"} <= set(words)
    assert all(not line.endswith(" ") for line in out.getvalue().splitlines())
