"""What is made of the catalogues outside a test, in each language."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Meanwhile sentences are in `language` (`en`, `zh-TW`)."""
    before = os.environ.get("MAILLAB_LANG")
    os.environ["MAILLAB_LANG"] = language
    try:
        yield
    finally:
        if before is None:
            del os.environ["MAILLAB_LANG"]
        else:
            os.environ["MAILLAB_LANG"] = before
