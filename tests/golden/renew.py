"""Makes the golden files anew: `.venv/bin/python -m tests.golden.renew`. Read the difference before it is committed."""

import shutil

from tests.golden.rendering import GOLDEN, STACKS, kept, rendered


def main() -> None:
    """Writes what is rendered now, removes what is not rendered any more, and says what changed."""
    changed = 0
    for folder in GOLDEN.iterdir():
        if folder.is_dir() and folder.name not in (*STACKS, "__pycache__"):
            shutil.rmtree(folder)
    for stack in STACKS:
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
    print(f"{changed} files changed")


if __name__ == "__main__":
    main()
