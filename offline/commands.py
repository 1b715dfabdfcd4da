"""command:local:Command, through subprocess."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from offline.values import OfflineError, Props

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPORTED = frozenset(
    "addPreviousOutputInEnv create delete dir environment interpreter logging stdin triggers update".split()
)
LOGGED = {"stdout": ("stdout",), "stderr": ("stderr",), "none": ()}

_running: set[subprocess.Popen[str]] = set()


def check(name: str, inputs: Props) -> None:
    """Raise OfflineError for inputs that this engine can't honour."""
    if unknown := sorted({*inputs} - SUPPORTED):
        raise OfflineError(f"{name}: the offline engine does not support a Command's {', '.join(unknown)}")


def run(name: str, script: str | None, inputs: Props, previous: Props, log: Callable[[str], None]) -> Props:
    """Run the script; returns `{"stdout", "stderr"}`, or the previous ones when there is no script.

    Raises OfflineError with everything the command wrote when it fails.
    """
    if script is None:
        return {key: previous.get(key, "") for key in ("stdout", "stderr")}
    command = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), script]
    try:
        process = subprocess.Popen(
            command, cwd=inputs.get("dir"), env=_environment(inputs, previous), text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise OfflineError(
            f"{name}: can't run {command[0]}: {error.strerror} (environment, dir or interpreter)"
        ) from error
    written = _communicate(
        process, str(inputs.get("stdin") or ""), log, LOGGED.get(inputs.get("logging", ""), ("stdout", "stderr"))
    )
    if process.returncode:
        how = f"exit status {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise OfflineError(f"{name}: {how}: running {script!r}:\n{written['both'].rstrip()}")
    return {key: written[key].removesuffix("\n") for key in ("stdout", "stderr")}


def _environment(inputs: Props, previous: Props) -> dict[str, str]:
    environment = {**os.environ, **(inputs.get("environment") or {})}
    if inputs.get("addPreviousOutputInEnv", True):
        for key in ("stdout", "stderr"):
            if previous.get(key):
                environment[f"PULUMI_COMMAND_{key.upper()}"] = previous[key]
    return environment


def _communicate(
    process: subprocess.Popen[str], stdin: str, log: Callable[[str], None], logged: tuple[str, ...]
) -> dict[str, str]:
    """Feed the process and read both of its streams as they come; `both` is them interleaved."""
    written = {"stdout": "", "stderr": "", "both": ""}

    def drain(key: str) -> None:
        stream = process.stdout if key == "stdout" else process.stderr
        for line in stream or ():
            written[key] += line
            written["both"] += line
            if key in logged:
                log(line.rstrip("\n"))

    _running.add(process)
    threads = [threading.Thread(target=drain, args=(key,)) for key in ("stdout", "stderr")]
    for thread in threads:
        thread.start()
    try:
        if process.stdin:
            process.stdin.write(stdin)
            process.stdin.close()
    except BrokenPipeError:
        pass  # the command does not read all of its input, which is its own affair
    for thread in threads:
        thread.join()
    process.wait()
    _running.discard(process)
    return written


def terminate_running() -> None:
    """Ask every command that runs to end (the person pressed Ctrl-C twice)."""
    for process in list(_running):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
