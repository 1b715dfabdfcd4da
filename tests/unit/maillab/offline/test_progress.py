"""On a terminal: what runs and for how long, below what is printed; and a terminal that is as it was afterwards."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from maillab.offline import display
from maillab.offline.display import Display

URN = "urn:pulumi:test::maillab::docker:index/{}:{}::{}"
LAN = URN.format("network", "Network", "lan")
BOX = URN.format("container", "Container", "box")
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    """A terminal of which `lines` says what a person sees on it."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """The lines on the screen; the cursor moves as rich moves it."""
        shown, row, column = [""], 0, 0
        for sign in re.findall(r"\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if sign == "\r":
                column = 0
            elif sign == "\n":
                row, column = row + 1, 0
                shown += [""] * (row + 1 - len(shown))
            elif sign.startswith("\x1b["):
                row -= int(sign[2:-1]) if sign.endswith("A") else 0
                shown[row] = "" if sign == "\x1b[2K" else shown[row]
            else:
                shown[row] = shown[row][:column].ljust(column) + sign + shown[row][column + len(sign) :]
                column += len(sign)
        return [line for line in shown if line]

    @property
    def has_cursor(self) -> bool:
        """Whether the cursor was shown again after it was last hidden."""
        return self.getvalue().rfind(SHOW) >= self.getvalue().rfind(HIDE)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The display's clock: it stands still until a test sets its `now`."""
    for name, value in {"TERM": "xterm", "COLUMNS": "100", "LINES": "25"}.items():
        monkeypatch.setenv(name, value)
    made = SimpleNamespace(now=0.0)
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@contextmanager
def running(terminal: Terminal) -> Iterator[Display]:
    """A display that shows what runs."""
    made = Display(out=terminal)
    with made.progress():
        yield made


@pytest.mark.usefixtures("clock")
def test_running_steps_stand_below_what_was_said() -> None:
    terminal = Terminal()
    with running(terminal) as shown, shown.step(LAN, "create"), shown.step(BOX, "update"):
        shown.say("Updating (test):")
        shown._live.refresh()
        assert terminal.lines == [
            "Updating (test):",
            " +  docker:index:Network lan creating (0s)",
            " ~  docker:index:Container box updating (0s)",
        ]


def test_elapsed_seconds_are_counted_for_each_step(clock: SimpleNamespace) -> None:
    terminal = Terminal()
    with running(terminal) as shown, shown.step(LAN, "create"):
        clock.now = 4
        with shown.step(BOX, "create"):
            clock.now = 12
            shown._live.refresh()
            assert [line.rpartition(" ")[2] for line in terminal.lines] == ["(12s)", "(8s)"]


@pytest.mark.usefixtures("clock")
def test_the_screen_is_drawn_again_by_itself() -> None:
    terminal = Terminal()
    with running(terminal) as shown, shown.step(LAN, "create"):
        deadline = time.monotonic() + 30
        while not terminal.lines:
            assert time.monotonic() < deadline
            threading.Event().wait(0.02)
    assert "lan creating (0s)" in terminal.getvalue()


@pytest.mark.usefixtures("clock")
def test_a_steps_own_line_stands_in_its_place() -> None:
    terminal = Terminal()
    with running(terminal) as shown, shown.step(BOX, "create") as log:
        log("unpacking")
        shown._live.refresh()
        assert terminal.lines == ["    docker:index:Container box: unpacking (0s)"]


def test_a_step_that_has_ended_is_said_and_no_longer_runs(clock: SimpleNamespace) -> None:
    terminal = Terminal()
    with running(terminal) as shown, shown.step(LAN, "create"):
        with shown.step(BOX, "create"):
            shown._live.refresh()
            clock.now = 2.5
        shown._live.refresh()
        assert terminal.lines == [
            " +  docker:index:Container box created (2.5s)",
            " +  docker:index:Network lan creating (2s)",
        ]


@pytest.mark.usefixtures("clock")
def test_at_the_end_nothing_is_left_but_what_was_said() -> None:
    terminal = Terminal()
    with running(terminal) as shown:
        with shown.step(LAN, "create"), shown.step(BOX, "create"):
            shown._live.refresh()
        assert not terminal.has_cursor
    shown.say("Duration: 0.0s")
    assert terminal.lines == [
        " +  docker:index:Container box created (0.0s)",
        " +  docker:index:Network lan created (0.0s)",
        "Duration: 0.0s",
    ]
    assert terminal.has_cursor


@pytest.mark.usefixtures("clock")
def test_an_interrupted_display_leaves_the_terminal_usable() -> None:
    terminal = Terminal()

    def interrupted() -> None:
        with running(terminal) as shown, shown.step(LAN, "create"):
            shown._live.refresh()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.lines == [" +  docker:index:Network lan **creating failed**"]
    assert terminal.has_cursor


@pytest.mark.usefixtures("clock")
def test_a_process_that_ends_at_once_gives_the_cursor_back() -> None:
    """The third Ctrl-C waits for nothing and nobody."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        shown = Display(out=terminal)
        with shown.progress():
            hidden = os.read(ours, 4096).decode()
            shown.leave()
            left = os.read(ours, 4096).decode()
    os.close(ours)
    assert (HIDE in hidden, left) == (True, f"{SHOW}\r\n")


@pytest.mark.usefixtures("clock")
def test_something_is_said_while_the_screen_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waits for the other: the one has the display's lock and wants rich's, the other has rich's."""
    terminal = Terminal()
    with running(terminal) as shown, shown.step(LAN, "create"):
        drawing = threading.Thread(target=shown._live.refresh, daemon=True)

        def masked(text: str) -> str:
            if drawing.ident is None:
                drawing.start()
            drawing.join(20)
            assert not drawing.is_alive(), "who draws waits for who speaks"
            return text

        monkeypatch.setattr(shown, "masked", masked)
        shown.say("said")
    assert terminal.lines[0] == "said"


@pytest.mark.usefixtures("clock")
def test_without_a_terminal_there_are_lines_only() -> None:
    out = io.StringIO()
    shown = Display(out=out)
    with shown.progress(), shown.step(LAN, "create"):
        pass
    assert out.getvalue() == (" +  docker:index:Network lan creating\n +  docker:index:Network lan created (0.0s)\n")
