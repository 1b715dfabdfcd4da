"""Images that were built here, brought to the engine where the lab runs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

from maillab.where import Say
from maillab.where.problem import WhereError
from maillab.where.program import finish

LAST_WORDS_SECONDS = 2  # for a `docker save` that nobody listens to any more
COPY_SECONDS = 2 * 3600
LOOK_SECONDS = 120


def bring(images: Mapping[str, str], here: str, there: str, say: Say) -> str:
    """Bring what is missing there; answers lines `tag id-there`, in the order of `images` (tag to id here).

    All of it goes in one `docker save`: shared layers once. Raises WhereError with docker's words.
    """
    missing = [tag for tag, image in images.items() if _id(there, tag) != image]
    if missing:
        begin = time.monotonic()
        say(f"bringing images from {here}: {', '.join(missing)}")
        _copy(here, there, missing)
        say(f"they are there after {time.monotonic() - begin:.0f} s")
    return "\n".join(f"{tag} {_inspect(there, tag)}" for tag in images)


def _copy(here: str, there: str, tags: Sequence[str]) -> None:
    # stderr goes to files: with two pipes and a stream in between, one would wait for the other.
    with tempfile.TemporaryFile() as save_words, tempfile.TemporaryFile() as load_words:
        pipe = subprocess.PIPE
        save = subprocess.Popen(["docker", "--host", here, "save", *tags], stdout=pipe, stderr=save_words, env=_plain())
        command = ["docker", "--host", there, "load", "--quiet"]
        load = subprocess.Popen(command, stdin=save.stdout, stdout=subprocess.DEVNULL, stderr=load_words, env=_plain())
        if save.stdout:
            save.stdout.close()  # so that `save` ends when `load` does
        try:
            if load.wait(COPY_SECONDS):
                _end(save)
            save.wait(COPY_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise _failure(f"docker save and docker load have not ended within {COPY_SECONDS} s") from error
        finally:
            for process in (save, load):
                process.kill()  # one that has ended takes it in peace
        # Both: a `save` that failed leaves `load` with half an archive, and a `load` that ended stops `save`.
        both = (("load", load, load_words), ("save", save, save_words))
        failures = [f"docker {name} failed: {_read(words)}" for name, process, words in both if process.wait() > 0]
        # A `load` that has all it needs may end before the archive's last bytes.
        if failures or load.returncode or save.returncode not in (0, -signal.SIGPIPE):
            raise _failure("; ".join(failures) or "docker save or docker load was killed")


def _end(save: subprocess.Popen[bytes]) -> None:
    """It ends by itself when it writes, as nobody reads; one that writes nothing is ended."""
    try:
        save.wait(LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired:
        save.kill()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


def _failure(words: str) -> WhereError:
    if "no space left" not in words:
        return WhereError("images-failed", words, "then run the same again")
    remedies = (
        "a virtual machine: a larger vm.disk in Pulumi.<stack>.yaml, then the same again",
        "another computer: make room where its Docker engine keeps its data (docker system df there)",
    )
    return WhereError("no-space", words, *remedies)


def _inspect(host: str, image: str) -> str:
    return _docker(host, "image", "inspect", "--format", "{{.Id}}", image).strip()


def _id(host: str, image: str) -> str:
    try:
        return _inspect(host, image)
    except WhereError:
        return ""


def _docker(host: str, *words: str) -> str:
    done = finish(["docker", "--host", host, *words], seconds=LOOK_SECONDS, environment=_plain())
    if done.returncode:
        raise WhereError("docker-failed", f"docker {' '.join(words[:2])} on {host}: {done.stderr.strip()}")
    return done.stdout


def _plain() -> dict[str, str]:
    """Without what would lead `docker` elsewhere."""
    return {key: value for key, value in os.environ.items() if key not in ("DOCKER_HOST", "DOCKER_CONTEXT")}
