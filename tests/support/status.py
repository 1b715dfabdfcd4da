"""What `maillab status` says of a lab, as a person runs it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from driver.lab import Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The exit status, and what `--json` says: the whole, and by machine."""

    code: int
    whole: dict[str, Any]

    def __getitem__(self, machine: str) -> dict[str, Any]:
        (found,) = [one for one in self.whole["machines"] if one["name"] == machine]
        return dict(found)

    def repairs(self, machine: str) -> dict[str, str]:
        """What is broken on the machine, each with the command that repairs it."""
        return {problem["what"]: problem["repair"] for problem in self[machine]["problems"]}


def maillab(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command for people on the lab, in English; however it ends."""
    with start_maillab(lab, *words) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def start_maillab(lab: Lab, *words: str) -> subprocess.Popen[str]:
    """Starts the same, for what runs until somebody ends it."""
    environment = os.environ | {"PYTHONPATH": str(lab.folder), "COLUMNS": "80", "MAILLAB_LANG": "en", "NO_COLOR": "1"}
    environment |= {"DOCKER_HOST": lab.host} if lab.host else {}
    command = [sys.executable, "-m", "maillab", "--stack", lab.stack, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=lab.folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def status_of(lab: Lab) -> Said:
    """What it says now."""
    done = maillab(lab, "status", "--json")
    assert done.returncode in (0, 1), done.stderr
    return Said(code=done.returncode, whole=json.loads(done.stdout))
