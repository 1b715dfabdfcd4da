"""The steps of a machine's reset: what was made by hand is kept, the container goes, a new one gets the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from maillab.offline import containers, providers
from maillab.offline.commands import run
from maillab.offline.docker_engine import explained, labels
from maillab.offline.process import Stream
from maillab.offline.values import OfflineError
from maillab.reset import differences
from maillab.reset.record import LAST_ROLES, ZONES_ROLE, Machine, Resource

# postfix-stop takes 6 seconds at most. The container's own way to stop is not waited for: it may be broken, and what
# has no part in mail needs no end in order.
IN_ORDER = """timeout 8 docker exec "$CONTAINER" sh -c '
  for role; do "/usr/lib/maillab/roles/$role" stop; done' sh $STOP >/dev/null 2>&1"""
SERVED = 'timeout 6 docker exec "$CONTAINER" /usr/lib/maillab/roles/bind expected 2>/dev/null | head -c 100000'
# An image of an older program has no maillab-repair; mail that is to go must not seem to be gone then.
REPAIR = """docker exec -i "$CONTAINER" sh -c '[ ! -x "$0" ] || exec "$0" "$@"
  [ $# -eq 0 ] || { echo "its image is too old to empty mailboxes and queues: bring the lab up first" >&2; exit 1; }
' /usr/local/sbin/maillab-repair $EMPTY"""
# What neighbours remember: of names for a day, of addresses for a minute.
FORGET = """timeout 10 docker exec "$CONTAINER" sh -c 'ip neigh flush all; [ "$0" = no ] || rndc flush' "$DNS" \
  >/dev/null 2>&1"""
Say = Callable[[str], None]
# As files/machine/keep-by-hand says it, not a name in a machine that reads like it.
KEPT = re.compile(r"^maillab: \S+: what was made by hand in it is kept in (\.pulumi-state/kept/\S+):$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to reset: `folder` is the project's, `say` gets lines for people; `empty`: mailboxes and queues too."""

    folder: Path
    say: Say
    empty: bool = False


@dataclass(slots=True, kw_only=True)
class Reset:
    """One machine's reset, and how far it came.

    `made` is the new container's id, `reported` what its services said; `differing`: what of the old container was in
    no file and was not as configured (sections of `differences.LOOK`), which the file `kept` has.
    """

    machine: Machine
    wish: Wish
    made: str = ""
    reported: str = ""
    is_configured: bool = False
    differing: tuple[str, ...] = ()
    kept: Path | None = None
    _serials: str = ""
    _found: differences.Seen = field(default_factory=dict)
    _folder: str = ""

    @property
    def config(self) -> str:
        """The URN of the Command that brings its files."""
        return str(self.machine.config.entry["urn"])

    def put_away(self) -> None:
        """Keep what was made by hand, stop the services in order, remove the container. Raises OfflineError."""
        _unpause(self.machine.container)
        with ThreadPoolExecutor(2) as pool:
            keeping = pool.submit(self._keep)
            self._look_and_stop()
            keeping.result()
        for made in _own_containers(self.machine.container):
            _remove(self.machine.container, made)

    def _look_and_stop(self) -> None:
        """A message half handed over would come a second time. What can't be done in order is ended all the same."""
        machine = self.machine
        with suppress(OfflineError):
            self._found = differences.seen(_ask(machine, machine.container.id, differences.LOOK, PATIENCE="20"))
        if ZONES_ROLE in machine.roles:
            self._serials = machine.reported
            with suppress(OfflineError):
                self._serials += f"\n{_ask(machine, machine.container.id, SERVED)}"
        if last := [role for role in reversed(machine.roles) if role in LAST_ROLES]:
            with suppress(OfflineError):
                _ask(machine, machine.container.id, IN_ORDER, STOP=" ".join(last))

    def _keep(self) -> None:
        """What an engine runs before it removes the container; it says what it has kept."""
        if self.machine.by_hand is None:
            return
        inputs = self.machine.by_hand.inputs
        told = {**inputs["environment"], "CONTAINER": self.machine.container.id}
        here = {**inputs, "environment": told, "dir": str(self.wish.folder)}

        def say(line: str, _stream: Stream = "stdout", /) -> None:
            if found := KEPT.match(line):
                self._folder = found[1]
            self.wish.say(line)

        run(self.machine.name, inputs.get("delete"), here, {}, say, limit=_limit(self.machine.by_hand, "delete"))

    def make(self) -> None:
        """Make the container of the same image, not yet started. Raises OfflineError."""
        container = self.machine.container
        for volume in self.machine.volumes:
            ensure(volume)
        with explained(container.target.where):
            self.made = containers.create(container.target.api, {**container.inputs, "start": False})

    def configure(self) -> None:
        """Start it, repair what lies on its volumes, bring the files. Raises OfflineError: it does not serve."""
        machine, target = self.machine, self.machine.container.target
        with explained(target.where):
            target.api.start(self.made)
        # An image may have more roles than the machine: without volumes there is nothing to empty, nor the right to.
        empty = "--empty" if self.wish.empty and machine.volumes else ""
        _ask(machine, self.made, REPAIR, self._serials, EMPTY=empty)
        inputs = machine.config.inputs
        told = {**inputs["environment"], "CONTAINER": self.made}
        here, limit = {**inputs, "environment": told}, _limit(machine.config, "create")
        self.reported = str(run(machine.name, inputs["create"], here, {}, _silent, limit=limit)["stdout"])
        self.is_configured = True

    def compare(self) -> None:
        """Keep what of the old container was in no file and was not as configured."""
        machine = self.machine
        if machine.by_hand is None or not self._found:  # it did not run, or could not be asked
            return
        with suppress(OfflineError):
            wanted = differences.seen(_ask(machine, self.made, differences.LOOK, PATIENCE="120"))
            if names := differences.differing(self._found, wanted):
                stack = machine.by_hand.inputs["environment"]["STACK"]
                folder = self.wish.folder / (self._folder or f".pulumi-state/kept/{stack}/{machine.name}")
                self.kept = differences.keep(differences.as_text(self._found, wanted), folder)
                self.differing = tuple(names)


def _limit(command: Resource, verb: str) -> float | None:
    """The seconds that an engine would give it."""
    limits: dict[str, float] = command.entry.get("customTimeouts") or {}
    return limits.get(verb)


def _silent(_line: str, _stream: Stream = "stdout", /) -> None:
    """For a log that nobody reads."""


def _ask(machine: Machine, container: str, script: str, stdin: str = "", **told: str) -> str:
    """What a script says that works on the container. Raises OfflineError."""
    # Without the machine's files, which are in the Command's environment too.
    given = {key: text for key, text in machine.config.inputs["environment"].items() if not key.startswith("/")}
    environment = {**given, **told, "CONTAINER": container}
    inputs = {"interpreter": ["/bin/bash", "-c"], "environment": environment, "stdin": stdin}
    return str(run(machine.name, script, inputs, {}, _silent)["stdout"])


def _unpause(container: Resource) -> None:
    """One that somebody paused can't be asked, nor stopped."""
    with suppress(OfflineError), explained(container.target.where):
        container.target.api.unpause(container.id)


def _own_containers(container: Resource) -> list[str]:
    """Ids: of the state's container, and of one with its name that an interrupted reset made. Raises OfflineError."""
    has = providers.namesakes(container.target, container.inputs)
    ours = labels(container.inputs).items()
    if any(made != container.id and not ours <= marks.items() for made, marks in has.items()):
        providers.refuse_in_the_way(container.target, container.inputs, {container.id})
    return [container.id, *(made for made in has if made != container.id)]


def _remove(container: Resource, made: str) -> None:
    inputs = {**container.inputs, "destroyGraceSeconds": 0}
    providers.delete(container.target, {**container.entry, "id": made, "inputs": inputs}, _silent)


def ensure(resource: Resource) -> str:
    """The id of a network or volume; one that is gone is made as it was. Raises OfflineError."""
    if providers.read(resource.target, resource.entry) is not None:
        return resource.id
    providers.refuse_in_the_way(resource.target, resource.inputs, {resource.id})
    return providers.create(resource.target, resource.inputs, _silent)[0]


def certify(machine: Machine) -> None:
    """Bring it the authority's certificates again. Raises OfflineError."""
    if machine.certificate is not None:
        inputs, limit = machine.certificate.inputs, _limit(machine.certificate, "create")
        run(machine.name, inputs["create"], inputs, {}, _silent, limit=limit)


def needs_certificate(machine: Machine, made: Collection[str]) -> bool:
    """Is one of the containers `made` its own, or the authority's?"""
    if machine.certificate is None:
        return False
    told = machine.certificate.inputs["environment"]
    return not {told.get("CONTAINER"), told.get("AUTHORITY")}.isdisjoint(made)


def forget(machine: Machine) -> None:
    """Have a machine forget what it remembers of others: names, and whose address is where. Raises OfflineError."""
    _ask(machine, machine.container.id, FORGET, DNS="yes" if ZONES_ROLE in machine.roles else "no")
