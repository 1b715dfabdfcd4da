"""The commands of `maillab`. What they need is imported when they run: `maillab --help` must be quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.choice import Choice, chosen
from cli.stack import Engine, Stack
from cli.vm import vm

DEFAULT_STACK = "dc1es"

app = typer.Typer(
    name="maillab",
    help="A school's mail system in containers: bring it up, look at it, change it, remove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
state = typer.Typer(help="The lab's state.", no_args_is_help=True)
app.add_typer(state, name="state")
app.add_typer(vm, name="vm")


@app.callback()
def options(
    context: typer.Context,
    stack: Annotated[str, typer.Option(envvar="MAILLAB_STACK", help="Which lab: Pulumi.<stack>.yaml.")] = DEFAULT_STACK,
    engine: Annotated[
        Engine | None,
        typer.Option(envvar="MAILLAB_ENGINE", help="Instead of: pulumi when it is on PATH, else offline."),
    ] = None,
) -> None:
    """Remember the options for the command."""
    context.obj = Choice(stack=Stack(name=stack), engine=engine)


@app.command()
def up(context: typer.Context) -> None:
    """Bring the lab to what its configuration says; then show its machines."""
    from cli.machines import has_drift  # noqa: PLC0415

    choice = chosen(context)
    choice.stay()
    choice.attend(start=True)
    flags = []
    if has_drift(choice.stack):
        typer.echo("A machine does not run: looking at all of them first.")
        flags = ["--refresh"]
    choice.run("up", *flags)
    choice.attend()
    status(context)


@app.command()
def preview(
    context: typer.Context,
    diff: Annotated[bool, typer.Option("--diff", help="With the changed lines.")] = False,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="A change is a failure.")] = False,
) -> None:
    """Show what `up` would change; nothing is touched."""
    given = {"--diff": diff, "--expect-no-changes": expect_no_changes}
    choice = chosen(context)
    choice.stay(look_only=True)
    if choice.belongs_to_pulumi():  # its provider wants to see the engine
        choice.attend()
    choice.run("preview", *(flag for flag, wanted in given.items() if wanted))


@app.command()
def refresh(context: typer.Context) -> None:
    """Look what was changed by hand since; the next `up` mends it."""
    choice = chosen(context)
    choice.attend()
    choice.run("refresh")


@app.command()
def status(context: typer.Context) -> None:
    """The machines: name, addresses, state, what each does."""
    from rich.console import Console  # noqa: PLC0415

    from cli.machines import show  # noqa: PLC0415

    choice = chosen(context)
    choice.attend()
    show(choice.stack, Console())


@app.command()
def outputs(context: typer.Context) -> None:
    """What the program said at its last `up`, as JSON; secrets are hidden."""
    import json  # noqa: PLC0415

    typer.echo(json.dumps(chosen(context).stack.outputs(), indent=2, ensure_ascii=False))


@app.command()
def verify(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    mail: Annotated[bool, typer.Option("--mail/--no-mail", help="Send letters too, or try connections only.")] = True,
) -> None:
    """Prove the policy: predict every connection and letter, try them all, and say what is not as predicted."""
    from cli.verify import verify as prove_and_show  # noqa: PLC0415

    choice = chosen(context)
    choice.attend()
    if not prove_and_show(choice.stack, as_json=as_json, mail=mail):
        raise typer.Exit(1)


@app.command(context_settings={"allow_interspersed_args": False})
def shell(
    context: typer.Context,
    machine: str,
    command: Annotated[list[str] | None, typer.Argument(help="Instead of a shell.")] = None,
) -> None:
    """Go into a machine: `maillab shell mail`; or run one command there: `maillab shell mail postqueue -p`."""
    from cli.docker import host_environment  # noqa: PLC0415
    from cli.machines import find  # noqa: PLC0415

    choice = chosen(context)
    choice.attend()
    container = find(choice.stack, machine).container
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    words = ["docker", "exec", "-i", *terminal, container, *(command or ["/bin/bash", "-l"])]
    os.execvpe("docker", words, host_environment())


@app.command()
def down(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove the mail too, without a question.")] = False,
    keep_mail: Annotated[bool, typer.Option("--keep-mail", help="Keep the mail, without a question.")] = False,
    keep_images: Annotated[bool, typer.Option("--keep-images", help="The next `up` need not build them.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Its place is gone for good: remove nothing there.")] = False,
) -> None:
    """Remove the lab: containers, networks, images, and (asked for) the volumes with its mail."""
    from cli.down import forget_lab, remove_lab  # noqa: PLC0415

    choice = chosen(context)
    removal = remove_lab(choice, yes=yes, keep_mail=keep_mail, images=not keep_images)
    for line in forget_lab(choice) if forget else removal:
        typer.echo(line)


@state.command()
def move(context: typer.Context, to: Annotated[Engine, typer.Option(help="Its new engine.")]) -> None:
    """Hand the lab to the other engine; no resource is touched."""
    from cli.move import move as hand_over  # noqa: PLC0415

    path = hand_over(chosen(context).stack, to)
    typer.echo(f"The lab belongs to the {to} engine now ({path}); a preview shows no changes.")
