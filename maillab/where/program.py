"""Programs that are run to their end; none is waited for without a limit."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from maillab.where.problem import WhereError

LAST_WORDS = 5  # seconds for the pipes of a program that was killed: something it started may hold them


def finish(  # noqa: PLR0913 (those of subprocess that are needed)
    words: Sequence[str],
    *,
    seconds: float,
    output: int | IO[bytes] = subprocess.PIPE,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    own_session: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the program, without a stdin; `output` is for both of its streams.

    Raises:
        WhereError: it has not ended within `seconds`; it is killed then.
        FileNotFoundError: there is no such program.
    """
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, errors="replace", cwd=folder,
        env=environment, start_new_session=own_session,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        what = (
            f"`{' '.join([Path(words[0]).name, *words[1:]])[:80]}` has not ended within {seconds:g} s, and was killed"
        )
        raise WhereError("no-end", what, "is this computer overloaded, or its disk? then run the same again") from error
    finally:
        if process.poll() is None:  # also when this process was interrupted
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=LAST_WORDS)
    return subprocess.CompletedProcess(words, process.returncode, out or "", err or "")
