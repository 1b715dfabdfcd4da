"""docker:index/image:Image: the build context's digest, and builds with the classic builder.

Source of the digest: `hashContext` in pulumi-docker's provider.go; patterns as moby's patternmatcher.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tarfile
import threading
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from maillab.offline.docker_engine import Api
from maillab.offline.stopping import STOPPED, StoppedError, stoppable
from maillab.offline.values import OfflineError, Props, given, plain, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG_LINES = 15
SILENCE = 3600
"""Seconds in which a build may say nothing: one step of it, on an emulated machine."""
INPUTS = words("build imageName skipPush")
BUILD_INPUTS = words("addHosts args builderVersion context contextDigest dockerfile network platform target")
KINDS = {stat.S_IFLNK: "L", stat.S_IFIFO: "p", stat.S_IFSOCK: "S"}
BITS = {stat.S_ISUID: "u", stat.S_ISGID: "g", stat.S_ISVTX: "t"}

Rule = tuple[re.Pattern[str], bool]
"""A line of .dockerignore: what it matches, and whether it lets back in (`!`)."""


def unsupported(inputs: Props) -> list[str]:
    """The inputs that this engine can't honour, with what it needs."""
    build = plain(inputs.get("build")) or {}
    found = sorted(given(inputs) - INPUTS) + [f"build.{key}" for key in sorted(given(build) - BUILD_INPUTS)]
    builder = [] if build.get("builderVersion") == "BuilderV1" else ["builder other than BuilderV1"]
    return found + builder + ([] if plain(inputs.get("skipPush")) else ["push (set skip_push)"])


def check(name: str, inputs: Props) -> Props:
    """The inputs with the provider's defaults and the context's digest. Raises OfflineError."""
    build = {"context": ".", **inputs["build"]}
    build.setdefault("dockerfile", os.path.normpath(f"{build['context']}/Dockerfile"))
    build.setdefault("platform", "linux/amd64" if os.uname().machine == "x86_64" else "linux/arm64")
    if not Path(build["dockerfile"]).is_file():
        raise OfflineError(f"{name}: there is no Dockerfile at {build['dockerfile']}; correct build.dockerfile")
    build["contextDigest"] = digest(build["context"], build["dockerfile"])
    return {"buildOnPreview": False, **inputs, "build": build}


def digest(context: str, dockerfile: str) -> str:
    """The `contextDigest`: hex SHA-256 over names, modes and contents of the Dockerfile and the context."""
    total = hashlib.sha256(b"Dockerfile----------" + hashlib.sha256(Path(dockerfile).read_bytes()).digest() + b"\0")
    for relative, path in context_files(context, dockerfile):
        mode = path.lstat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else _resolved(path).encode() if stat.S_ISLNK(mode) else b""
        if not stat.S_ISDIR(mode):
            total.update(f"{relative}{go_mode(mode)}".encode() + hashlib.sha256(content).digest() + b"\0")
    return total.hexdigest()


def _resolved(link: Path) -> str:
    """Where the link leads, relative when context and link are, as Go's EvalSymlinks says it."""
    target = os.path.realpath(link, strict=True)
    return target if link.is_absolute() or link.readlink().is_absolute() else os.path.relpath(target)


def go_mode(mode: int) -> str:
    """A file mode as Go prints it: `-rw-r--r--`, `Lrwxrwxrwx`, `urwxr-xr-x`."""
    letters = KINDS.get(stat.S_IFMT(mode), "") + "".join(letter for bit, letter in BITS.items() if mode & bit)
    return (letters or "-") + stat.filemode(stat.S_IFREG | (mode & 0o777))[1:]


def ignore_rules(context: str, dockerfile: str) -> list[Rule]:
    """The rules of `<Dockerfile>.dockerignore`, else of the context's `.dockerignore`."""
    for path in (Path(f"{dockerfile}.dockerignore"), Path(context) / ".dockerignore"):
        if path.is_file():
            lines = [line.strip() for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
            return [_rule(line) for line in lines if line]
    return []


def _rule(line: str) -> Rule:
    text = os.path.normpath(line.removeprefix("!").strip()).lstrip("/")
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|\\.|.", text)
    regex = "".join(wild.get(part) or (part if part[0] in "[\\" else re.escape(part)) for part in parts)
    return re.compile(f"{regex}(?:/.*)?", re.DOTALL), line.startswith("!")


def context_files(context: str, dockerfile: str) -> Iterator[tuple[str, Path]]:
    """Everything in the context that is not ignored, each folder's names sorted: (relative name, path)."""
    rules = ignore_rules(context, dockerfile)

    def walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
        for path in sorted(folder.iterdir()):
            relative = prefix + path.name
            ignored = False
            for pattern, lets_in in rules:
                ignored = not lets_in if pattern.fullmatch(relative) else ignored
            if not ignored:
                yield relative, path
            if path.is_dir() and not path.is_symlink():
                yield from walk(path, f"{relative}/")

    yield from walk(Path(context), "")


def _archive(context: str, dockerfile: str) -> tuple[io.BytesIO, str]:
    """The context as a tar, owned by root, and the Dockerfile's name in it."""
    inside = os.path.relpath(os.path.realpath(dockerfile), os.path.realpath(context))
    name = ".dockerfile.maillab" if inside.startswith("..") else inside
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=False) as tar:
        for relative, path in sorted({**dict(context_files(context, dockerfile)), name: Path(dockerfile)}.items()):
            tar.inodes.clear()  # type: ignore[attr-defined]  # hard links become files of their own
            tar.add(path, relative, recursive=False, filter=_owned_by_root)
    buffer.seek(0)
    return buffer, name


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    return info.replace(uid=0, gid=0, uname="", gname="", deep=False)


class Messages:
    """What the engine says while it builds; the end of the wait for it need not be the end of the build.

    It is read by a thread that nobody waits for: an engine that says nothing can't be interrupted otherwise. It ends a
    build when the connection does, so with this process.
    """

    def __init__(self, begin: Callable[[], Iterator[Props]]) -> None:
        """`begin` asks the engine, and gives its messages."""
        self._queue: SimpleQueue[Props | Exception | None] = SimpleQueue()
        threading.Thread(target=self._read, args=(begin,), daemon=True).start()

    def __iter__(self) -> Iterator[Props]:
        """The messages as they come. Raises StoppedError, or what the engine's client raises."""
        while (found := self._queue.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found

    def stop(self) -> None:
        """Wait for it no longer."""
        self._queue.put(StoppedError(STOPPED))

    kill = stop

    def _read(self, begin: Callable[[], Iterator[Props]]) -> None:
        try:
            for message in begin():
                self._queue.put(message)
        except Exception as error:  # whatever it is, who waits for messages must hear of it
            self._queue.put(error)
        else:
            self._queue.put(None)


def build(api: Api, inputs: Props, log: Callable[[str], None]) -> Props:
    """Build and tag the image; returns the outputs. Raises OfflineError with the log's last lines."""
    options = inputs["build"]
    archive, dockerfile = _archive(options["context"], options["dockerfile"])
    begin = partial(
        api.build,
        fileobj=archive, custom_context=True, dockerfile=dockerfile, tag=inputs["imageName"], rm=True, forcerm=True,
        buildargs=options.get("args"), target=options.get("target", ""), platform=options["platform"],
        network_mode=options.get("network"), extra_hosts=options.get("addHosts"), decode=True,
        timeout=SILENCE,
    )  # fmt: skip
    lines: list[str] = []
    with stoppable(lambda: Messages(begin)) as messages:
        for message in messages:
            if "error" in message:
                tail = "\n".join(f"    {line}" for line in [*lines[-LOG_LINES:], message["error"].strip()])
                what = f"image {inputs['imageName']}: the build of {options['dockerfile']} failed"
                raise OfflineError(f"{what}:\n{tail}")
            for line in filter(str.strip, message.get("stream", "").splitlines()):
                lines.append(line)
                log(line)
    return {
        "baseImageName": inputs["imageName"],
        "context": options["context"],
        "dockerfile": os.path.relpath(options["dockerfile"], options["context"]),
        "imageName": inputs["imageName"],
        "platform": options["platform"],
        "registryServer": "",
        "repoDigest": api.inspect_image(inputs["imageName"])["Id"],
    }
