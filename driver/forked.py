"""Runs of the offline engine in processes of their own, forked from one that has the libraries loaded already.

A new interpreter takes a second for each run; a run in the tests' own process would share its environment with them.
"""

import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

FORKED = multiprocessing.get_context("forkserver")
# Not imported here: offline.__main__ switches off the garbage collector of the process that it is in. Nothing of the
# project's own program: each lab has a copy of it.
LIBRARIES = ("dns", "docker", "jinja2", "pulumi_command", "pulumi_docker", "pydantic", "yaml")
FORKED.set_forkserver_preload([__name__, "maillab.offline.__main__", "maillab.offline.program", *LIBRARIES])


def run_engine(
    words: Sequence[str], folder: pathlib.Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """As `python -m maillab.offline WORDS` there."""
    with tempfile.TemporaryDirectory() as kept:
        out, err = pathlib.Path(kept) / "out", pathlib.Path(kept) / "err"
        process = FORKED.Process(target=_run, args=([*words], folder, dict(environment), out, err))
        process.start()
        try:
            process.join()
            code = process.exitcode
        finally:
            process.kill()  # one that has ended takes it in peace
            process.join()
        output = [path.read_text("utf-8") if path.exists() else "" for path in (out, err)]
    return subprocess.CompletedProcess([*words], -1 if code is None else code, *output)


def _run(
    words: list[str], folder: pathlib.Path, environment: dict[str, str], out: pathlib.Path, err: pathlib.Path
) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from maillab.offline.__main__ import main  # noqa: PLC0415 (see FORKED)

    sys.exit(main(words))
