"""What the program's Commands run: `python -m where VERB`. The environment says with what, stdout what came of it.

Progress goes to stderr. Exit status 1: it failed, stderr says what, where and what to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from maillab.where import disk, images, keys, naming, own_disk, ownership, power, preflight, tunnel
from maillab.where.home import Home, Settings, settings_of
from maillab.where.problem import WhereError
from maillab.where.ssh import to_host


def say(line: str) -> None:
    """A line of progress. Who started this may be gone: that is no reason to leave a machine half made."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _home() -> Home:
    return Home(Path(os.environ["FOLDER"]))


def _settings() -> Settings:
    return settings_of(os.environ)


def _check() -> str:
    return preflight.check(_home(), _settings())


def _disk() -> str:
    recipe = {key: text for key, text in os.environ.items() if key.startswith("/")}
    described = recipe, os.environ["PACKAGES"], os.environ["MAKE_DISK"]
    home = _home()
    if not (base := own_disk.base_of(home)):
        return disk.make_disk(*described, say)
    if Path(base) != disk.folder_of(*described):
        say(own_disk.keeps(home, base))
    return base


def _keys() -> str:
    return keys.make_keys(_home(), os.environ["NAME"])


def _start() -> str:
    home = _home()
    accelerator = power.start(home, _settings(), say)
    say(f"the machine runs ({accelerator}); its console is {home.folder}/console.log")
    return str(home.folder)


def _reach() -> str:
    return power.reach(_home(), say)


def _base() -> str:
    return power.base_image(_home())


def _stop() -> str:
    power.stop(_home(), say)
    return ""


def _connect() -> str:
    home, ssh = _home(), to_host(os.environ["WHERE"])
    remote = tunnel.connect(home, ssh)
    say(f"Docker engine {remote.version}, {remote.platform}")
    return f"{tunnel.Tunnel(home).docker_host}\n{remote.platform}"


def _disconnect() -> str:
    home = _home()
    tunnel.Tunnel(home).close(to_host(os.environ["WHERE"]))
    return ""


def _bring() -> str:
    pairs = (line.split() for line in os.environ["IMAGES"].splitlines())
    return images.bring(dict(pairs), os.environ["HERE"], os.environ["DOCKER_HOST"], say)


def _own() -> str:
    return ownership.look(os.environ)


VERBS: dict[str, Callable[[], str]] = {
    "check": _check, "disk": _disk, "keys": _keys, "start": _start, "reach": _reach, "base": _base, "stop": _stop,
    "connect": _connect, "disconnect": _disconnect, "bring": _bring, "own": _own,
}  # fmt: skip


def main(verb: str) -> int:
    """Run one verb."""
    stack = os.environ.get("NAME") or Path(os.environ.get("FOLDER", "")).name  # .vm/STACK
    try:
        print(VERBS[verb](), end="")
    except WhereError as error:
        say(naming(f"maillab: {error.text}", stack))
        return 1
    except PermissionError as error:
        say(f"maillab: no right to {error.filename} [no-right]")
        say("    an earlier run was made with sudo? then use sudo again")
        return 1
    except FileNotFoundError as error:
        words = f"maillab: {error.filename} is not there [no-program]\n    `make up` installs what is missing"
        say(naming(words, stack))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
