"""Role `bind` of a secondary name server: whether it has what the primary serves."""

import subprocess
from pathlib import Path

import pytest

from components.templates import FILES
from tests.unit.conftest import Program

ZONE, PRIMARY = "school.tw", "163.26.182.1"


def health(tmp_path: Path, program: Program, copy: str, primary: str, *, alone: bool = False) -> tuple[int, str]:
    """What its health says when the two servers answer with these serials ("": no answer)."""
    answer = 'echo "school.tw. 86400 IN SOA dns.school.tw. admin.school.tw. {} 1 2 3 4"'
    lines = {"127.0.0.1": copy, PRIMARY: primary}
    cases = "".join(
        f"*@{address}*) {answer.format(serial) if serial else ':'} ;;\n" for address, serial in lines.items()
    )
    program("dig", f'case "$*" in\n{cases}esac')
    program("rndc", "exit 0")
    live = tmp_path / "live"
    (live / "etc/maillab").mkdir(parents=True)
    (live / "etc/maillab/zones").touch()
    (live / "etc/maillab/secondaries").write_text(f"{ZONE} {PRIMARY}\n", "ascii")
    common = (FILES / "machine/image/roles/role.sh").read_text("utf-8").replace("/etc/maillab/current", str(live))
    script = (FILES / "dns/image/roles/bind").read_text("utf-8")
    script = script.replace(". /usr/lib/maillab/roles/role.sh\n", common).replace(
        'main "$@"', f"runs() {{ :; }}; {'alone=yes;' if alone else ''} health"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip()


def test_same_serial_is_well(tmp_path: Path, program: Program) -> None:
    assert health(tmp_path, program, "5", "5") == (0, "")


@pytest.mark.parametrize(
    ("copy", "primary", "words"),
    [
        ("", "5", "named has no copy of school.tw: rndc retransfer school.tw gets it from 163.26.182.1"),
        ("4", "5", "serves an old copy of school.tw, with the serial 4; its primary has 5: rndc refresh school.tw"),
    ],
)
def test_missing_or_old_copy_is_named(tmp_path: Path, program: Program, copy: str, primary: str, words: str) -> None:
    status, said = health(tmp_path, program, copy, primary)
    assert status == 1
    assert words in said


def test_primary_that_does_not_answer_is_not_the_copys_fault(tmp_path: Path, program: Program) -> None:
    assert health(tmp_path, program, "5", "") == (0, "")


def test_update_does_not_wait_for_another_machine(tmp_path: Path, program: Program) -> None:
    assert health(tmp_path, program, "", "5", alone=True) == (0, "")
