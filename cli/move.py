"""`maillab state move`: hands a lab from one engine to the other; no resource is touched."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.engine import environment, execute, forget
from cli.problem import MaillabError
from cli.stack import Engine, Stack


def move(stack: Stack, to: Engine) -> Path:
    """Make `to` the owner of the lab; answers its state file.

    Raises:
        MaillabError: there is no lab, both engines have one, Pulumi is missing, or an operation is unfinished.
    """
    makers = stack.makers()
    if makers == [to]:
        raise MaillabError(f"the lab {stack.name} belongs to the {to} engine already", "nothing is to be moved")
    if makers != [to.other]:
        what = "resources in both states" if makers else "no lab"
        raise MaillabError(f"stack {stack.name}: {what}", "`bin/maillab status` shows what there is")
    if not shutil.which("pulumi"):
        raise MaillabError("pulumi is not on PATH; it reads and writes its own state", "`make pulumi` installs it")
    with unused(stack):
        if to is Engine.PULUMI:
            _to_pulumi(stack, environment())
        else:
            _to_offline(stack, environment())
    return stack.state_file(to)


@contextmanager
def unused(stack: Stack) -> Iterator[None]:
    """Hold the offline engine's lock, so that no run of it is under way; one of Pulumi's is refused too."""
    locks = stack.root / ".pulumi-state" / ".pulumi" / "locks"
    if any(locks.glob(f"**/{stack.name}/*.json")):
        remedy = f"wait for its end; after a crash: pulumi cancel --stack {stack.name}"
        raise MaillabError(f"a run of Pulumi works on stack {stack.name}", remedy)
    path = stack.state_file(Engine.OFFLINE).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MaillabError(f"another run works on stack {stack.name}", "wait for its end") from error
        yield


def _to_pulumi(stack: Stack, env: Mapping[str, str]) -> None:
    path = stack.state_file(Engine.OFFLINE)
    deployment = json.loads(path.read_text("utf-8"))["deployment"]
    if deployment.get("pending_operations"):
        raise MaillabError(
            f"{path}: the last run was interrupted in the middle of an operation",
            f"finish it first: bin/maillab --stack {stack.name} --engine offline up",
        )
    execute(["pulumi", "stack", "select", "--create", stack.name], stack.root, env)
    execute(["pulumi", "stack", "import", "--stack", stack.name, "--file", str(path)], stack.root, env)
    path.replace(path.with_suffix(".json.moved"))


def _to_offline(stack: Stack, env: Mapping[str, str]) -> None:
    argv = ["pulumi", "stack", "export", "--show-secrets", "--stack", stack.name]
    done = subprocess.run(argv, cwd=stack.root, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise MaillabError(f"`pulumi stack export` failed: {done.stderr.strip()}")
    exported = json.loads(done.stdout)
    if exported["deployment"].get("pending_operations"):
        raise MaillabError(
            f"stack {stack.name}: the last run of Pulumi was interrupted in the middle of an operation",
            f"finish it first: pulumi refresh --stack {stack.name}",
        )
    _write(stack.state_file(Engine.OFFLINE), json.dumps(exported, indent=1))
    forget(Engine.PULUMI, stack)


def _write(path: Path, text: str) -> None:
    """All or nothing: a lab without a state would be an orphan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    Path(file.name).replace(path)
