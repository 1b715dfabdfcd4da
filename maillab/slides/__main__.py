"""`python -m maillab.slides` (`make slides`): the slides of `docs/*/slides` as HTML in the folder `slides`."""

import os
from pathlib import Path

from maillab.cli.configuration import stack_plan
from maillab.cli.graph import Format, picture_text
from maillab.cli.stack import ROOT, Stack
from maillab.graph.network import picture_of
from maillab.slides import page

STACK = "dc1es"  # the lab that the lessons are about
LANGUAGES = ("en", "zh-TW")


def main(folder: Path = ROOT / "slides") -> None:
    """Writes them all, in each language, and says where."""
    folder.mkdir(exist_ok=True)
    for language in LANGUAGES:
        os.environ["MAILLAB_LANG"] = language  # of the picture's words
        picture = picture_text(picture_of(stack_plan(Stack(name=STACK, root=ROOT))), Format.SVG)
        for source in sorted((ROOT / "docs" / language / "slides").glob("*.md")):
            path = folder / f"{source.stem}.{language}.html"
            path.write_text(page(source.read_text("utf-8"), picture, language), "utf-8")
            print(path)


if __name__ == "__main__":
    main()
