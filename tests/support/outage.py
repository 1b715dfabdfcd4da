"""Servers that are down for a while, and files that are edited for a while."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from driver.lab import Lab
from driver.machine import Machine


@contextmanager
def service_stopped(machine: Machine, service: str, port: int) -> Iterator[None]:
    """A service stopped as the tutorial does it: the machine answers, and refuses connections to its port."""
    machine.succeed(f"service {service} stop")
    try:
        yield
    finally:
        machine.succeed(f"service {service} start")
        machine.wait_for_open_port(port)


def postfix_stopped(machine: Machine) -> AbstractContextManager[None]:
    """Postfix stopped: port 25 is closed."""
    return service_stopped(machine, "postfix", 25)


@contextmanager
def machine_stopped(lab: Lab, name: str, port: int = 25) -> Iterator[None]:
    """The whole machine switched off (docker stop): packets to it get no answer. Afterwards `port` is open again."""
    lab[name].container.stop()
    try:
        yield
    finally:
        lab[name].container.start()
        lab[name].wait_for_open_port(port)


@contextmanager
def edited(machine: Machine, after: str, *paths: str) -> Iterator[None]:
    """Keeps files as they are now; whatever is done to them is undone at the end, and `after` makes that known."""
    # A managed file is a symbolic link, which must stay one.
    files = [machine.succeed(f"readlink -f {path}").strip() for path in paths]
    before = {path: machine.get(path) for path in files}
    try:
        yield
    finally:
        for path, content in before.items():
            machine.put(path, content)
        machine.succeed(after)
