"""`make pulumi`: the real Pulumi and its plugins, installed on purpose, each download with a limit of time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

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
            raise DownloadError(f"no end after {seconds:.0f} s") from error
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if process.returncode:
        last = words.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        raise DownloadError(last[0])
    return out.strip()


def install() -> Path:
    """Install CLI and plugins into ~/.pulumi; what is there already is not fetched again."""
    print(f"  … Pulumi {version('pulumi')} (get.pulumi.com, at most {LIMIT} s)", flush=True)
    program = Path(limited([sys.executable, "-c", INSTALL]).splitlines()[-1])
    for plugin, package in PLUGINS.items():
        print(f"  … its {plugin} plugin {version(package)} (at most {LIMIT} s)", flush=True)
        limited([str(program), "plugin", "install", "resource", plugin, version(package)])
    return program


def main() -> int:
    """Exit status: 0 when everything is there, 1 with the reason."""
    try:
        program = install()
    except DownloadError as error:
        print(
            f"make pulumi: Pulumi could not be installed: {error}\n"
            "  It comes from get.pulumi.com and github.com, which must be reachable from here.\n"
            "  Nothing is lost: without it `make up` uses the offline engine, for the same lab.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nmake pulumi: interrupted; run it again, what is complete is kept.", file=sys.stderr)
        return 130
    print(
        f"  ✓ {program}\nPut it on PATH, now and in your shell's profile:\n"
        f'  export PATH="{program.parent}:$PATH"\n'
        "From then on `make up` uses it. A lab that the offline engine made is handed over by\n"
        "  bin/maillab state move --to pulumi"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
