"""Waiting for what the machines do."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL = 0.5
Found = TypeVar("Found")


def watch(look: Callable[[], Found], done: Callable[[Found], bool], still: float) -> Found:
    """What `look` finds: looked at until that is `done`, or has not changed for `still` seconds.

    Not until a fixed time: on an emulated processor everything takes ten times as long, but something happens.
    """
    found, changed = look(), time.monotonic()
    while not done(found) and time.monotonic() - changed < still:
        time.sleep(POLL)
        before, found = found, look()
        if found != before:
            changed = time.monotonic()
    return found
