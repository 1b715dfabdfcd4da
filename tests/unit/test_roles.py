"""Every role can say whether it is well: what `maillab status` shows and what an update waits for."""

import subprocess
from pathlib import Path

import pytest

from components.load import parse
from components.plan import plan_of
from components.templates import FILES
from maillab.cli.stack import ROOT
from tests.support.stacks import stack_data
from tests.unit.conftest import Program

PLANS = [plan_of(parse(stack_data(ROOT, stack), stack)) for stack in ("dc1es", "onehost", "standalone")]
ROLE = FILES / "machine" / "image" / "roles" / "role.sh"
ROLES = sorted({role for plan in PLANS for machine in plan.machines.values() for role in machine.part.roles})


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_health(role: str) -> None:
    (script,) = FILES.glob(f"*/image/roles/{role}")
    assert "\nhealth() {" in script.read_text("utf-8")


@pytest.mark.parametrize(
    ("role", "folder", "file"),
    [
        ("dns/image/roles/bind", "/var/lib/maillab", "zones/db.school.tw"),
        ("dns/image/roles/bind", "/var/lib/maillab", "zones/db.school.tw.asked"),
        ("spamfilter/image/roles/redis", "/var/lib/redis", "dump.rdb"),
        ("spamfilter/image/roles/redis", "/var/lib/redis", "appendonlydir/appendonly.aof.manifest"),
    ],
)
def test_repair_reads_no_pipe(role: str, folder: str, file: str, program: Program, tmp_path: Path) -> None:
    """It would wait for a writer for ever."""
    for name in ("redis-check-aof", "redis-check-rdb"):
        program(name, 'exec cat "$1"')
    program("chown", "exit 0")
    volume = tmp_path / "volume"
    pipe = volume / file
    pipe.parent.mkdir(parents=True)
    beside = pipe.with_name("beside")
    beside.write_text("x SOA y z (\n2026113001\n", "ascii")
    subprocess.run(["mkfifo", pipe], check=True)
    common = FILES / "machine/image/roles/role.sh"
    script = (FILES / role).read_text("utf-8").replace("/usr/lib/maillab/roles/role.sh", str(common))
    words = ["bash", "-c", script.replace(folder, str(volume)), role, "repair"]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
    assert not pipe.exists()
    assert beside.exists()


def test_role_is_not_its_own_program(tmp_path: Path) -> None:
    """The script of role dovecot runs while it looks for dovecot."""
    script, program = tmp_path / "odd-name", tmp_path / "odd-program"
    script.write_text(f'#!/bin/bash\n. "{ROLE}"\nruns "$1" && echo "$pid"\n', "utf-8")
    script.chmod(0o755)
    program.symlink_to("/bin/sleep")
    done = subprocess.run([script, script.name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "odd-name is not running")
    with subprocess.Popen([program, "60"]) as running:
        try:
            found = subprocess.run([script, program.name], capture_output=True, text=True, check=True)
            assert int(found.stdout) == running.pid
        finally:
            running.kill()
