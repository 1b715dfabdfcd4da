"""What a run shows: Pulumi's words and symbols, each step as it begins and ends, secrets hidden."""

from __future__ import annotations

import difflib
import json
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from offline.values import MASK, SECRET, UNKNOWN, OfflineError, Value, contains, is_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from offline.schema import Change

SYMBOLS = {"create": "+ ", "update": "~ ", "replace": "+-", "delete": "- ", "same": "  "}
PAST = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
ACTIVE = {"create": "creating", "update": "updating", "replace": "replacing", "delete": "deleting"}
COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red", "same": "default"}
CONTEXT = 2
"""Unchanged lines shown around a changed one."""


class Display:
    """Collects what happens and prints it; safe for use by several threads."""

    def __init__(self, *, out: TextIO | None = None, diff: bool = False, quiet: bool = False) -> None:
        """`diff` shows each changed property, `quiet` prints nothing (the record is kept)."""
        self.out = out or sys.stdout
        self.diff = diff
        self.quiet = quiet
        self.cancelled = self.aborted = False
        self.steps: list[dict[str, Any]] = []
        self.diagnostics: list[dict[str, str]] = []
        self.secrets: set[str] = set()
        self._running: dict[str, tuple[str, float]] = {}
        self._lock = threading.RLock()
        self._live: Any = None

    def say(self, text: str = "") -> None:
        """Print text, with every secret in it hidden."""
        if self.quiet:
            return
        with self._lock:
            if self._live:
                self._live.console.print(self.masked(text), markup=False, highlight=False, soft_wrap=True)
            else:
                print(self.masked(text), file=self.out, flush=True)

    def masked(self, text: str) -> str:
        """The text with every known secret replaced by `[secret]`."""
        for hidden in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(hidden, MASK)
        return text

    def planned(self, urn: str, op: str, changes: list[Change]) -> None:
        """A preview's step, or a resource that stays as it is."""
        with self._lock:
            self.steps.append({"op": str(op), "urn": urn, "diffReasons": sorted({".".join(c.path) for c in changes})})
            if op != "same":
                self.say(f" {SYMBOLS[op]} {title(urn)} {op}")
                self._show_changes(urn, changes)

    @contextmanager
    def step(self, urn: str, op: str, changes: list[Change], *, deleting: bool = False) -> Iterator[None]:
        """Around the work on one resource: prints its beginning, and its end with the seconds it took."""
        word = "delete" if deleting else str(op)
        started = time.monotonic()
        if not deleting or op == "delete":
            self.planned_silently(urn, op, changes)
        with self._lock:
            self._running[urn] = (f"{title(urn)} {ACTIVE[word]}", started)
            self._announce(f" {SYMBOLS[word]} {title(urn)} {ACTIVE[word]}")
            self._show_changes(urn, changes)
        outcome = f"**{ACTIVE[word]} failed**"
        try:
            yield
            outcome = PAST[word]
        finally:
            with self._lock:
                self._running.pop(urn, None)
                self.say(f" {SYMBOLS[word]} {title(urn)} {outcome} ({time.monotonic() - started:.2f}s)")

    def planned_silently(self, urn: str, op: str, changes: list[Change]) -> None:
        """Record a step without printing it."""
        with self._lock:
            self.steps.append({"op": str(op), "urn": urn, "diffReasons": sorted({".".join(c.path) for c in changes})})

    def _announce(self, text: str) -> None:
        if not self._live:
            self.say(text)

    def logger(self, urn: str) -> Callable[[str], None]:
        """Where a step's own output goes: beside its name while it runs, or line by line to a plain file."""

        def log(line: str) -> None:
            if self.aborted:
                raise OfflineError("stopped by Ctrl-C")
            with self._lock:
                if urn in self._running:
                    begun = self._running[urn][1]
                    self._running[urn] = (f"{title(urn)}: {self.masked(line)[:100]}", begun)
                if not self._live:
                    self.say(f"    {title(urn)}: {line}")

        return log

    def diagnostic(self, severity: str, urn: str, text: str) -> None:
        """Keep an error, warning or message for the end."""
        with self._lock:
            self.diagnostics.append({"severity": severity, "urn": urn, "message": self.masked(text.rstrip())})

    def _show_changes(self, urn: str, changes: list[Change]) -> None:
        if self.diff and changes:
            self.say(f"        [urn={urn}]")
            for change in changes:
                for line in change_lines(change):
                    self.say(f"      {line}")

    @contextmanager
    def progress(self) -> Iterator[None]:
        """On a terminal, show what is running and for how long below what is printed."""
        if self.quiet or not self.out.isatty():
            yield
            return
        from rich.console import Console  # noqa: PLC0415 (0.1 s; a preview does not need it)
        from rich.live import Live  # noqa: PLC0415

        with Live(
            get_renderable=self._render, console=Console(file=self.out), refresh_per_second=4, transient=True
        ) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def _render(self) -> Any:
        from rich.text import Text  # noqa: PLC0415

        with self._lock:
            now = time.monotonic()
            return Text("\n".join(f" ⋯ {text} ({now - begun:.0f}s)" for text, begun in self._running.values()))

    def summary(self, outputs: dict[str, Value], seconds: float, *, dry_run: bool) -> None:
        """The end of a run: diagnostics, outputs, counts and duration."""
        if self.diagnostics:
            self.say("Diagnostics:")
            for item in self.diagnostics:
                self.say(f"  {title(item['urn']) if item['urn'] else 'program'}:")
                self.say("\n".join(f"    {line}" for line in f"{item['severity']}: {item['message']}".splitlines()))
            self.say()
        if outputs:
            self.say("Outputs:")
            for key, value in sorted(outputs.items()):
                self.say(f"    {key}: {show(value)}")
            self.say()
        counts = Counter(step["op"] for step in self.steps)
        self.say("Resources:")
        for op in ("create", "update", "replace", "delete"):
            if counts[op]:
                self.say(f"    {SYMBOLS[op]}{counts[op]} {f'to {op}' if dry_run else PAST[op]}")
        if counts["same"]:
            self.say(f"    {counts['same']} unchanged")
        self.say(f"\nDuration: {seconds:.1f}s")


def title(urn: str) -> str:
    """A resource as Pulumi's display names it: `docker:index:Network lan`."""
    kind, _, name = urn.split("::", 2)[2].partition("::")
    parts = kind.rsplit("$", 1)[-1].split(":")
    return f"{':'.join([parts[0], parts[1].split('/')[0], *parts[2:]])} {name}"


def show(value: Value) -> str:
    """A value as the display prints it; secrets are hidden, unknowns named."""
    if is_secret(value) or value == MASK:
        return MASK
    if value == UNKNOWN:
        return "output<string>"
    if isinstance(value, dict | list) and (contains(value, SECRET) or contains(value, UNKNOWN)):
        if isinstance(value, list):
            return "[" + ", ".join(show(item) for item in value) + "]"
        return "{" + ", ".join(f"{json.dumps(key)}: {show(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def public(value: Value) -> Value:
    """The value with every secret replaced by `[secret]`, for JSON output."""
    if is_secret(value):
        return MASK
    if isinstance(value, dict):
        return {key: public(item) for key, item in value.items()}
    return [public(item) for item in value] if isinstance(value, list) else value


def change_lines(change: Change) -> list[str]:
    """One changed property: `~ restart: "no" => "always"`, or a line diff of a text of several lines."""
    name = change.path[0] + "".join(
        f"[{part}]" if part.isdigit() else f"[{json.dumps(part)}]" for part in change.path[1:]
    )
    symbol = "+" if change.old is None else "-" if change.new is None else "+-" if change.replaces else "~"
    texts = [value for value in (change.old, change.new) if isinstance(value, str)]
    if len(texts) == 2 and any("\n" in text for text in texts) and UNKNOWN not in texts:
        return [f"{symbol} {name}:", *(f"    {line}" for line in _line_diff(*texts))]
    if change.old is None or change.new is None:
        return [f"{symbol} {name}: {show(change.new if change.old is None else change.old)}"]
    return [f"{symbol} {name}: {show(change.old)} => {show(change.new)}"]


def _line_diff(old: str, new: str) -> list[str]:
    """The changed lines with two lines of context; `...` stands between distant places."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm=""))[2:]
    return ["..." if line.startswith("@@") else f"{line[:1]} {line[1:]}" for line in lines]


__all__ = ["Display", "OfflineError", "change_lines", "public", "show", "title"]
