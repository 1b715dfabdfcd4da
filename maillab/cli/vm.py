"""`maillab vm`: the virtual machine of a lab with `where: vm`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from maillab.cli.choice import Choice, chosen
from maillab.cli.problem import failed
from maillab.cli.text import text
from maillab.where.home import Home

vm = typer.Typer(help="The virtual machine of a lab with `where: vm`.", no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="The snapshot's name.")]


@vm.command()
def status(context: typer.Context) -> None:
    """Whether it runs, how, with what, and its snapshots."""
    from rich.console import Console  # noqa: PLC0415

    from maillab.cli.vm_status import show  # noqa: PLC0415

    with _machine(context) as choice:
        show(choice.stack, Console())


@vm.command(context_settings={"allow_interspersed_args": False})
def ssh(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(help="Instead of a shell.")] = None,
) -> None:
    """Go into the machine that the containers run in, as root."""
    from maillab.where.ssh import to_machine  # noqa: PLC0415

    with _machine(context) as choice:
        home = _running(choice)
        os.execvp("ssh", ["ssh", *to_machine(home).words, *(command or [])])


@vm.command()
def start(context: typer.Context) -> None:
    """Switch it on; the lab in it starts by itself, with its queues and mailboxes."""
    from maillab.cli.where import is_ready  # noqa: PLC0415

    with _machine(context) as choice:
        choice.reach_engine(start=True)
        _running(choice)  # a lab whose first `up` failed before it has none
        ready = is_ready(choice.stack)
    typer.echo(text("vm-ready" if ready else "vm-unfinished", stack=choice.stack.name))


@vm.command()
def stop(context: typer.Context) -> None:
    """Shut it down; everything in it stays."""
    from maillab.cli.move import unused  # noqa: PLC0415
    from maillab.cli.where import home_of, say  # noqa: PLC0415
    from maillab.where.power import stop as shut_down  # noqa: PLC0415

    with _machine(context) as choice, unused(choice.stack):
        shut_down(home_of(choice.stack), say)
    typer.echo(text("vm-is-off", stack=choice.stack.name))


@vm.command()
def snapshot(context: typer.Context, name: Name) -> None:
    """Keep its present state (disk, memory, and what the engine knows of the lab) under a name."""
    from maillab.cli.snapshot import keep  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        seconds = f"{keep(choice.stack, name):.1f}"
        typer.echo(text("snapshot-kept", stack=choice.stack.name, name=name, seconds=seconds))


@vm.command()
def restore(context: typer.Context, name: Name) -> None:
    """Put the lab back to a snapshot; what happened since is lost."""
    from maillab.cli.history import recorded  # noqa: PLC0415
    from maillab.cli.snapshot import put_back  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        with recorded(choice.stack, "vm restore", snapshot=[name]):
            seconds = put_back(choice.stack, name)
            choice.reach_engine()
    typer.echo(text("snapshot-restored", name=name, seconds=f"{seconds:.1f}"))


@vm.command()
def forget(context: typer.Context, name: Name) -> None:
    """Remove a snapshot, and what it takes on the disk."""
    from maillab.cli.snapshot import drop  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        drop(choice.stack, name)
    typer.echo(text("snapshot-gone", name=name))


@contextmanager
def _machine(context: typer.Context) -> Iterator[Choice]:
    """The chosen lab, which must have a virtual machine; errors become words for people."""
    from components.config.place import VM  # noqa: PLC0415
    from maillab.cli.where import as_maillab, place_of  # noqa: PLC0415
    from maillab.where.problem import WhereError  # noqa: PLC0415

    choice = chosen(context)
    if place_of(choice.stack) != VM:
        place = place_of(choice.stack)
        if place:
            raise failed("lab-without-vm.elsewhere", stack=choice.stack.name, place=place)
        raise failed("lab-without-vm.no-lab", stack=choice.stack.name)
    try:
        yield choice
    except WhereError as error:
        raise as_maillab(error) from error


def _running(choice: Choice) -> Home:
    """The machine's folder. Raises MaillabError when it does not run."""
    from maillab.cli.where import home_of  # noqa: PLC0415

    home = home_of(choice.stack)
    if home.pid() is None:
        raise failed("vm-stopped", stack=choice.stack.name)
    return home
