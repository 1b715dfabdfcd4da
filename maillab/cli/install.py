"""`make pulumi`: the real Pulumi and its plugins, installed on purpose, each download with a limit of time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from maillab.cli.text import text

LIMIT = 300  # seconds for each download
INSTALL = "from pulumi.automation import PulumiCommand; print(PulumiCommand.install().command)"
PLUGINS = {"docker": "pulumi-docker", "command": "pulumi-command"}


class DownloadError(Exception):
    """A download failed or took too long."""


def limited(argv: Sequence[str], seconds: float = LIMIT) -> str:
    """Run `argv` in a process group of its own, ended as a whole after `seconds`. Answers its stdout.

    Raises:
        DownloadError: with the last line of its stderr.
    """
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True
    ) as process:
        try:
            out, words = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise DownloadError(text("no-end", seconds=f"{seconds:.0f}")) from error
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode:
        last = words.strip().splitlines()[-1:] or [text("exit-status", code=process.returncode)]
        raise DownloadError(last[0])
    return out.strip()


def install() -> Path:
    """Install CLI and plugins into ~/.pulumi; what is there already is not fetched again."""
    print(text("fetching-pulumi", version=version("pulumi"), seconds=LIMIT), flush=True)
    program = Path(limited([sys.executable, "-c", INSTALL]).splitlines()[-1])
    for plugin, package in PLUGINS.items():
        print(text("fetching-plugin", plugin=plugin, version=version(package), seconds=LIMIT), flush=True)
        limited([str(program), "plugin", "install", "resource", plugin, version(package)])
    return program


def main() -> int:
    """Exit status: 0 when everything is there, 1 with the reason."""
    try:
        program = install()
    except DownloadError as error:
        print(text("pulumi-not-installed", words=error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n" + text("pulumi-interrupted"), file=sys.stderr)
        return 130
    print(text("pulumi-installed", program=program, folder=program.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
