"""The offline engine's display, for people: names and colours; no outputs, URNs or scripts of the program's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from maillab.cli.text import text as words
from maillab.offline.display import Display, change_lines, title
from maillab.offline.process import Log, Stream
from maillab.offline.schema import IMAGE, Change
from maillab.offline.values import Value

# How a Command that failed begins: what follows is what it said itself.
SCRIPT = re.compile(r""": running (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"):(?=\n|$)""")
# What the engine says at the end beside the errors that are the reason.
FAILED = ("update failed", "preview failed")
# A file or variable of a Command, which has them all in its `environment`; of a long file a piece (PATH#NAME).
VARIABLE = re.compile(r'^(\+-|[-+~]) environment\["([^"\\#]+)(?:#[^"\\]*)?"\]')
URN = re.compile(r'urn:pulumi:[^\s"]*::(?=[^\s":])')
ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
LATER = "output<string>"  # what Pulumi calls a value that only the run makes
GREEN, RED, YELLOW = "32", "31", "33"
SIGN = 4  # where a line of a changed text has its own
COLOURS = {"+": GREEN, "-": RED, "~": YELLOW}


class ForPeople(Display):
    """As `pulumi --suppress-outputs`, and each error once: a step's own lines are a part of its error."""

    @contextmanager
    def step(
        self, urn: str, op: str, changes: list[Change] | None = None, *, deleting: bool = False, retained: bool = False
    ) -> Iterator[Log]:
        """Around the work on one resource. Its lines wait until it has not failed.

        On a terminal they pass by while it runs, and what a Command has to say beside its result (stderr) stays.
        The log of a build that went well says nothing; its error has the last lines of one that did not.
        """
        lines: list[str] = []
        with super().step(urn, op, changes, deleting=deleting, retained=retained) as log:

            def take(line: str, stream: Stream = "stdout", /) -> None:
                if self._live:
                    log(line)
                if not self._live or stream == "stderr":
                    lines.append(line)

            yield take
            for line in lines if IMAGE not in urn else ():
                self.say(f"    {title(urn)}: {line}")

    def _show(self, urn: str, changes: list[Change]) -> None:  # noqa: ARG002 (the step's own line names it)
        for change in changes if self.diff else ():
            if change.path[-1].endswith("#"):  # PATH# has the names of a long file's pieces, which are shown themselves
                continue
            head, *lines = change_lines(change)
            self._say_coloured(f"      {readable(self.masked(head))}", head[:1])
            for line in lines:  # of a text: as they are, each behind its sign
                self._say_coloured(f"      {line}", line[SIGN : SIGN + 1])

    def _say_coloured(self, line: str, sign: str) -> None:
        """As git does: a line's sign is its colour, on a terminal that has some."""
        colour = COLOURS.get(sign) if has_colours(self.out.isatty()) else None
        if colour is None:
            self.say(line)
        elif self._live:
            from rich.text import Text  # noqa: PLC0415 (it is there: a run is shown by it)

            with self._lock:
                self._live.console.print(Text.from_ansi(coloured(self.masked(line), colour)), soft_wrap=True)
        else:
            self.say(coloured(line, colour))

    def diagnostic(self, severity: str, urn: str, text: str) -> None:
        """Keep an error, warning or message for the end, without the script that said it."""
        super().diagnostic(severity, urn, SCRIPT.sub(":", text))

    def summary(self, outputs: dict[str, Value], seconds: float, *, dry_run: bool) -> None:  # noqa: ARG002 (left out)
        """Diagnostics, counts and duration; `outputs` stay in the result."""
        everything = self.diagnostics
        self.diagnostics = [one for one in everything if one["urn"] or one["message"] not in FAILED]
        super().summary({}, seconds, dry_run=dry_run)
        self.diagnostics = everything

    def _say_failed(self, errors: int) -> None:
        """Nothing: that the stack failed is reported at the end."""


def readable(line: str) -> str:
    """A changed property for people: files by their paths, resources by their names, ids as short as Docker's."""
    line = VARIABLE.sub(r"\1 \2", line)
    line = ID.sub(r"\1", URN.sub("", line))
    return line.replace(f" => {LATER}", f" => {words('known-later')}")


def has_colours(is_terminal: bool) -> bool:
    """Does what is written go to a terminal with colours, and does nobody want none (no-color.org)?"""
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def coloured(line: str, colour: str) -> str:
    """The line in a colour of the terminal's own."""
    return f"\x1b[{colour}m{line}\x1b[0m"
