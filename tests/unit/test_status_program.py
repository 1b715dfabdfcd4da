"""What a machine says of itself (maillab-status): how long its roles have for an answer."""

import os
import subprocess
from pathlib import Path

import pytest

from components.templates import FILES

PROGRAM = FILES / "machine" / "image" / "sbin" / "maillab-status"
PROCESSORS = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("given", "load", "seconds"),
    [
        ([], 0, 2),
        ([], 1, 2),
        ([], 3, 6),
        ([], 50, 20),
        (["20"], 0, 20),
        (["20"], 3, 20),
        (["5"], 3, 6),
        (["30"], 50, 30),
    ],
)
def test_busy_machine_gives_more_time_and_never_less(given: list[str], load: int, seconds: int, tmp_path: Path) -> None:
    """`load`: of each processor. A machine on an emulated one is asked with 20 seconds, and is busy soon."""
    (tmp_path / "loadavg").write_text(f"{load * PROCESSORS}.00 0 0 1/2 3\n", "ascii")
    (tmp_path / "hand-edits.sh").write_text("compare_edits() { :; }\ndeclare -A edits=()\n", "ascii")
    (tmp_path / "roles").mkdir()
    role = tmp_path / "roles" / "one"
    role.write_text('#!/bin/sh\n[ "$1" != health ] || { echo "has $MAILLAB_LIMIT s"; exit 1; }\n', "ascii")
    role.chmod(0o755)
    configured = tmp_path / "base" / "current" / "etc" / "maillab"
    configured.mkdir(parents=True)
    (configured / "roles").write_text("one\n", "ascii")
    script = PROGRAM.read_text("utf-8")
    for was, now in {
        "/proc/loadavg": f"{tmp_path}/loadavg",
        "/usr/lib/maillab/hand-edits.sh": f"{tmp_path}/hand-edits.sh",
        "base=/etc/maillab roles=/usr/lib/maillab/roles": f"base={tmp_path}/base roles={tmp_path}/roles",
    }.items():
        assert was in script
        script = script.replace(was, now)
    done = subprocess.run(["bash", "-c", script, "maillab-status", *given], capture_output=True, text=True, check=False)
    assert f"role\tone\tbroken\thas {seconds} s" in done.stdout.splitlines(), done
