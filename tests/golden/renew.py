"""Writes the golden files, the schema and the reference pages again: `.venv/bin/python -m tests.golden.renew`.

Read the difference before it is committed.
"""

import shutil

from components.config.schema import PATH, schema_text
from maillab.exercises import schema as exercises
from tests.golden.pictures import PICTURES, pictures
from tests.golden.rendering import GOLDEN, RENDERED, ROOT, kept, rendered
from tests.reference import renew as reference


def main() -> None:
    """Writes what is rendered now, removes what is not rendered any more, and says what changed."""
    changed = 0
    for folder in GOLDEN.iterdir():
        if folder.is_dir() and folder.name not in (*RENDERED, PICTURES.name, "__pycache__"):
            shutil.rmtree(folder)
    for stack in RENDERED:
        old, new = kept(stack), rendered(stack)
        shutil.rmtree(GOLDEN / stack, ignore_errors=True)
        for name, text in new.items():
            path = GOLDEN / stack / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                changed += 1
                sign = "+" if name not in old else "-" if name not in new else "~"
                print(f"{sign} {stack}/{name}")
    for path, picture in pictures().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
    (ROOT / PATH).write_text(schema_text(), encoding="utf-8")
    (ROOT / exercises.PATH).write_text(exercises.schema_text(), encoding="utf-8")
    print(f"{changed} files changed")
    reference.main()


if __name__ == "__main__":
    main()
