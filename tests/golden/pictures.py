"""The pictures of the stacks' networks, in every form and language."""

from pathlib import Path

from components.plan import plan_of
from maillab.cli.graph import Format, picture_text
from maillab.graph.network import picture_of
from tests.golden.rendering import GOLDEN, STACKS, lab_of
from tests.support.documents import LANGUAGES
from tests.support.language import speaking

PICTURES = GOLDEN / "pictures"
SUFFIXES = {Format.TERMINAL: "txt", Format.MERMAID: "mmd", Format.SVG: "svg"}


def pictures() -> dict[Path, str]:
    """Where each is kept, and how it is drawn now."""
    found: dict[Path, str] = {}
    for language in LANGUAGES:
        with speaking(language):
            for stack in STACKS:
                picture = picture_of(plan_of(lab_of(stack)))
                for form, suffix in SUFFIXES.items():
                    found[PICTURES / language / f"{stack}.{suffix}"] = picture_text(picture, form)
    return found
