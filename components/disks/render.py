"""What the volumes of a machine are like, for the roles `disks` and `filling`; and which the container gets."""

from collections.abc import Iterable, Mapping

from components.config.volumes import DISKS, Fault, VolumeConfig
from components.part import Part

VOLUMES_FILE = "/etc/maillab/volumes"


def disks_parts(parts: Iterable[Part], faults: Mapping[str, VolumeConfig]) -> tuple[list[Part], list[Part]]:
    """What comes before and after the `parts` of a machine with mail on volumes: their disks, and what fills them.

    The file has lines "NAME PATH FAULT". A machine without faults has the role too: what was kept of a small disk is
    put where it belongs when the true volume is back.
    """
    mail = {short: path for part in parts for short, path in part.volumes.items() if short in DISKS}
    if not mail:
        return [], []
    lines = (f"{short} {path} {_fault(faults, short)}\n" for short, path in sorted(mail.items()))
    before = Part(
        recipes=("machine",), about="", roles=("disks",), files={VOLUMES_FILE: "".join(lines)}, faults=dict(faults)
    )
    filled = any(volume.fault is Fault.FULL for volume in faults.values())
    return [before], [Part(recipes=("machine",), about="", roles=("filling",))] if filled else []


def _fault(faults: Mapping[str, VolumeConfig], short: str) -> Fault:
    return faults[short].fault if short in faults else Fault.WHOLE
