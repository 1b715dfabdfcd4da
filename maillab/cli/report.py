"""What a machine says of itself: the lines of `maillab-status`, which runs there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

from maillab.cli.docker import host_environment
from maillab.cli.text import printable

PROGRAM = "maillab-status"
UNKNOWN_PROGRAM = (126, 127)  # exit statuses of `docker exec`: an image from before there was the program
CONFIGURED = "configured"
EDITS = frozenset({"edited", "added", "removed", "mode"})
# A root shell there may have put anything in its place: what it says has an end, and gives a terminal no orders.
MOST = 1 << 20  # bytes


class ReportError(ValueError):
    """What a machine said is no report; its text says what came instead."""


class NoProgramError(ReportError):
    """The machine's image is older than this program, or somebody removed the program there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The health of one of the machine's roles; `why` when it is not well."""

    name: str
    well: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file that somebody changed by hand since the last update: `how` is edited, added, removed or mode."""

    how: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The fullest file system: per cent used (of space or inodes), KiB that are free, where it is mounted."""

    used: int
    free: int
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A machine at one moment.

    `state`: CONFIGURED, or what it is instead (waiting, booting, updating, unfinished). `queue`: how many messages are
    active, deferred and on hold; empty where there is no mail server. `logins`: how many messages users who had logged
    in have `sent` within an hour, and how many passwords were `refused`; empty where nobody is asked for one.
    `updated`: when the last update came in.
    """

    state: str
    services: tuple[Service, ...] = ()
    edits: tuple[Edit, ...] = ()
    disk: Disk | None = None
    queue: Mapping[str, int] = field(default_factory=dict)
    logins: Mapping[str, int] = field(default_factory=dict)
    updated: datetime | None = None

    @property
    def broken(self) -> tuple[Service, ...]:
        """The services that are not well."""
        return tuple(service for service in self.services if not service.well)


def read_report(text: str) -> Report:
    """The report that a machine wrote (lines of fields with tabs between them, `end` last). Raises ReportError."""
    lines = [[printable(field) for field in line.split("\t")] for line in text.removesuffix("\n").split("\n")]
    if not lines or lines[-1] != ["end"]:
        raise ReportError(f"its report ends early: {printable(text[-200:].strip()) or 'nothing came'}")
    found: dict[str, list[list[str]]] = {}
    for word, *fields in lines[:-1]:
        found.setdefault(word, []).append(fields)
    try:
        return _report(found)
    except (ValueError, IndexError, OverflowError, OSError) as error:
        raise ReportError(f"its report is not understood: {error}") from error


def _report(found: Mapping[str, list[list[str]]]) -> Report:
    disks = [Disk(used=int(used), free=int(free), where=where) for used, free, where in found.get("disk", [])]
    updated = [datetime.fromtimestamp(int(seconds), UTC) for (seconds,) in found.get("updated", [])]
    services = [Service(name=r[0], well=r[1] == "well", why=" ".join(r[2:])) for r in found.get("role", [])]
    edits = [Edit(how=_way(how), path=path) for how, path in found.get("edited", [])]
    return Report(
        state=found["state"][0][0] if "state" in found else "",
        services=tuple(sorted(services, key=lambda service: service.name)),
        edits=tuple(sorted(edits, key=lambda edit: edit.path)),
        disk=disks[0] if disks else None,
        queue=_numbers(found.get("queue", [])),
        logins=_numbers(found.get("logins", [])),
        updated=updated[0] if updated else None,
    )


def _numbers(rows: list[list[str]]) -> dict[str, int]:
    """Name to number; those of two roles are added."""
    numbers: dict[str, int] = {}
    for name, number in rows:
        numbers[name] = numbers.get(name, 0) + int(number)
    return numbers


def _way(how: str) -> str:
    if how not in EDITS:
        raise ValueError(f"a file was {how}")
    return how


def ask_machines(containers: Iterable[str], *, seconds: int = 2, patience: int = 40) -> dict[str, Report | ReportError]:
    """The report of each container, or why there is none; all side by side.

    `seconds`: for one try of one service; `patience`: more than that for everything else.
    """
    names = list(containers)
    if not names:
        return {}
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(lambda name: _ask(name, seconds, seconds + patience), names), strict=True))


def _ask(container: str, seconds: int, limit: int) -> Report | ReportError:
    command = ["docker", "exec", container, PROGRAM, str(seconds)]
    try:
        status, out, err = _run(command, limit)
    except subprocess.TimeoutExpired:
        return ReportError(f"no answer within {limit} s")
    except OSError as error:
        return ReportError(str(error))
    if status in UNKNOWN_PROGRAM:
        return NoProgramError(f"there is no {PROGRAM} in it")
    try:
        return read_report(out)
    except ReportError as error:
        words = printable(" ".join(err[-1000:].split()))
        return ReportError(words) if words else error


def _run(command: list[str], limit: int) -> tuple[int, str, str]:
    """Its exit status and what it says, no more than MOST bytes of each kind. Raises TimeoutExpired, OSError."""
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=host_environment()
        ) as process,
        ThreadPoolExecutor(2) as pool,
    ):
        assert process.stdout  # they are pipes, both
        assert process.stderr
        answers = pool.map(_begin, (process.stdout, process.stderr))
        try:
            status = process.wait(limit)
        finally:
            process.kill()
        out, err = answers
    return status, out, err


def _begin(stream: IO[bytes]) -> str:
    """What it says first; one that says more finds it closed."""
    with stream:
        return stream.read(MOST).decode("utf-8", "replace")
