"""Runs the project's `__main__.py` with the Pulumi SDK talking to this engine."""

from __future__ import annotations

import asyncio
import contextvars
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi.errors import RunError
from pulumi.runtime import set_all_config
from pulumi.runtime.settings import Settings, configure
from pulumi.runtime.stack import run_in_stack

from offline.deployment import WORKERS
from offline.monitor import EngineLog, Monitor

if TYPE_CHECKING:
    from offline.deployment import Deployment
    from offline.display import Display
    from offline.project import Project
    from offline.values import Props


def run_program(project: Project, deployment: Deployment, display: Display) -> Props | None:
    """Run the program to its end; returns the stack's outputs, None when something failed.

    What failed is in the display's diagnostics. The program runs in a context of its own, so that one
    process can run several; modules it imports stay imported.
    """
    monitor = Monitor(project.name, project.stack, deployment, display)
    before = len(display.diagnostics)
    try:
        contextvars.copy_context().run(_run, project, monitor, display)
    except RunError as error:
        display.diagnostic("error", "", str(error))
    except SystemExit as error:
        if error.code:
            display.diagnostic("error", "", f"the program ended itself with exit status {error.code}")
    except Exception as error:  # noqa: BLE001 (whatever a program raises is its failure, not the engine's)
        if not monitor.failed.is_set():
            display.diagnostic("error", "", _program_traceback(error, project.root))
    failed = monitor.failed.is_set() or display.cancelled
    failed |= any(item["severity"] == "error" for item in display.diagnostics[before:])
    return None if failed else monitor.outputs


def _run(project: Project, monitor: Monitor, display: Display) -> None:
    configure(
        Settings(
            project=project.name, stack=project.stack, monitor=monitor, engine=EngineLog(display),
            dry_run=monitor.deployment.dry_run, organization="organization", root_directory=str(project.root),
        )
    )  # fmt: skip
    set_all_config(project.config, project.secret_keys)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # what failed is told once, by run_program
    loop.set_default_executor(ThreadPoolExecutor(WORKERS, thread_name_prefix="step"))
    folder, path = os.getcwd(), list(sys.path)  # noqa: PTH109 (to come back to the very same text)
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    try:
        main = str(project.root / "__main__.py")
        loop.run_until_complete(run_in_stack(lambda: _ignore(runpy.run_path(main, run_name="__main__"))))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        os.chdir(folder)
        sys.path[:] = path


def _ignore(_globals: object) -> None:
    """What a program's globals are afterwards matters to nobody."""


def _program_traceback(error: BaseException, root: Path) -> str:
    """The error with the program's own lines of the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(root)]
    own = [frame for frame in frames if not Path(frame.filename).is_relative_to(Path(__file__).parent)]
    last = "".join(traceback.format_exception_only(error)).rstrip()
    return f"the program failed:\n{''.join(traceback.format_list(own))}{last}"
