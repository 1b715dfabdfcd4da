"""What an exercise's messages have in them."""

import base64

import pytest

from maillab.exercises.exercise import BODIES
from maillab.exercises.scene import body_of


@pytest.mark.parametrize("body", [*BODIES, "3", "100k"])
def test_body_is_one_word(body: str) -> None:
    """The programs that hand messages in read it to the first blank (maillab.verify.messages)."""
    assert len(body_of(body).split()) == (body != "spam")


def test_size_is_in_kilobytes() -> None:
    assert (len(body_of("3")), len(body_of("100k"))) == (3, 100_000)


def test_virus_is_the_test_file() -> None:
    assert body_of("virus").startswith("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-")


def test_archive_is_one_that_filters_decode() -> None:
    """They look for base64 in runs of 60 characters at least (lua/mail_decoders.lua)."""
    word = body_of("archive")
    assert len(word) >= 60
    assert base64.b64decode(word).startswith(b"Rar!\x1a\x07")
