"""The same preview and edit with the real CLI, where there is one: the lab is handed over to it, and back again."""

import shutil
import subprocess

from bench.figures import Figure
from bench.measures import previews_and_edits
from driver.lab import Lab
from maillab.cli.engine import command, environment
from maillab.cli.move import move
from maillab.cli.stack import Engine, Stack


def with_real_cli(lab: Lab, runs: int) -> list[Figure]:
    """No figures without a `pulumi` on PATH."""
    if not shutil.which("pulumi"):
        return []
    stack = Stack(name=lab.stack, root=lab.folder)

    def pulumi(verb: str, *flags: str) -> None:
        words = [*command(stack, verb, flags), "--non-interactive"]
        done = subprocess.run(words, cwd=lab.folder, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    move(stack, Engine.PULUMI)
    try:
        return previews_and_edits(lab, runs, pulumi, by=", real CLI", wanted=("≤ 4 s", "≤ 4 s"))
    finally:
        move(stack, Engine.OFFLINE)
