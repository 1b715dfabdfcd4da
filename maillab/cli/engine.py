"""Which engine works on a stack, and how it is run: Pulumi as a process on this terminal, the other one here."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import IO, TextIO

from maillab.cli.problem import InterruptedByUserError, MaillabError, explain, failed
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import text
from maillab.offline.files import HeldError, alone
from maillab.offline.terminal import Lasting

CONTEXT_SECONDS = 60
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
        raise in_both_states(stack)
    raise failed(
        f"other-engine.{_reason(engine, wanted)}",
        stack=stack.name,
        engine=engine,
        other=engine.other,
        state=stack.state_file(engine.other),
    )


def in_both_states(stack: Stack) -> MaillabError:
    """The error for a lab that both engines' states have."""
    pulumi, offline = stack.state_file(Engine.PULUMI), stack.state_file(Engine.OFFLINE)
    return failed("in-both-states", stack=stack.name, pulumi=pulumi, offline=offline)


def _reason(engine: Engine, wanted: Engine | None) -> str:
    if wanted:
        return "asked"
    return "on-path" if engine is Engine.PULUMI else "not-on-path"


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What an engine runs with: no question for a passphrase or an update, DOCKER_HOST of the docker context.

    And the state in this folder (Pulumi.yaml), where every command looks for it, wherever else Pulumi would keep it.
    """
    env = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_SKIP_UPDATE_CHECK": "true"} | dict(given)
    if "PULUMI_CONFIG_PASSPHRASE_FILE" in given and "PULUMI_CONFIG_PASSPHRASE" not in given:
        del env["PULUMI_CONFIG_PASSPHRASE"]
    env.pop("PULUMI_BACKEND_URL", None)
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
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=CONTEXT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise failed("context-silent", command=" ".join(asked), seconds=CONTEXT_SECONDS) from error
    if done.returncode and named:
        raise failed("bad-context", context=named, words=done.stderr.strip())
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
    # Pulumi has a lock of its own, which a command of ours that changes its state (`reset`) can't hold.
    with nullcontext() if verb == "preview" else alone_on(stack):
        if not stack.state_file(engine).exists():
            execute(["pulumi", "stack", "select", "--create", stack.name], stack.root, env)
        # Pulumi's errors are part of its display; the event log (a debug option) has them as text.
        with tempfile.NamedTemporaryFile(prefix="maillab-events-") as events:
            argv = [*command(stack, verb, flags), "--event-log", events.name]
            execute(argv, stack.root, env | {"PULUMI_DEBUG_COMMANDS": "1"}, Path(events.name))


@contextmanager
def alone_on(stack: Stack) -> Iterator[None]:
    """Hold the offline engine's lock on the stack: nobody else's command changes the lab. Raises MaillabError."""
    with ExitStack() as held:
        try:
            held.enter_context(alone(stack.state_file(Engine.OFFLINE).with_suffix(".lock")))
        except HeldError as error:
            raise failed("run-under-way.offline", stack=stack.name, process=error.holder) from error
        yield


def run_offline(stack: Stack, verb: str, flags: Sequence[str] = ()) -> None:
    """Run the offline engine in this process. Raises as `run` does."""
    from maillab.cli.display import ForPeople  # noqa: PLC0415
    from maillab.offline import engine  # noqa: PLC0415 (a machine that has Pulumi never needs it)
    from maillab.offline.values import OfflineError  # noqa: PLC0415

    display = ForPeople(diff="--diff" in flags)
    try:
        more: dict[str, object] = {"refresh": True} if "--refresh" in flags else {}
        if again := [urn for flag, urn in pairwise(flags) if flag == "--replace"]:
            more["again"] = again
        result = getattr(engine, verb)(stack.root, stack.name, display=display, **more)
    except OfflineError as error:
        known = explain(str(error))
        raise MaillabError(str(error), *(known.remedy if known else ())) from error
    if display.cancelled:
        raise InterruptedByUserError
    if not result.ok:
        raise failure(verb, 1, "\n".join(item["message"] for item in result.diagnostics))
    if "--expect-no-changes" in flags and result.changes:
        raise failed("unexpected-changes", stack=stack.name)


def execute(argv: Sequence[str], cwd: Path, env: Mapping[str, str], events: Path | None = None) -> None:
    """Run `argv` on this terminal; what it says on stderr is shown, and kept to explain a failure.

    Where stdout is no terminal it goes through here: a pipe that nobody reads any more would end Pulumi in the middle
    of its work.
    """
    # A handler of our own, not SIG_IGN, which the engine would inherit: Ctrl-C reaches both, the engine ends
    # in its own way, and we wait for it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    words: list[str] = []
    out = None if sys.stdout.isatty() else subprocess.PIPE
    try:
        with subprocess.Popen(argv, cwd=cwd, env=dict(env), stdout=out, stderr=subprocess.PIPE) as process:
            pairs: list[tuple[IO[bytes] | None, TextIO, list[str]]]
            pairs = [(process.stdout, sys.stdout, []), (process.stderr, sys.stderr, words)]
            readers = [threading.Thread(target=_forward, args=pair, daemon=True) for pair in pairs if pair[0]]
            for reader in readers:
                reader.start()
            code = process.wait()
            for reader in readers:
                reader.join(timeout=5)
    except FileNotFoundError as error:
        raise failed("no-program", program=argv[0]) from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code in (-signal.SIGINT, 128 + signal.SIGINT):
        raise InterruptedByUserError
    if code:
        doing = " ".join(argv[:3])
        raise failure(doing, code, "".join(words) + (errors_of(events) if events else ""))


def _forward(source: IO[bytes], target: TextIO, words: list[str]) -> None:
    """Read to the end, even when nobody reads what is written; its last part stays in `words`."""
    shown = Lasting(target)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := os.read(source.fileno(), 8192):
        text = decoder.decode(chunk)
        shown.write(text)
        shown.flush()
        words.append(text)
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
        return failed("run-failed", command=doing, code=code)
    return MaillabError(text("failed", command=doing, what=known.what), *known.remedy, code=code, id=known.id)


def forget(engine: Engine, stack: Stack) -> None:
    """Drop the stack's state: what it knows of exists no longer. Its configuration stays."""
    if engine is Engine.OFFLINE:
        stack.state_file(engine).unlink(missing_ok=True)
        return
    execute(["pulumi", "stack", "rm", "--force", "--yes", "--preserve-config", stack.name], stack.root, environment())
