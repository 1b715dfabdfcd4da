"""`python -m cli`, which bin/maillab runs."""

from __future__ import annotations

import atexit
import errno
import gc
import sys

# A run makes some thousand objects for good and ends: looking for garbage among them, also at the end, is a fifth of a
# preview.
gc.disable()
atexit.register(gc.freeze)

from cli.app import app  # noqa: E402
from cli.problem import MaillabError  # noqa: E402


def main() -> int:
    """Run the command; a MaillabError becomes words on stderr and its exit status."""
    try:
        app(prog_name="maillab")
    except MaillabError as error:
        print(f"maillab: {error}", *error.remedy, sep="\n  ", file=sys.stderr)
        return error.code
    except PermissionError as error:
        owner = "it may be another user's: an earlier run was made with sudo, so use sudo again"
        print(f"maillab: no right to {error.filename}", owner, sep="\n  ", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"maillab: the disk is full: {error.filename or ''}", "make room: df -h", sep="\n  ", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
