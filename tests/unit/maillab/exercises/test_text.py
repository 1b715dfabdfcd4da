"""What exercises say: every text in both languages, with the values that the code gives it."""

from maillab.exercises.text import MESSAGES
from tests.support.sentences import Sentences

TEXTS = Sentences(messages=MESSAGES, code=["maillab/exercises"], makers={"text": "text.", "both": "text."})


def test_every_text_is_there_and_used() -> None:
    assert TEXTS.unknown_keys() == []
    assert TEXTS.unused_keys() == []


def test_texts_show_the_same_values_in_both_languages() -> None:
    assert TEXTS.unlike_placeholders() == []


def test_every_text_is_translated() -> None:
    assert TEXTS.untranslated() == []
