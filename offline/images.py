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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.values import UNKNOWN, OfflineError, Props, contains, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOG_LINES = 15
BUILD_KEYS = frozenset("args builderVersion context dockerfile platform target contextDigest network addHosts".split())


def check(name: str, inputs: Props) -> Props:
    """The inputs with the provider's defaults and the context's digest. Raises OfflineError."""
    build = dict(inputs.get("build") or {})
    unknown = sorted({*build} - BUILD_KEYS) + sorted({*inputs} - {"build", "buildOnPreview", "imageName", "skipPush"})
    if unknown:
        raise OfflineError(f"{name}: the offline engine does not support an Image's {', '.join(unknown)}")
    if build.get("builderVersion") != "BuilderV1" or not plain(inputs.get("skipPush")):
        raise OfflineError(f'{name}: the offline engine needs builder_version="BuilderV1" and skip_push=True')
    build.setdefault("context", ".")
    build.setdefault("dockerfile", os.path.normpath(f"{build['context']}/Dockerfile"))
    build.setdefault("platform", "linux/amd64" if os.uname().machine == "x86_64" else "linux/arm64")
    if not Path(build["dockerfile"]).is_file():
        raise OfflineError(f"{name}: no Dockerfile at {build['dockerfile']}; correct build.dockerfile")
    build["contextDigest"] = digest(build["context"], build["dockerfile"])
    return {"buildOnPreview": False, **inputs, "build": build}


def digest(context: str, dockerfile: str) -> str:
    """The `contextDigest`: names, modes and contents of the context's files, as hex SHA-256."""
    total = hashlib.sha256()
    total.update(b"Dockerfile----------" + hashlib.sha256(Path(dockerfile).read_bytes()).digest() + b"\0")
    for relative, path, info in context_files(context, ignore_patterns(context, dockerfile)):
        if stat.S_ISDIR(info.st_mode):
            continue
        content = hashlib.sha256()
        if stat.S_ISLNK(info.st_mode):
            content.update(_resolved(path).encode())
        elif stat.S_ISREG(info.st_mode):
            content.update(path.read_bytes())
        total.update(relative.encode() + go_mode(info.st_mode).encode() + content.digest() + b"\0")
    return total.hexdigest()


def _resolved(link: Path) -> str:
    """Where the link leads, relative when context and link are, as Go's EvalSymlinks says it."""
    target = os.path.realpath(link, strict=True)
    return target if link.is_absolute() or os.path.isabs(link.readlink()) else os.path.relpath(target)


def go_mode(mode: int) -> str:
    """A file mode as Go prints it: `-rw-r--r--`, `Lrwxrwxrwx`, `urwxr-xr-x`."""
    kind = {stat.S_IFLNK: "L", stat.S_IFDIR: "d", stat.S_IFIFO: "p", stat.S_IFSOCK: "S"}.get(stat.S_IFMT(mode), "")
    bits = "".join(
        letter for bit, letter in ((stat.S_ISUID, "u"), (stat.S_ISGID, "g"), (stat.S_ISVTX, "t")) if mode & bit
    )
    plain_bits = stat.filemode(stat.S_IFREG | (mode & 0o777))[1:]
    return (kind + bits or "-") + plain_bits


def ignore_patterns(context: str, dockerfile: str) -> list[tuple[re.Pattern[str], bool]]:
    """The patterns of `<Dockerfile>.dockerignore` or the context's `.dockerignore`: (pattern, re-includes)."""
    for path in (Path(f"{dockerfile}.dockerignore"), Path(context) / ".dockerignore"):
        if path.is_file():
            lines = (line.strip() for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
            return [_pattern(line) for line in lines if line]
    return []


def _pattern(line: str) -> tuple[re.Pattern[str], bool]:
    text = os.path.normpath(line.removeprefix("!").strip()).lstrip("/")
    parts = re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|\\.|.", text)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    regex = "".join(
        wild.get(part) or (part if part[0] in "[\\" and len(part) > 1 else re.escape(part)) for part in parts
    )
    return re.compile(f"{regex}(?:/.*)?", re.DOTALL), line.startswith("!")


def context_files(
    context: str, patterns: list[tuple[re.Pattern[str], bool]]
) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Every file, link and folder of the context that is not ignored: each folder's names sorted."""
    may_return = any(returns for _, returns in patterns)

    def walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path, os.stat_result]]:
        for name in sorted(os.listdir(folder)):
            relative, path = prefix + name, folder / name
            info = path.lstat()
            excluded = False
            for pattern, returns in patterns:
                excluded = not returns if pattern.fullmatch(relative) else excluded
            if not excluded:
                yield relative, path, info
            if stat.S_ISDIR(info.st_mode) and (not excluded or may_return):
                yield from walk(path, f"{relative}/")

    yield from walk(Path(context), "")


def _archive(context: str, dockerfile: str) -> tuple[io.BytesIO, str]:
    """The context as a tar, owned by root, and the Dockerfile's name in it."""
    inside = os.path.relpath(os.path.realpath(dockerfile), os.path.realpath(context))
    outside = inside.startswith("..")
    name = ".dockerfile.maillab" if outside else inside
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        files = {relative: path for relative, path, _ in context_files(context, ignore_patterns(context, dockerfile))}
        for relative, path in sorted({**files, name: Path(dockerfile)}.items()):
            info = tar.gettarinfo(str(path), relative)
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            if info.isreg() or info.islnk():
                info.type = tarfile.REGTYPE
                info.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    buffer.seek(0)
    return buffer, name


def build(api: Any, inputs: Props, log: Callable[[str], None]) -> Props:
    """Build and tag the image; returns the outputs. Raises OfflineError with the log's last lines."""
    if contains(inputs, UNKNOWN):
        raise OfflineError(f"{inputs['imageName']}: an input of the build is not known")
    options = inputs["build"]
    archive, dockerfile = _archive(options["context"], options["dockerfile"])
    stream = api.build(
        fileobj=archive, custom_context=True, dockerfile=dockerfile, tag=inputs["imageName"], rm=True, forcerm=True,
        buildargs=options.get("args"), target=options.get("target", ""), platform=options["platform"],
        network_mode=options.get("network"), extra_hosts=options.get("addHosts"), decode=True,
    )  # fmt: skip
    lines: list[str] = []
    for message in stream:
        if "error" in message:
            tail = "\n".join(f"    {line}" for line in [*lines[-LOG_LINES:], message["error"].strip()])
            raise OfflineError(f"image {inputs['imageName']}: the build of {options['dockerfile']} failed:\n{tail}")
        new = [line for line in message.get("stream", "").splitlines() if line.strip()]
        lines += new
        for line in new:
            log(line)
    return outputs(inputs, api.inspect_image(inputs["imageName"])["Id"])


def outputs(inputs: Props, image_id: str) -> Props:
    """What the provider records of an image that was not pushed."""
    options = inputs["build"]
    return {
        "baseImageName": inputs["imageName"],
        "context": options["context"],
        "dockerfile": os.path.relpath(options["dockerfile"], options["context"]),
        "imageName": inputs["imageName"],
        "platform": options["platform"],
        "registryServer": "",
        "repoDigest": image_id,
    }
