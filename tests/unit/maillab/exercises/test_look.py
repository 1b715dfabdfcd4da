"""What a look makes of a server that takes no message for the mailbox that is to be fetched."""

from typing import Any, cast

from maillab.cli.configuration import stack_plan
from maillab.cli.stack import ROOT, Stack
from maillab.exercises.exercise import Effect, Fetch, Text
from maillab.exercises.look import PUT, Looker, State
from maillab.exercises.scene import Scene

FULL = "sendmail: fatal: root(0): queue file write error"


class Full:
    """Machines whose mail server's disk is full."""

    def run(self, _: str, command: list[str], __: str = "") -> str:
        """What a program printed."""
        return f"postdrop: warning: No space left on device\n{FULL}\n" if PUT in command else ""


def test_refusal_of_a_message_to_fetch_is_a_miss() -> None:
    """The server is at fault, not the look."""
    scene = Scene(plan=stack_plan(Stack(name="dc1es", root=ROOT)), machines=cast("Any", Full()))
    effect = Effect(says=Text(en="x", zh="x"), fetches=Fetch(user="chen@dc1es.tnc.edu.tw"))
    finding = Looker(scene=scene, effects={"fetch": effect})._fetch("fetch")
    assert (finding.state, finding.seen) == (State.MISSED, FULL)
