"""The command `maillab trace`: its options, and what goes with what. What it needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maillab.cli.choice import chosen
from maillab.cli.text import text


def trace(  # noqa: PLR0913, PLR0917 (as many as it has options)
    context: typer.Context,
    which: Annotated[
        str | None,
        typer.Argument(metavar="[MESSAGE-ID]", help="Or a queue id of it; after --last, how many messages."),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="The last ones; without a number, the last one.")] = False,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The messages to this address.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="What happens to messages from now on, until Ctrl-C.")
    ] = False,
    dialogue: Annotated[
        bool, typer.Option("--dialogue", help="With --follow: what clients and servers say to each other (SMTP).")
    ] = False,
    logins: Annotated[
        bool, typer.Option("--logins", help="The last 20 logins to send or to fetch by POP3, and wrong passwords.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write a page there, with the way in the network's picture."),
    ] = None,
) -> None:
    """Follow a message over all machines, by their logs: who took it, what the filter said, where it is now.

    Without anything the last message that a machine took. Exit status: 1 when there is no such message.
    """
    from maillab.cli.trace import Wanted  # noqa: PLC0415
    from maillab.cli.trace import trace as show  # noqa: PLC0415

    number = None
    if follow and (which is not None or last or to is not None or html is not None):
        raise typer.BadParameter(text("trace-follows-all"), param_hint="--follow")
    if dialogue and not follow:
        raise typer.BadParameter(text("trace-dialogue-live"), param_hint="--dialogue")
    if last:
        if which is not None and not (which.isascii() and which.isdigit() and int(which)):
            raise typer.BadParameter(text("trace-not-a-number", given=which), param_hint="--last")
        number, which = int(which or 1), None
    if which is not None and to is not None:
        raise typer.BadParameter(text("trace-two-choices"), param_hint="--to")
    if logins and (follow or last or html is not None or which is not None or to is not None):
        raise typer.BadParameter(text("trace-logins-alone"), param_hint="--logins")
    choice = chosen(context)
    choice.reach_engine()
    if logins:
        from maillab.cli.trace_logins import NEWEST, show_logins  # noqa: PLC0415

        show_logins(choice.stack, NEWEST, as_json=as_json)
        return
    if follow:
        from maillab.cli.trace_follow import follow as show_events  # noqa: PLC0415

        show_events(choice.stack, as_json=as_json, dialogue=dialogue)
        return
    show(choice.stack, Wanted(name=which, to=to, number=number), as_json=as_json, html=html)
