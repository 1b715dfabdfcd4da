"""Orders to a running qemu (QEMU Machine Protocol), through QEMU's own library."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from qemu.qmp import ExecuteError, QMPClient, QMPError

from maillab.where.home import Home
from maillab.where.problem import WhereError

PATIENCE = 600  # seconds for one order; a snapshot of a large machine on a slow disk takes minutes
CONNECT = 10


def order(home: Home, command: str, arguments: Mapping[str, object] | None = None) -> object:
    """qemu's answer to one command.

    Raises:
        WhereError: `vm-no-control` when qemu does not answer, `vm-refused` with its words when it refuses.
    """
    logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)  # we report its failures
    try:
        return asyncio.run(_order(home.qmp, command, dict(arguments or {})))
    except ExecuteError as error:
        raise WhereError("vm-refused", f"qemu refuses {command}: {error}") from error
    except (QMPError, OSError, TimeoutError) as error:
        remedy = (
            "another command may be at work on it (a snapshot takes a while): wait, then again",
            f"only if it stays so: kill $(cat {home.folder}/qemu.pid); its disk stays; then: {home.maillab} vm start",
        )
        raise WhereError("vm-no-control", f"qemu of {home.folder} does not answer: {error}", *remedy) from error


async def _order(path: str, command: str, arguments: dict[str, object]) -> object:
    client = QMPClient("maillab")
    await asyncio.wait_for(client.connect(path), CONNECT)
    try:
        return await asyncio.wait_for(client.execute(command, arguments), PATIENCE)
    finally:
        # A qemu that has the order to quit is gone before the connection is closed: its answer counts all the same.
        with suppress(EOFError, OSError, QMPError, TimeoutError):
            await asyncio.wait_for(client.disconnect(), CONNECT)


def monitor(home: Home, line: str) -> str:
    """What qemu's human monitor answers to `line`: its words are errors for most commands, empty for success."""
    return str(order(home, "human-monitor-command", {"command-line": line})).strip()


def run_state(home: Home) -> str:
    """qemu's word for what the machine does (running, paused, io-error, internal-error …)."""
    return str(cast("dict[str, object]", order(home, "query-status"))["status"])
