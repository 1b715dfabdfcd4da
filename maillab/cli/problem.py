"""What went wrong, in words for the person at the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from maillab.cli.text import error_text, printable, text


class MaillabError(Exception):
    """What and where in the message, what to do in `remedy` (one line each); `code` is the exit status.

    `id` is that of the known failure, if it is one.
    """

    def __init__(self, message: str, *remedy: str, code: int = 1, id: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
        self.code = code
        self.id = id


def failed(key: str, /, *, code: int = 1, **values: object) -> MaillabError:
    """The error whose texts are `key` in the catalogue: its id, or `id.variant` where an id has several."""
    what, remedy = (error_text(key, part, values) for part in ("what", "remedy"))
    return MaillabError(what, *remedy.splitlines(), code=code, id=key.partition(".")[0])


def suggesting(error: MaillabError, name: str, known: Iterable[str]) -> MaillabError:
    """The error about a `name` that there is not, beginning its remedy with the one of `known` that was meant."""
    near = get_close_matches(name, list(known), n=1)
    error.remedy = (*(text("did-you-mean", name=one) for one in near), *error.remedy)
    return error


def shown(error: MaillabError) -> str:
    """What went wrong and what to do, in lines for a terminal. They may quote what a machine said."""
    words = "\n  ".join((f"maillab: {error}", *error.remedy))
    return "\n".join(printable(line.expandtabs()) for line in words.splitlines())


class InterruptedByUserError(MaillabError):
    """Ctrl-C: nothing is broken."""

    def __init__(self) -> None:
        super().__init__(text("interrupted"), text("interrupted-next"), code=130)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A failure that is known by its words; what to call it, and what to do, stands in the catalogue under its id."""

    id: str
    pattern: re.Pattern[str]

    @property
    def what(self) -> str:
        """What it is, in the reader's language."""
        return error_text(self.id, "what", {})

    @property
    def remedy(self) -> tuple[str, ...]:
        """What to do, a line each."""
        return tuple(error_text(self.id, "remedy", {}).splitlines())


def _known(name: str, pattern: str) -> Known:
    return Known(id=name, pattern=re.compile(pattern, re.IGNORECASE))


# The order counts: the first that matches is the cause, later ones are what follows from it.
KNOWN = (
    _known("disk-full", r"no space left on device|ENOSPC"),
    _known(
        "no-right-to-socket",
        r"permission denied.*docker(\.sock| daemon socket| API)|docker\.sock.*permission denied"
        r"|PermissionError\(13",
    ),
    _known("client-too-old", r"client version \S+ is too old"),
    _known("engine-too-old-for-client", r"API version \S+ is not supported by this client"),
    _known(
        "engine-too-old",
        r"client version \S+ is too new|requires API version|server API version.*too old"
        r"|Maximum supported API version",
    ),
    _known(
        "no-way",
        r"(connect to the docker (daemon|API) at|error during connect:.*)\s*\S*/maillab-\d+/[0-9a-f]+/docker\.sock"
        r"|/maillab-\d+/[0-9a-f]+/docker\.sock: does not answer",
    ),
    _known(
        "no-engine",
        r"cannot connect to the docker daemon|is the docker daemon running|connection refused.*docker"
        r"|error while fetching server API version|error during connect",
    ),
    _known("pool-taken", r"pool overlaps with other one|address pool.*overlap|fully subnetted"),
    _known("no-forwarding", r"IPv[46] (global )?forwarding is disabled"),
    _known("no-raw-table", r"can't initialize iptables table .raw|DIRECT ACCESS FILTERING"),
    _known("name-taken", r"container name \S+ is already in use"),
    _known("network-exists", r"network with name \S+ already exists"),
    _known("port-taken", r"port is already allocated|address already in use"),
    _known("locked", r"stack is currently locked|locked by|another (run|update)"),
    _known(
        "no-base-image",
        r'Get "https?://[^"]+/v2/"|pull access denied for (?!maillab/)|manifest (for \S+ )?(unknown|not found)',
    ),
    _known("no-signatures", r"no-signatures: freshclam"),
    _known(
        "package-mirror",
        r"(Temporary failure resolving|Unable to fetch some archives|Could not resolve|Failed to fetch)",
    ),
    _known("image-build", r"returned a non-zero code|failed to (solve|build)|error building image|BuildError"),
    # custom_timeouts of a Command: in Pulumi's words, and in the offline engine's.
    _known("took-too-long", r"signal: killed: running|no end after \S+ (s|min|h): it was stopped"),
    _known("pulumi-plugin", r"could not (find|load|install) plugin|no resource plugin|error downloading plugin"),
)


# What `python -m where` says when it fails (WhereError.text), with an id at the end of a line and remedies below it.
TOLD = re.compile(
    r"^( *)maillab: (?:(?!^ *maillab: ).)*? \[[a-z][a-z0-9-]*\]$(?:\n\1 {4}[^\n]*)*"
    r"(?:\n\1\S[^\n]* \[[a-z][a-z0-9-]*\]$(?:\n\1 {4}[^\n]*)*)*",  # several at once (maillab/where/preflight.py)
    re.MULTILINE | re.DOTALL,
)


def explain(words: str) -> Known | None:
    """The known failure in an engine's words, or None.

    Nothing is added to what `where` told: the remedy is there, and is about the computer or the disk that it means.
    """
    others = TOLD.sub("", words)
    return next((known for known in KNOWN if known.pattern.search(others)), None)
