"""What the pictures say: complete in every language, with the values that the code gives it."""

import pytest

from components.config.catalogue import CHINESE, ENGLISH
from components.config.lab import Role
from maillab.graph.words import MESSAGES, text
from tests.support.language import speaking
from tests.support.sentences import Sentences

TEXTS = Sentences(messages=MESSAGES, code=["maillab/graph"], makers={"text": "text."})


def test_languages_have_the_same_keys_and_values() -> None:
    assert set(TEXTS.entries(ENGLISH)) == set(TEXTS.entries(CHINESE))
    assert TEXTS.unlike_placeholders() == []


def test_catalogue_has_what_the_code_names_and_nothing_else() -> None:
    assert TEXTS.unknown_keys() == []
    assert TEXTS.unused_keys() == []
    assert TEXTS.wrongly_given() == []


def test_every_text_is_translated() -> None:
    assert TEXTS.untranslated() == ["text.guard", "text.guard-families", "text.relayhost", "text.page-id"]


@pytest.mark.parametrize("role", Role)
def test_every_role_has_its_words(role: Role) -> None:
    with speaking("en"):
        english = text(f"role-{role}")
    with speaking("zh-TW"):
        assert text(f"role-{role}") != english
