"""`maillab state move`: hands a lab from one engine to the other; no resource is touched."""

from __future__ import annotations

import fcntl
import json
import os
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
            f"finish it first: {stack.maillab} --engine offline up",
        )
    # First: a stack that Pulumi makes gets the salt that its secrets need.
    execute(["pulumi", "stack", "select", "--create", stack.name], stack.root, env)
    with written(stack, json.dumps(_exported(stack))) as file:
        execute(["pulumi", "stack", "import", "--stack", stack.name, "--file", str(file)], stack.root, env)
    path.replace(path.with_suffix(".json.moved"))


def _exported(stack: Stack) -> Mapping[str, object]:
    """The state with the stack's `encryptionsalt` of now, without which Pulumi takes no secret."""
    from offline import engine  # noqa: PLC0415 (as in cli/engine.py)
    from offline.values import OfflineError  # noqa: PLC0415

    try:
        return engine.export_stack(stack.root, stack.name)
    except OfflineError as error:
        passphrase = "(with PULUMI_CONFIG_PASSPHRASE= in its environment)"
        raise MaillabError(f"nothing was moved: {error}", f"mend that {passphrase}, then run the same again") from error


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
    target = stack.state_file(Engine.OFFLINE)
    with written(stack, json.dumps(exported, indent=1)) as path:
        path.replace(target)
    _sync(target.parent)  # the name too, before the other engine's is gone
    forget(Engine.PULUMI, stack)


@contextmanager
def written(stack: Stack, text: str) -> Iterator[Path]:
    """A file with this state, all of it on the disk, for its owner alone: to be moved, else it is removed again.

    Raises:
        MaillabError: it can't be written.
    """
    folder = stack.state_file(Engine.OFFLINE).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
    except OSError as error:
        raise _unwritten(folder, error) from error
    path = Path(name)
    try:
        _fill(descriptor, path, text)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _fill(descriptor: int, path: Path, text: str) -> None:
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise _unwritten(path.parent, error) from error


def _unwritten(folder: Path, error: OSError) -> MaillabError:
    what = f"{folder}: the state can't be written: {error.strerror}; the lab is as it was"
    return MaillabError(what, "make room, then run the same again: df -h")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
