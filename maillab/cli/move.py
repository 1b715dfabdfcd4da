"""`maillab state move`: hands a lab from one engine to the other; no resource is touched."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from maillab.cli.engine import alone_on, environment, execute, forget, in_both_states
from maillab.cli.problem import failed
from maillab.cli.stack import Engine, Stack
from maillab.offline.files import Prepared, prepared
from maillab.where.known import STATE

EXPORT_SECONDS = 300


def move(stack: Stack, to: Engine) -> Path:
    """Make `to` the owner of the lab; answers its state file.

    Raises:
        MaillabError: there is no lab, both engines have one, Pulumi is missing, or an operation is unfinished.
    """
    makers = stack.makers()
    if makers == [to]:
        raise failed("already-moved", stack=stack.name, engine=to)
    if makers != [to.other]:
        raise in_both_states(stack) if makers else failed("no-lab", stack=stack.name)
    if not shutil.which("pulumi"):
        raise failed("no-pulumi")
    with unused(stack):
        if to is Engine.PULUMI:
            _to_pulumi(stack, environment())
        else:
            _to_offline(stack, environment())
    return stack.state_file(to)


@contextmanager
def unused(stack: Stack) -> Iterator[None]:
    """Hold the offline engine's lock, so that no run of it is under way; one of Pulumi's is refused too."""
    locks = stack.root / STATE / ".pulumi" / "locks"
    if any(locks.glob(f"**/{stack.name}/*.json")):
        raise failed("run-under-way.pulumi", stack=stack.name)
    with alone_on(stack):
        yield


def _to_pulumi(stack: Stack, env: Mapping[str, str]) -> None:
    path = stack.state_file(Engine.OFFLINE)
    deployment = json.loads(path.read_text("utf-8"))["deployment"]
    if deployment.get("pending_operations"):
        raise failed("unfinished.offline", stack=stack.name, path=path)
    # First: a stack that Pulumi makes gets the salt that its secrets need.
    execute(["pulumi", "stack", "select", "--create", stack.name], stack.root, env)
    with written(stack, Engine.PULUMI, json.dumps(_exported(stack))) as new:
        execute(["pulumi", "stack", "import", "--stack", stack.name, "--file", str(new.path)], stack.root, env)
    Prepared(path=path, target=path.with_suffix(".json.moved")).put()


def _exported(stack: Stack) -> Mapping[str, object]:
    """The state with the stack's `encryptionsalt` of now, without which Pulumi takes no secret."""
    from maillab.offline import engine  # noqa: PLC0415 (as in maillab/cli/engine.py)
    from maillab.offline.values import OfflineError  # noqa: PLC0415

    try:
        return engine.export_stack(stack.root, stack.name)
    except OfflineError as error:
        raise failed("nothing-moved", words=error) from error


def exported_by_pulumi(stack: Stack, env: Mapping[str, str]) -> dict[str, Any]:
    """What `pulumi stack export` says, secrets as plaintext. Raises MaillabError."""
    argv = ["pulumi", "stack", "export", "--show-secrets", "--stack", stack.name]
    try:
        done = subprocess.run(
            argv, cwd=stack.root, env=dict(env), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            timeout=EXPORT_SECONDS,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise failed("no-pulumi") from error
    except subprocess.TimeoutExpired as error:
        raise failed("export-silent", seconds=EXPORT_SECONDS, command=" ".join(argv)) from error
    if done.returncode:
        raise failed("export-failed", stack=stack.name, words=done.stderr.strip())
    exported: dict[str, Any] = json.loads(done.stdout)
    if exported["deployment"].get("pending_operations"):
        raise failed("unfinished.pulumi", stack=stack.name)
    return exported


def _to_offline(stack: Stack, env: Mapping[str, str]) -> None:
    exported = exported_by_pulumi(stack, env)
    with written(stack, Engine.OFFLINE, json.dumps(exported, indent=1)) as new:
        new.put()  # before the other engine's is gone
    _seal(stack)
    forget(Engine.PULUMI, stack)


def _seal(stack: Stack) -> None:
    """Write the state again, with its secrets encrypted if the stack's file has any so."""
    from maillab.offline.project import load_project  # noqa: PLC0415
    from maillab.offline.state import Store  # noqa: PLC0415
    from maillab.offline.values import OfflineError  # noqa: PLC0415

    with suppress(OfflineError):  # what is wrong with it the next run reports; Pulumi's words are a state all the same
        if (project := load_project(stack.root, stack.name)).secret_texts:
            Store(project).write()


@contextmanager
def written(stack: Stack, engine: Engine, text: str) -> Iterator[Prepared]:
    """A new state for the engine, all of it on the disk, for its owner alone: to be put in place, else it is removed.

    Raises:
        MaillabError: it can't be written.
    """
    offline = stack.state_file(Engine.OFFLINE)
    target = offline if engine is Engine.OFFLINE else offline.with_name(f"{stack.name}.for-pulumi.json")
    with ExitStack() as files:
        try:
            new = files.enter_context(prepared(target, text))
        except OSError as error:
            raise failed("state-not-written", folder=target.parent, reason=error.strerror or error) from error
        yield new
