"""What a run shows: Pulumi's words and symbols, each step as it begins and ends, secrets hidden."""

from __future__ import annotations

import difflib
import json
import os
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from maillab.offline.terminal import Lasting
from maillab.offline.values import MASK, SECRET, UNKNOWN, Props, Value, contains, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maillab.offline.process import Log
    from maillab.offline.schema import Change

SYMBOLS = {"create": "+ ", "update": "~ ", "replace": "+-", "delete": "- "}
RETAIN = "[retain]"
"""Behind a step that ends with the resource in nobody's state, and still there (retainOnDelete)."""
STACK = "pulumi:pulumi:Stack"
CONTEXT = 2
"""Unchanged lines shown around a changed one."""
SHOW_CURSOR = b"\x1b[?25h\n"


class Display:
    """Collects what happens and prints it; safe for use by several threads.

    `steps` are `{op, urn, diffReasons}`, `diagnostics` `{severity, urn, message}`; `cancelled` says that the
    person pressed Ctrl-C (begin nothing new), `aborted` that they did so twice (stop what runs).
    """

    def __init__(self, *, out: TextIO | None = None, diff: bool = False, quiet: bool = False) -> None:
        """`diff` shows each changed property, `quiet` prints nothing (the record is kept)."""
        self.out: Any = Lasting(out or sys.stdout)
        self.diff = diff
        self.quiet = quiet
        self.cancelled = self.aborted = False
        self.steps: list[Props] = []
        self.diagnostics: list[dict[str, str]] = []
        self.secrets: set[str] = set()
        self._running: dict[str, tuple[str, float]] = {}
        self._lock = threading.RLock()
        self._live: Any = None

    @property
    def failed(self) -> bool:
        """Whether something went wrong or was stopped: begin nothing new."""
        return self.cancelled or bool(self.errors)

    @property
    def errors(self) -> list[dict[str, str]]:
        """The diagnostics that are errors."""
        return [item for item in self.diagnostics if item["severity"] == "error"]

    def say(self, text: str = "") -> None:
        """Print text, with every secret in it hidden."""
        with self._lock:
            if self._live:
                self._live.console.print(self.masked(text), markup=False, highlight=False, soft_wrap=True)
            elif not self.quiet:
                print(self.masked(text), file=self.out, flush=True)

    def masked(self, text: str) -> str:
        """The text with `[secret]` for every known secret."""
        for hidden in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(hidden, MASK)
        return text

    def diagnostic(self, severity: str, urn: str, text: str) -> None:
        """Keep an error, warning or message for the end."""
        with self._lock:
            self.diagnostics.append({"severity": severity, "urn": urn, "message": self.masked(text.rstrip())})

    def planned(
        self, urn: str, op: str, changes: list[Change] | None = None, *, printed: bool = True, retained: bool = False
    ) -> None:
        """Record a step; print it, unless the resource stays as it is. `retained`: what is there stays there."""
        with self._lock:
            reasons = sorted({".".join(change.path) for change in changes or ()})
            self.steps.append({"op": str(op), "urn": urn, "diffReasons": reasons})
            if printed and op != "same":
                self.say(f" {SYMBOLS[op]} {title(urn)} {op}{RETAIN if retained else ''}")
                self._show(urn, changes or [])

    @contextmanager
    def step(
        self, urn: str, op: str, changes: list[Change] | None = None, *, deleting: bool = False, retained: bool = False
    ) -> Iterator[Log]:
        """Around the work on one resource: prints its begin, and its end with the seconds it took.

        Gives what takes the work's own lines. The deletion that a replacement needs is shown, not counted. `retained`:
        the resource that goes stays where it is.
        """
        verb = "delete" if deleting else str(op)
        what, started = f" {SYMBOLS[verb]} {title(urn)}", time.monotonic()
        kept = RETAIN if retained else ""
        with self._lock:
            self._running[urn] = (f"{what} {verb[:-1]}ing{kept}", started)
            if not self._live:
                self.say(f"{what} {verb[:-1]}ing{kept}")
            self._show(urn, changes or [])
        outcome = f"**{failing(verb)}**"
        try:
            yield lambda line, *_: self._log(urn, line)
            outcome = f"{verb}d ({time.monotonic() - started:.1f}s)"
            if not deleting or op == "delete":
                self.planned(urn, op, changes, printed=False)
        finally:
            with self._lock:
                self._running.pop(urn, None)
                self.say(f"{what} {outcome}{kept}")

    def _log(self, urn: str, line: str) -> None:
        """A step's own line: beside its name while it runs, or printed where there is no terminal."""
        with self._lock:
            if self._live and urn in self._running:
                self._running[urn] = (f"    {title(urn)}: {self.masked(line)[:100]}", self._running[urn][1])
            else:
                self.say(f"    {title(urn)}: {line}")

    def _show(self, urn: str, changes: list[Change]) -> None:
        if self.diff and changes:
            self.say(
                "\n".join([f"        [urn={urn}]", *(f"      {line}" for one in changes for line in change_lines(one))])
            )

    @contextmanager
    def progress(self) -> Iterator[None]:
        """On a terminal, show what is running and for how long below what is printed."""
        if self.quiet or not self.out.isatty():
            yield
            return
        from rich.console import Console  # noqa: PLC0415 (0.1 s; a preview does not need it)
        from rich.live import Live  # noqa: PLC0415

        console = Console(file=self.out)
        with Live(get_renderable=self._running_steps, console=console, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def _running_steps(self) -> Any:  # noqa: ANN401 (rich is imported only where there is a terminal)
        from rich.text import Text  # noqa: PLC0415

        # Without our lock: rich asks while it holds its own, for which `say` waits while it holds ours.
        now, running = time.monotonic(), list(self._running.values())
        return Text("\n".join(f"{text} ({now - begun:.0f}s)" for text, begun in running))

    def leave(self) -> None:
        """The process is to end at once, whatever is being printed: give the terminal its cursor back."""
        if self._live:
            with suppress(OSError):  # it may be gone
                os.write(self.out.fileno(), SHOW_CURSOR)

    def summary(self, outputs: Props, seconds: float, *, dry_run: bool) -> None:
        """The end of a run: diagnostics, outputs, counts and duration."""
        errors = [item["urn"] for item in self.errors]
        if errors and not dry_run:
            self._say_failed(errors.count(""))
        if self.diagnostics:
            self.say("\nDiagnostics:")
        for item in self.diagnostics:
            self.say(f"  {title(item['urn']) if item['urn'] else 'program'}:")
            self.say("\n".join(f"    {line}" for line in f"{item['severity']}: {item['message']}".splitlines()))
        if outputs:
            self.say("\n".join(["\nOutputs:", *(f"    {key}: {show(outputs[key])}" for key in sorted(outputs))]))
        counts = Counter(step["op"] for step in self.steps)
        self.say("\nResources:")
        for op, symbol in SYMBOLS.items():
            if counts[op]:
                self.say(f"    {symbol}{counts[op]} {f'to {op}' if dry_run else f'{op}d'}")
        if counts["same"]:
            self.say(f"    {counts['same']} unchanged")
        if errors:
            self.say(f"    {len({*errors})} errored")
        self.say(f"\nDuration: {seconds:.1f}s")

    def _say_failed(self, errors: int) -> None:
        """The stack's own line: what is wrong with a resource, or with the program, is wrong with the stack too."""
        urns = [item["urn"] for item in (*self.steps, *self.diagnostics) if item["urn"]]
        if urns:
            stack, project, *_ = urns[0].removeprefix("urn:pulumi:").split("::")
            name = f"{project}-{stack}"
            ops = [step["op"] for step in self.steps if step["urn"].endswith(f"::{STACK}::{name}")]
            op = ops[0] if ops else "same"
            what = f"{STACK} {name} **{failing(op)}** {errors} error{'s' if errors > 1 else ''}"
            self.say(f" {SYMBOLS.get(op, '  ')} {what}")


def failing(op: str) -> str:
    """What Pulumi calls a step that failed: `creating failed`; of one that was to change nothing just `failed`."""
    return "failed" if op == "same" else f"{op[:-1]}ing failed"


def title(urn: str) -> str:
    """A resource as Pulumi's display names it: `docker:index:Network lan`."""
    kind, _, name = urn.split("::", 2)[2].partition("::")
    parts = kind.rpartition("$")[2].split(":")
    return f"{':'.join([parts[0], parts[1].partition('/')[0], *parts[2:]])} {name}"


def show(value: Value) -> str:
    """A value as the display prints it; secrets are hidden, unknowns named."""
    if is_secret(value) or value in (MASK, UNKNOWN):
        return "output<string>" if value == UNKNOWN else MASK
    if not contains(value, SECRET) and not contains(value, UNKNOWN):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(show(item) for item in value) + "]"
    return "{" + ", ".join(f"{json.dumps(key)}: {show(item)}" for key, item in value.items()) + "}"


def change_lines(change: Change) -> list[str]:
    """One changed property: `~ restart: "no" => "always"`, or a line diff of a text of several lines."""
    name = change.path[0] + "".join(f"[{part if part.isdigit() else json.dumps(part)}]" for part in change.path[1:])
    symbol = "+" if change.old is None else "-" if change.new is None else "+-" if change.replaces else "~"
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and "\n" in old + new and UNKNOWN not in (old, new):
        lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm=""))[2:]
        shown = ["..." if line.startswith("@@") else f"{line[:1]} {line[1:]}" for line in lines]
        return [f"{symbol} {name}:", *(f"    {line}" for line in shown)]
    sides = [show(value) for value in (old, new) if value is not None]
    return [f"{symbol} {name}: {' => '.join(sides)}"]
