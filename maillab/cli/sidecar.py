"""A container beside a machine's, in its network, that reads packets: no machine may read them itself."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from maillab.cli.docker import RUNNING, docker, host_environment
from maillab.cli.problem import failed
from maillab.where.ownership import OWNER_LABEL, STACK_LABEL

if TYPE_CHECKING:
    from maillab.cli.machines import MachineRow
    from maillab.cli.stack import Stack

# tcpdump ends well at SIGTERM: when its stdin does, and so when the docker client is gone, however that ended. What a
# shell starts in the background has another stdin, unless it is given one.
TCPDUMP = (
    'tcpdump -Z root -i any -p -s 0 -U -w - -- "$@" & capture=$!\n'
    "exec 3<&0\n"
    "{ cat <&3 >/dev/null; kill $capture; } 2>/dev/null &\n"
    "wait $capture"
)
PATIENCE = 10  # seconds for tcpdump's last words


def arguments(stack: Stack, row: MachineRow, image: str, name: str, packets: Sequence[str]) -> list[str]:
    """The docker command: it may do NET_RAW, nothing else. By the labels `down` finds one that stayed."""
    labels = {STACK_LABEL: stack.label, OWNER_LABEL: stack.owner}
    return [
        *("docker", "run", "--rm", "--interactive", "--name", name, "--network", f"container:{row.container}"),
        *("--cap-drop", "ALL", "--cap-add", "NET_RAW", "--security-opt", "no-new-privileges", "--read-only"),
        *(word for key, value in labels.items() if value for word in ("--label", f"{key}={value}")),
        *("--entrypoint", "/bin/sh", image, "-c", TCPDUMP, "tcpdump", *packets),
    ]


@contextmanager
def sidecar(
    stack: Stack, row: MachineRow, packets: Sequence[str] = (), *, quiet: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """What reads the machine's `packets` (pcap-filter(7)) while the block runs; its stdout is a pcap file (pcap(5)).

    Ctrl-C does not reach it: it ends with the block. `quiet`: without tcpdump's own words on stderr.

    Raises:
        MaillabError: the machine does not run.
    """
    if row.state != RUNNING:
        raise failed("machine-stopped", stack=stack.name, machine=row.name, state=row.state)
    image = docker("inspect", "--type", "container", "--format", "{{.Image}}", row.container).strip()
    name = f"{row.container}-capture-{secrets.token_hex(4)}"
    process = subprocess.Popen(
        arguments(stack, row, image, name, packets),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        bufsize=0,
        env=host_environment(os.environ),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process, name)


def _end(process: subprocess.Popen[bytes], name: str) -> None:
    """Have it end, and the container be gone, in any case."""
    for file in (process.stdin, process.stdout):
        if file:
            file.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    subprocess.run(
        ["docker", "rm", "--force", name], capture_output=True, check=False, env=host_environment(), timeout=60
    )
