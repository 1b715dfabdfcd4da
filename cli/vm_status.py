"""What a virtual machine is doing, as a table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.problem import MaillabError
from cli.stack import Stack
from cli.where import home_of
from where.home import Home
from where.power import why_still
from where.qmp import run_state
from where.snapshots import snapshots

MEANING = {"running": "it runs", "off": "it is off; start it: {} vm start"}
ACCELERATORS = {"kvm": "KVM", "tcg": "software emulation (TCG)"}


def show(stack: Stack, console: Console) -> None:
    """State, sizes, way in and snapshots. Raises WhereError, MaillabError."""
    home = home_of(stack)
    settings, pid = home.settings(), home.pid()
    if settings is None:
        raise MaillabError(f"there is no virtual machine in {home.folder}", "`make up` makes it")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    state = run_state(home) if pid else "off"
    still = why_still(home, state)
    words = "; ".join(still) if still else MEANING.get(state, state).format(stack.maillab)
    table.add_row("state", f"[{'green' if state == 'running' else 'red'}]{words}[/]")
    if pid:
        table.add_row("processor", f"{settings.cpus} × {ACCELERATORS.get(home.read('accelerator'), '?')}")
        table.add_row("SSH", f"127.0.0.1 port {home.read('port')}: {stack.maillab} vm ssh")
    table.add_row("memory", f"{settings.memory} MiB")
    table.add_row("disk", f"{settings.disk} GiB, of which {_used(home)} MiB are written: {_shown(home.disk)}")
    table.add_row("console", _shown(home.folder / "console.log"))
    for one in snapshots(home):
        made = datetime.fromtimestamp(one.made).astimezone().isoformat(" ", "seconds")
        table.add_row("snapshot", f"{one.name}, {made}, {one.size >> 20} MiB of memory")
    console.print(table, soft_wrap=True)


def _used(home: Home) -> int:
    return home.disk.stat().st_blocks * 512 >> 20 if home.disk.exists() else 0


def _shown(path: Path) -> str:
    """Relative to where the person is, when it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
