"""`maillab vm`: the virtual machine of a lab with `where: vm`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.choice import Choice, chosen
from cli.problem import MaillabError
from where.home import Home

vm = typer.Typer(help="The virtual machine of a lab with `where: vm`.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The snapshot's name.")]


@vm.command()
def status(context: typer.Context) -> None:
    """Whether it runs, how, with what, and its snapshots."""
    from rich.console import Console  # noqa: PLC0415

    from cli.vm_status import show  # noqa: PLC0415

    with _machine(context) as choice:
        show(choice.stack, Console())


@vm.command(context_settings={"allow_interspersed_args": False})
def ssh(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(help="Instead of a shell.")] = None,
) -> None:
    """Go into the machine that the containers run in, as root."""
    from where.ssh import to_machine  # noqa: PLC0415

    with _machine(context) as choice:
        home = _running(choice)
        os.execvp("ssh", ["ssh", *to_machine(home).words, *(command or [])])


@vm.command()
def start(context: typer.Context) -> None:
    """Switch it on; the lab in it starts by itself, with its queues and mailboxes."""
    from cli.where import is_ready  # noqa: PLC0415

    with _machine(context) as choice:
        choice.attend(start=True)
        _running(choice)  # a lab whose first `up` failed before it has none
        ready = is_ready(choice.stack)
    unfinished = f"; the first `up` did not come to its end: {choice.stack.maillab} up"
    typer.echo(f"The virtual machine runs{', its Docker engine answers.' if ready else unfinished}")


@vm.command()
def stop(context: typer.Context) -> None:
    """Shut it down; everything in it stays."""
    from cli.move import unused  # noqa: PLC0415
    from cli.where import home_of, say  # noqa: PLC0415
    from where.power import stop as shut_down  # noqa: PLC0415

    with _machine(context) as choice, unused(choice.stack):
        shut_down(home_of(choice.stack), say)
    typer.echo(f"The virtual machine is off; `{choice.stack.maillab} vm start` brings the lab back.")


@vm.command()
def snapshot(context: typer.Context, name: Name) -> None:
    """Keep its present state (disk, memory, and what the engine knows of the lab) under a name."""
    from cli.snapshot import keep  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        typer.echo(f"Kept as {name} in {keep(choice.stack, name):.1f} s: {choice.stack.maillab} vm restore {name}")


@vm.command()
def restore(context: typer.Context, name: Name) -> None:
    """Put the lab back to a snapshot; what happened since is lost."""
    from cli.snapshot import put_back  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        seconds = put_back(choice.stack, name)
        choice.attend()
    typer.echo(f"The lab is as it was at {name} again, after {seconds:.1f} s.")


@vm.command()
def forget(context: typer.Context, name: Name) -> None:
    """Remove a snapshot, and what it takes on the disk."""
    from cli.snapshot import drop  # noqa: PLC0415

    with _machine(context) as choice:
        _running(choice)
        drop(choice.stack, name)
    typer.echo(f"There is no snapshot {name} any more.")


@contextmanager
def _machine(context: typer.Context) -> Iterator[Choice]:
    """The chosen lab, which must have a virtual machine; errors become words for people."""
    from cli.where import as_maillab, place_of  # noqa: PLC0415
    from components.vm.model import VM  # noqa: PLC0415
    from where.problem import WhereError  # noqa: PLC0415

    choice = chosen(context)
    if place_of(choice.stack) != VM:
        place = place_of(choice.stack)
        what = f"the lab {choice.stack.name} is at {place}" if place else f"there is no lab {choice.stack.name}"
        raise MaillabError(f"{what}: it has no virtual machine", "write maillab:where: vm, then `make up` makes one")
    try:
        yield choice
    except WhereError as error:
        raise as_maillab(error) from error


def _running(choice: Choice) -> Home:
    """The machine's folder. Raises MaillabError when it does not run."""
    from cli.where import home_of  # noqa: PLC0415

    home = home_of(choice.stack)
    if home.pid() is None:
        raise MaillabError("the virtual machine does not run", f"start it: {choice.stack.maillab} vm start")
    return home
