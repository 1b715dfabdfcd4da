"""What a virtual machine is doing, as a table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from maillab.cli.problem import failed
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.cli.where import home_of
from maillab.where.home import Home
from maillab.where.power import why_still
from maillab.where.qmp import run_state
from maillab.where.snapshots import snapshots

STATES = ("running", "off")
ACCELERATORS = ("kvm", "tcg")


def show(stack: Stack, console: Console) -> None:
    """State, sizes, way in and snapshots. Raises WhereError, MaillabError."""
    home = home_of(stack)
    settings, pid = home.settings(), home.pid()
    if settings is None:
        raise failed("no-vm", stack=stack.name, folder=home.folder)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    state = run_state(home) if pid else "off"
    still = why_still(home, state)
    said = text(f"vm-state-{state}", stack=stack.name) if state in STATES else state
    words = "; ".join(still) if still else said
    table.add_row(text("row-state"), f"[{'green' if state == 'running' else 'red'}]{words}[/]")
    if pid:
        kind = home.read("accelerator")
        name = text(f"accelerator-{kind}") if kind in ACCELERATORS else "?"
        table.add_row(text("row-processor"), f"{settings.cpus} × {name}")
        table.add_row("SSH", text("vm-ssh", stack=stack.name, port=home.read("port")))
    table.add_row(text("row-memory"), f"{settings.memory} MiB")
    disk = text("vm-disk", size=settings.disk, used=_used(home), path=_shown(home.disk))
    table.add_row(text("row-disk"), disk)
    table.add_row(text("row-console"), _shown(home.folder / "console.log"))
    for one in snapshots(home):
        made = datetime.fromtimestamp(one.made).astimezone().isoformat(" ", "seconds")
        table.add_row(text("row-snapshot"), text("vm-snapshot", name=one.name, made=made, size=one.size >> 20))
    console.print(table, soft_wrap=True)


def _used(home: Home) -> int:
    return home.disk.stat().st_blocks * 512 >> 20 if home.disk.exists() else 0


def _shown(path: Path) -> str:
    """Relative to where the person is, when it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
