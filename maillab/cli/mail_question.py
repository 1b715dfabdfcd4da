"""What becomes of the mail of a lab that is removed: the options say it, or the person is asked."""

from __future__ import annotations

import sys

from maillab.cli.belongings import Belongings
from maillab.cli.problem import failed
from maillab.cli.text import text
from maillab.cli.things import some_of

# What the question offers, in each language; the first letter is enough. Enter alone chooses nothing.
DELETE = ("d", "delete", "刪除")
KEEP = ("k", "keep", "保留")
CANCEL = ("c", "cancel", "取消", "n", "no", "q")
TRIES = 5  # then nobody seems to read the question


def mail_goes(own: Belongings, *, yes: bool, keep: bool) -> bool:
    """Are the volumes to be removed? Asks, unless the options say it or there are none.

    Raises:
        MaillabError: there is no terminal to ask at, or the person cancelled.
    """
    if yes or keep:
        return yes and not keep
    volumes = own.removable("volume")
    return not volumes or is_to_go(text("the-volumes", names=some_of(volumes)), own.lab.stack)


def is_to_go(what: str, stack: str) -> bool:
    """Does the person want the mail in `what` deleted? Asks again when the answer is none.

    Raises:
        MaillabError: there is no terminal to ask at, or the person cancelled.
    """
    if not sys.stdin.isatty():
        raise failed("no-terminal-to-ask", stack=stack, what=what)
    print(text("mail-is-in", stack=stack, what=what))
    print(text("mail-choices", stack=stack))
    try:
        for _ in range(TRIES):
            answer = input(text("mail-question")).strip().lower()
            if answer in DELETE or answer in KEEP:
                return answer in DELETE
            if answer in CANCEL:
                break
    except (EOFError, KeyboardInterrupt) as error:
        print()
        raise failed("nothing-removed", stack=stack, code=130) from error
    raise failed("nothing-removed", stack=stack, code=130)
