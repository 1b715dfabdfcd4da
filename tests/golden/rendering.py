"""All rendered files of a stack, beside those that are kept."""

import copy
import pathlib
from typing import Any

from components.config.lab import LabConfig
from components.load import parse
from components.plan import plan_of
from tests.support.sendmail import use_sendmail
from tests.support.stacks import stack_data

GOLDEN = pathlib.Path(__file__).resolve().parent
ROOT = GOLDEN.parent.parent
# The project's own: a clone may have stack files of its own (`maillab new`).
STACKS = ("dc1es", "onehost", "standalone")
# And the machine `mail` of dc1es with another program.
SENDMAIL = "sendmail"
RENDERED = (*STACKS, SENDMAIL)


def lab_of(stack: str) -> LabConfig:
    """The stack's configuration."""
    if stack != SENDMAIL:
        return parse(stack_data(ROOT, stack), stack)
    data: dict[str, Any] = dict(stack_data(ROOT, "dc1es"))
    data["schools"] = [use_sendmail(school) for school in copy.deepcopy(data["schools"])]
    return parse(data, stack)


def rendered(stack: str) -> dict[str, str]:
    """`<machine>/<path>` to text of every file of every machine; secret files are left out."""
    return {
        f"{name}{path}": text
        for name, blueprint in sorted(plan_of(lab_of(stack)).machines.items())
        if stack != SENDMAIL or name == "mail"
        for path, text in sorted(blueprint.part.files.items())
    }


def kept(stack: str) -> dict[str, str]:
    """The same from the golden files."""
    folder = GOLDEN / stack
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
