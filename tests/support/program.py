"""What the program did to a lab, and what it left alone."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from driver.lab import Lab

COMPONENT = re.compile(r"(maillab:\w+:\w+|pulumi:pulumi:Stack)::[^:]*\Z")  # the end of its URN


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the engine: resource to what happened to it (without `same`), and its errors.

    `made`: what there is outside the state and was not there before (components are only names).
    """

    ok: bool
    steps: dict[str, str]
    made: set[str]
    words: str


def run(lab: Lab, *command: str) -> Run:
    """Runs `up`, `preview` or `refresh`, however it ends."""
    done = lab.engine(*command, "--json", check=False)
    return outcome(done)


def outcome(done: subprocess.CompletedProcess[str]) -> Run:
    """What a run of the engine with `--json` says."""
    result = json.loads(done.stdout)
    urns = {step["urn"]: step["op"] for step in result.get("steps", []) if step["op"] != "same"}
    made = {urn for urn, op in urns.items() if op == "create" and not COMPONENT.search(urn)}
    words = "\n".join(item["message"] for item in result["diagnostics"])
    return Run(
        ok=done.returncode == 0,
        steps={_name(urn): op for urn, op in urns.items()},
        made={_name(urn) for urn in made},
        words=f"{words}\n{done.stderr}",
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def up(lab: Lab) -> dict[str, str]:
    """Brings the lab to what its configuration says, which must succeed; what was changed."""
    done = run(lab, "up", "--yes")
    assert done.ok, done.words
    lab.find_machines()
    return done.steps


def lifetimes(lab: Lab, *, running: bool = False) -> dict[str, tuple[str, str]]:
    """Each container's id and when it was started: equal before and after when none was restarted."""
    label = f"maillab.stack={lab.stack}"
    containers = lab.client.containers.list(all=not running, filters={"label": label})
    return {str(c.name): (str(c.id), str(c.attrs["State"]["StartedAt"])) for c in containers}


@contextmanager
def unrestarted(lab: Lab) -> Iterator[None]:
    """What is done meanwhile must leave every container running as it is."""
    before = lifetimes(lab)
    yield
    assert lifetimes(lab) == before


MYDESTINATION = "            mydestination: [$myhostname, $mydomain, mail.$mydomain, dns.$mydomain]\n"


def add_parameter(lab: Lab, line: str) -> None:
    """Adds a main.cf parameter (`name: value`) of the machine `mail` to the configuration."""
    lab.edit(MYDESTINATION, f"{MYDESTINATION}            main_cf:\n              {line}\n")


@contextmanager
def put_back(lab: Lab) -> Iterator[None]:
    """Afterwards the lab has its old configuration again, and all its machines run."""
    before = lab.stack_file.read_text(encoding="utf-8")
    try:
        yield
    finally:
        edited = lab.stack_file.read_text(encoding="utf-8") != before
        lab.stack_file.write_text(before, encoding="utf-8")
        broken = len(lifetimes(lab, running=True)) != len(lab.machines)
        if edited or broken:
            lab.engine("up", "--yes", *(["--refresh"] if broken else []))
            lab.find_machines()
