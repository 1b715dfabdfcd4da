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

from maillab.offline.deployment import WORKERS
from maillab.offline.monitor import EngineLog, Monitor
from maillab.offline.values import OfflineError

if TYPE_CHECKING:
    from maillab.offline.deployment import Deployment
    from maillab.offline.display import Display
    from maillab.offline.project import Project
    from maillab.offline.values import Props


def run_program(project: Project, deployment: Deployment, display: Display) -> Props:
    """Run the program to its end; returns the stack's outputs. What fails goes to the display.

    The program runs in a context of its own, so that one process can run several; what they import stays imported.
    """
    monitor = Monitor(project, deployment, display)
    try:
        contextvars.copy_context().run(_run, project, monitor, display)
    except (RunError, OfflineError) as error:
        monitor.restore_outputs()
        display.diagnostic("error", "", str(error))
    except SystemExit as error:
        if error.code:
            monitor.restore_outputs()
            display.diagnostic("error", "", f"the program ended itself with exit status {error.code}")
    except Exception as error:  # whatever a program raises is its own failure, not the engine's
        monitor.restore_outputs()
        if not monitor.failed:
            display.diagnostic("error", "", _in_the_program(error, project.root))
    return monitor.outputs


def _run(project: Project, monitor: Monitor, display: Display) -> None:
    settings = Settings(
        project.name,
        project.stack,
        monitor,
        EngineLog(display),
        dry_run=monitor.deployment.dry_run,
        organization="organization",
        root_directory=str(project.root),
    )
    configure(settings)
    set_all_config(project.config, project.secret_keys)
    main = str(project.root / "__main__.py")

    def program() -> None:
        runpy.run_path(main, run_name="__main__")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # what fails is reported once, by run_program
    loop.set_default_executor(ThreadPoolExecutor(WORKERS))
    folder, path = Path.cwd(), list(sys.path)
    os.chdir(project.root)
    os.environ["MAILLAB_OFFLINE_RUN"] = "yes"  # the program refuses to make this engine's lab by another one
    sys.path.insert(0, str(project.root))
    try:
        loop.run_until_complete(run_in_stack(program))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        del os.environ["MAILLAB_OFFLINE_RUN"]
        os.chdir(folder)
        sys.path[:] = path


def _in_the_program(error: Exception, root: Path) -> str:
    """The error with the program's own lines of the traceback."""
    engine = Path(__file__).parent
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(root)]
    own = [
        frame for frame in frames if not Path(frame.filename).is_relative_to(engine) and ".venv" not in frame.filename
    ]
    last = "".join(traceback.format_exception_only(error)).rstrip()
    return f"the program failed:\n{''.join(traceback.format_list(own))}{last}"
