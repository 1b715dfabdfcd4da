"""The recipe of the virtual machine's disk, as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent.parent / "files" / "vm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`packages`, a line each; `files`: path in the machine to text; `script`: what makes a disk of them."""

    packages: str
    script: str
    files: Mapping[str, str] = field(repr=False)


def disk_recipe() -> Recipe:
    """What lies in files/vm."""
    tree = FOLDER / "disk"
    files = {
        f"/{path.relative_to(tree)}": path.read_text("utf-8") for path in sorted(tree.rglob("*")) if path.is_file()
    }
    return Recipe(
        packages=(FOLDER / "packages").read_text("utf-8"),
        script=(FOLDER / "make-disk").read_text("utf-8"),
        files=files,
    )
