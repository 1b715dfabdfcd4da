"""What is wrong with the disks of a machine: too small, full, or read-only (`volumes` of a machine)."""

import enum
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from components.config.mail import MESSAGE_SIZE_LIMIT
from components.config.problem import Problem, problem, quoted, shown, warning
from components.config.reader import did_you_mean
from components.config.section import section

# The volumes that can be small, full or read-only, by their short names: all that a mail server has.
DISKS = ("mailboxes", "spool")
SIZE = re.compile(r"([0-9]{1,6})([kmg])")
UNITS: Mapping[str, int] = {"k": 1024, "m": 1024**2, "g": 1024**3}
# What a new spool needs, and what must be kept within the seconds that `docker stop` gives; both are memory.
LEAST, MOST = 1024**2, 256 * 1024**2
# smtpd(8) takes no message while there is less room than for the longest one, once and a half (smtpd_check.c).
ROOM = Decimal("1.5") * MESSAGE_SIZE_LIMIT


class Fault(enum.StrEnum):
    """What a volume is like; `WHOLE`: as it should be."""

    WHOLE = "whole"
    SMALL = "small"
    FULL = "full"
    READ_ONLY = "read-only"


@section
class VolumeConfig:
    """A volume with a fault: `size` of a small one in its place (`4m`), which may be `full`; or `read_only`."""

    size: str | None = None
    full: bool = False
    read_only: bool = False

    @property
    def fault(self) -> Fault:
        """What it is like, if the configuration is good."""
        if self.read_only:
            return Fault.READ_ONLY
        if self.size is None:
            return Fault.WHOLE
        return Fault.FULL if self.full else Fault.SMALL

    @property
    def bytes(self) -> int:
        """`size` in bytes; 0 when there is none that can be read."""
        found = SIZE.fullmatch(self.size or "")
        return int(found[1]) * UNITS[found[2]] if found else 0


def check_volumes(volumes: Mapping[str, VolumeConfig], there: Sequence[str], where: str) -> list[Problem]:
    """Every problem of a machine's volumes, and a warning of each fault. `there`: those that it has."""
    problems = []
    for name, volume in volumes.items():
        place = f"{where}.{shown(name)}"
        if name not in there:
            problems.append(_unknown(name, there, place))
            continue
        found = _check_volume(volume, place)
        problems += found or [_warning(name, volume, place)]
    return problems


def _unknown(name: str, there: Sequence[str], place: str) -> Problem:
    if not there:
        return problem("volume-unknown.none", place)
    values = {"name": shown(name), "near": did_you_mean(name, there), "volumes": ", ".join(there)}
    return problem("volume-unknown.other", place, **values)


def _check_volume(volume: VolumeConfig, place: str) -> list[Problem]:
    if volume.size is None and not volume.read_only:
        return [problem("volume-fault-missing.full" if volume.full else "volume-fault-missing.none", place)]
    if volume.read_only and (volume.size is not None or volume.full):
        return [problem("volume-fault-twice", place)]
    if volume.size is not None and not LEAST <= volume.bytes <= MOST:
        values = {"size": quoted(volume.size), "least": f"{LEAST // 1024**2}m", "most": f"{MOST // 1024**2}m"}
        return [problem("volume-size", f"{place}.size", **values)]
    return []


def _warning(name: str, volume: VolumeConfig, place: str) -> Problem:
    """That it is so, because nobody should wonder about it later; and what becomes of the mail."""
    if volume.read_only:
        return warning("volume-fault.no-queue" if name == "spool" else "volume-fault.returned", place)
    if name == "spool" and (volume.full or volume.bytes < ROOM):
        return warning("volume-fault.no-mail", place, size=volume.size, room=f"{int(ROOM) // 1024**2}m")
    sentence = "volume-fault.full" if volume.full else "volume-fault.small"
    return warning(sentence, place, name=name, size=volume.size)
