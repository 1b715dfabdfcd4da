"""command:local:Command, through subprocess."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from offline.values import OfflineError, Props, words

if TYPE_CHECKING:
    from collections.abc import Callable

SUPPORTED = words("addPreviousOutputInEnv create delete dir environment interpreter logging stdin triggers update")
LOGGED = {"stdout": ("stdout",), "stderr": ("stderr",), "none": ()}

_running: set[subprocess.Popen[str]] = set()


def run(name: str, script: str | None, inputs: Props, previous: Props, log: Callable[[str], None]) -> Props:
    """Run the script; returns `{"stdout", "stderr"}`, or the previous ones when there is no script.

    Raises OfflineError with everything the command wrote when it fails.
    """
    if script is None:
        return {key: previous.get(key, "") for key in ("stdout", "stderr")}
    command = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), script]
    environment = {**os.environ, **(inputs.get("environment") or {})}
    if inputs.get("addPreviousOutputInEnv", True):
        told = {f"PULUMI_COMMAND_{key.upper()}": previous.get(key) for key in ("stdout", "stderr")}
        environment |= {key: text for key, text in told.items() if text}
    pipe = subprocess.PIPE
    try:
        # A session of its own: Ctrl-C is for the engine, which lets a running step come to its end.
        process = subprocess.Popen(
            command, cwd=inputs.get("dir"), env=environment, text=True, errors="replace",
            stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        why = "the environment is too large" if error.strerror == "Argument list too long" else error.strerror
        raise OfflineError(f"{name}: can't run {command[0]}: {why}") from error
    written = _communicate(
        process, inputs.get("stdin") or "", log, LOGGED.get(inputs.get("logging", ""), ("stdout", "stderr"))
    )
    if process.returncode:
        how = f"exit status {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise OfflineError(f"{name}: {how}: running {script!r}:\n{written['both'].rstrip()}")
    return {key: written[key].removesuffix("\n") for key in ("stdout", "stderr")}


def _communicate(
    process: subprocess.Popen[str], stdin: str, log: Callable[[str], None], logged: tuple[str, ...]
) -> dict[str, str]:
    """Feed the process and read both of its streams as they come; `both` is them interleaved."""
    written = {"stdout": "", "stderr": "", "both": ""}

    def drain(key: str) -> None:
        for line in getattr(process, key):
            written[key] += line
            written["both"] += line
            if key in logged:
                log(line.rstrip("\n"))

    _running.add(process)
    threads = [threading.Thread(target=drain, args=(key,)) for key in ("stdout", "stderr")]
    for thread in threads:
        thread.start()
    if process.stdin:
        with suppress(BrokenPipeError), process.stdin:  # what a command leaves unread is its own affair
            process.stdin.write(stdin)
    for thread in threads:
        thread.join()
    process.wait()
    _running.discard(process)
    return written


def terminate_running() -> None:
    """Ask every command that runs to end (the person pressed Ctrl-C twice)."""
    for process in list(_running):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
