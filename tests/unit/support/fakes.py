"""A machine that answers from memory, for tests of the harness itself."""

from typing import cast

from docker.models.containers import Container

from driver.machine import Machine


class FakeContainer:
    """Answers each command by the first entry whose key occurs in it; anything else gives nothing and status 1."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    def exec_run(self, command: list[str], **_: object) -> tuple[int, bytes]:
        """As docker.models.containers.Container.exec_run."""
        found = [answer for key, answer in self.answers.items() if key in command[-1]]
        return (0, found[0]) if found else (1, b"")


def fake_machine(name: str, answers: dict[str, bytes], ipv4: str = "", ipv6: str = "") -> Machine:
    """A machine with these answers."""
    return Machine(name, cast("Container", FakeContainer(answers)), ipv4, ipv6)
