"""What copies out what was made by hand in a machine: no engine keeps it waiting for ever."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.conftest import Program

SCRIPT = Path(__file__).parents[2] / "files" / "machine" / "keep-by-hand"
DIFF = "printf '%s\\n' 'C /etc' 'A /etc/mine' 'A /home/x' 'A /root/y'"


def keep(folder: Path) -> subprocess.CompletedProcess[str]:
    given = {"CONTAINER": "c1", "STACK": "lab", "MACHINE": "mail"}
    return subprocess.run(
        ["/bin/bash", str(SCRIPT)],
        cwd=folder,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_each_question_to_the_engine_has_a_limit(program: Program, tmp_path: Path) -> None:
    program("docker", f"""echo "docker $*" >>{tmp_path}/asked; case $1 in diff) {DIFF};; esac""")
    program("timeout", f"""shift 2; echo "$*" >>{tmp_path}/limited; exec "$@" """)
    assert keep(tmp_path).returncode == 0
    asked = lines(tmp_path / "asked")
    assert len(asked) == 5
    assert lines(tmp_path / "limited") == asked


@pytest.mark.parametrize(("late", "said"), [("diff", "does not answer"), ("cp", "took too long over /etc")])
def test_an_engine_that_took_too_long_is_named(program: Program, tmp_path: Path, late: str, said: str) -> None:
    program("docker", f"case $1 in diff) {DIFF};; esac")
    program("timeout", f"""[ "$4" != {late} ] || exit 124; shift 2; exec "$@" """)
    done = keep(tmp_path)
    assert done.returncode == 0
    assert said in done.stdout


def test_names_give_a_terminal_no_orders(program: Program, tmp_path: Path) -> None:
    edited = tmp_path / "machine" / "etc" / "maillab" / "edited-by-hand"
    edited.mkdir(parents=True)
    (edited / "\x1b]0;red\x07 \x9b31m 中文").touch()
    tar = f"tar -C {tmp_path}/machine -cf - etc"
    program("docker", f"""case "$1 $2" in diff*) {DIFF};; "cp c1:/etc") {tar};; *) exit 1;; esac""")
    said = keep(tmp_path).stdout
    assert "edited-by-hand/?]0;red? ?31m 中文" in said
    assert not [character for character in said if character != "\n" and not character.isprintable()]


def test_what_the_machine_trusts_is_nobodys_work(program: Program, tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    for name in ("etc/ssl/certs/maillab.pem", "etc/ssl/mine.pem", "etc/maillab/x"):
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text("x", "ascii")
    new = r"printf '%s\n' 'C /etc' 'C /etc/ssl' 'C /etc/ssl/certs' 'A /etc/ssl/certs/maillab.pem' 'A /etc/ssl/mine.pem'"
    tar = f"tar -C {machine} -cf - etc"
    program("docker", f"""case "$1 $2" in diff*) {new};; "cp c1:/etc") {tar};; *) exit 1;; esac""")
    said = keep(tmp_path).stdout
    assert "etc/ssl/mine.pem" in said
    assert "maillab.pem" not in said


@pytest.mark.parametrize(("target", "kept"), [("/etc/roundcube/lighttpd.conf", []), ("/etc/other", ["site.conf"])])
def test_link_is_compared_by_where_it_leads(program: Program, tmp_path: Path, target: str, kept: list[str]) -> None:
    """To a file of the machine: on this computer it leads nowhere, or to another one."""
    base = tmp_path / "machine" / "etc" / "maillab"
    for folder, leads in [("gen", target), ("configured", "/etc/roundcube/lighttpd.conf")]:
        (base / folder / "1").mkdir(parents=True)
        (base / folder / "1" / "site.conf").symlink_to(leads)
    (base / "current").symlink_to("/etc/maillab/gen/1")
    tar = f"tar -C {tmp_path}/machine -cf - etc"
    program("docker", f"""case "$1 $2" in diff*) {DIFF};; "cp c1:/etc") {tar};; *) exit 1;; esac""")
    keep(tmp_path)
    assert [path.name for path in (tmp_path / ".pulumi-state").glob("kept/lab/mail/*/*")] == kept
