"""The keys of a machine: one to come in with, and its host key, which is known before the first connection."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from maillab.where.home import Home, put
from maillab.where.problem import WhereError
from maillab.where.program import finish

ALIAS = "lab-vm"  # the name under which the host key is known: the port may change
SECONDS = 1800  # for one program; the longest one copies a disk
HOST_KEY = "ssh_host_ed25519_key"


def make_keys(home: Home, name: str) -> str:
    """Make what is missing; answers the fingerprints of both keys. Run again, it changes nothing.

    The seed disk brings them into the machine: no key is in an image.
    """
    folder = home.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for key, comment in (("key", f"maillab-{name}"), (HOST_KEY, f"lab-{name}")):
        if not (folder / key).exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(folder / key)])
    home.write("known_hosts", f"{ALIAS} {(folder / HOST_KEY).with_suffix('.pub').read_text('utf-8')}")
    _make_seed(home, name)
    return "\n".join(_fingerprint(folder / f"{key}.pub") for key in ("key", HOST_KEY))


def _make_seed(home: Home, name: str) -> None:
    """A disk of 1 MiB that the machine reads at each boot (lab-seed.service)."""
    with tempfile.TemporaryDirectory(dir=home.folder) as temporary:
        seed = Path(temporary)
        shutil.copy(home.folder / "key.pub", seed / "authorized_keys")
        shutil.copy(home.folder / HOST_KEY, seed / HOST_KEY)
        shutil.copy(home.folder / f"{HOST_KEY}.pub", seed / f"{HOST_KEY}.pub")
        (seed / "hostname").write_text(f"{name}\n", "utf-8")
        image = home.folder / "seed.img.new"
        image.unlink(missing_ok=True)
        run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", temporary, str(image), "1M"])
        image.chmod(0o600)
        put(image, home.folder / "seed.img")


def _fingerprint(public: Path) -> str:
    return run(["ssh-keygen", "-l", "-f", str(public)]).strip()


def run(words: list[str]) -> str:
    """What a program says. Raises WhereError with its last words when it fails or is not there."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    program = shutil.which(words[0], path=path)
    if program is None:
        raise WhereError("no-program", f"{words[0]} is not installed", "`make up` installs it")
    done = finish([program, *words[1:]], seconds=SECONDS)
    if done.returncode:
        raise WhereError("program-failed", f"{' '.join(words[:3])}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout
