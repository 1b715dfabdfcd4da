"""The commands that do something with mail: `send`, `read`, `queue`. What they need is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maillab.cli.choice import chosen
from maillab.cli.completion import machines_of
from maillab.cli.text import text

JSON = typer.Option("--json", help="As JSON, for programs.")


def add_to(app: typer.Typer) -> None:
    """Give the command line these commands."""
    app.command()(send)
    app.command()(read)
    app.command()(queue)


def send(  # noqa: PLR0913, PLR0917 (its options)
    context: typer.Context,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Unset, an ordinary sender of the Internet.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Unset, the first user of the first school.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The subject.")] = None,
    body: Annotated[str | None, typer.Option(help="The text.")] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A file to attach; may be repeated.")
    ] = None,
    spam: Annotated[bool, typer.Option("--spam", help="With the test text for spam filters (GTUBE).")] = False,
    virus: Annotated[bool, typer.Option("--virus", help="With the test file for virus scanners (EICAR).")] = False,
    size: Annotated[str, typer.Option(help="At least so many bytes: 2000, 100k, 5M.")] = "0",
    via: Annotated[
        str | None,
        typer.Option(metavar="MACHINE", help="Straight to this machine, past the MX.", autocompletion=machines_of),
    ] = None,
    helo: Annotated[str | None, typer.Option(metavar="NAME", help="What the client calls itself.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Send a message from any address of the lab to anybody, and see what each server on its way answers.

    The sender's address decides where it is sent from: a school's user writes on the workstation, by his mail server; a
    sender of the Internet and tn's user on their own servers. A user can be named without the domain. Exit status: 1
    when the first server did not take it.
    """
    from maillab.cli.send import Wanted, send_message, size_of  # noqa: PLC0415

    wanted_size = size_of(size)
    if wanted_size is None:
        raise typer.BadParameter(text("send-no-size", given=size), param_hint="--size")
    choice = chosen(context)
    choice.reach_engine()
    wanted = Wanted(
        sender=sender,
        recipient=to,
        subject=subject,
        body=body,
        attach=tuple(attach or ()),
        spam=spam,
        virus=virus,
        size=wanted_size,
        via=via,
        helo=helo,
    )
    if not send_message(choice.stack, wanted, as_json=as_json):
        raise typer.Exit(1)


def read(  # noqa: PLR0913, PLR0917 (its options)
    context: typer.Context,
    user: Annotated[
        str, typer.Argument(metavar="USER", help="A user, or an address: chen, admin@mail2.dc1es.tnc.edu.tw.")
    ],
    number: Annotated[
        int | None,
        typer.Argument(metavar="[N]", min=1, help="The message's number; unset, a list.", show_default=False),
    ] = None,
    password: Annotated[str | None, typer.Option(help="Instead of the one in the stack's file.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The message's source.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the message from the server.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Read a user's mail by POP3, as his mail program on the workstation does."""
    from maillab.cli.read import Wanted, read_mail  # noqa: PLC0415

    if number is None and (delete or raw):
        raise typer.BadParameter(text("read-which"), param_hint="N")
    choice = chosen(context)
    choice.reach_engine()
    wanted = Wanted(user=user, number=number, password=password, raw=raw, delete=delete)
    read_mail(choice.stack, wanted, as_json=as_json)


def queue(
    context: typer.Context,
    machine: Annotated[
        str | None, typer.Argument(metavar="[MACHINE]", help="Unset, all mail servers.", autocompletion=machines_of)
    ] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """What waits in the mail servers' queues, why, and the command for what to do about it."""
    from maillab.cli.queue import show_queues  # noqa: PLC0415

    choice = chosen(context)
    choice.reach_engine()
    show_queues(choice.stack, machine, as_json=as_json)
