"""Which engine works on a stack, and how it is run: Pulumi as a process on this terminal, the other one here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.problem import InterruptedByUserError, MaillabError, explain
from cli.stack import Engine, Stack

KEPT_WORDS = 40_000  # characters of an engine's stderr that are looked through for known failures


def choose(stack: Stack, wanted: Engine | None = None) -> Engine:
    """`wanted`, else Pulumi when it is on PATH, else offline.

    Raises:
        MaillabError: the other engine made the lab; the message names the command that hands it over.
    """
    engine = wanted or (Engine.PULUMI if shutil.which("pulumi") else Engine.OFFLINE)
    makers = stack.makers()
    if engine.other not in makers:
        return engine
    if engine in makers:
        raise MaillabError(
            f"stack {stack.name} has resources in the states of both engines: {stack.state_file(Engine.PULUMI)} "
            f"and {stack.state_file(Engine.OFFLINE)}",
            "move the one that is out of date away, then run this again",
        )
    raise MaillabError(
        f"the lab {stack.name} was made by the {engine.other} engine ({stack.state_file(engine.other)}), "
        f"and {_reason(engine, wanted)}",
        f"hand it over:   {stack.maillab} state move --to {engine}",
        f"or use that one: {stack.maillab} --engine {engine.other} …",
    )


def _reason(engine: Engine, wanted: Engine | None) -> str:
    if wanted:
        return f"you asked for {engine}"
    return "pulumi is on PATH" if engine is Engine.PULUMI else "pulumi is not on PATH"


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What an engine runs with: no question for a passphrase or an update, DOCKER_HOST of the docker context."""
    env = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_SKIP_UPDATE_CHECK": "true"} | dict(given)
    if "PULUMI_CONFIG_PASSPHRASE_FILE" in given and "PULUMI_CONFIG_PASSPHRASE" not in given:
        del env["PULUMI_CONFIG_PASSPHRASE"]
    # Pulumi's provider would follow it before the host of the lab's own engine; `docker` takes DOCKER_HOST first.
    named = env.pop("DOCKER_CONTEXT", "")
    if not env.get("DOCKER_HOST") and (host := _context_host(env, named)):
        env["DOCKER_HOST"] = host
    return env


def _context_host(env: Mapping[str, str], named: str) -> str:
    """The address of a docker context other than the default one: the SDK and the plugins know no contexts."""
    config = Path(env.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    if not named and not (config.exists() and "currentContext" in config.read_text("utf-8")):
        return ""
    asked = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", *([named] if named else [])]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode and named:
        raise MaillabError(f"the docker context {named} can't be used: {done.stderr.strip()}", "see docker context ls")
    return done.stdout.strip()


def command(stack: Stack, verb: str, flags: Sequence[str] = ()) -> list[str]:
    """Pulumi's command line for `verb` (up, preview, refresh, destroy)."""
    # The outputs are the table's: as one line of JSON nobody reads them.
    unasked = ["--suppress-outputs", *([] if verb == "preview" else ["--yes", "--skip-preview"])]
    return ["pulumi", verb, "--stack", stack.name, *unasked, *flags]


def run(engine: Engine, stack: Stack, verb: str, flags: Sequence[str] = ()) -> None:
    """Run the engine to its end.

    Raises:
        InterruptedByUserError: Ctrl-C.
        MaillabError: it failed; the engine has said what, the remedy is here when the failure is known.
    """
    env = environment()
    if engine is Engine.OFFLINE:
        os.environ.pop("DOCKER_CONTEXT", None)
        os.environ.update(env)
        run_offline(stack, verb, flags)
        return
    if not stack.state_file(engine).exists():
        execute(["pulumi", "stack", "select", "--create", stack.name], stack.root, env)
    # Pulumi's errors are part of its display; the event log (a debug option) has them as text.
    with tempfile.NamedTemporaryFile(prefix="maillab-events-") as events:
        argv = [*command(stack, verb, flags), "--event-log", events.name]
        execute(argv, stack.root, env | {"PULUMI_DEBUG_COMMANDS": "1"}, Path(events.name))


def run_offline(stack: Stack, verb: str, flags: Sequence[str] = ()) -> None:
    """Run the offline engine in this process. Raises as `run` does."""
    from cli.display import WithoutOutputs  # noqa: PLC0415
    from offline import engine  # noqa: PLC0415 (a machine that has Pulumi never needs it)
    from offline.values import OfflineError  # noqa: PLC0415

    display = WithoutOutputs(diff="--diff" in flags)
    try:
        looks = {"refresh": True} if "--refresh" in flags else {}
        result = getattr(engine, verb)(stack.root, stack.name, display=display, **looks)
    except OfflineError as error:
        known = explain(str(error))
        raise MaillabError(str(error), *(known.remedy if known else ())) from error
    if display.cancelled:
        raise InterruptedByUserError
    if not result.ok:
        raise failure(verb, 1, "\n".join(item["message"] for item in result.diagnostics))
    if "--expect-no-changes" in flags and result.changes:
        raise MaillabError("no changes were expected, but there are some: they are above")


def execute(argv: Sequence[str], cwd: Path, env: Mapping[str, str], events: Path | None = None) -> None:
    """Run `argv` on this terminal; what it says on stderr is shown, and kept to explain a failure."""
    # A handler of our own, not SIG_IGN, which the engine would inherit: Ctrl-C reaches both, the engine ends
    # in its own way, and we wait for it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    words: list[str] = []
    try:
        with subprocess.Popen(argv, cwd=cwd, env=dict(env), stderr=subprocess.PIPE) as process:
            reader = threading.Thread(target=_forward, args=(process, words), daemon=True)
            reader.start()
            code = process.wait()
            reader.join(timeout=5)
    except FileNotFoundError as error:
        raise MaillabError(f"{argv[0]}: no such program", "`make up` installs what is missing") from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code in (-signal.SIGINT, 128 + signal.SIGINT):
        raise InterruptedByUserError
    if code:
        doing = " ".join(argv[:3])
        raise failure(doing, code, "".join(words) + (errors_of(events) if events else ""))


def _forward(process: subprocess.Popen[bytes], words: list[str]) -> None:
    if process.stderr is None:
        return
    while chunk := os.read(process.stderr.fileno(), 8192):
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()
        words.append(chunk.decode("utf-8", "replace"))
        del words[: -KEPT_WORDS // 8192]


def errors_of(events: Path) -> str:
    """The error messages in Pulumi's event log: one JSON object per line."""
    messages = []
    for line in events.read_text("utf-8").splitlines():
        try:
            diagnostic = json.loads(line).get("diagnosticEvent") or {}
        except json.JSONDecodeError:  # the last line of an engine that was killed
            continue
        if diagnostic.get("severity") == "error":
            messages.append(str(diagnostic.get("message", "")))
    return "\n".join(messages)


def failure(doing: str, code: int, words: str) -> MaillabError:
    """The error for an engine that ended with `code`, with the remedy when its words are known."""
    known = explain(words)
    if known is None:
        return MaillabError(f"`{doing}` failed; what and where is said above", code=code)
    return MaillabError(f"`{doing}` failed: {known.what}", *known.remedy, code=code, id=known.id)


def forget(engine: Engine, stack: Stack) -> None:
    """Drop the stack's state: what it knows of exists no longer. Its configuration stays."""
    if engine is Engine.OFFLINE:
        stack.state_file(engine).unlink(missing_ok=True)
        return
    execute(["pulumi", "stack", "rm", "--force", "--yes", "--preserve-config", stack.name], stack.root, environment())
