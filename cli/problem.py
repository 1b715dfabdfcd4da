"""What went wrong, in words for the person at the terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass


class MaillabError(Exception):
    """What and where in the message, what to do in `remedy` (one line each); `code` is the exit status.

    `id` is that of the known failure, if it is one.
    """

    def __init__(self, message: str, *remedy: str, code: int = 1, id: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
        self.code = code
        self.id = id


class InterruptedByUserError(MaillabError):
    """Ctrl-C: nothing is broken."""

    def __init__(self) -> None:
        super().__init__("interrupted", "the next `make up` goes on where this one stopped", code=130)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A failure that is known by its words: what to call it, and what to do."""

    id: str
    pattern: re.Pattern[str]
    what: str
    remedy: tuple[str, ...]


def _known(name: str, pattern: str, what: str, *remedy: str) -> Known:
    return Known(id=name, pattern=re.compile(pattern, re.IGNORECASE), what=what, remedy=remedy)


# The order counts: the first that matches is the cause, later ones are what follows from it.
KNOWN = (
    _known(
        "disk-full",
        r"no space left on device|ENOSPC",
        "the disk is full",
        "make room where the Docker engine keeps its data: df -h; docker system df",
        "in a virtual machine: a larger vm.disk in Pulumi.<stack>.yaml, then the same command again",
    ),
    _known(
        "no-right-to-socket",
        r"permission denied.*docker(\.sock| daemon socket| API)|docker\.sock.*permission denied"
        r"|PermissionError\(13",
        "you have no right to the Docker engine's socket",
        "run it as root (sudo make up), or join the group docker: sudo usermod -aG docker $USER; newgrp docker",
    ),
    _known(
        "engine-too-old",
        r"client version \S+ is too new|requires API version|server API version.*too old"
        r"|Maximum supported API version",
        "the Docker engine is too old: maillab needs 20.10 or newer",
        "upgrade it (Debian 12, 13 and Ubuntu have a newer docker.io), or let DOCKER_HOST name another engine",
    ),
    _known(
        "no-way",
        r"(connect to the docker (daemon|API) at|error during connect:.*)\s*\S*/maillab-\d+/[0-9a-f]+/docker\.sock"
        r"|/maillab-\d+/[0-9a-f]+/docker\.sock: does not answer",
        "the way to the lab's Docker engine is gone",
        "bin/maillab status makes it anew (a virtual machine that is off: bin/maillab vm start); then the same again",
    ),
    _known(
        "no-engine",
        r"cannot connect to the docker daemon|is the docker daemon running|connection refused.*docker"
        r"|error while fetching server API version|error during connect",
        "no Docker engine answers",
        "`make up` starts this machine's; is DOCKER_HOST or the docker context (docker context ls) what you mean?",
    ),
    _known(
        "pool-taken",
        r"pool overlaps with other one|address pool.*overlap|fully subnetted",
        "a network of the lab's addresses exists already (another lab, a VPN or another project's network)",
        "remove it (docker network rm NAME), or give this lab a free carrier, in Pulumi.<stack>.yaml:",
        "    maillab:network: {carrier: 198.18.16.0/23}",
        "(the machines keep their addresses; only Docker's own numbering below them changes). Taken now:",
    ),
    _known(
        "name-taken",
        r"container name \S+ is already in use",
        "a container of that name exists already, and this lab did not make it",
        "remove it (docker rm -f NAME), or give this lab a prefix of its own: maillab:prefix in Pulumi.<stack>.yaml",
    ),
    _known(
        "port-taken",
        r"port is already allocated|address already in use",
        "a port of this machine is in use already",
        "see by whom: ss -ltnp; end it, or choose another port in Pulumi.<stack>.yaml",
    ),
    _known(
        "locked",
        r"stack is currently locked|locked by|another (run|update)",
        "another run works on this lab",
        "wait for its end; after a crash of Pulumi: pulumi cancel --stack <stack>",
    ),
    _known(
        "no-base-image",
        r'Get "https?://[^"]+/v2/"|pull access denied for (?!maillab/)|manifest (for \S+ )?(unknown|not found)',
        "an image could not be built: what it stands on is not on the lab's Docker engine, and no registry gave it",
        "on this computer `make up` makes debian:trixie-slim; on another one (ssh://): docker pull it there,",
        "or write maillab:build: here into Pulumi.<stack>.yaml: images are built on this computer, and brought there",
    ),
    _known(
        "package-mirror",
        r"(Temporary failure resolving|Unable to fetch some archives|Could not resolve|Failed to fetch)",
        "an image could not be built: Debian's packages could not be fetched",
        "is the network away? The containers need the same way to the Debian mirror as this machine",
    ),
    _known(
        "image-build",
        r"returned a non-zero code|failed to (solve|build)|error building image|BuildError",
        "an image could not be built",
        "its last lines are above; mend files/<service>/image, then run the same command again",
    ),
    _known(
        "pulumi-plugin",
        r"could not (find|load|install) plugin|no resource plugin|error downloading plugin",
        "Pulumi lacks its docker or command plugin",
        "`make pulumi` installs them; without a network use the offline engine: maillab --engine offline up",
    ),
)


# What `python -m where` says when it fails (WhereError.text), with an id at the end of a line and remedies below it.
TOLD = re.compile(
    r"^( *)maillab: (?:(?!^ *maillab: ).)*? \[[a-z][a-z0-9-]*\]$(?:\n\1 {4}[^\n]*)*"
    r"(?:\n\1\S[^\n]* \[[a-z][a-z0-9-]*\]$(?:\n\1 {4}[^\n]*)*)*",  # several at once (where/preflight.py)
    re.MULTILINE | re.DOTALL,
)


def explain(words: str) -> Known | None:
    """The known failure in an engine's words, or None.

    Nothing is added to what `where` told: the remedy is there, and is about the computer or the disk that it means.
    """
    others = TOLD.sub("", words)
    return next((known for known in KNOWN if known.pattern.search(others)), None)
