"""Mail logs as a lab's machines wrote them, while a message of each kind went through it."""

from datetime import datetime
from pathlib import Path

from maillab.trace.found import Messages
from maillab.trace.journey import Journey, Stay
from maillab.trace.lines import read_lines

CAPTURED = Path(__file__).parent
OWNERS = {
    "198.51.100.10": "outside",
    "2001:db8:198::10": "outside",
    "203.68.102.25": "tn",
    "2001:db8:203::25": "tn",
    "163.26.182.249": "spamfilter",
    "2001:db8:182::249": "spamfilter",
    "163.26.182.2": "mail",
    "2001:db8:182::2": "mail",
    "163.26.182.8": "mail2",
    "163.26.182.100": "workstation",
}
END = "23:59"


def captured(until: str = END, *, without: str = "") -> Messages:
    """The messages of the logs as they were at a time of that day; `without` one machine's log."""
    end = datetime.fromisoformat(f"2026-11-30T{until}+08:00")
    logs = {}
    for path in sorted(CAPTURED.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        before = [line for line in lines if datetime.fromisoformat(line.split()[0]) < end]
        if path.stem != without:
            logs[path.stem] = read_lines("\n".join(before))
    return Messages(logs=logs, owners=OWNERS)


def traced(name: str, until: str = END, *, without: str = "") -> Journey:
    """The message `<NAME@trace.invalid>`."""
    (journey,) = captured(until, without=without).named(f"{name}@trace.invalid")
    return journey


def shape(stay: Stay) -> str:
    """The tree of a stay in a line: `mail(tn!, mail=)` is refused by tn, with a notice that begins at mail."""
    marks = {"refusal": "!", "notice": "=", "alias": "*"}
    below = ", ".join(shape(following) for following in stay.following)
    return f"{stay.machine}{marks.get(stay.link, '')}{f'({below})' if below else ''}"
