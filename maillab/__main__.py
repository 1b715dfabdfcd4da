"""`python -m maillab`, which bin/maillab runs."""

from __future__ import annotations

import atexit
import errno
import gc
import sys

from maillab.offline.terminal import die_quietly, run_main

if __name__ == "__main__":
    die_quietly()
# A run makes some thousand objects for good and ends: looking for garbage among them, also at the end, is a fifth of a
# preview.
gc.disable()
atexit.register(gc.freeze)

from maillab.cli.app import app  # noqa: E402
from maillab.cli.completion import prepare  # noqa: E402
from maillab.cli.help import command_of  # noqa: E402
from maillab.cli.problem import MaillabError, failed, shown  # noqa: E402

NO_PLACE = (errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)


def main() -> int:
    """Run the command; a MaillabError becomes words on stderr and its exit status."""
    try:
        prepare()
        command_of(app)(prog_name="maillab")
    except MaillabError as error:
        return show(error)
    except PermissionError as error:
        return show(failed("no-right", path=error.filename))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return show(failed("no-space", path=error.filename or ""))
        if error.errno in NO_PLACE and error.filename:
            return show(failed("no-place", path=error.filename, reason=error.strerror))
        raise
    return 0


def show(error: MaillabError) -> int:
    """What went wrong and what to do, on stderr; answers the exit status."""
    print(shown(error), file=sys.stderr)
    return error.code


if __name__ == "__main__":
    sys.exit(run_main(main))
