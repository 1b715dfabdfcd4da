"""command:local:Command, as a process of its own."""

from __future__ import annotations

import errno
import os

from maillab.offline.process import Log, Process, Stream
from maillab.offline.stopping import stoppable
from maillab.offline.values import OfflineError, Props, words

SUPPORTED = words("addPreviousOutputInEnv create delete dir environment interpreter logging stdin triggers update")
LOGGED = {"stdout": ("stdout",), "stderr": ("stderr",), "none": ()}


def run(  # noqa: PLR0913 (what a Command is)
    name: str,
    script: str | None,
    inputs: Props,
    previous: Props,
    log: Log,
    *,
    limit: float | None = None,
) -> Props:
    """Run the script; returns `{"stdout", "stderr"}`, or the previous ones when there is no script.

    `limit`: the seconds after which it is stopped (None, 0: the engine's own limit).
    Raises OfflineError with everything the command wrote when it fails, StoppedError when it was stopped.
    """
    if script is None:
        return {key: previous.get(key, "") for key in ("stdout", "stderr")}
    command = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), script]
    environment = {**os.environ, **(inputs.get("environment") or {})}
    if inputs.get("addPreviousOutputInEnv", True):
        former = {f"PULUMI_COMMAND_{key.upper()}": previous.get(key) for key in ("stdout", "stderr")}
        environment |= {key: text for key, text in former.items() if text}
    logged = LOGGED.get(inputs.get("logging", ""), ("stdout", "stderr"))
    written: dict[str, list[str]] = {"stdout": [], "stderr": [], "both": []}

    def take(stream: Stream, line: str) -> None:
        written[stream].append(line)
        written["both"].append(line)
        if stream in logged:
            log(line.rstrip("\n"), stream)

    try:
        with stoppable(
            lambda: Process(command, folder=inputs.get("dir"), environment=environment, limit=limit)
        ) as process:
            status = process.communicate(inputs.get("stdin") or "", take)
    except (OSError, ValueError) as error:
        raise OfflineError(f"{name}: can't run {command[0]}: {_not_started(error)}") from error
    except OfflineError as error:
        raise type(error)(f"{name}: {error}: running {script!r}:\n{''.join(written['both']).rstrip()}") from error
    if status:
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        raise OfflineError(f"{name}: {how}: running {script!r}:\n{''.join(written['both']).rstrip()}")
    return {key: "".join(written[key]).removesuffix("\n") for key in ("stdout", "stderr")}


def _not_started(error: OSError | ValueError) -> str:
    """Why there is no process. The ValueError is a NUL byte, which no argument and no environment can have."""
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return "the environment is too large"
    return str(getattr(error, "strerror", None) or error)
