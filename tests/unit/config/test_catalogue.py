"""The sentences of problems: complete in every language, with the values that the code gives them."""

import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from components.config.catalogue import CHINESE, ENGLISH, LANGUAGES, MESSAGES, catalogue, language
from components.config.links import QUANTITIES
from components.config.mail import FIXED
from components.config.problem import ConfigurationError, problem
from components.load import parse
from tests.support.edits import edited
from tests.support.sentences import Sentences
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROBLEMS = Sentences(
    messages=MESSAGES,
    code=["components", "maillab/exercises/library.py"],
    makers={"problem": "", "warning": "", "phrase": "phrase."},
)


def test_languages_have_the_same_keys() -> None:
    assert set(PROBLEMS.entries(ENGLISH)) == set(PROBLEMS.entries(CHINESE))
    assert len(PROBLEMS.entries(ENGLISH)) > 150


@pytest.mark.parametrize("wanted", LANGUAGES)
def test_every_problem_has_a_sentence_and_a_remedy(wanted: str) -> None:
    for key, texts in PROBLEMS.entries(wanted).items():
        assert set(texts) == ({""} if key.startswith("phrase.") else {"what", "remedy"}), key
        assert all(text.strip() for text in texts.values()), key


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    assert PROBLEMS.unknown_keys() == []


def test_every_sentence_of_the_catalogue_is_used() -> None:
    assert PROBLEMS.unused_keys() == []


@pytest.mark.parametrize(
    "key", [*(f"bad-link.{name}" for name in QUANTITIES), *(f"parameter-has-key.{name}" for name in sorted(FIXED))]
)
def test_what_a_table_names_has_its_sentence(key: str) -> None:
    assert key in PROBLEMS.entries(ENGLISH)


def test_both_languages_show_the_same_values() -> None:
    assert PROBLEMS.unlike_placeholders() == []


def test_sentences_show_the_values_that_the_code_gives() -> None:
    assert len(PROBLEMS.given()) > 150
    assert PROBLEMS.wrongly_given() == []


def test_every_sentence_is_translated() -> None:
    assert PROBLEMS.untranslated() == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, ENGLISH, id="nothing set"),
        pytest.param({"LANG": "zh_TW.UTF-8"}, CHINESE, id="locale"),
        pytest.param({"LANG": "C.UTF-8"}, ENGLISH, id="C"),
        pytest.param({"LANG": "zh_CN.UTF-8"}, ENGLISH, id="another Chinese"),
        pytest.param({"LANG": "zh_Hant_TW.UTF-8"}, CHINESE, id="by script"),
        pytest.param({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.utf8"}, CHINESE, id="LC_ALL before LANG"),
        pytest.param({"LANG": "zh_TW.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, ENGLISH, id="LC_MESSAGES before LANG"),
        pytest.param({"LANG": "zh_TW.UTF-8", "LC_ALL": ""}, CHINESE, id="empty is unset"),
        pytest.param({"LANG": "en_US.UTF-8", "MAILLAB_LANG": "zh-TW"}, CHINESE, id="the project's own"),
        pytest.param({"LANG": "en_US.UTF-8", "MAILLAB_LANG": "zh_TW"}, CHINESE, id="with an underscore"),
        pytest.param({"LANG": "zh_TW.UTF-8", "MAILLAB_LANG": "en"}, ENGLISH, id="English wanted"),
    ],
)
def test_language(environment: dict[str, str], expected: str) -> None:
    assert language(environment) == expected


def refused(changes: Mapping[str, Any]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        parse(edited(stack_data(ROOT, "dc1es"), changes), "dc1es")
    return caught.value


def test_wrong_configuration_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    text = str(refused({"schools.0.zone.records.+": "@ MX 5 sapmfilter", "prefix": "Lab"}))
    assert text.splitlines() == [
        "設定檔有 2 個問題；沒有更動任何東西。",
        "  maillab:prefix: 容器名稱不能用 'Lab' 開頭 [bad-prefix]",
        "    只能用小寫字母、數字、- _ .",
        "  maillab:schools.dc1es.zone.records[19] (@ MX 5 sapmfilter): "
        "目標 sapmfilter.dc1es.tnc.edu.tw. 沒有位址 [mx-without-address]",
        "    請加上記錄：sapmfilter A <它的位址>",
    ]


def test_parts_of_a_sentence_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = refused({"schools.0.domain": "Dc1_es.tnc.edu.tw"}).problems
    assert found.what == "'Dc1_es.tnc.edu.tw' has capital letters and has an underscore"
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert found.what == "'Dc1_es.tnc.edu.tw'：含有大寫字母，含有底線"


def test_values_are_not_placeholders() -> None:
    assert problem("user-twice", "here", name="{where}").what == "duplicate user {where}"


def test_good_configuration_reads_no_catalogue() -> None:
    catalogue.cache_clear()
    parse(stack_data(ROOT, "dc1es"), "dc1es")
    assert catalogue.cache_info().misses == 0
