"""`maillab status` on a terminal (80 columns and 24 lines for the tutorial's school), and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from maillab.cli.machines import MachineRow, call_of, show_findings
from maillab.cli.report import CONFIGURED, Report
from maillab.cli.status import LabStatus, MachineStatus
from maillab.cli.text import joined, text
from maillab.cli.wrapped import wrapped

NOTHING = "-"  # a dash may be two columns wide on a Chinese terminal
COLUMNS = ("machine", "address", "ipv6", "state", "queue", "disk", "by-hand", "updated", "does")
# What is left out first where a terminal is too narrow: with 80 columns the first two.
DISPENSABLE = ("does", "ipv6", "updated", "by-hand", "disk", "queue", "address", "state")
SHOWN_EDITS = 8  # of one machine; a folder that was unpacked there may be hundreds
PAUSE = 2.0  # seconds between two looks of --watch
WELL, BROKEN, BETWEEN = "green", "bold red", "yellow"
STATES = frozenset(
    {
        "well",
        "running",
        "no-answer",
        "disconnected",
        "missing",
        "waiting",
        "booting",
        "unbooted",
        "updating",
        "unfinished",
    }
)
QUEUES = ("active", "deferred", "hold")


def output(status: LabStatus, *, as_json: bool) -> None:
    """On the standard output."""
    if as_json:
        print(json.dumps(status_json(status), indent=1, ensure_ascii=False))
    else:
        show(status, Console())


def show(status: LabStatus, console: Console, now: datetime | None = None) -> None:
    """The table; below it what is broken with the command that repairs it, what was edited, what is wrong around."""
    console.print(_headline(status))
    console.print(_table(status, console, now or datetime.now().astimezone()))
    for line in _pages(status):
        console.print(line, soft_wrap=True)
    show_troubles(status, console)
    show_findings(status.findings, console)


def show_troubles(status: LabStatus, console: Console) -> None:
    """What is broken with the command that repairs it, what was edited by hand, and whose passwords were wrong."""
    for line in (*_problems(status, console.width), *_edits(status), *_logins(status, console.width)):
        # Whole lines, which a terminal breaks by itself: a command can be copied.
        console.print(line, soft_wrap=True)


def watch_output(look: Callable[[], LabStatus], *, as_json: bool) -> None:
    """Looks again and again until Ctrl-C: a terminal is redrawn, a file gets one status after the other.

    As JSON each is a line.
    """
    console = Console()
    with suppress(KeyboardInterrupt):
        if as_json or not console.is_terminal:
            while True:
                status = look()
                if as_json:
                    print(json.dumps(status_json(status), ensure_ascii=False), flush=True)
                else:
                    show(status, console)
                    console.file.flush()
                time.sleep(PAUSE)
        _redraw(look, console)


def _redraw(look: Callable[[], LabStatus], console: Console) -> None:
    """On a screen of its own; the last status stays when it ends."""
    last = Text()
    try:
        with console.screen() as screen:
            while True:
                status = look()
                with console.capture() as captured:
                    show(status, console)
                last = Text.from_ansi(captured.get())
                screen.update(last)
                time.sleep(PAUSE)
    finally:
        console.print(last)


def _headline(status: LabStatus) -> Text:
    number, broken = len(status.machines), len(status.broken)
    if status.exercise:
        return Text(text("exercise-runs-status", name=status.exercise), style=BETWEEN)
    if broken:
        return Text(text("lab-is-broken", stack=status.stack, number=number, broken=broken), style=BROKEN)
    if status.unready:
        names = ", ".join(machine.row.name for machine in status.unready)
        return Text(text("lab-is-unready", stack=status.stack, names=names), style=BETWEEN)
    return Text(text("lab-is-well", stack=status.stack, number=number), style=WELL)


def _table(status: LabStatus, console: Console, now: datetime) -> Table:
    """As many columns as fit: no name is cut."""
    columns = list(COLUMNS)
    while True:
        table = _with_columns(columns, status, now)
        unlimited = console.options.update(max_width=10_000)
        if len(columns) == 1 or console.measure(table, options=unlimited).maximum <= console.width:
            return table
        columns.pop(columns.index(next(title for title in DISPENSABLE if title in columns)))


def _with_columns(columns: list[str], status: LabStatus, now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in columns:
        table.add_column(
            text(f"column-{title}"), no_wrap=True, justify="right" if title in ("disk", "by-hand") else "left"
        )
    group = None
    for machine in status.machines:
        if machine.row.school != group:
            group = machine.row.school
            table.add_row(Text(group or text("internet-machines"), style="dim"))
        cells = _cells(machine, now)
        table.add_row(*(cells[title] for title in columns))
    return table


def _cells(machine: MachineStatus, now: datetime) -> dict[str, Text]:
    row, report = machine.row, machine.report
    texts = {
        "machine": row.name,
        "address": _first(row.ipv4),
        "ipv6": _first(row.ipv6),
        "queue": _queue(report),
        "disk": _disk(report),
        "by-hand": _by_hand(report),
        "updated": _when(report, now),
        "does": row.role,
    }
    return {title: Text(words) for title, words in texts.items()} | {"state": _state(machine)}


def _first(addresses: str) -> str:
    """The first address, and how many more there are."""
    all_ = addresses.split()
    return " ".join([*all_[:1], *([f"+{len(all_) - 1}"] if len(all_) > 1 else [])])


def _state(machine: MachineStatus) -> Text:
    if machine.state == "broken":
        return Text(text("services-broken", number=len(machine.problems)), style=BROKEN)
    if machine.problems:
        return Text(_word(machine.state), style=BROKEN)
    return Text(_word(machine.state), style=WELL if machine.state == "well" else BETWEEN)


def _word(state: str) -> str:
    """A state of ours, or Docker's own word for it (exited, paused …)."""
    return text(f"state-{state}") if state in STATES else state


def _queue(report: Report | None) -> str:
    if report is None or not report.queue:
        return NOTHING
    return "/".join(str(report.queue.get(name, 0)) for name in QUEUES)


def _disk(report: Report | None) -> str:
    return f"{report.disk.used}%" if report and report.disk else NOTHING


def _by_hand(report: Report | None) -> str:
    return str(len(report.edits)) if report and report.edits else NOTHING


def _when(report: Report | None, now: datetime) -> str:
    """When it was updated: the time of today, else the day."""
    if report is None or report.updated is None:
        return NOTHING
    here = report.updated.astimezone(now.tzinfo)
    return f"{here:%H:%M}" if here.date() == now.date() else f"{here:%m-%d}"


def _pages(status: LabStatus) -> Iterator[Text]:
    """The lab's web pages, and the command that opens each."""
    for name, url in status.pages.items():
        yield Text(text("page-in-status", name=name, url=url, command=f"{call_of(status.stack)} open {name}"))


def _problems(status: LabStatus, width: int) -> Iterator[Text]:
    """Of each machine what is broken, and the command that repairs that below."""
    for machine in status.broken:
        yield Text(f"\n{machine.row.name}", style="bold")
        by_command: dict[str, list[str]] = {}
        for problem in machine.problems:
            by_command.setdefault(problem.repair, []).append(problem.what)
        for command, found in by_command.items():
            yield from (Text(line) for what in found for line in wrapped(what, width, 4))
            yield Text(f"    {text('repair', command=command)}", style="bold")


def _edits(status: LabStatus) -> Iterator[Text]:
    for machine in status.machines:
        edits = machine.report.edits if machine.report else ()
        if edits:
            words = joined(machine.row.name, text("edits-by-hand", command=machine.reset))
            yield Text(f"\n{words}", style=BETWEEN)
        yield from (Text(f"    {edit.path} ({text(f'edit-{edit.how}')})") for edit in edits[:SHOWN_EDITS])
        if len(edits) > SHOWN_EDITS:
            yield Text(f"    {text('edits-more', number=len(edits) - SHOWN_EDITS)}")


def _logins(status: LabStatus, width: int) -> Iterator[Text]:
    for machine in status.machines:
        logins = machine.report.logins if machine.report else {}
        if logins.get("refused"):
            words = text("logins-refused", number=logins["refused"], sent=logins.get("sent", 0))
            lines = wrapped(joined(machine.row.name, words), width)
            yield Text("\n" + "\n".join(lines), style=BETWEEN)
            yield Text(f"    {call_of(status.stack)} trace --logins", style="bold")


def status_json(status: LabStatus) -> dict[str, object]:
    """The whole status for programs: what is not known is null."""
    return {
        "stack": status.stack,
        "well": status.well,
        "pages": dict(status.pages),
        "machines": [_machine_json(machine) for machine in status.machines],
        "surroundings": [
            {"id": finding.id, "what": finding.what, "remedy": list(finding.remedy)} for finding in status.findings
        ],
    }


def _machine_json(machine: MachineStatus) -> dict[str, object]:
    row, report = machine.row, machine.report
    return {
        **_row_json(row),
        "state": machine.state,
        "problems": [{"what": problem.what, "repair": problem.repair} for problem in machine.problems],
        "configured": report.state == CONFIGURED if report else None,
        "services": {s.name: {"well": s.well, "why": s.why} for s in report.services} if report else None,
        "edited": [{"path": edit.path, "how": edit.how} for edit in report.edits] if report else None,
        "disk": _disk_json(report),
        "queue": dict(report.queue) if report else None,
        "logins": dict(report.logins) if report else None,
        "updated": report.updated.isoformat() if report and report.updated else None,
    }


def _row_json(row: MachineRow) -> Mapping[str, object]:
    return {
        "name": row.name,
        "school": row.school or None,
        "container": row.container,
        "container_state": row.state,
        "ipv4": row.ipv4.split(),
        "ipv6": row.ipv6.split(),
        "does": row.role,
    }


def _disk_json(report: Report | None) -> dict[str, object] | None:
    if report is None or report.disk is None:
        return None
    return {"used_percent": report.disk.used, "free_kib": report.disk.free, "where": report.disk.where}
