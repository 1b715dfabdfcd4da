"""What is on the Docker engines now, asked once in a run: a plain `up` sees what was removed by hand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from maillab.offline.docker_engine import explained, is_missing
from maillab.offline.schema import CONTAINER, NETWORK, VOLUME

if TYPE_CHECKING:
    from maillab.offline.docker_engine import Api
    from maillab.offline.providers import Target


class Presence:
    """The ids of containers, networks and volumes by host; safe for use by several threads."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], frozenset[str]] = {}
        self._lock = threading.Lock()

    def has(self, target: Target, made: str) -> bool:
        """Whether the container, network or volume with the id `made` was there when the run first asked."""
        key = (target.host, target.kind)
        with self._lock, explained(target.where):
            if key not in self._found:
                self._found[key] = _ids(target.api, target.kind)
            return made in self._found[key]

    def has_image(self, target: Target, made: str) -> bool:
        """Whether there is an image with the id `made`, under whatever name."""
        with explained(target.where):
            try:
                target.api.inspect_image(made)
            except OSError as error:
                if is_missing(error):
                    return False
                raise
        return True


def _ids(api: Api, kind: str) -> frozenset[str]:
    listed = {
        CONTAINER: lambda: [one["Id"] for one in api.containers(all=True)],
        NETWORK: lambda: [one["Id"] for one in api.networks()],
        VOLUME: lambda: [one["Name"] for one in api.volumes()["Volumes"] or []],
    }
    return frozenset(map(str, listed[kind]()))
