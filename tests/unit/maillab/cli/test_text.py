"""What the command line says: complete in every language, with the values that the code gives it."""

import pytest

from components.config.catalogue import CHINESE, ENGLISH, LANGUAGES
from maillab.cli.problem import KNOWN, MaillabError, failed, shown
from maillab.cli.text import MESSAGES, OF_THE_STACK, about, text
from maillab.cli.where import as_maillab
from maillab.where.problem import WhereError
from tests.support.sentences import Sentences

TEXTS = Sentences(
    messages=MESSAGES,
    code=["maillab/cli", "maillab/__main__.py", "maillab/exercises/session.py"],
    makers={"failed": "", "finding": "", "_known": "", "text": "text.", "SessionError": "exercise-"},
    always=frozenset(OF_THE_STACK),
    options=frozenset({"code", "id"}),
)
# Their remedy is in the words that they quote or comes from elsewhere, or there is nothing to do.
WITHOUT_REMEDY = {"carrier-taken", "docker-failed", "nothing-removed", "run-failed"}


def test_languages_have_the_same_keys() -> None:
    assert set(TEXTS.entries(ENGLISH)) == set(TEXTS.entries(CHINESE))
    assert len(TEXTS.entries(ENGLISH)) > 100


@pytest.mark.parametrize("wanted", LANGUAGES)
def test_every_error_says_what_to_do(wanted: str) -> None:
    for key, texts in TEXTS.entries(wanted).items():
        parts = {"what"} if key in WITHOUT_REMEDY else {"what", "remedy"}
        assert set(texts) == ({""} if key.startswith("text.") else parts), key
        assert all(one.strip() for one in texts.values()), key


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    assert TEXTS.unknown_keys() == []


def test_every_text_of_the_catalogue_is_used() -> None:
    assert TEXTS.unused_keys() == []


def test_both_languages_show_the_same_values() -> None:
    assert TEXTS.unlike_placeholders() == []


def test_texts_show_the_values_that_the_code_gives() -> None:
    assert len(TEXTS.given()) > 100
    assert TEXTS.wrongly_given() == []


def test_every_text_is_translated() -> None:
    assert TEXTS.untranslated() == ["text.accelerator-kvm"]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.id)
def test_known_failure_is_told_in_chinese(known: object, monkeypatch: pytest.MonkeyPatch) -> None:
    english = getattr(known, "what", "")
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert getattr(known, "what", "") != english


def test_error_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    error = failed("no-machine", stack="onehost", machine="mial", names="dns, mail")
    assert str(error) == "實驗環境 onehost 裡沒有機器 mial"
    assert error.remedy == ("可用的有：dns, mail",)
    assert error.id == "no-machine"


def test_words_of_the_room_where_name_the_stack_too() -> None:
    about("onehost")
    error = as_maillab(WhereError("no-qemu", "qemu-img is not installed", "`make up` installs it"))
    assert error.remedy == ("`make up STACK=onehost` installs it",)


def test_text_names_the_stack_that_the_command_is_about() -> None:
    about("onehost")
    assert failed("no-engine").remedy[0].startswith("`make up STACK=onehost`")
    assert text("interrupted-next") == "the next `bin/maillab --stack onehost up` goes on where this one stopped"
    assert failed("no-lab", stack="other").remedy == ("make it: make up STACK=other",)


def test_error_gives_a_terminal_no_orders() -> None:
    error = MaillabError("mail: `id` failed:\n\x1b]0;red\x07 no\r\n中文", "look there")
    assert shown(error) == "maillab: mail: `id` failed:\n?]0;red? no\n中文\n  look there"
