"""`maillab trace --follow`: what happens to messages on all machines, a line for each event, until Ctrl-C."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import MachineRow, of_stack
from maillab.cli.reader import Reader
from maillab.cli.sidecar import sidecar
from maillab.cli.text import printable, text
from maillab.cli.trace_text import event_text
from maillab.cli.trace_tree import HEAD, NARROW, QUIET, STYLES, TIME, event_json, wrapped
from maillab.trace.dialogue import SMTP, Dialogue, Said
from maillab.trace.growing import FOLLOW
from maillab.trace.live import Heard, Live
from maillab.trace.machines import Machines, Running
from maillab.trace.packets import EPOCH, Capture, NoCaptureError

if TYPE_CHECKING:
    from maillab.cli.stack import Stack

Item = tuple[str, "str | Said"]  # a machine, and a line of its log, or what was said to a server
SAID = "italic"
AGAIN = 2  # seconds until a machine that can't be followed is tried again
QUIET_FOR = 0.1  # seconds without a line: what came together is put in order then
AT_ONCE = 1000  # lines that are put in order at most
LONGEST_LINE = 1 << 16  # bytes: a longer one is nothing that a mail server logs
CHUNK = 1 << 16


@dataclass(slots=True, kw_only=True)
class Followed:
    """A machine's log as it grows; `rest`: the beginning of a line. `has_begun`: nothing new is missed any more."""

    name: str
    running: Running
    rest: bytes = b""
    has_begun: bool = False
    zone: tzinfo | None = None

    def read(self) -> list[str] | None:
        """The lines that are there now; None: it has ended."""
        chunk = os.read(self.running.output.fileno(), CHUNK)
        if not chunk:
            return None
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        if len(self.rest) > LONGEST_LINE:
            self.rest = b""
        found = [line.decode(errors="replace") for line in lines]
        if found and not self.has_begun:
            self.has_begun = True
            with suppress(ValueError):
                self.zone = datetime.strptime(found[0], "%z").tzinfo
        return found


@dataclass(slots=True, kw_only=True)
class Overheard:
    """What is said to a machine's mail server, in the packets that `process` reads."""

    name: str
    process: subprocess.Popen[bytes]
    capture: Capture = field(default_factory=Capture)
    dialogue: Dialogue = field(default_factory=Dialogue)

    @property
    def output(self) -> IO[bytes]:
        """The stream of packets."""
        assert self.process.stdout is not None
        return self.process.stdout

    def read(self) -> list[Said] | None:
        """What was said that is there now; None: it has ended, or is no capture."""
        chunk = os.read(self.output.fileno(), CHUNK)
        try:
            segments = list(self.capture.feed(chunk))
        except NoCaptureError:
            return None
        return [said for segment in segments for said in self.dialogue.take(segment)] if chunk else None


@dataclass(slots=True, kw_only=True)
class Follower:
    """All machines of a lab: each is tried again when it can't be followed. `overheard`: whose packets are read."""

    rows: list[MachineRow]
    machines: Machines
    overheard: list[Overheard] = field(default_factory=list)
    _open: dict[str, Followed] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _tried: float = 0

    @property
    def is_ready(self) -> bool:
        """Is every machine followed, or known to be one that can't be?"""
        begun = {one.name for one in self._open.values() if one.has_begun}
        heard = all(one.capture.has_begun for one in self.overheard)
        return heard and all(row.name in begun | self._lost for row in self.rows)

    def zone(self, name: str) -> tzinfo | None:
        """A machine's time zone, as far as it is known."""
        one = self._open.get(name)
        return one.zone if one else None

    def lines(self) -> Generator[list[Item]]:
        """What came together, in the order of the times; empty when nothing came for a second."""
        with ExitStack() as stack, selectors.DefaultSelector() as waiting:
            stack.callback(self._close)
            for one in self.overheard:
                waiting.register(one.output, selectors.EVENT_READ, one)
            while True:
                self._start(waiting)
                found = self._read(waiting, 1)
                while found and len(found) < AT_ONCE and (more := self._read(waiting, QUIET_FOR)):
                    found += more
                yield sorted(found, key=_when)

    def _start(self, waiting: selectors.BaseSelector) -> None:
        """Follow those that are not followed."""
        if len(self._open) == len(self.rows) or time.monotonic() < self._tried + AGAIN:
            return
        self._tried = time.monotonic()
        for row in self.rows:
            if row.name not in self._open:
                one = Followed(name=row.name, running=self.machines.start(row.container, FOLLOW))
                self._open[row.name] = one
                waiting.register(one.running.output, selectors.EVENT_READ, one)

    def _read(self, waiting: selectors.BaseSelector, seconds: float) -> list[Item]:
        found: list[Item] = []
        for key, _ in waiting.select(seconds):
            one: Followed | Overheard = key.data
            lines = one.read()
            if lines is not None:
                found += [(one.name, line) for line in lines]
                continue
            waiting.unregister(key.fileobj)
            if isinstance(one, Overheard):
                self.overheard.remove(one)
                print(text("trace-not-overheard", name=one.name), file=sys.stderr)
            else:
                self._end(one)
        self._lost -= {one.name for one in self._open.values() if one.has_begun}
        return found

    def _end(self, one: Followed) -> None:
        del self._open[one.name]
        with one.running:
            if one.name not in self._lost:
                self._lost.add(one.name)
                print(text("trace-not-followed", name=one.name), file=sys.stderr)

    def _close(self) -> None:
        for one in self._open.values():
            with one.running:
                pass


def _when(item: Item) -> datetime:
    """When it was; of what is no line of a log, long ago."""
    if isinstance(item[1], Said):
        return item[1].when
    try:
        return datetime.fromisoformat(item[1].partition(" ")[0]).astimezone(UTC)
    except (ValueError, OverflowError):
        return EPOCH


def follow(stack: Stack, *, as_json: bool, dialogue: bool = False) -> None:
    """Show events as they come, and with `dialogue` what is said to servers, until Ctrl-C, or until nobody reads it.

    Raises:
        MaillabError: there is no lab, or no docker client.
    """
    rows = of_stack(stack)
    follower = Follower(rows=rows, machines=Machines(prefix="", environment=host_environment(environment())))
    owners = {address: row.name for row in rows for address in (*row.ipv4.split(), *row.ipv6.split())}
    live = Live(owners=owners)
    console = Console()
    width = max(len(row.name) for row in rows)
    shown = ShownAsJson() if as_json else Shown(console=console, width=width)
    reader, is_noted = Reader.of_stdout(), False
    with suppress(KeyboardInterrupt), ExitStack() as beside, closing(follower.lines()) as batches:
        if dialogue:
            follower.overheard += _overhear(stack, rows, beside)
        for lines in batches:
            if follower.is_ready and not is_noted:
                is_noted = True
                print(text("trace-following"), file=sys.stderr, flush=True)
            for machine, line in lines:
                if isinstance(line, Said):
                    if owners.get(line.server, machine) == machine:  # the client's packets are the same
                        shown.say(machine, line, owners.get(line.client, line.client), follower.zone(machine))
                    continue
                for heard in live.take(machine, line):
                    shown.show(heard)
            sys.stdout.flush()
            if reader.has_gone():
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Events on a terminal: time, number of the message, machine (`width`: the longest name), words."""

    console: Console
    width: int

    def show(self, heard: Heard) -> None:
        """A line for the event; before the first one of a message a line with its Message-ID."""
        message = heard.message
        number = f"#{message.number}" if message else ""
        if message and heard.is_new:
            self._print(Text(f"{'':{TIME}}{number:5}", QUIET), Text(printable(message.message_id or "<>"), "bold"))
        when = heard.event.when
        head = Text(f"{when:%H:%M:%S}.{when.microsecond // 1000:03}".ljust(TIME), QUIET)
        head.append(f"{number:5}", "not dim").append(f"{heard.machine:{self.width}}  ", HEAD)
        self._print(head, Text(printable(event_text(heard.event)), STYLES.get(heard.event.kind, "")))

    def say(self, machine: str, said: Said, client: str, zone: tzinfo | None) -> None:
        """A line for what the client (a name or an address) or the server said."""
        when = said.when.astimezone(zone)
        head = Text(f"{when:%H:%M:%S}.{when.microsecond // 1000:03}".ljust(TIME + 5), QUIET)
        head.append(f"{machine:{self.width}}  ", f"{HEAD} dim")
        words = said.text if said.size is None else text("trace-said-text", size=said.size)
        self._print(head, Text(printable(f"{client} {'→' if said.by_client else '←'} {words}"), SAID))

    def _print(self, head: Text, words: Text) -> None:
        room = max(self.console.width - head.cell_len, NARROW)
        for number, line in enumerate(wrapped(words, room, self.console)):
            before = head if number == 0 else Text(" " * head.cell_len)
            self.console.print(Text.assemble(before, line), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class ShownAsJson:
    """The same for programs, a line each."""

    def show(self, heard: Heard) -> None:
        """An event."""
        message = {"number": heard.message.number, "message_id": heard.message.message_id} if heard.message else None
        found = {"message": message, "machine": heard.machine, "queue_id": heard.queue_id or None}
        print(json.dumps(found | event_json(heard.event), ensure_ascii=False))

    def say(self, machine: str, said: Said, client: str, zone: tzinfo | None) -> None:
        """What the client or the server said."""
        found = {"machine": machine, "time": said.when.astimezone(zone).isoformat(), "kind": "said", "client": client}
        found |= {"by": "client" if said.by_client else "server"}
        words = {"text": said.text} if said.size is None else {"size": said.size}
        print(json.dumps(found | words, ensure_ascii=False))


def _overhear(stack: Stack, rows: list[MachineRow], beside: ExitStack) -> list[Overheard]:
    """Read on each machine that runs what goes to and from its own addresses: the router passes others' on."""
    found = []
    for row in rows:
        hosts = " or ".join(f"host {address}" for address in (*row.ipv4.split(), *row.ipv6.split()))
        if row.state == RUNNING:
            process = beside.enter_context(sidecar(stack, row, [f"tcp port {SMTP} and ({hosts})"], quiet=True))
            found.append(Overheard(name=row.name, process=process))
    beside.callback(_end_together, [one.process for one in found])
    return found


def _end_together(running: list[subprocess.Popen[bytes]]) -> None:
    """Have all end at once: each is waited for afterwards."""
    for process in running:
        if process.stdin:
            process.stdin.close()
