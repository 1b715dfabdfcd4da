"""Runs the offline engine and kills it hard: `python -m tests.engine.kill_at N before|after ARGUMENTS…`.

N counts the writes of the state; `before` kills instead of the N-th write, `after` right after it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import offline.deployment
import offline.state
from offline.__main__ import main

NUMBER, MOMENT = int(sys.argv[1]), sys.argv[2]
write = offline.state.write_atomically
count = 0


def counted(path: Path, text: str) -> None:
    global count  # noqa: PLW0603 (the whole purpose of this process)
    count += 1
    if count == NUMBER and MOMENT == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, text)
    if count == NUMBER:
        os.kill(os.getpid(), signal.SIGKILL)


offline.state.write_atomically = counted
# These runs find everything whole, or in the way for good: nothing is gained by waiting for it.
offline.deployment.SETTLE_SECONDS = 1
status = main(sys.argv[3:])
print(f"writes: {count}")
sys.exit(status)
