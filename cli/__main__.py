"""`python -m cli`, which bin/maillab runs."""

from __future__ import annotations

import sys

from cli.app import app
from cli.problem import MaillabError


def main() -> int:
    """Run the command; a MaillabError becomes words on stderr and its exit status."""
    try:
        app(prog_name="maillab")
    except MaillabError as error:
        print(f"maillab: {error}", *error.remedy, sep="\n  ", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
