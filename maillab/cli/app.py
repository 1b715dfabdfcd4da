"""The commands of `maillab`. What they need is imported when they run: `maillab --help` must be quick."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from maillab.cli.capture import capture
from maillab.cli.choice import Choice, chosen
from maillab.cli.completion import Shell, machines_of, stacks
from maillab.cli.doing import add_to as add_doing
from maillab.cli.exercise import exercise
from maillab.cli.graph import graph
from maillab.cli.open_page import open_page
from maillab.cli.stack import DEFAULT_STACK, Engine, Stack
from maillab.cli.text import about, text
from maillab.cli.trace_command import trace
from maillab.cli.tutorial import tutorial
from maillab.cli.vm import vm

app = typer.Typer(
    name="maillab",
    help="A school's mail system in containers: bring it up, look at it, change it, remove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # no boxes: their lines are two columns wide on some Chinese terminals
)
state = typer.Typer(help="The lab's state.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(exercise, name="exercise")
app.add_typer(vm, name="vm")
app.add_typer(state, name="state")


def show_version(wanted: bool) -> None:
    """Print the version and end, if that is wanted."""
    if wanted:
        from maillab.cli.version import version  # noqa: PLC0415

        typer.echo(version())
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    stack: Annotated[
        str,
        typer.Option(envvar="MAILLAB_STACK", help="Which lab: Pulumi.<stack>.yaml.", autocompletion=stacks),
    ] = DEFAULT_STACK,
    engine: Annotated[
        Engine | None,
        typer.Option(envvar="MAILLAB_ENGINE", help="Instead of: pulumi when it is on PATH, else offline."),
    ] = None,
    version: Annotated[  # noqa: ARG001 (it ends the command)
        bool, typer.Option("--version", help="Show the version, and end.", is_eager=True, callback=show_version)
    ] = False,
) -> None:
    """Remember the options for the command."""
    about(stack)
    context.obj = Choice(stack=Stack(name=stack), engine=engine)


@app.command()
def up(context: typer.Context) -> None:
    """Bring the lab to what its configuration says; then show how its machines are, and what to try."""
    from maillab.cli.belongings import belongings_of  # noqa: PLC0415
    from maillab.cli.docker import RUNNING  # noqa: PLC0415
    from maillab.cli.drift import flags_of  # noqa: PLC0415
    from maillab.cli.first_screen import show_first_screen  # noqa: PLC0415
    from maillab.cli.history import by_hand, recorded  # noqa: PLC0415
    from maillab.cli.left_mail import left_mail_lines  # noqa: PLC0415
    from maillab.cli.machines import standing_still  # noqa: PLC0415
    from maillab.cli.reconnect import reconnect  # noqa: PLC0415
    from maillab.cli.status import running_exercise  # noqa: PLC0415
    from maillab.cli.tags import former_tags, remove_everywhere  # noqa: PLC0415

    choice = chosen(context)
    choice.refuse_without_file()
    choice.refuse_copy()
    choice.refuse_moved()
    choice.reach_engine(start=True)
    choice.refuse_taken()
    for line in left_mail_lines(choice.stack):
        typer.echo(line)
    if name := running_exercise(choice.stack):
        typer.echo(text("exercise-runs-up", name=name))
    with recorded(choice.stack, "up") as record:
        record["said"] = list(reconnect(choice.stack))
        for line in record["said"]:
            typer.echo(line)
        still = standing_still(choice.stack)
        flags, why = flags_of(choice.stack, still)
        if why:
            typer.echo(text("looking-first", why=why))
        tags = former_tags(choice.stack)
        choice.run("up", *flags)
        choice.reach_engine()
        if kept := belongings_of(choice.stack).unused_mail():
            typer.echo(text("kept-unused-mail", names=", ".join(kept)))
        if removed := list(remove_everywhere(choice.stack, tags)):
            typer.echo(text("removed-unused-images", names=", ".join(removed)))
        status = show_first_screen(choice.stack)
        record["by_hand"] = by_hand(status)
        running = {one.row.name for one in status.machines if one.row.state == RUNNING}
        # What was missing was made, and is among the changes.
        record["started"] = [name for name, state in still.items() if name in running and state != "missing"]


@app.command()
def preview(
    context: typer.Context,
    diff: Annotated[bool, typer.Option("--diff", help="With the changed lines.")] = False,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="A change is a failure.")] = False,
) -> None:
    """Show what `up` would change; nothing is touched."""
    from maillab.cli.left_mail import left_mail_lines  # noqa: PLC0415

    given = {"--diff": diff, "--expect-no-changes": expect_no_changes}
    choice = chosen(context)
    choice.refuse_without_file()
    choice.refuse_moved(look_only=True)
    if choice.belongs_to_pulumi():  # its provider wants to see the engine
        choice.reach_engine()
    for line in left_mail_lines(choice.stack):
        typer.echo(line)
    choice.run("preview", *(flag for flag, wanted in given.items() if wanted))


@app.command()
def refresh(context: typer.Context) -> None:
    """Look which containers, networks and volumes were changed by hand since; the next `up` repairs them."""
    choice = chosen(context)
    choice.reach_engine()
    choice.run("refresh")


@app.command()
def reset(
    context: typer.Context,
    machines: Annotated[
        list[str] | None, typer.Argument(help="Which ones; without a name, all.", autocompletion=machines_of)
    ] = None,
    mail: Annotated[bool, typer.Option("--mail", help="Empty their mailboxes and queues too.")] = False,
) -> None:
    """Have machines be as the last `up` configured them, whatever was done in them; their mail stays."""
    from maillab.cli.exercise import give_up  # noqa: PLC0415
    from maillab.cli.history import recorded  # noqa: PLC0415
    from maillab.cli.reset import noted, reset_machines, summary  # noqa: PLC0415

    choice = chosen(context)
    choice.refuse_copy()
    choice.reach_engine(start=True)
    give_up(choice.stack, "reset")
    with recorded(choice.stack, "reset", machines=machines, mail=mail) as record:
        outcomes = reset_machines(choice.stack, machines or [], mail=mail)
        record.update(noted(choice.stack, outcomes))
        for line in summary(choice.stack, outcomes, mail=mail):
            typer.echo(line)
        if any(one.failure for one in outcomes):
            raise typer.Exit(1)


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every 2 seconds, until Ctrl-C.")] = False,
) -> None:
    """How each machine is: its services, rules, addresses, routes, disk, queue, and what was edited by hand.

    Every problem comes with the command that repairs it. Exit status: 0 when nothing is broken (files that were edited
    by hand are only named), 1 when something is, or when there is no lab; with --watch always 0 after Ctrl-C.
    """
    from maillab.cli.status import status_of  # noqa: PLC0415
    from maillab.cli.status_table import output, watch_output  # noqa: PLC0415

    choice = chosen(context)
    choice.reach_engine()
    if watch:
        watch_output(lambda: status_of(choice.stack), as_json=as_json)
        return
    found = status_of(choice.stack)
    output(found, as_json=as_json)
    if not found.well:
        raise typer.Exit(1)


@app.command()
def history(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(metavar="N", min=1, show_default=False, help="How many, the newest; unset, 10.")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """What changed the lab, when, and who did it: each `up`, `reset` and `down`, and what is edited by hand now.

    What `pulumi` did by itself is listed in short; `pulumi stack history` has more of it.
    """
    from rich.console import Console  # noqa: PLC0415

    from maillab.cli.history_view import all_runs, as_json_text, hands_of, show  # noqa: PLC0415

    choice = chosen(context)
    found = all_runs(choice.stack)[-number:]
    hands = hands_of(choice)
    if as_json:
        typer.echo(as_json_text(found, hands))
    else:
        show(choice.stack, found, hands, Console())


@app.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The new stack: small letters, digits, - and _.")],
    source: Annotated[
        str, typer.Option("--from", help="The stack whose file is copied.", autocompletion=stacks)
    ] = DEFAULT_STACK,
) -> None:
    """Make a stack file for a lab of your own, with a prefix and a carrier that nobody has."""
    from maillab.cli.new import make  # noqa: PLC0415

    about(name)
    root = context.find_root().obj.stack.root
    made = make(Stack(name=name, root=root), Stack(name=source, root=root))
    typer.echo(text("stack-made", file=made.path.name, source=source, prefix=made.prefix, carrier=made.carrier))
    if not made.asked:
        typer.echo(text("engine-not-asked"))
    typer.echo(text("stack-next"))


@app.command()
def labs(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """The labs on this computer's Docker engine: which folder they belong to, and how they are."""
    from maillab.cli.labs import as_json as rows_as_json  # noqa: PLC0415
    from maillab.cli.labs import labs as all_labs  # noqa: PLC0415
    from maillab.cli.labs import show  # noqa: PLC0415

    rows = all_labs(context.find_root().obj.stack.root)
    if as_json:
        import json  # noqa: PLC0415

        typer.echo(json.dumps(rows_as_json(rows), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console  # noqa: PLC0415

        show(rows, Console())


@app.command()
def completion(shell_name: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print what makes TAB complete commands, stacks and machines; where to put it stands in its first lines."""
    from maillab.cli.completion import script  # noqa: PLC0415

    typer.echo(script(shell_name), nl=False)


@app.command()
def outputs(context: typer.Context) -> None:
    """What the program said at its last `up`, as JSON; secrets are hidden."""
    import json  # noqa: PLC0415

    typer.echo(json.dumps(chosen(context).stack.outputs(), indent=2, ensure_ascii=False))


@app.command()
def verify(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    mail: Annotated[
        bool, typer.Option("--mail/--no-mail", help="Send messages too, or only connect, ask and log in.")
    ] = True,
    everything: Annotated[bool, typer.Option("--all", help="Show what is as configured too.")] = False,
) -> None:
    """Prove the policy: predict every connection and message, try them all, and show what is not as configured.

    Differences come first, with the services that explain them; the last five lines are the summary.
    """
    from maillab.cli.exercise import refuse_in_exercise  # noqa: PLC0415
    from maillab.cli.verify import verify as prove_and_show  # noqa: PLC0415

    choice = chosen(context)
    refuse_in_exercise(choice.stack, "verify")
    choice.reach_engine()
    if not prove_and_show(choice.stack, as_json=as_json, mail=mail, everything=everything):
        raise typer.Exit(1)


app.command()(trace)
add_doing(app)


@app.command(context_settings={"allow_interspersed_args": False})
def shell(
    context: typer.Context,
    machine: Annotated[str, typer.Argument(autocompletion=machines_of)],
    command: Annotated[list[str] | None, typer.Argument(help="Instead of a shell.")] = None,
) -> None:
    """Go into a machine: `maillab shell mail`; or run one command there: `maillab shell mail -- postqueue -p`."""
    from maillab.cli.docker import RUNNING, host_environment  # noqa: PLC0415
    from maillab.cli.machines import find  # noqa: PLC0415
    from maillab.cli.problem import failed  # noqa: PLC0415

    choice = chosen(context)
    choice.reach_engine()
    row = find(choice.stack, machine)
    if row.state != RUNNING:
        raise failed("machine-stopped", stack=choice.stack.name, machine=row.name, state=row.state)
    words = command or []
    words = words[1:] if words[:1] == ["--"] else words
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    argv = ["docker", "exec", "-i", *terminal, row.container, *(words or ["/bin/bash", "-l"])]
    os.execvpe("docker", argv, host_environment())


@app.command()
def down(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove the mail too, without a question.")] = False,
    keep_mail: Annotated[bool, typer.Option("--keep-mail", help="Keep the mail, without a question.")] = False,
    keep_images: Annotated[bool, typer.Option("--keep-images", help="The next `up` need not build them.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Its place is gone for good: remove nothing there.")] = False,
) -> None:
    """Remove the lab: containers, networks, images, and (asked for) the volumes with its mail."""
    from maillab.cli.down import forget_lab, remove_lab  # noqa: PLC0415
    from maillab.cli.exercise import end_with_lab  # noqa: PLC0415
    from maillab.cli.history import recorded  # noqa: PLC0415
    from maillab.offline.terminal import Lasting  # noqa: PLC0415

    choice = chosen(context)
    choice.refuse_copy()
    removal = remove_lab(choice, yes=yes, keep_mail=keep_mail, images=not keep_images)
    words = Lasting(sys.stdout)  # a lab is not removed by halves because nobody reads about it
    with recorded(choice.stack, "down", yes=yes, keep_mail=keep_mail, forget=forget) as record:
        record["said"] = []
        for line in forget_lab(choice) if forget else removal:
            print(line, file=words, flush=True)
            record["said"].append(line)
    end_with_lab(choice.stack)


@state.command()
def move(context: typer.Context, to: Annotated[Engine, typer.Option(help="Its new engine.")]) -> None:
    """Hand the lab to the other engine; no resource is touched."""
    from maillab.cli.move import move as hand_over  # noqa: PLC0415

    path = hand_over(chosen(context).stack, to)
    typer.echo(text("moved", engine=to, path=path))


app.command()(graph)
app.command()(tutorial)
app.command()(capture)
app.command("open")(open_page)
