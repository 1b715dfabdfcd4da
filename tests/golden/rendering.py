"""All rendered files of a stack, beside those that are kept."""

import pathlib

from components.blueprints import blueprints
from components.config import LabConfig
from components.load import parse
from tests.support.stacks import stack_data

GOLDEN = pathlib.Path(__file__).resolve().parent
ROOT = GOLDEN.parent.parent
STACKS = tuple(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))


def lab_of(stack: str) -> LabConfig:
    """The stack's configuration."""
    return parse(stack_data(ROOT, stack), stack)


def rendered(stack: str) -> dict[str, str]:
    """`<machine>/<path>` to text of every file of every machine; secret files are left out."""
    return {
        f"{name}{path}": text
        for name, blueprint in sorted(blueprints(lab_of(stack)).items())
        for path, text in sorted(blueprint.part.files.items())
    }


def kept(stack: str) -> dict[str, str]:
    """The same from the golden files."""
    folder = GOLDEN / stack
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
